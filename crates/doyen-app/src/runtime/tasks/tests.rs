use std::sync::atomic::AtomicUsize;

use super::*;

/// A task that does something else on each run.
fn tasks(
    kind: TaskKind,
    run: impl Fn(usize) -> Result<(), Unexpected> + Send + Sync + 'static,
) -> (Tasks, Arc<Health>, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let task = TaskEntry::new::<(), _, _>("feed", kind, move |(), _| {
        let done = run(counted.fetch_add(1, Ordering::SeqCst));
        async move { done }
    });
    let health = Arc::new(Health::default());
    let container = Container::builder().build(&[]).unwrap();
    let tasks = Tasks::start(vec![task], &container, &health, &Metrics::default());
    (tasks, health, runs)
}

async fn error(health: &Health) -> Option<String> {
    health.run().await.remove(0).error
}

#[tokio::test(start_paused = true)]
async fn a_task_is_run_again_with_longer_pauses_until_it_succeeds() {
    let (tasks, health, runs) = tasks(TaskKind::Once, |run| match run {
        0..3 => Err(Unexpected::new("no connection")),
        _ => Ok(()),
    });
    let began = Instant::now();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(error(&health).await.as_deref(), Some("no connection"));
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    // Pauses of 1, 2 and 4 seconds.
    while error(&health).await.is_some() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(runs.load(Ordering::SeqCst), 4);
    assert!(
        began.elapsed() >= Duration::from_secs(7),
        "{:?}",
        began.elapsed()
    );
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    tasks.stop(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn the_fifth_panic_within_a_minute_stops_the_process() {
    let (tasks, _, runs) = tasks(TaskKind::Forever, |_| panic!("on purpose"));
    let reason = tokio::time::timeout(Duration::from_secs(60), tasks.failed()).await;
    assert_eq!(reason.unwrap(), "task `feed` panicked 5 times within 60s");
    assert_eq!(runs.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_must_run_for_ever_and_ends_stops_the_process() {
    let (tasks, _, _) = tasks(TaskKind::Forever, |_| Ok(()));
    let reason = tokio::time::timeout(Duration::from_secs(1), tasks.failed()).await;
    assert_eq!(reason.unwrap(), "task `feed` ended, and must run forever");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ignores_the_shutdown_is_cancelled() {
    let task = TaskEntry::new::<(), _, _>("deaf", TaskKind::Forever, |(), _| async {
        std::future::pending().await
    });
    let container = Container::builder().build(&[]).unwrap();
    let (health, metrics) = (Health::default(), Metrics::default());
    let tasks = Tasks::start(vec![task], &container, &health, &metrics);
    let began = Instant::now();
    tasks.stop(Duration::from_secs(5)).await;
    assert_eq!(began.elapsed().as_secs(), 5);
}
