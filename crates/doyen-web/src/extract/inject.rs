//! Parameters from the injection graph.

use doyen_core::Refusal;
use doyen_core::inject::{Inject, Needs};
use doyen_schema::contract::Contract;

use super::FromRequestParts;
use crate::request::Request;

/// Marks injected types, so that they do not conflict with extractors. Inferred.
#[derive(Debug)]
pub struct ViaInject;

#[diagnostic::do_not_recommend]
impl<T: Inject> FromRequestParts<ViaInject> for T {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        request.parts.context.get::<T>().await.map(Some)
    }

    // The problems of its providers are added when the graph is known: see `Builder::build`.
    fn describe(_: &mut Contract<'_>) {}

    fn needs(needs: &mut Needs) {
        needs.add::<T>();
    }
}

/// An injected type as an extractor, for a guard: `routes![..].guard::<Injected<Verified>>()`.
#[derive(Clone, Debug)]
pub struct Injected<T>(pub T);

#[diagnostic::do_not_recommend]
impl<T: Inject> FromRequestParts for Injected<T> {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let value = request.parts.context.get::<T>().await?;
        Ok(Some(Self(value)))
    }

    fn describe(_: &mut Contract<'_>) {}

    fn needs(needs: &mut Needs) {
        needs.add::<T>();
    }
}
