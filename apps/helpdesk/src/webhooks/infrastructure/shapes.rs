//! The data of events in the shapes of older versions of the API.

use std::sync::Arc;

use doyen::prelude::*;
use doyen::web::VersionSet;
use serde_json::Value;

use crate::webhooks::domain::{EventName, EventShapes};

/// Rewrites data by the steps of the versions.
#[derive(Clone, Inject)]
pub(crate) struct VersionedShapes {
    versions: Arc<VersionSet>,
}

#[port]
impl EventShapes for VersionedShapes {
    async fn shape(
        &self,
        version: Option<&str>,
        event: EventName,
        data: &str,
    ) -> Result<String, Unexpected> {
        let schema = match event {
            EventName::Test => return Ok(data.to_owned()),
            EventName::Commented => "Comment",
            _ => "Ticket",
        };
        let mut value: Value = serde_json::from_str(data)?;
        if let Some(version) = version {
            // A version that no longer exists gets the newest shape.
            self.versions.down(version, schema, &mut value);
        }
        Ok(value.to_string())
    }
}
