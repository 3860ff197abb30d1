//! The environment of the application.

use std::fmt;
use std::str::FromStr;

use crate::choice::either;
use crate::{Raw, Setting, Wrong};

/// The environment of the application, from `APP_ENV`.
///
/// ```
/// use doyen_settings::Environment;
///
/// assert!("prod".parse::<Environment>().unwrap().is_prod());
/// assert_eq!(Environment::default(), Environment::Dev);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Development. The default.
    #[default]
    Dev,
    /// Tests.
    Test,
    /// Production.
    Prod,
}

impl Environment {
    const WORDS: [&str; 3] = ["dev", "test", "prod"];

    /// Returns its name: `dev`, `test` or `prod`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Environment::Dev => "dev",
            Environment::Test => "test",
            Environment::Prod => "prod",
        }
    }

    /// True in development.
    pub const fn is_dev(self) -> bool {
        matches!(self, Environment::Dev)
    }

    /// True in production.
    pub const fn is_prod(self) -> bool {
        matches!(self, Environment::Prod)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = Wrong;
    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text {
            "dev" => Ok(Environment::Dev),
            "test" => Ok(Environment::Test),
            "prod" => Ok(Environment::Prod),
            _ => Err(Wrong::must_be(either(&Self::WORDS))),
        }
    }
}

impl Setting for Environment {
    fn kind() -> String {
        either(&Self::WORDS)
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        raw.text().unwrap_or_default().parse()
    }
}
