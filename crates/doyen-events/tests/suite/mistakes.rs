//! Mistakes that are found before the application starts, and the contract of plugins.

use doyen::App;
use doyen::domain::Unexpected;
use doyen::domain::event::RecordedEvent;
use doyen::events::{EventSettings, Events};
use doyen::prelude::*;
use doyen::settings::Loader;
use doyen_test::{Setup, Subject, TestApp, plugin_contract};

async fn handle(_: RecordedEvent) -> Result<(), Unexpected> {
    Ok(())
}

trait Missing: Send + Sync {}

async fn incomplete(_: RecordedEvent, _: std::sync::Arc<dyn Missing>) -> Result<(), Unexpected> {
    Ok(())
}

fn error_of(app: App, values: &[(&str, &str)]) -> String {
    let loader = Loader::new("APP")
        .set("database.url", "sqlite://never-opened.db")
        .set(
            "auth.signing_key",
            "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc",
        );
    let loader = values
        .iter()
        .fold(loader, |loader, (key, value)| loader.set(*key, *value));
    let built = app.build(loader, doyen::Overrides::default());
    built.map(drop).unwrap_err().to_string()
}

fn shop() -> App {
    App::new("shop")
}

#[tokio::test]
async fn mistakes_are_reported_before_the_start() {
    let twice = Module::new("a").on("same", handle).on("same", handle);
    let error = error_of(shop().module(twice), &[]);
    assert!(
        error.contains("two event handlers are called `same`"),
        "{error}"
    );

    let wrong = Module::new("a").on("not a name", handle);
    let error = error_of(shop().module(wrong), &[]);
    assert!(
        error.contains("`not a name` is not the name of an event handler"),
        "{error}"
    );

    let needy = Module::new("a").on("needy", incomplete);
    let error = error_of(shop().module(needy), &[]);
    assert!(
        error.contains("event handler needy") && error.contains("Missing"),
        "{error}"
    );

    let fine = Module::new("a").on("fine", handle);
    let error = error_of(shop().module(fine).without("live").without("events"), &[]);
    assert!(
        error.contains("event handlers of `a` (feature `events`"),
        "{error}"
    );
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[("events.broker", "nats")], "nats.url"),
        (&[("nats.url", "nats://a b")], "nats.url"),
        (&[("nats.credentials", "nats.creds")], "nats.url"),
        (
            &[
                ("nats.url", "nats://a"),
                ("nats.credentials", "missing.creds"),
            ],
            "nats.credentials",
        ),
        (&[("events.broker", "redis")], "redis.url"),
        (&[("events.consume", r#"["a.*"]"#)], "events.consume"),
        (&[("events.stream", "a.b")], "events.stream"),
        (
            &[("events.pause", "1m"), ("events.max_pause", "1s")],
            "events.max_pause",
        ),
    ];
    for (values, expected) in cases {
        let error = error_of(shop(), values);
        assert!(error.contains(expected), "{values:?}: {error}");
        assert!(
            !error.contains("nats://a"),
            "the URL may contain a password: {error}"
        );
    }
}

/// An application without the plugin.
struct Empty(TestApp);

impl Subject for Empty {
    fn app() -> App {
        App::new("empty").without("live").without("events")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// The plugin under a name of its own list: the default one is left out.
struct Added;

impl doyen::app::Plugin for Added {
    const NAME: &'static str = "events";
    type Settings = EventSettings;
    fn manifest(&self, manifest: &mut doyen::app::Manifest) {
        Events.manifest(manifest);
    }
    fn register(
        self,
        settings: EventSettings,
        app: &mut doyen::app::Registrar<'_>,
    ) -> Result<(), doyen::app::SetupError> {
        Events.register(settings, app)
    }
}

#[doyen_test::test]
async fn the_plugin_keeps_the_contract(empty: Empty) {
    plugin_contract::<Added>(&empty.0, || {
        Setup::new().edit(|_| App::new("empty").without("live"))
    })
    .await;
}
