//! Parameters that come from the graph.

use doyen_core::Refusal;
use doyen_core::inject::{Inject, Needs};
use doyen_schema::contract::Contract;

use super::FromParts;
use crate::request::Request;

/// How an injected type is told from an extractor: never named by hand.
#[derive(Debug)]
pub struct ViaInject;

impl<T: Inject> FromParts<ViaInject> for T {
    async fn from_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        request.parts.context.get::<T>().await.map(Some)
    }

    // What making it can end in is added when the graph is known: see `Service::build`.
    fn describe(_: &mut Contract<'_>) {}

    fn needs(needs: &mut Needs) {
        needs.add::<T>();
    }
}
