//! The static facts of a plugin.

#[cfg(feature = "database")]
use doyen_data::Migrations;

use crate::Command;

/// What a plugin declares before anything is registered.
#[derive(Debug, Default)]
pub struct Manifest {
    pub(crate) about: &'static str,
    pub(crate) section: Option<&'static str>,
    pub(crate) requires: Vec<&'static str>,
    pub(crate) after: Vec<&'static str>,
    pub(crate) formerly: Vec<&'static str>,
    pub(crate) renamed: Vec<(&'static str, &'static str)>,
    #[cfg(feature = "database")]
    pub(crate) tables: Option<Migrations>,
    pub(crate) commands: Vec<Command>,
}

impl Manifest {
    /// Describes the plugin in one sentence, for the command `plugins`.
    pub const fn about(&mut self, text: &'static str) -> &mut Self {
        self.about = text;
        self
    }

    /// Needs another plugin: it registers, migrates and starts before this one and stops after it.
    /// Without it the application does not start.
    pub fn requires(&mut self, name: &'static str) -> &mut Self {
        self.requires.push(name);
        self
    }

    /// Comes after another plugin if the application has it.
    pub fn after(&mut self, name: &'static str) -> &mut Self {
        self.after.push(name);
        self
    }

    /// A name that this plugin had before. Its tables are taken over.
    pub fn formerly(&mut self, name: &'static str) -> &mut Self {
        self.formerly.push(name);
        self
    }

    /// The settings section, if it is not the name of the plugin. Two plugins can share a section
    /// if no key occurs in both.
    pub const fn section(&mut self, name: &'static str) -> &mut Self {
        self.section = Some(name);
        self
    }

    /// A setting that had another name: a start with the old name fails and states the new one.
    pub fn renamed_setting(&mut self, old: &'static str, new: &'static str) -> &mut Self {
        self.renamed.push((old, new));
        self
    }

    /// The tables of the plugin. Their names begin with its name, and no foreign key refers to a
    /// table of another owner.
    #[cfg(feature = "database")]
    pub const fn tables(&mut self, migrations: Migrations) -> &mut Self {
        self.tables = Some(migrations);
        self
    }

    /// A command of the command line. It is declared here, and not registered, so that `--help`
    /// lists it even if the settings are wrong.
    pub fn command(&mut self, command: Command) -> &mut Self {
        self.commands.push(command);
        self
    }
}
