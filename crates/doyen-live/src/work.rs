//! Units of work of a connection: one for each message, and one for each event that is shown.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doyen_core::inject::{Container, Context, RequestFacts};
use doyen_core::{
    Access, Caller, ObservedEnd, Refusal, RequestId, StepValue, Unexpected, WorkKind, within_work,
};
use futures_util::FutureExt as _;

/// What a unit of work needs to begin.
#[derive(Clone)]
pub(crate) struct WorkContext {
    pub(crate) container: Container,
    pub(crate) caller: Option<Arc<Caller>>,
    pub(crate) timeout: Duration,
    /// The version of the API that the connection has selected, unless it is the newest.
    pub(crate) version: Option<&'static str>,
}

impl WorkContext {
    /// Runs the work in a context of its own, and commits it. After an error, a panic or the
    /// timeout it is rolled back.
    pub(crate) async fn run<T, Fut>(
        &self,
        access: Access,
        work: impl FnOnce(Context) -> Fut,
    ) -> Result<T, Refusal>
    where
        Fut: Future<Output = Result<T, Refusal>>,
    {
        let request_id = RequestId::new();
        let container = &self.container;
        let (trace, observation) =
            container.begin_work(WorkKind::Message, "message", request_id, None);
        let cx = self.container.context_of(RequestFacts {
            access: Some(access),
            request_id: Some(request_id),
            trace: Some(trace),
            deadline: Instant::now().checked_add(self.timeout),
            caller: Some(self.caller.clone()),
            observation: observation.clone(),
        });
        let inside = async {
            let value = work(cx.clone()).await?;
            cx.commit().await?;
            Ok(value)
        };
        let inside = pin!(AssertUnwindSafe(inside).catch_unwind());
        let inside = within_work(request_id, trace, observation.as_ref(), inside);
        let result = match tokio::time::timeout(self.timeout, inside).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Unexpected::new("the work of a live connection panicked").into()),
            Err(_) => {
                Err(Unexpected::unavailable(format!("no result within {:?}", self.timeout)).into())
            }
        };
        if result.is_err() {
            cx.rollback().await;
        }
        cx.close().await;
        if let Some(observation) = &observation {
            let is_fault = |refusal: &Refusal| refusal.info().kind.status() >= 500;
            observation.ended(&ObservedEnd {
                error: result.as_ref().is_err_and(is_fault).then_some("failed"),
                attributes: &[("messaging.system", StepValue::Text("doyen.live"))],
            });
        }
        result
    }
}
