//! Versions of an API: the newest shape is written in the code, older ones are derived from it.
//!
//! An older version is a list of [changes](VersionChange). Each change is a list of steps on the
//! fields of a named schema. The same steps rewrite requests (up), responses (down) and the OpenAPI
//! document of the version.
//!
//! | file | contents |
//! | --- | --- |
//! | `change` | changes and their steps |
//! | `locate` | where a named schema occurs in a body |
//! | `document` | the OpenAPI document of an older version |
//! | `failures` | validation failures with the names of an older version |
//! | `set` | the versions of a built application: selecting one, rewriting values |

mod change;
mod document;
mod failures;
mod locate;
mod set;

pub use change::{FieldStep, VersionChange};
pub use set::VersionSet;

pub(crate) use set::{ActiveVersion, RouteVersions};

/// Where a request states its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A request header.
    Header(&'static str),
    /// A query parameter.
    Query(&'static str),
    /// The first segment of the path: `/2026-06-01/v1/tickets`.
    Path,
}

/// The versions of an API, the newest first.
///
/// ```
/// use doyen_web::versions::{FieldStep, Version, VersionChange, Versions};
///
/// let by_name = VersionChange::new("A person has one name.")
///     .on("Person", FieldStep::renamed("name", "full_name"));
/// let versions = Versions::in_header("API-Version", "2026-11-01").older(
///     Version::new("2026-06-01").deprecated("2026-11-01").sunset("2027-06-01").change(by_name),
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Versions {
    pub(crate) source: Source,
    pub(crate) newest: &'static str,
    pub(crate) older: Vec<Version>,
}

impl Versions {
    /// Reads the version from a request header. Without it a request has the newest version.
    pub const fn in_header(name: &'static str, newest: &'static str) -> Self {
        Self::new(Source::Header(name), newest)
    }

    /// Reads the version from a query parameter. Without it a request has the newest version.
    pub const fn in_query(name: &'static str, newest: &'static str) -> Self {
        Self::new(Source::Query(name), newest)
    }

    /// Reads the version from the first segment of the path: `/2026-06-01/orders` is the route
    /// `/orders`. Links and locations in the response begin with the same segment. A path without a
    /// version has the newest one.
    pub const fn in_path(newest: &'static str) -> Self {
        Self::new(Source::Path, newest)
    }

    const fn new(source: Source, newest: &'static str) -> Self {
        Self {
            source,
            newest,
            older: Vec::new(),
        }
    }

    /// Adds the version before the last one.
    #[must_use]
    pub fn older(mut self, version: Version) -> Self {
        self.older.push(version);
        self
    }
}

/// An older version: when it ends, and its differences.
#[derive(Clone, Debug)]
pub struct Version {
    pub(crate) name: &'static str,
    pub(crate) deprecated: Option<&'static str>,
    pub(crate) sunset: Option<&'static str>,
    pub(crate) guide: Option<&'static str>,
    pub(crate) changes: Vec<VersionChange>,
}

impl Version {
    /// Creates a version that is still supported.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            deprecated: None,
            sunset: None,
            guide: None,
            changes: Vec::new(),
        }
    }

    /// Sets the day on which it was deprecated, `2026-11-01` in UTC. Its responses have the header
    /// `Deprecation` (RFC 9745).
    #[must_use]
    pub const fn deprecated(mut self, day: &'static str) -> Self {
        self.deprecated = Some(day);
        self
    }

    /// Sets the day on which it ends. Its responses have the header `Sunset` (RFC 8594) until then,
    /// and are a 410 `version_gone` from then on.
    #[must_use]
    pub const fn sunset(mut self, day: &'static str) -> Self {
        self.sunset = Some(day);
        self
    }

    /// Sets the URL of a page about the deprecation, which its responses link to.
    #[must_use]
    pub const fn guide(mut self, url: &'static str) -> Self {
        self.guide = Some(url);
        self
    }

    /// Adds a difference between this version and the next newer one.
    #[must_use]
    pub fn change(mut self, change: VersionChange) -> Self {
        self.changes.push(change);
        self
    }
}
