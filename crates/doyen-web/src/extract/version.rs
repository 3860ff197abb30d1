//! The version of the API that a request selects.

use doyen_core::Refusal;
use doyen_schema::contract::Contract;
use serde_json::Value as Json;

use super::FromRequestParts;
use crate::request::Request;
use crate::versions::ActiveVersion;

/// The version of the API that a request selects.
///
/// JSON bodies are rewritten without it. It is for streams: rewrite each value with
/// [`down`](Self::down).
#[derive(Clone, Debug)]
pub struct ApiVersion(Option<ActiveVersion>);

impl ApiVersion {
    /// Returns its name, or `None` if the application has no versions.
    pub fn name(&self) -> Option<&'static str> {
        self.0.as_ref().map(ActiveVersion::name)
    }

    /// Rewrites a value of a named schema from the newest version to this one.
    pub fn down(&self, schema: &str, value: &mut Json) {
        if let Some(version) = &self.0 {
            version.down_value(schema, value);
        }
    }
}

#[diagnostic::do_not_recommend]
impl FromRequestParts for ApiVersion {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        Ok(Some(Self(request.parts.version.clone())))
    }

    fn describe(_: &mut Contract<'_>) {}
}
