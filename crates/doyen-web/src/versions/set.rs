//! The versions of a built application: selecting one, and rewriting values.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use doyen_core::problem::Plain;
use doyen_core::{Clock, Kind, Place, ProblemInfo, Refusal, Timestamp};
use doyen_schema::contract::{HeaderInfo, Operation, Parameter};
use doyen_schema::{Named, Schema};
use http::{HeaderName, HeaderValue, Uri, header};
use serde_json::Value as Json;

use super::locate::{Occurrence, after, each, occurrences};
use super::{FieldStep, Source, Version, VersionChange, Versions};

static UNKNOWN: ProblemInfo = ProblemInfo {
    code: "unknown_version",
    kind: Kind::Malformed,
    title: "Unknown Version",
    description: "The API has no version of this name. `detail` lists the versions. Send one of them, or none for the newest.",
};

static GONE: ProblemInfo = ProblemInfo {
    code: "version_gone",
    kind: Kind::Gone,
    title: "Version Gone",
    description: "This version of the API has ended. Use the version that `detail` names; its OpenAPI document shows what is different.",
};

/// Every problem of a route with versions.
static PROBLEMS: [&ProblemInfo; 2] = [&UNKNOWN, &GONE];

/// The versions of a built application. Injectable as `Arc<VersionSet>`.
pub struct VersionSet {
    pub(super) source: Source,
    pub(super) newest: &'static str,
    pub(super) older: Vec<OlderVersion>,
    clock: Arc<dyn Clock>,
}

pub(super) struct OlderVersion {
    pub(super) name: &'static str,
    pub(super) changes: Vec<VersionChange>,
    pub(super) is_deprecated: bool,
    sunset: Option<(Timestamp, &'static str)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl fmt::Debug for VersionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VersionSet")
            .field("newest", &self.newest)
            .finish_non_exhaustive()
    }
}

impl OlderVersion {
    fn new(version: Version) -> Result<Self, String> {
        let day = |what: &str, day: &'static str| {
            format!("{day}T00:00:00Z")
                .parse::<Timestamp>()
                .map_err(|_| {
                    format!(
                        "version `{}`: `{what}` is `{day}`; write a day like `2026-11-01`",
                        version.name
                    )
                })
        };
        let mut headers = Vec::new();
        let mut add = |name: HeaderName, value: String| {
            let value = HeaderValue::try_from(value)
                .map_err(|_| format!("version `{}`: the guide is not a URL", version.name))?;
            headers.push((name, value));
            Ok::<_, String>(())
        };
        if let Some(deprecated) = version.deprecated {
            let at = day("deprecated", deprecated)?;
            add(
                HeaderName::from_static("deprecation"),
                format!("@{}", at.unix()),
            )?;
        }
        let sunset = version.sunset.map(|text| Ok((day("sunset", text)?, text)));
        let sunset = sunset.transpose().map_err(|error: String| error)?;
        if let Some((at, _)) = sunset {
            let seconds = Duration::from_secs(u64::try_from(at.unix()).unwrap_or(0));
            let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + seconds);
            add(HeaderName::from_static("sunset"), date)?;
        }
        if let Some(guide) = version.guide {
            let mut links = vec![format!(
                "<{guide}>; rel=\"deprecation\"; type=\"text/html\""
            )];
            if sunset.is_some() {
                links.push(format!("<{guide}>; rel=\"sunset\"; type=\"text/html\""));
            }
            links.push(format!("<{guide}>; rel=\"successor-version\""));
            add(header::LINK, links.join(", "))?;
        }
        Ok(Self {
            name: version.name,
            changes: version.changes,
            is_deprecated: version.deprecated.is_some(),
            sunset,
            headers,
        })
    }

    pub(super) fn steps_on<'a>(&'a self, schema: &'a str) -> impl Iterator<Item = &'a FieldStep> {
        let steps = self.changes.iter().flat_map(|change| &change.steps);
        steps
            .filter(move |(name, _)| *name == schema)
            .map(|(_, step)| step)
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &FieldStep> {
        self.changes
            .iter()
            .flat_map(|change| &change.steps)
            .map(|(_, step)| step)
    }
}

impl VersionSet {
    /// Checks the declared versions.
    pub(crate) fn new(versions: Versions, clock: Arc<dyn Clock>) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        let mut older = Vec::new();
        let mut names = BTreeSet::from([versions.newest]);
        for version in versions.older {
            if !names.insert(version.name) {
                errors.push(format!(
                    "version `{}` is declared twice: keep one",
                    version.name
                ));
            }
            match OlderVersion::new(version) {
                Ok(version) => older.push(version),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            source: versions.source,
            newest: versions.newest,
            older,
            clock,
        })
    }

    /// Returns the name of the newest version.
    pub const fn newest(&self) -> &'static str {
        self.newest
    }

    /// Returns the names of the versions that have not ended, the newest first.
    pub fn live(&self) -> impl Iterator<Item = &'static str> + '_ {
        let now = self.clock.now();
        let is_live = move |one: &&OlderVersion| one.sunset.is_none_or(|(at, _)| now < at);
        [self.newest]
            .into_iter()
            .chain(self.older.iter().filter(is_live).map(|one| one.name))
    }

    /// Rewrites a value of a named schema for an older version, for events and webhooks. Returns
    /// false if there is no such version.
    pub fn down(&self, version: &str, schema: &str, value: &mut Json) -> bool {
        let Some(index) = self.index(version) else {
            return false;
        };
        if let Json::Object(object) = value {
            let versions = self.older.iter().take(index);
            versions
                .flat_map(|one| one.steps_on(schema))
                .for_each(|step| step.apply_down(object));
        }
        true
    }

    /// Returns the version that a request states, from its headers and query string.
    pub fn stated<'a>(&self, head: &'a http::request::Parts) -> Option<&'a str> {
        match self.source {
            Source::Header(name) => {
                let mut values = head.headers.get_all(name).iter();
                let first = values.next()?;
                // Two versions are no version.
                Some(if values.next().is_some() {
                    ""
                } else {
                    first.to_str().unwrap_or("")
                })
            }
            Source::Query(name) => {
                let fields = head.uri.query().unwrap_or("").split('&');
                let fields = fields.map(|field| field.split_once('=').unwrap_or((field, "")));
                let mut values = fields.filter(|(given, _)| *given == name);
                let (_, first) = values.next()?;
                Some(if values.next().is_some() { "" } else { first })
            }
            Source::Path => None,
        }
    }

    /// Removes a version from the start of the path. Returns its position.
    pub(crate) fn take_from_path(&self, uri: &mut Uri) -> Option<usize> {
        if self.source != Source::Path {
            return None;
        }
        let (first, rest) = uri.path().strip_prefix('/')?.split_once('/')?;
        let index = self.index(first)?;
        let target = match uri.query() {
            Some(query) => format!("/{rest}?{query}"),
            None => format!("/{rest}"),
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(target.parse().ok()?);
        *uri = Uri::from_parts(parts).ok()?;
        Some(index)
    }

    /// Returns the version of a request: the newest by default.
    pub(crate) fn resolve(
        self: &Arc<Self>,
        head: &http::request::Parts,
        in_path: Option<usize>,
    ) -> Result<ActiveVersion, Refusal> {
        let index = match (in_path, self.stated(head)) {
            (Some(index), _) => index,
            (None, None) => 0,
            (None, Some(stated)) => self.index(stated).ok_or_else(|| self.unknown())?,
        };
        if let Some((at, day)) = self.older(index).and_then(|version| version.sunset)
            && at <= self.clock.now()
        {
            let detail = format!(
                "This version ended on {day}. The newest version is `{}`.",
                self.newest
            );
            return Err(Plain::new(&GONE).detail(detail).into());
        }
        Ok(ActiveVersion {
            set: Arc::clone(self),
            index,
            is_in_path: in_path.is_some(),
        })
    }

    fn unknown(&self) -> Refusal {
        let names: Vec<&str> = self.live().collect();
        let detail = format!(
            "The API has no such version. Its versions are `{}`.",
            names.join("`, `")
        );
        Plain::new(&UNKNOWN).detail(detail).into()
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        let mut all = [self.newest]
            .into_iter()
            .chain(self.older.iter().map(|one| one.name));
        all.position(|known| known == name)
    }

    fn older(&self, index: usize) -> Option<&OlderVersion> {
        self.older.get(index.checked_sub(1)?)
    }

    /// Returns the schemas that any change names.
    pub(crate) fn schemas(&self) -> BTreeSet<&'static str> {
        let changes = self.older.iter().flat_map(|version| &version.changes);
        changes
            .flat_map(|change| &change.steps)
            .map(|(schema, _)| *schema)
            .collect()
    }

    /// Adds the parameter, the headers and the problems to the contract of a route.
    pub(crate) fn describe(&self, operation: &mut Operation) {
        let names: Vec<&str> = self.live().collect();
        let parameter = |place, name: &str| Parameter {
            place,
            name: name.to_owned(),
            required: false,
            schema: Schema::of("string")
                .with("enum", names.clone())
                .with("default", self.newest),
            description: "Version of the API. If omitted, the newest version.".to_owned(),
            deprecated: false,
            commas: false,
        };
        match self.source {
            Source::Header(name) => operation.parameter(parameter(Place::Header, name)),
            Source::Query(name) => operation.parameter(parameter(Place::Query, name)),
            Source::Path => {}
        }
        for answer in &mut operation.answers {
            for (name, description) in [
                ("API-Version", "Version of the API that this response has."),
                (
                    "Deprecation",
                    "Time since which the requested version is deprecated (RFC 9745).",
                ),
                (
                    "Sunset",
                    "Time at which the requested version ends (RFC 8594).",
                ),
            ] {
                let schema = Schema::of("string").with("maxLength", 64);
                answer.headers.push(HeaderInfo {
                    name: name.into(),
                    description: description.into(),
                    schema,
                    optional: true,
                });
            }
        }
        operation.fails(PROBLEMS);
    }
}

/// Where the schemas of all changes occur in the bodies of a route.
#[derive(Debug)]
pub(crate) struct RouteVersions {
    request: Vec<Occurrence>,
    response: Vec<Occurrence>,
}

impl RouteVersions {
    pub(crate) fn new(
        operation: &Operation,
        components: &Named,
        names: &BTreeSet<&'static str>,
    ) -> Self {
        let find = |schema: &Schema| {
            let mut json = schema.as_json();
            components.settle(&mut json);
            occurrences(&json, components, names)
        };
        let mut response: Vec<Occurrence> = Vec::new();
        for (_, schema) in operation
            .answers
            .iter()
            .filter_map(|answer| answer.body.as_ref())
        {
            for one in find(schema) {
                if !response.contains(&one) {
                    response.push(one);
                }
            }
        }
        Self {
            request: operation
                .body
                .as_ref()
                .map_or_else(Vec::new, |body| find(&body.schema)),
            response,
        }
    }
}

/// The version of one request.
#[derive(Clone, Debug)]
pub(crate) struct ActiveVersion {
    set: Arc<VersionSet>,
    /// 0 for the newest.
    index: usize,
    is_in_path: bool,
}

impl ActiveVersion {
    pub(crate) fn name(&self) -> &'static str {
        self.set
            .older(self.index)
            .map_or(self.set.newest, |version| version.name)
    }

    pub(crate) const fn is_newest(&self) -> bool {
        self.index == 0
    }

    /// Returns the path prefix of links, if the version was in the path.
    pub(crate) fn link_prefix(&self) -> Option<String> {
        self.is_in_path.then(|| format!("/{}", self.name()))
    }

    /// Returns the request header that selects the version.
    pub(crate) fn header(&self) -> Option<&'static str> {
        match self.set.source {
            Source::Header(name) => Some(name),
            Source::Query(_) | Source::Path => None,
        }
    }

    /// Returns the headers about the end of the version.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        self.set
            .older(self.index)
            .map_or(&[], |version| &version.headers)
    }

    fn versions(&self) -> impl DoubleEndedIterator<Item = &OlderVersion> + Clone {
        self.set.older[..self.index].iter()
    }

    pub(crate) fn has_request_steps(&self, route: &RouteVersions) -> bool {
        !self.is_newest() && !route.request.is_empty()
    }

    pub(crate) fn has_response_steps(&self, route: &RouteVersions) -> bool {
        !self.is_newest() && !route.response.is_empty()
    }

    /// Rewrites a value of a named schema.
    pub(crate) fn down_value(&self, schema: &str, value: &mut Json) {
        self.set.down(self.name(), schema, value);
    }

    /// Rewrites the body of a request to the newest version.
    pub(crate) fn up(&self, route: &RouteVersions, body: &mut Json) {
        for version in self.versions().rev() {
            for one in route.request.iter().rev() {
                for step in version.steps_on(one.schema) {
                    each(body, &one.path, &mut |object| step.apply_up(object));
                }
            }
        }
    }

    /// Rewrites the body of a response to this version.
    pub(crate) fn down(&self, route: &RouteVersions, body: &mut Json) {
        for version in self.versions() {
            for one in &route.response {
                for step in version.steps_on(one.schema) {
                    each(body, &one.path, &mut |object| step.apply_down(object));
                }
            }
        }
    }

    /// Returns the name in the newest version of a field that `?fields=` selects.
    pub(crate) fn newer_field<'a>(&'a self, name: &'a str) -> &'a str {
        let steps = self.versions().rev().flat_map(OlderVersion::steps);
        steps.fold(name, |name, step| step.newer_name(name))
    }

    /// Rewrites the pointer of a validation failure in a request body.
    pub(crate) fn older_pointer(&self, route: &RouteVersions, pointer: &str) -> String {
        let mut segments: Vec<String> = pointer.split('/').skip(1).map(str::to_owned).collect();
        for version in self.versions() {
            for one in &route.request {
                let Some(field) = after(&segments, &one.path).and_then(|rest| rest.first()) else {
                    continue;
                };
                let mut field = field.clone();
                for step in version.steps_on(one.schema) {
                    field = step.older_name(&field).to_owned();
                }
                segments[one.path.len()] = field;
            }
        }
        segments
            .iter()
            .map(|segment| format!("/{segment}"))
            .collect()
    }
}
