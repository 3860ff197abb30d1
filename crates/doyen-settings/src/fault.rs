//! Errors of settings.

use std::fmt;

/// One error: its message names the setting, its origin, the mistake and the correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key, the variable or the file.
    pub about: String,
    /// The message. It never contains the value of a secret.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(about: &str, message: impl Into<String>) -> Self {
        Self {
            about: about.to_owned(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The settings are invalid: every error, one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The errors, at least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.faults {
            [_] => write!(f, "a setting is wrong:")?,
            all => write!(f, "{} settings are wrong:", all.len())?,
        }
        self.faults
            .iter()
            .try_for_each(|fault| write!(f, "\n- {fault}"))
    }
}

impl std::error::Error for SettingsError {}
