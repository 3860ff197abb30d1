//! The cases: a request and an application.

/// In the order of the table. `bare` is Doyen with every optional part disabled, `full` has the
/// defaults, `many` has the defaults and 1,000 other routes.
pub(super) const CASES: [&str; 6] = [
    "bare-json",
    "bare-echo",
    FULL_JSON,
    "full-echo",
    "full-row",
    MANY_JSON,
];

/// The same request, to an application with few routes and to one with many.
pub(super) const FULL_JSON: &str = "full-json";
pub(super) const MANY_JSON: &str = "many-json";
