//! The concurrency class of a route.

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use tokio::sync::SemaphorePermit;

use crate::concurrency_class::RouteClass;
use crate::problem::OVERLOADED;
use crate::request::Parts;

/// Waits for a place in the class. The request counts until the result is dropped.
pub(super) async fn admit<'a>(
    class: Option<&'a RouteClass>,
    parts: &Parts,
) -> Result<Option<SemaphorePermit<'a>>, Refusal> {
    let Some(class) = class else { return Ok(None) };
    if let Some(parameter) = class.parameter {
        let fields = parts.query_fields()?;
        if !fields.iter().any(|(name, _)| name == parameter) {
            return Ok(None);
        }
    }
    match class.admit().await {
        Some(place) => Ok(Some(place)),
        None => Err(Plain::new(&OVERLOADED).into()),
    }
}
