//! Injection of the facts of a request.

use super::{Context, Inject, Node, RequestFacts};
use crate::problem::Plain;
use crate::{Access, Caller, Refusal, RequestId, TraceContext, UNAUTHENTICATED};

#[diagnostic::do_not_recommend]
impl Inject for Access {
    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }
    fn known(facts: &RequestFacts) -> Option<Self> {
        facts.access
    }
    async fn make(_: &Context) -> Result<Self, Refusal> {
        Ok(Access::default())
    }
}

/// A fact of the request; a job or a command gets a new one.
#[diagnostic::do_not_recommend]
impl Inject for RequestId {
    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }
    fn known(facts: &RequestFacts) -> Option<Self> {
        facts.request_id
    }
    async fn make(_: &Context) -> Result<Self, Refusal> {
        Ok(Self::new())
    }
}

/// A fact of the request; a job or a command starts a new trace.
#[diagnostic::do_not_recommend]
impl Inject for TraceContext {
    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }
    fn known(facts: &RequestFacts) -> Option<Self> {
        facts.trace
    }
    async fn make(_: &Context) -> Result<Self, Refusal> {
        Ok(Self::start(false))
    }
}

/// The caller, if there is one. It is a fact of the request.
#[diagnostic::do_not_recommend]
impl Inject for Option<Caller> {
    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }
    fn known(facts: &RequestFacts) -> Option<Self> {
        let caller = facts.caller.as_ref()?;
        Some(caller.as_deref().cloned())
    }
    async fn make(_: &Context) -> Result<Self, Refusal> {
        Ok(None)
    }
}

#[diagnostic::do_not_recommend]
impl Inject for Caller {
    fn node() -> Node {
        Node::of::<Self>(vec![<Option<Caller> as Inject>::node]).fails(vec![&UNAUTHENTICATED])
    }
    async fn make(cx: &Context) -> Result<Self, Refusal> {
        let caller = cx.get::<Option<Caller>>().await?;
        caller.ok_or_else(|| Plain::new(&UNAUTHENTICATED).into())
    }
}
