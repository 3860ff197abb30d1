//! `If-Match`: the version that the client has read.

use doyen_core::problem::Plain;
use doyen_core::{Kind, Place, ProblemInfo, Refusal};
use doyen_schema::Schema;
use doyen_schema::contract::{Contract, Parameter};

use super::FromRequestParts;
use crate::etag::{Tag, split_coding, without_caller};
use crate::request::Request;

static REQUIRED: ProblemInfo = ProblemInfo {
    code: "precondition_required",
    kind: Kind::PreconditionRequired,
    title: "Precondition Required",
    description: "This operation requires `If-Match`, so that concurrent changes are not overwritten. Read the resource and send its `ETag` as `If-Match`.",
};

/// Documented maximum length of `If-Match`: about eighty tags.
const MAX_LENGTH: u32 = 2048;

/// The problem for a version that is no longer current.
pub static PRECONDITION_FAILED: ProblemInfo = ProblemInfo {
    code: "precondition_failed",
    kind: Kind::PreconditionFailed,
    title: "Precondition Failed",
    description: "The resource has changed since you read it. Read it again, merge the changes, and send the request with the new `ETag`.",
};

/// The same problem for a `GET` or `HEAD` with `If-Match`, whose client changes nothing.
pub(crate) static READ_PRECONDITION_FAILED: ProblemInfo = ProblemInfo {
    description: "The `ETag` in `If-Match` is not the current one. Omit `If-Match`, or read the resource again.",
    ..PRECONDITION_FAILED
};

/// The route's own tags in `If-Match` (RFC 9110 section 13.1.1). Without the header the client gets
/// a 428.
///
/// Pass [`IfMatch::version`] to the update, whose condition is `version = ?`; if no row matches,
/// the client gets a 412. `*` fits every version.
///
/// The edge appends a hash of the caller to each `ETag`; this extractor removes it. The version
/// counts, no matter which caller received the tag. Weak tags never match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch {
    tags: Option<Vec<String>>,
}

impl IfMatch {
    /// Returns the version that must be the current one, or `None` for `*`.
    ///
    /// Of several versions it is the highest, since versions only count up. Without a version it is
    /// `Some(-1)`, which fits nothing.
    pub fn version(&self) -> Option<i64> {
        let versions = self.tags.as_ref()?.iter().filter_map(|tag| number(tag));
        Some(versions.max().unwrap_or(-1))
    }

    /// True if this version is among the requested ones.
    pub fn fits(&self, version: i64) -> bool {
        self.tags
            .as_ref()
            .is_none_or(|tags| tags.iter().any(|tag| number(tag) == Some(version)))
    }

    /// Returns the tags, for routes whose tags are not versions, or `None` for `*`.
    pub fn tags(&self) -> Option<&[String]> {
        self.tags.as_deref()
    }
}

/// Returns what the tag may be without the caller and the coding. As it is, too: the own tag of a
/// route may look like one with a caller.
fn own_tags(opaque: &str) -> impl Iterator<Item = String> {
    let both = [Some(opaque), without_caller(opaque)];
    let with_coding = |tag| [Some(tag), split_coding(tag).map(|(own, _)| own)];
    let all = both.into_iter().flatten().flat_map(with_coding).flatten();
    all.map(str::to_owned)
}

/// Returns the version in a tag. `7` and `7-agent` are both version 7: the suffix distinguishes
/// representations of one version.
fn number(tag: &str) -> Option<i64> {
    let digits = tag.split('-').next()?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[diagnostic::do_not_recommend]
impl FromRequestParts for IfMatch {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let mut fields = request
            .parts
            .head
            .headers
            .get_all(http::header::IF_MATCH)
            .iter()
            .peekable();
        if fields.peek().is_none() {
            return Err(Plain::new(&REQUIRED).into());
        }
        let text: Vec<&str> = fields.filter_map(|value| value.to_str().ok()).collect();
        if text == ["*"] {
            return Ok(Some(Self { tags: None }));
        }
        let tags = text
            .iter()
            .flat_map(|field| Tag::list(field))
            .filter(|tag| !tag.weak)
            .flat_map(|tag| own_tags(tag.opaque));
        Ok(Some(Self {
            tags: Some(tags.collect()),
        }))
    }

    fn describe(contract: &mut Contract<'_>) {
        contract.operation.parameter(Parameter {
            place: Place::Header,
            name: "If-Match".to_owned(),
            // Required: without it the client gets a 428 (RFC 6585 section 3).
            required: true,
            schema: Schema::of("string")
                .with("minLength", 1)
                .with("maxLength", MAX_LENGTH)
                .with("examples", serde_json::json!(["\"7\""])),
            description: "`ETag` of the version to change, or a list of `ETag`s.".to_owned(),
            deprecated: false,
            commas: false,
        });
        contract.operation.fails([&REQUIRED, &PRECONDITION_FAILED]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_a_version_and_an_optional_variant() {
        assert_eq!(number("7"), Some(7));
        assert_eq!(number("7-agent"), Some(7));
        assert_eq!(number("-7"), None);
        assert_eq!(number("+7"), None);
        assert_eq!(number(""), None);
    }
}
