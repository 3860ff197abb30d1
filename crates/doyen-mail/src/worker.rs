//! The queue for mails and other work that no response waits for.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::inject::BoxFuture;
use doyen_core::{Mail, MailQueue, Mailer};
use tokio::sync::{Semaphore, watch};

/// Maximum number of waiting mails and tasks. Further ones are dropped with a line in the log; the
/// user can request them again.
const QUEUE_CAPACITY: usize = 4096;
/// Maximum concurrent deliveries.
const MAX_DELIVERIES: usize = 4;
/// Wait before each further attempt.
const RETRY_PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
];

/// Delivers mails in the background, and retries if the mail server is unavailable. An application
/// has one.
///
/// A response that waits for a mail server is slow, and its duration reveals whether a mail was
/// sent.
#[derive(Clone)]
pub struct MailWorker(Arc<Inner>);

struct Inner {
    mailer: Arc<dyn Mailer>,
    pauses: Vec<Duration>,
    /// Number of unfinished items.
    waiting: watch::Sender<usize>,
    turns: Semaphore,
}

impl MailWorker {
    /// Creates a queue that delivers with this mailer.
    pub fn new(mailer: Arc<dyn Mailer>) -> Self {
        Self::with_pauses(mailer, RETRY_PAUSES.to_vec())
    }

    fn with_pauses(mailer: Arc<dyn Mailer>, pauses: Vec<Duration>) -> Self {
        Self(Arc::new(Inner {
            mailer,
            pauses,
            waiting: watch::Sender::new(0),
            turns: Semaphore::new(MAX_DELIVERIES),
        }))
    }

    /// Waits until the queue is empty. Returns false if that takes longer than `longest`.
    pub async fn flush(&self, longest: Duration) -> bool {
        let mut waiting = self.0.waiting.subscribe();
        let empty = waiting.wait_for(|waiting| *waiting == 0);
        tokio::time::timeout(longest, empty).await.is_ok()
    }
}

impl MailQueue for MailWorker {
    fn send(&self, mail: Mail) {
        let inner = Arc::clone(&self.0);
        self.spawn(Box::pin(async move { inner.deliver(mail).await }));
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) {
        let Some(permit) = QueuePermit::take(&self.0) else {
            tracing::error!(target: "mail", "too many mails wait: one was dropped");
            return;
        };
        tokio::spawn(async move {
            work.await;
            drop(permit);
        });
    }
}

impl Inner {
    async fn deliver(&self, mail: Mail) {
        let mut pauses = self.pauses.iter();
        loop {
            // Only a delivery holds a permit, not a pause.
            let turn = self.turns.acquire().await;
            let delivered = self.mailer.deliver(&mail).await;
            drop(turn);
            let Err(error) = delivered else { return };
            let cause = chain(&error);
            match pauses.next().filter(|_| error.may_try_again()) {
                Some(pause) => {
                    tracing::warn!(target: "mail", subject = mail.subject(), cause, "not delivered yet: will be tried again");
                    tokio::time::sleep(*pause).await;
                }
                None => {
                    tracing::error!(target: "mail", subject = mail.subject(), cause, "not delivered: given up");
                    return;
                }
            }
        }
    }
}

/// A place in the queue. It is released when the work ends, also by a panic.
struct QueuePermit(Arc<Inner>);

impl QueuePermit {
    fn take(inner: &Arc<Inner>) -> Option<Self> {
        let mut taken = false;
        inner.waiting.send_modify(|waiting| {
            taken = *waiting < QUEUE_CAPACITY;
            *waiting += usize::from(taken);
        });
        taken.then(|| Self(Arc::clone(inner)))
    }
}

impl Drop for QueuePermit {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

impl std::fmt::Debug for MailWorker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailWorker")
            .field("waiting", &*self.0.waiting.borrow())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use doyen_core::{NotDelivered, port};
    use tokio::sync::Notify;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn mail() -> Mail {
        Mail::new("a@example.com", "s", "t").unwrap()
    }

    /// Fails the given number of times, then delivers.
    struct FlakyMailer {
        fails: usize,
        permanent: bool,
        tries: AtomicUsize,
    }

    #[port]
    impl Mailer for FlakyMailer {
        async fn deliver(&self, _: &Mail) -> Result<(), NotDelivered> {
            match self.tries.fetch_add(1, Ordering::SeqCst) {
                tries if tries >= self.fails => Ok(()),
                _ if self.permanent => Err(NotDelivered::permanent("no such mailbox")),
                _ => Err(NotDelivered::retryable("try later")),
            }
        }
    }

    async fn tries(fails: usize, permanent: bool) -> usize {
        let mailer = Arc::new(FlakyMailer {
            fails,
            permanent,
            tries: AtomicUsize::new(0),
        });
        let post = MailWorker::with_pauses(
            Arc::clone(&mailer) as Arc<dyn Mailer>,
            vec![Duration::ZERO; 4],
        );
        post.send(mail());
        assert!(post.flush(SOON).await);
        mailer.tries.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn a_mail_is_tried_again_until_it_is_delivered_or_refused_for_good() {
        assert_eq!(tries(0, false).await, 1);
        assert_eq!(tries(2, false).await, 3);
        assert_eq!(tries(100, false).await, 5);
        assert_eq!(tries(100, true).await, 1);
    }

    /// Waits for a permit.
    struct Slow(Notify);

    #[port]
    impl Mailer for Slow {
        async fn deliver(&self, _: &Mail) -> Result<(), NotDelivered> {
            self.0.notified().await;
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_queue_is_bounded_and_empties() {
        let slow = Arc::new(Slow(Notify::new()));
        let post = MailWorker::new(Arc::clone(&slow) as Arc<dyn Mailer>);
        for _ in 0..QUEUE_CAPACITY + 10 {
            post.send(mail());
        }
        assert_eq!(*post.0.waiting.borrow(), QUEUE_CAPACITY);
        assert!(!post.flush(Duration::ZERO).await);
        let letting_go = tokio::spawn(async move {
            loop {
                slow.0.notify_waiters();
                slow.0.notify_one();
                tokio::task::yield_now().await;
            }
        });
        assert!(post.flush(SOON).await);
        letting_go.abort();
    }

    #[tokio::test]
    async fn work_that_panics_releases_its_permit() {
        let post = MailWorker::new(Arc::new(crate::MemoryMailer::default()));
        post.spawn(Box::pin(async { panic!("on purpose") }));
        assert!(post.flush(SOON).await);
    }
}
