//! The families of metrics of an application, by the plugin or part of the framework they belong
//! to.

use doyen_core::sync::lock;

use crate::Built;
use crate::metrics::{Family, HEALTH};
use crate::runtime::TASK_FAMILIES;

/// The parts of the framework, in the order of the dashboard. Plugins follow.
const FRAMEWORK: [(&str, &str); 7] = [
    ("http", "Requests"),
    ("health", "Health checks"),
    ("database", "The database"),
    ("process", "The process and the async runtime"),
    ("tasks", "Background tasks"),
    ("tls", "TLS"),
    ("nats", "NATS"),
];

/// All families of an application.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// The name of the application.
    pub(crate) app: &'static str,
    pub(crate) title: String,
    pub(crate) groups: Vec<Group>,
}

/// The families of a plugin, or of a part of the framework.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) families: Vec<&'static Family>,
}

impl Catalogue {
    pub(crate) fn of(built: &Built) -> Self {
        let mut families = built.metrics.families();
        // Neither is collected like the others: health checks are run for each scrape, and tasks
        // report once they run.
        families.push(("health", HEALTH));
        if !lock(&built.plan).tasks.is_empty() {
            families.push(("tasks", TASK_FAMILIES));
        }
        let plugins = built.plugins.all().iter();
        let known = FRAMEWORK
            .into_iter()
            .chain(plugins.map(|plugin| (plugin.name, plugin.about)));
        let groups = known.map(|(name, about)| Group {
            name,
            about,
            families: families
                .iter()
                .filter(|(group, _)| *group == name)
                .flat_map(|(_, families)| *families)
                .collect(),
        });
        Self {
            app: built.info.name,
            title: built.info.title.clone(),
            groups: groups.filter(|group| !group.families.is_empty()).collect(),
        }
    }
}
