//! Work after the response: a confirmation, a notification, a warm cache.
//!
//! It is lost if the process dies. Work that must happen is a row that is written in the
//! transaction, such as a mail of the mail queue.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use doyen_core::inject::{Context, Inject, Node};
use doyen_core::sync::lock;
use doyen_core::{Lifetime, Refusal, RequestId, TraceContext, Unexpected, within_request};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use crate::Stop;
use crate::registrar::Registrar;

/// Maximum number of tasks of a process that wait for their response or run.
const MAX_TASKS: usize = 1000;

/// The background tasks of all requests. Injectable as `Arc<Background>`.
pub struct Background {
    tracker: TaskTracker,
    places: Arc<Semaphore>,
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background")
            .field("running", &self.tracker.len())
            .finish_non_exhaustive()
    }
}

impl Background {
    /// Waits until all tasks that run have ended, for tests.
    pub async fn idle(&self) {
        self.tracker.wait().await;
    }
}

/// Registers the tasks, which are waited for before anything else stops.
pub(crate) fn register(app: &mut Registrar<'_>) {
    let tracker = TaskTracker::new();
    // Closed, so that to wait for it means to wait until it is empty. It still takes tasks.
    tracker.close();
    let background = Arc::new(Background {
        tracker: tracker.clone(),
        places: Arc::new(Semaphore::new(MAX_TASKS)),
    });
    app.provide(background);
    app.service("background tasks", move |()| async move {
        Ok(Stop::with(move || async move { tracker.wait().await }))
    });
}

/// Adds work that runs after the response of this request. Take it as a parameter of the handler.
///
/// The work starts when the response is complete and the transaction is committed. After an error,
/// a panic, a timeout or a disconnect it is dropped. A stop of the application waits for it. At
/// most 1,000 tasks of a process wait or run at once; then [`add`](Self::add) fails with a 503.
///
/// ```
/// use doyen_app::BackgroundTasks;
/// use doyen_core::Unexpected;
/// use doyen_web::NoContent;
///
/// async fn invite(tasks: BackgroundTasks) -> Result<NoContent, Unexpected> {
///     tasks.add("greet", async { Ok(()) })?;
///     Ok(NoContent)
/// }
/// # let _ = invite;
/// ```
#[derive(Clone)]
pub struct BackgroundTasks {
    places: Arc<Semaphore>,
    pending: Arc<Mutex<Pending>>,
}

impl fmt::Debug for BackgroundTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundTasks").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Pending {
    tasks: Vec<Task>,
    is_committed: bool,
}

struct Task {
    name: &'static str,
    work: BoxFuture<'static, Result<(), Unexpected>>,
    place: OwnedSemaphorePermit,
}

impl BackgroundTasks {
    /// Adds a task. Its name is for the log, which has a line if the task fails.
    ///
    /// The Session of the request is committed before the task starts: read what the task needs in
    /// the handler, and move it into the task.
    ///
    /// # Errors
    ///
    /// Returns an error, a 503 for the client, if 1,000 tasks wait or run already.
    pub fn add(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<(), Unexpected>> + Send + 'static,
    ) -> Result<(), Unexpected> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Unexpected::unavailable("too many background tasks"))?;
        let work = Box::pin(work);
        lock(&self.pending).tasks.push(Task { name, work, place });
        Ok(())
    }
}

impl Inject for BackgroundTasks {
    const LIFETIME: Lifetime = Lifetime::Request;

    fn node() -> Node {
        Node::of::<Self>(vec![<Arc<Background> as Inject>::node])
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        let background = cx.get::<Arc<Background>>().await?;
        let ids = (
            cx.get::<RequestId>().await?,
            cx.get::<TraceContext>().await?,
        );
        let pending = Arc::<Mutex<Pending>>::default();
        let committed = Arc::clone(&pending);
        cx.after_commit(move || lock(&committed).is_committed = true);
        // The cleanup of a request begins when its response is complete.
        let started = Arc::clone(&pending);
        let tracker = background.tracker.clone();
        cx.teardown().push(async move {
            let tasks = {
                let mut pending = lock(&started);
                let tasks = std::mem::take(&mut pending.tasks);
                if pending.is_committed {
                    tasks
                } else {
                    Vec::new()
                }
            };
            for task in tasks {
                tracker.spawn(run(task, ids));
            }
        });
        Ok(Self {
            places: Arc::clone(&background.places),
            pending,
        })
    }
}

/// Runs a task. Its log lines have the ids of the request.
async fn run(task: Task, (id, trace): (RequestId, TraceContext)) {
    let Task { name, work, place } = task;
    let mut work = AssertUnwindSafe(work).catch_unwind();
    let ended = std::future::poll_fn(|cx| within_request(id, trace, || work.poll_unpin(cx))).await;
    drop(place);
    let error = match ended {
        Ok(Ok(())) => return,
        Ok(Err(error)) => crate::command::text(&error),
        Err(_) => "it panicked".to_owned(),
    };
    let request_id = id.as_str();
    tracing::error!(task = name, request_id, error, "a background task failed");
}
