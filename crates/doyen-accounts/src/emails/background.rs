//! Work after the response, with its own unit of work.

use std::future::Future;

use doyen_core::inject::{Container, Inject, Needs};
use doyen_core::{MailQueue, Refusal, Unexpected};
use doyen_schema::contract::Contract;
use doyen_web::Request;
use doyen_web::extract::FromRequestParts;

use super::verify::Asked;

/// The injection graph, for work after the response.
pub(super) struct BackgroundWork(Container);

impl FromRequestParts for BackgroundWork {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        Ok(Some(Self(request.parts.context.container().clone())))
    }

    fn describe(_: &mut Contract<'_>) {}

    fn needs(needs: &mut Needs) {
        needs.add::<Asked>();
    }
}

impl BackgroundWork {
    /// Resolves a `T` after the response, runs the work and commits it. Errors are only logged.
    pub(super) fn with<T, Work, Done>(self, queue: &dyn MailQueue, work: Work)
    where
        T: Inject,
        Work: FnOnce(T) -> Done + Send + 'static,
        Done: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        let container = self.0;
        queue.spawn(Box::pin(async move {
            let context = container.context();
            let done = match context.get::<T>().await {
                Ok(made) => match work(made).await {
                    Ok(()) => context.commit().await.map_err(|refusal| format!("{refusal:?}")),
                    Err(error) => {
                        context.rollback().await;
                        Err(error.error().to_string())
                    }
                },
                Err(refusal) => Err(format!("{refusal:?}")),
            };
            context.close().await;
            if let Err(error) = done {
                tracing::error!(target: "mail", error, "work after an answer failed: a mail was not sent");
            }
        }));
    }
}
