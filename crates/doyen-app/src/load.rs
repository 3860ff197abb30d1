//! Load tests: scenarios for k6 and locust, from the OpenAPI document of the application.
//!
//! The scripts are the same for every application. What an application has is in the [`plan`]:
//! which routes are read, which lists have the ids for which items, what can be created, and which
//! actions the links of a response may offer. Both scripts send the same journeys and write the
//! same [`report`].

pub(crate) mod body;
pub(crate) mod plan;
pub(crate) mod report;

/// A file of the load test.
pub(crate) struct File {
    /// Its path in the folder of the output.
    pub(crate) path: &'static str,
    pub(crate) text: String,
}

const K6: &str = include_str!("../assets/load/k6.js");
const LOCUST: &str = include_str!("../assets/load/locustfile.py");

/// Returns the files for a plan.
pub(crate) fn files(plan: &serde_json::Value) -> [File; 3] {
    [
        File {
            path: "plan.json",
            text: format!("{plan:#}\n"),
        },
        File {
            path: "k6.js",
            text: K6.to_owned(),
        },
        File {
            path: "locustfile.py",
            text: LOCUST.to_owned(),
        },
    ]
}
