//! Calls a handler with one event, in a unit of work of its own.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use doyen_core::event::{EventHandler, HandlerError};
use doyen_core::inject::{Container, Context, RequestFacts};
use doyen_core::{Access, Observation, ObservedEnd, RequestId, StepValue, WorkKind, within_work};
use doyen_data::Session;
use futures_util::FutureExt as _;

use crate::store::{Claimed, done};

/// Why a delivery failed.
#[derive(Debug)]
pub(crate) struct DeliveryError {
    pub(crate) text: String,
    /// True if another attempt would fail the same way.
    pub(crate) is_permanent: bool,
}

impl DeliveryError {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_permanent: false,
        }
    }
}

impl From<HandlerError> for DeliveryError {
    fn from(error: HandlerError) -> Self {
        Self {
            text: error.text(),
            is_permanent: matches!(error, HandlerError::Unreadable(_)),
        }
    }
}

/// Delivers an event to a handler. Its changes and the mark that it was delivered commit together.
pub(crate) async fn deliver(
    container: &Container,
    handler: &EventHandler,
    claimed: &Claimed,
    token: &str,
    timeout: Duration,
) -> Result<(), DeliveryError> {
    let request_id = RequestId::new();
    let record = &claimed.record;
    // The log lines, the events and the spans of the handler belong to the trace of the request.
    let (trace, observation) = container.begin_work(
        WorkKind::Event,
        &record.topic,
        request_id,
        record.trace.as_deref(),
    );
    let cx = container.context_of(RequestFacts {
        access: Some(Access::Write),
        request_id: Some(request_id),
        trace: Some(trace),
        caller: Some(None),
        observation: observation.clone(),
        ..RequestFacts::default()
    });
    let work = pin!(unit_of_work(&cx, handler, claimed, token));
    let work = within_work(request_id, trace, observation.as_ref(), work);
    let work = AssertUnwindSafe(tokio::time::timeout(timeout, work)).catch_unwind();
    let result = match work.await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(DeliveryError::new(format!("no result within {timeout:?}"))),
        Err(_) => Err(DeliveryError::new("the handler panicked")),
    };
    if result.is_err() {
        cx.rollback().await;
    }
    cx.close().await;
    if let Some(observation) = &observation {
        observe_end(&**observation, claimed, &result);
    }
    result
}

/// Reports the end of a delivery.
fn observe_end(
    observation: &dyn Observation,
    claimed: &Claimed,
    result: &Result<(), DeliveryError>,
) {
    let id = claimed.record.id.to_string();
    let group = &claimed.handler;
    observation.ended(&ObservedEnd {
        error: result.is_err().then_some("failed"),
        attributes: &[
            ("messaging.system", StepValue::Text("doyen.events")),
            ("messaging.operation.name", StepValue::Text("process")),
            ("messaging.operation.type", StepValue::Text("process")),
            (
                "messaging.destination.name",
                StepValue::Text(&claimed.record.topic),
            ),
            ("messaging.consumer.group.name", StepValue::Text(group)),
            ("messaging.message.id", StepValue::Text(&id)),
        ],
    });
}

async fn unit_of_work(
    cx: &Context,
    handler: &EventHandler,
    claimed: &Claimed,
    token: &str,
) -> Result<(), DeliveryError> {
    handler.run(cx.clone(), claimed.record.clone()).await?;
    let session = cx.get::<Session>().await.map_err(HandlerError::Failed)?;
    let marked = done(&session, &claimed.handler, claimed.record.position, token).await;
    match marked {
        Ok(true) => {}
        Ok(false) => {
            return Err(DeliveryError::new(
                "the lease ended before the handler: another node delivers this event",
            ));
        }
        Err(error) => return Err(DeliveryError::new(doyen_core::chain(&error))),
    }
    cx.commit().await.map_err(HandlerError::Failed)?;
    Ok(())
}
