//! Mails that belong to a change: sent if and only if it commits.

use std::sync::{Arc, Mutex};

use doyen_core::inject::{Context, Node};
use doyen_core::sync::lock;
use doyen_core::{
    Inject, Jobs, Lifetime, Mail, MailOutbox, MailQueue, Refusal, Unexpected, port, span,
    step_names,
};

use crate::job::DeliverMail;
use crate::seal::MailSeal;

/// Enqueues each mail as a job of the unit of work.
#[derive(Clone, Inject)]
pub(crate) struct JobOutbox {
    jobs: Jobs,
    seal: Arc<MailSeal>,
}

#[port]
impl MailOutbox for JobOutbox {
    async fn send(&self, mail: Mail) -> Result<(), Unexpected> {
        self.enqueue(Some(&mail)).await
    }

    async fn send_nothing(&self) -> Result<(), Unexpected> {
        self.enqueue(None).await
    }
}

impl JobOutbox {
    async fn enqueue(&self, mail: Option<&Mail>) -> Result<(), Unexpected> {
        let job = DeliverMail::new(&self.seal, mail)?;
        self.jobs.enqueue(job).await?;
        Ok(())
    }
}

/// The queue in memory, as a type of its own: inside a future, the compiler does not see that a
/// `dyn Trait` is `'static`.
#[derive(Clone, Inject)]
struct Queue(Arc<dyn MailQueue>);

/// Without jobs: passes the mails to the queue in memory after the commit.
#[derive(Clone)]
pub(crate) struct MemoryOutbox {
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Inject for MemoryOutbox {
    const LIFETIME: Lifetime = Lifetime::Request;

    fn node() -> Node {
        Node::of::<Self>(vec![<Queue as Inject>::node])
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        let Queue(queue) = cx.get().await?;
        let mails = Arc::<Mutex<Vec<Mail>>>::default();
        let committed = Arc::clone(&mails);
        cx.after_commit(move || {
            for mail in std::mem::take(&mut *lock(&committed)) {
                queue.send(mail);
            }
        });
        Ok(Self { mails })
    }
}

#[port]
impl MailOutbox for MemoryOutbox {
    async fn send(&self, mail: Mail) -> Result<(), Unexpected> {
        span(step_names::MAIL, async { lock(&self.mails).push(mail) }).await;
        Ok(())
    }

    async fn send_nothing(&self) -> Result<(), Unexpected> {
        Ok(())
    }
}
