//! Who owns what: every name that plugins and modules share has one owner.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;

use crate::fault::Fault;

/// A kind of name that has one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Setting,
    Binding,
    DefaultBinding,
    #[cfg(feature = "database")]
    Tables,
    Route,
    Operation,
    Metric,
    Alert,
    Health,
    Command,
    Address,
    Pipeline,
    Layer,
    Service,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Setting => "setting",
            Kind::Binding => "binding",
            Kind::DefaultBinding => "default binding",
            #[cfg(feature = "database")]
            Kind::Tables => "tables",
            Kind::Route => "route",
            Kind::Operation => "operation",
            Kind::Metric => "metric",
            Kind::Alert => "alert",
            Kind::Health => "health check",
            Kind::Command => "command",
            Kind::Address => "address",
            Kind::Pipeline => "pipeline slot",
            Kind::Layer => "layer",
            Kind::Service => "background work",
        })
    }
}

/// A plugin or module, and where it was added to the application.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) kind: OwnerKind,
    pub(crate) name: &'static str,
    pub(crate) place: &'static Location<'static>,
}

/// What owns a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnerKind {
    Plugin,
    /// The application itself: its modules, commands and settings.
    Application,
    /// `doyen-app`.
    Framework,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            OwnerKind::Plugin => write!(f, "plugin `{}` ({})", self.name, self.place),
            OwnerKind::Application => write!(f, "the application ({})", self.place),
            OwnerKind::Framework => f.write_str("the framework"),
        }
    }
}

/// All names that are taken.
#[derive(Debug, Default)]
pub(crate) struct Claims(BTreeMap<(Kind, String), Owner>);

impl Claims {
    /// Claims a name. The application may claim its own names twice: other checks report that with
    /// more detail.
    pub(crate) fn claim(&mut self, kind: Kind, name: &str, owner: Owner) -> Result<(), Fault> {
        let key = (kind, name.to_owned());
        let Some(first) = self.0.get(&key) else {
            self.0.insert(key, owner);
            return Ok(());
        };
        let application = OwnerKind::Application;
        if first.kind == application && owner.kind == application {
            return Ok(());
        }
        if first.name == owner.name && first.kind == owner.kind {
            return Err(Fault::new(format!(
                "{owner} has the {kind} `{name}` twice: keep one"
            )));
        }
        Err(Fault::new(format!(
            "{first} and {owner} both have the {kind} `{name}`: rename one, or remove one of them"
        )))
    }

    /// The names of one owner, for reports.
    pub(crate) fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (Kind, &'a str)> {
        self.0
            .iter()
            .filter(move |(_, owner)| owner.kind == OwnerKind::Plugin && owner.name == name)
            .map(|((kind, claimed), _)| (*kind, claimed.as_str()))
    }
}
