//! A plugin that was added to an application, without its type.

use std::fmt;
use std::panic::Location;

use doyen_settings::{Key, Reader, Settings};

use crate::claims::{Owner, OwnerKind};
use crate::fault::Fault;
use crate::order::{self, Item};
use crate::{Manifest, Plugin, Registrar, SetupError};

/// How a plugin came into the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    Added,
    Replacement,
}

/// A change to the list of plugins.
#[derive(Debug)]
pub(crate) enum Edit {
    Replace(Box<Entry>),
    Without(&'static str, &'static Location<'static>),
}

/// A plugin of an application.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) origin: Origin,
    pub(crate) place: &'static Location<'static>,
    pub(crate) manifest: Manifest,
    held: Box<dyn Held>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Entry {
    pub(crate) fn new<P: Plugin>(
        plugin: P,
        origin: Origin,
        place: &'static Location<'static>,
    ) -> Self {
        let mut manifest = Manifest::default();
        plugin.manifest(&mut manifest);
        Self {
            name: P::NAME,
            origin,
            place,
            manifest,
            held: Box::new(Typed {
                plugin,
                settings: None,
            }),
        }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner {
            kind: OwnerKind::Plugin,
            name: self.name,
            place: self.place,
        }
    }

    /// The plugin as the sort sees it.
    pub(crate) fn item(&self) -> Item {
        let Manifest {
            requires, after, ..
        } = &self.manifest;
        Item {
            name: self.name,
            group: u8::from(self.origin == Origin::Added),
            place: self.place.to_string(),
            before: requires.iter().chain(after).copied().collect(),
        }
    }

    pub(crate) fn section(&self) -> &'static str {
        self.manifest.section.unwrap_or(self.name)
    }

    /// The keys of its settings, within its section.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let within = |key: Key| key.within(self.section());
        self.held.keys().into_iter().map(within).collect()
    }

    /// Reads its settings.
    pub(crate) fn read(&mut self, reader: &mut Reader<'_>) {
        let section = self.section();
        self.held.read(reader, section);
    }

    /// Whether its settings were read without a mistake.
    pub(crate) fn has_settings(&self) -> bool {
        self.held.has_settings()
    }

    pub(crate) fn register(self, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        self.held.register(app)
    }
}

trait Held: Send {
    fn keys(&self) -> Vec<Key>;
    fn read(&mut self, reader: &mut Reader<'_>, section: &str);
    fn has_settings(&self) -> bool;
    fn register(self: Box<Self>, app: &mut Registrar<'_>) -> Result<(), SetupError>;
}

struct Typed<P: Plugin> {
    plugin: P,
    settings: Option<P::Settings>,
}

impl<P: Plugin> Held for Typed<P> {
    fn keys(&self) -> Vec<Key> {
        P::Settings::keys()
    }

    fn read(&mut self, reader: &mut Reader<'_>, section: &str) {
        self.settings = reader.section(section);
    }

    fn has_settings(&self) -> bool {
        self.settings.is_some()
    }

    fn register(self: Box<Self>, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        match self.settings {
            Some(settings) => self.plugin.register(settings, app),
            None => Ok(()),
        }
    }
}

/// The plugins of an application, in order.
pub(crate) struct Sorted {
    pub(crate) entries: Vec<Entry>,
    /// Plugins that cannot be registered because something they need is missing.
    pub(crate) broken: Vec<&'static str>,
    /// Plugins that were left out or replaced, with a description.
    pub(crate) absent: Vec<(&'static str, String)>,
    pub(crate) faults: Vec<Fault>,
}

/// Applies the edits, checks names and dependencies, and sorts.
pub(crate) fn sort(mut entries: Vec<Entry>, edits: Vec<Edit>) -> Sorted {
    let mut faults = Vec::new();
    let mut absent = Vec::new();
    refuse_doubles(&mut entries, &mut faults);
    for edit in edits {
        apply(edit, &mut entries, &mut absent, &mut faults);
    }
    let mut broken = missing(&entries, &absent, &mut faults);
    let items: Vec<Item> = entries.iter().map(Entry::item).collect();
    let (sorted, cycles) = order::sort(&items);
    faults.extend(cycles);
    let mut rest: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    let mut entries: Vec<Entry> = sorted
        .into_iter()
        .filter_map(|index| rest[index].take())
        .collect();
    // The members of a cycle: their settings are checked all the same.
    for entry in rest.into_iter().flatten() {
        broken.push(entry.name);
        entries.push(entry);
    }
    Sorted {
        entries,
        broken,
        absent,
        faults,
    }
}

fn refuse_doubles(entries: &mut Vec<Entry>, faults: &mut Vec<Fault>) {
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries.drain(..) {
        match kept.iter().find(|known| known.name == entry.name) {
            Some(known) => faults.push(Fault::new(format!(
                "{} and {} have one name. Remove one, or replace the first with `App::replace`",
                known.owner(),
                entry.owner()
            ))),
            None => kept.push(entry),
        }
    }
    *entries = kept;
}

fn apply(
    edit: Edit,
    entries: &mut Vec<Entry>,
    absent: &mut Vec<(&'static str, String)>,
    faults: &mut Vec<Fault>,
) {
    match edit {
        Edit::Replace(mut new) => match entries.iter_mut().find(|entry| entry.name == new.name) {
            Some(old) if old.origin == Origin::Replacement => faults.push(Fault::new(format!(
                "{} and {} replace the same plugin: keep one",
                old.owner(),
                new.owner()
            ))),
            Some(old) => {
                absent.push((new.name, format!("{} replaced it", new.owner())));
                std::mem::swap(old, &mut *new);
            }
            None => faults.push(Fault::new(format!(
                "`App::replace` at {} finds no plugin `{}`. {}. To add it, use `App::plugin`",
                new.place,
                new.name,
                known(entries)
            ))),
        },
        Edit::Without(name, place) => match entries.iter().position(|entry| entry.name == name) {
            Some(index) => {
                entries.remove(index);
                absent.push((
                    name,
                    format!("`App::without(\"{name}\")` at {place} left it out"),
                ));
            }
            None => faults.push(Fault::new(format!(
                "`App::without` at {place} finds no plugin `{name}`. {}",
                known(entries)
            ))),
        },
    }
}

fn known(entries: &[Entry]) -> String {
    let names: Vec<String> = entries
        .iter()
        .map(|entry| format!("`{}`", entry.name))
        .collect();
    format!("The application has {}", names.join(", "))
}

/// Reports each required plugin that is missing, with the chain that requires it. Returns the
/// plugins that cannot work without it.
fn missing(
    entries: &[Entry],
    absent: &[(&'static str, String)],
    faults: &mut Vec<Fault>,
) -> Vec<&'static str> {
    let mut broken: Vec<&'static str> = Vec::new();
    for entry in entries {
        for name in &entry.manifest.requires {
            if entries.iter().any(|other| other.name == *name) {
                continue;
            }
            broken.push(entry.name);
            let chain = chain(entries, entry.name, name);
            let why = absent
                .iter()
                .find(|(gone, _)| gone == name)
                .map_or_else(String::new, |(_, why)| format!(" ({why})"));
            faults.push(Fault::new(format!(
                "{} requires plugin `{name}`, which the application does not have{why}: {chain}. Add it, or remove `{}`",
                entry.owner(),
                entry.name
            )));
        }
    }
    // Those that need a broken one are broken too.
    while let Some(more) = entries.iter().find(|entry| {
        !broken.contains(&entry.name)
            && entry
                .manifest
                .requires
                .iter()
                .any(|name| broken.contains(name))
    }) {
        broken.push(more.name);
    }
    broken
}

/// The chain of requirements that ends in the missing plugin.
fn chain(entries: &[Entry], last: &'static str, missing: &'static str) -> String {
    let mut path = vec![missing, last];
    while let Some(user) = entries.iter().find(|entry| {
        let needs = entry.manifest.requires.contains(&path[path.len() - 1]);
        needs && !path.contains(&entry.name)
    }) {
        path.push(user.name);
    }
    let names: Vec<String> = path.iter().rev().map(|name| format!("`{name}`")).collect();
    names.join(" -> ")
}
