//! Which plugins an application has: for the command `plugins` and for the admin listener.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use doyen_core::sync::lock;

use serde_json::{Value, json};

use crate::claims::Claims;
use crate::entry::{Entry, Origin};

/// The plugins of an application. Injectable as `Arc<Plugins>`.
#[derive(Debug)]
pub struct Plugins {
    plugins: Vec<PluginReport>,
    absent: Vec<(&'static str, String)>,
    started: Mutex<BTreeMap<&'static str, Duration>>,
}

/// One plugin.
#[derive(Clone, Debug)]
pub struct PluginReport {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// How it came into the application: `default`, `added` or `replacement`.
    pub origin: &'static str,
    /// Where it was added.
    pub place: String,
    /// Its settings section.
    pub section: &'static str,
    /// The plugins that it requires.
    pub requires: Vec<&'static str>,
    /// The plugins that it comes after.
    pub after: Vec<&'static str>,
    /// What it owns: `route GET /docs`.
    pub claims: Vec<String>,
}

impl Plugins {
    pub(crate) fn new(entries: &[Entry], absent: &[(&'static str, String)]) -> Self {
        Self {
            plugins: entries.iter().map(report).collect(),
            absent: absent.to_vec(),
            started: Mutex::default(),
        }
    }

    /// Sorts the plugins in the order in which they start, and adds what they own.
    pub(crate) fn complete(&mut self, order: &[&'static str], claims: &Claims) {
        let place = |name: &str| order.iter().position(|other| *other == name);
        self.plugins.sort_by_key(|plugin| place(plugin.name));
        for plugin in &mut self.plugins {
            let owned = claims.of(plugin.name);
            plugin.claims = owned.map(|(kind, name)| format!("{kind} {name}")).collect();
        }
    }

    pub(crate) fn note_started(&self, plugin: &'static str, took: Duration) {
        let mut started = lock(&self.started);
        *started.entry(plugin).or_default() += took;
    }

    /// The plugins, in the order in which they start.
    pub fn all(&self) -> &[PluginReport] {
        &self.plugins
    }

    /// The plugins that were left out or replaced, with the place in the code.
    pub fn absent(&self) -> &[(&'static str, String)] {
        &self.absent
    }

    /// The report as JSON.
    pub fn to_json(&self) -> Value {
        let started = lock(&self.started);
        let plugins: Vec<Value> = self
            .plugins
            .iter()
            .map(|plugin| {
                json!({
                    "name": plugin.name,
                    "about": plugin.about,
                    "origin": plugin.origin,
                    "place": plugin.place,
                    "section": plugin.section,
                    "requires": plugin.requires,
                    "after": plugin.after,
                    "claims": plugin.claims,
                    "start_seconds": started.get(plugin.name).map(Duration::as_secs_f64),
                })
            })
            .collect();
        let absent: Vec<Value> = self
            .absent
            .iter()
            .map(|(name, why)| json!({"name": name, "why": why}))
            .collect();
        json!({"plugins": plugins, "absent": absent})
    }
}

fn report(entry: &Entry) -> PluginReport {
    PluginReport {
        name: entry.name,
        about: entry.manifest.about,
        origin: match entry.origin {
            Origin::Default => "default",
            Origin::Added => "added",
            Origin::Replacement => "replacement",
        },
        place: entry.place.to_string(),
        section: entry.section(),
        requires: entry.manifest.requires.clone(),
        after: entry.manifest.after.clone(),
        claims: Vec::new(),
    }
}
