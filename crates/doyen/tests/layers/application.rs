//! Layers of plugins and of the application, its start and stop, and work after the response.

use std::sync::Arc;

use doyen::app::{Background, Plugin, Registrar, SetupError};
use doyen::prelude::*;
use doyen::settings::{Environment, Loader};
use doyen::web::around::{BoxLayer, Slot};
use doyen::{Overrides, Runtime, StartupError};
use tower::util::MapRequestLayer;

use crate::kit::{Log, Work, request};

const SIGNING_KEY: &str = "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc";

fn loader() -> Loader {
    let loader = Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test)
        .set("auth.signing_key", SIGNING_KEY);
    #[cfg(feature = "database")]
    let loader = loader.set("database.url", database());
    loader
}

/// Returns the URL of a new database for each application.
#[cfg(feature = "database")]
fn database() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("doyen-layers-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    format!("sqlite://{}", folder.join("test.db").display())
}

async fn start(app: App) -> Runtime {
    let started = try_start(app).await;
    started.unwrap_or_else(|error| panic!("{error}"))
}

async fn try_start(app: App) -> Result<Runtime, StartupError> {
    app.start(loader(), Overrides::default()).await
}

async fn send(runtime: &Runtime, method: &str, path: &str) -> u16 {
    let request = request(method, path, &[], "");
    runtime
        .service()
        .handle(request, None)
        .await
        .status()
        .as_u16()
}

/// Returns a layer that notes when it begins.
fn noting(log: &Arc<Log>, what: &'static str) -> BoxLayer {
    let log = Arc::clone(log);
    BoxLayer::tower(MapRequestLayer::new(move |request: Request| {
        log.note(what);
        request
    }))
}

macro_rules! plugin {
    ($type:ident, $name:literal, [$($after:literal),*], $layer:literal) => {
        struct $type(Arc<Log>);

        impl Plugin for $type {
            const NAME: &'static str = $name;
            type Settings = ();

            fn manifest(&self, manifest: &mut doyen::app::Manifest) {
                $(manifest.after($after);)*
                let _ = manifest;
            }

            fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
                app.layer(Slot::Route, $layer, noting(&self.0, concat!($name, " route")));
                app.layer(Slot::Request, $layer, noting(&self.0, concat!($name, " request")));
                Ok(())
            }
        }
    };
}

plugin!(First, "zebra", [], "stripes");
plugin!(Second, "antelope", ["zebra"], "horns");
plugin!(Thief, "hyena", [], "horns");

/// Do nothing
#[get("/nothing", allow = anyone)]
async fn nothing() -> NoContent {
    NoContent
}

#[tokio::test]
async fn layers_of_plugins_run_in_the_order_of_the_plugins_and_outside_of_the_application() {
    let log = Arc::<Log>::default();
    for second_is_first in [false, true] {
        let app = App::new("layers").module(Module::new("m").routes(routes![nothing]));
        let own = Arc::clone(&log);
        let app = app.around(move |request: Request, next: Next| {
            own.note("application");
            next.run(request)
        });
        let (first, second) = (First(Arc::clone(&log)), Second(Arc::clone(&log)));
        let app = if second_is_first {
            app.plugin(second).plugin(first)
        } else {
            app.plugin(first).plugin(second)
        };
        let runtime = start(app).await;
        assert_eq!(send(&runtime, "GET", "/nothing").await, 204);
        assert_eq!(
            log.take(),
            [
                "zebra request",
                "antelope request",
                "application",
                "zebra route",
                "antelope route",
            ]
        );
        let report = runtime.plugins().to_json();
        let plugins = report["plugins"].as_array().unwrap();
        let zebra = plugins.iter().find(|one| one["name"] == "zebra").unwrap();
        let claims = zebra["claims"].to_string();
        assert!(claims.contains("layer request stripes"), "{claims}");
        assert!(claims.contains("layer route stripes"), "{claims}");
        runtime.stop().await;
    }
}

#[tokio::test]
async fn two_plugins_with_a_layer_of_one_name_are_a_conflict_that_names_both() {
    let log = Arc::<Log>::default();
    let app = App::new("layers")
        .plugin(Second(Arc::clone(&log)))
        .plugin(Thief(log));
    let text = try_start(app).await.unwrap_err().to_string();
    for part in [
        "antelope",
        "hyena",
        "layer `request horns`",
        "layer `route horns`",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

struct Early;

impl Plugin for Early {
    const NAME: &'static str = "early";
    type Settings = ();

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        async fn audit(_log: Arc<Log>, request: Request, next: Next) -> Response {
            next.run(request).await
        }
        app.layer(Slot::Request, "audit", BoxLayer::around(audit));
        Ok(())
    }
}

#[tokio::test]
async fn a_plugin_that_needs_a_route_around_every_request_is_a_fault_that_says_what_to_do() {
    let app = App::new("layers")
        .provide(Arc::<Log>::default())
        .plugin(Early);
    let text = try_start(app).await.unwrap_err().to_string();
    assert!(
        text.contains("`audit`") && text.contains("Slot::Route"),
        "{text}"
    );
}

/// Notes when it starts and stops.
struct Engine;

impl Plugin for Engine {
    const NAME: &'static str = "engine";
    type Settings = ();

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.service("engine", |log: Arc<Log>| async move {
            log.note("engine starts");
            Ok(doyen::app::Stop::with(move || async move {
                log.note("engine stops");
            }))
        });
        Ok(())
    }
}

fn note_with_work(
    what: &'static str,
) -> impl FnOnce((Arc<Log>, Work)) -> std::future::Ready<Result<(), Unexpected>> + Send + Sync {
    move |(log, _work)| {
        log.note(what);
        std::future::ready(Ok(()))
    }
}

#[tokio::test]
async fn start_and_stop_of_the_application_are_inside_of_those_of_the_plugins() {
    let log = Arc::<Log>::default();
    let app = App::new("lifecycle")
        .provide(Arc::clone(&log))
        .on_start(note_with_work("first start"))
        .on_start(note_with_work("second start"))
        .on_stop(note_with_work("first stop"))
        .on_stop(note_with_work("second stop"))
        .plugin(Engine);
    let runtime = start(app).await;
    assert_eq!(
        log.take(),
        [
            "engine starts",
            "first start",
            "commit",
            "second start",
            "commit"
        ]
    );
    runtime.stop().await;
    assert_eq!(
        log.take(),
        [
            "second stop",
            "commit",
            "first stop",
            "commit",
            "engine stops"
        ]
    );
}

#[tokio::test]
async fn a_start_that_fails_is_rolled_back_and_stops_what_had_started() {
    let log = Arc::<Log>::default();
    let app = App::new("lifecycle")
        .provide(Arc::clone(&log))
        .on_start(|(log, _work): (Arc<Log>, Work)| async move {
            log.note("start");
            Err(Unexpected::new("the price list is empty"))
        })
        .on_stop(note_with_work("stop"))
        .plugin(Engine);
    let text = try_start(app).await.unwrap_err().to_string();
    assert!(text.contains("the price list is empty"), "{text}");
    // `on_stop` belongs to what did not start.
    assert_eq!(
        log.take(),
        ["engine starts", "start", "rollback", "engine stops"]
    );
}

/// Add work
#[post("/add", allow = anyone)]
async fn add(tasks: BackgroundTasks, log: Arc<Log>, _work: Work) -> Result<NoContent, Unexpected> {
    let later = Arc::clone(&log);
    tasks.add("note", async move {
        later.note("task");
        Ok(())
    })?;
    log.note("handler");
    Ok(NoContent)
}

/// Add work and fail
#[post("/fail", allow = anyone)]
async fn fail(tasks: BackgroundTasks, log: Arc<Log>) -> Result<NoContent, Unexpected> {
    tasks.add("note", async move {
        log.note("task");
        Ok(())
    })?;
    Err(Unexpected::new("no"))
}

/// Add work and panic
#[post("/panic", allow = anyone)]
async fn panic(tasks: BackgroundTasks, log: Arc<Log>) -> NoContent {
    let added = tasks.add("note", async move {
        log.note("task");
        Ok(())
    });
    assert!(added.is_err(), "it can be added");
    NoContent
}

/// Add work that waits for the gate
#[post("/wait", allow = anyone)]
async fn wait(
    tasks: BackgroundTasks,
    gate: Arc<Gate>,
    log: Arc<Log>,
) -> Result<NoContent, Unexpected> {
    tasks.add("wait", async move {
        gate.0.acquire().await?.forget();
        log.note("task");
        Ok(())
    })?;
    Ok(NoContent)
}

/// Add two tasks, of which the first panics
#[post("/broken", allow = anyone)]
async fn broken(tasks: BackgroundTasks, log: Arc<Log>) -> Result<NoContent, Unexpected> {
    tasks.add("broken", async { panic!("broken") })?;
    tasks.add("note", async move {
        log.note("task");
        Ok(())
    })?;
    Ok(NoContent)
}

/// Lets tasks pass, as many as it has places.
struct Gate(tokio::sync::Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(tokio::sync::Semaphore::new(0))
    }
}

async fn background() -> (Runtime, Arc<Log>, Arc<Gate>) {
    let (log, gate) = (Arc::<Log>::default(), Arc::<Gate>::default());
    let app: App = App::new("background")
        .provide(Arc::clone(&log))
        .provide(Arc::clone(&gate))
        .on_stop(note_with_work("stop"))
        .module(Module::new("m").routes(routes![add, fail, panic, wait, broken]));
    // A thousand requests in a row exceed the default limit.
    #[cfg(feature = "limits")]
    let app = app.without("limits");
    (start(app).await, log, gate)
}

async fn idle(runtime: &Runtime) {
    runtime.service().settled().await;
    let background = runtime.get::<Arc<Background>>().await;
    background
        .map_err(|error| format!("{error:?}"))
        .unwrap()
        .idle()
        .await;
}

#[tokio::test]
async fn background_work_runs_after_the_commit_and_not_after_an_error() {
    let (runtime, log, _) = background().await;
    assert_eq!(send(&runtime, "POST", "/add").await, 204);
    // The response is there, and the task has not run on this single thread.
    assert_eq!(log.take(), ["handler", "commit"]);
    idle(&runtime).await;
    assert_eq!(log.take(), ["task"]);
    for path in ["/fail", "/panic"] {
        assert_eq!(send(&runtime, "POST", path).await, 500);
        idle(&runtime).await;
        assert_eq!(log.take(), [""; 0], "{path}");
    }
    // A task that panics keeps none from running.
    assert_eq!(send(&runtime, "POST", "/broken").await, 204);
    idle(&runtime).await;
    assert_eq!(log.take(), ["task"]);
    runtime.stop().await;
}

#[tokio::test]
async fn a_stop_waits_for_background_work_before_anything_else_stops() {
    let (runtime, log, gate) = background().await;
    assert_eq!(send(&runtime, "POST", "/wait").await, 204);
    runtime.service().settled().await;
    let release = async {
        // The stop waits by now: it was polled first.
        tokio::task::yield_now().await;
        assert_eq!(log.take(), [""; 0]);
        gate.0.add_permits(1);
    };
    tokio::join!(runtime.stop(), release);
    assert_eq!(log.take(), ["task", "stop", "commit"]);
}

#[tokio::test]
async fn at_most_a_thousand_tasks_wait_and_the_next_is_a_503_without_a_commit() {
    let (runtime, log, gate) = background().await;
    for _ in 0..1000 {
        assert_eq!(send(&runtime, "POST", "/wait").await, 204);
    }
    assert_eq!(send(&runtime, "POST", "/add").await, 503);
    assert_eq!(log.take(), ["rollback"]);
    runtime.service().settled().await;
    // A place is free once a task has ended.
    gate.0.add_permits(1000);
    idle(&runtime).await;
    assert_eq!(log.take().len(), 1000);
    assert_eq!(send(&runtime, "POST", "/add").await, 204);
    idle(&runtime).await;
    runtime.stop().await;
}

/// The state of the application needs no more than a parameter.
#[derive(Debug)]
struct AppState {
    name: &'static str,
}

/// Get the name
#[get("/name", allow = anyone)]
async fn name(state: Arc<AppState>) -> Text {
    Text(state.name.to_owned())
}

#[tokio::test]
async fn state_that_nothing_provides_is_a_mistake_at_the_start() {
    let app = || App::new("state").module(Module::new("m").routes(routes![name]));
    let text = try_start(app()).await.unwrap_err().to_string();
    assert!(text.contains("AppState"), "{text}");
    let runtime = start(app().provide(Arc::new(AppState { name: "tea" }))).await;
    assert_eq!(send(&runtime, "GET", "/name").await, 200);
    runtime.stop().await;
}
