//! Why a check cannot be carried out.

use std::fmt;
use std::path::PathBuf;

/// An application that cannot be checked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    Read {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// `Cargo.toml` is not valid.
    Manifest {
        /// The file.
        file: PathBuf,
        /// The cause.
        message: String,
    },
    /// A source file is not valid Rust.
    Syntax {
        /// The file.
        file: PathBuf,
        /// The cause.
        message: String,
    },
    /// There is no `src/lib.rs` and no `src/main.rs`.
    NoSource(PathBuf),
    /// The file of a module does not exist.
    MissingModule {
        /// The file that declares the module.
        file: PathBuf,
        /// The line of the declaration.
        line: usize,
        /// The name of the module.
        module: String,
    },
    /// A module of the shared kernel does not exist.
    MissingSharedKernel(String),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { file, .. } => write!(out, "cannot read {}", file.display()),
            Self::Manifest { file, message } | Self::Syntax { file, message } => {
                write!(out, "cannot parse {}: {message}", file.display())
            }
            Self::NoSource(folder) => {
                write!(out, "{} has no lib.rs and no main.rs", folder.display())
            }
            Self::MissingModule { file, line, module } => write!(
                out,
                "{}:{line}: the file of the module `{module}` does not exist",
                file.display()
            ),
            Self::MissingSharedKernel(module) => write!(
                out,
                "`shared-kernel` in Cargo.toml names `{module}`, but there is no such module"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            _ => None,
        }
    }
}
