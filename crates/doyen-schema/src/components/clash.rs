//! Two types with the same name.

use std::fmt;

/// Two different types have the same name in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameClash {
    /// The name.
    pub name: String,
    /// The Rust types.
    pub types: [&'static str; 2],
}

impl fmt::Display for NameClash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, types } = self;
        write!(
            f,
            "`{name}` is the name of two different types in the document: `{}` and `{}`. Rename one with `#[output(name = \"..\")]` or `#[input(name = \"..\")]`",
            types[0], types[1]
        )?;
        if types.iter().any(|name| name.contains('<')) {
            f.write_str("; for a generic type, rename one of its arguments")?;
        }
        Ok(())
    }
}

impl std::error::Error for NameClash {}
