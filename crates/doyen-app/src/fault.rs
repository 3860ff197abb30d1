//! Why an application does not start: every mistake, not only the first.

use std::fmt;

use doyen_settings::SettingsError;

use crate::SetupError;

/// One mistake. Its text says what is wrong and what to do.
#[derive(Debug)]
pub struct Fault {
    /// The plugin, module or part of the application that has the mistake.
    pub(crate) owner: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) message: String,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            owner: None,
            key: None,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn setting(key: &str, message: impl Into<String>) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..Self::new(message)
        }
    }

    /// A wrong setting, with the error that it causes.
    pub(crate) fn setting_error(
        key: &str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..Self::from_error(error)
        }
    }

    /// A fault whose text is that of the error.
    pub(crate) fn from_error(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            message: error.to_string(),
            owner: None,
            key: None,
            source: Some(Box::new(error)),
        }
    }

    pub(crate) fn of(owner: &str, error: SetupError) -> Self {
        Self {
            owner: Some(owner.to_owned()),
            key: error.key,
            message: error.message,
            source: error.source,
        }
    }

    /// The key of the setting, if a setting is wrong.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The plugin that has the mistake, if a plugin has it.
    pub fn plugin(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.owner) {
            (Some(key), _) => write!(f, "`{key}`: {}", self.message),
            (None, Some(owner)) => write!(f, "plugin `{owner}`: {}", self.message),
            (None, None) => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// Why an application does not start.
#[derive(Debug)]
pub struct StartupError {
    settings: Vec<doyen_settings::Fault>,
    faults: Vec<Fault>,
    warnings: Vec<doyen_settings::Fault>,
}

impl StartupError {
    pub(crate) const fn of(settings: Vec<doyen_settings::Fault>, faults: Vec<Fault>) -> Self {
        Self {
            settings,
            faults,
            warnings: Vec::new(),
        }
    }

    /// Adds variables that were ignored: one of them may be the setting that is missing.
    pub(crate) fn with_warnings(mut self, warnings: Vec<doyen_settings::Fault>) -> Self {
        self.warnings = warnings;
        self
    }

    /// The invalid settings: unknown, missing, or out of range.
    pub fn settings(&self) -> &[doyen_settings::Fault] {
        &self.settings
    }

    /// All other mistakes.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl From<Fault> for StartupError {
    fn from(fault: Fault) -> Self {
        Self::of(Vec::new(), vec![fault])
    }
}

impl From<SettingsError> for StartupError {
    fn from(error: SettingsError) -> Self {
        Self::of(error.faults, Vec::new())
    }
}

impl StartupError {
    /// The only fault, if its own text is enough.
    fn only(&self) -> Option<&Fault> {
        match (&*self.settings, &*self.faults) {
            ([], [only]) if only.key.is_some() || only.source.is_some() => Some(only),
            _ => None,
        }
    }
}

impl fmt::Display for StartupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(only) = self.only() {
            only.fmt(f)?;
        } else {
            match (&*self.settings, &*self.faults) {
                ([_], []) => f.write_str("a setting is wrong:")?,
                (all, []) => write!(f, "{} settings are wrong:", all.len())?,
                _ => f.write_str("the application cannot start:")?,
            }
            for fault in &self.settings {
                write!(f, "\n  - {fault}")?;
            }
            for fault in &self.faults {
                write!(f, "\n  - {}", doyen_core::chain(fault))?;
            }
        }
        for warning in &self.warnings {
            write!(f, "\n  warning: {warning}")?;
        }
        Ok(())
    }
}

impl std::error::Error for StartupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // In a list, each text has its causes.
        std::error::Error::source(self.only()?)
    }
}
