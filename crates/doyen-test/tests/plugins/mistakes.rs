//! All mistakes appear in one list, before anything is opened.

use std::sync::Arc;

use doyen::app::{Family, Manifest, Plugin, Registrar, SetupError};
use doyen::domain::port;
use doyen::prelude::*;
use doyen::settings::Settings;
use doyen::{App, Overrides};

use crate::{folder, loader};

/// Settings of the plugin `first`.
#[derive(Settings)]
struct FirstSettings {
    /// Number of workers.
    #[setting(default = 4, min = 1, max = 64)]
    workers: u16,
    /// Address of the upstream.
    url: String,
}

struct First;

impl Plugin for First {
    const NAME: &'static str = "first";
    type Settings = FirstSettings;

    fn register(self, settings: FirstSettings, _: &mut Registrar<'_>) -> Result<(), SetupError> {
        unreachable!(
            "{} {}: the settings are invalid",
            settings.workers, settings.url
        )
    }
}

/// Depends on a value that `first` would have provided: a consequence, which is not reported.
struct Second;

/// A type without a provider.
struct Missing;

const CLASH: &[Family] = &[Family::counter("db_pool_connections", "A clash.")];

impl Plugin for Second {
    const NAME: &'static str = "second";
    type Settings = ();

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.fault(SetupError::setting(
            "second.mode",
            "choose `fast` or `safe`",
        ));
        app.fault(SetupError::new("it needs a licence"));
        app.metrics(CLASH, |_| {});
        app.service("second", |_: Arc<Missing>| async {
            Ok(doyen::app::Stop::nothing())
        });
        Err(SetupError::new("and it cannot continue"))
    }
}

struct Third;

impl Plugin for Third {
    const NAME: &'static str = "third";
    type Settings = ();

    fn register(self, (): (), _: &mut Registrar<'_>) -> Result<(), SetupError> {
        panic!("a bug in the third")
    }
}

#[tokio::test]
async fn seven_mistakes_in_three_plugins_are_one_list_and_nothing_is_opened() {
    let app = App::new("mistakes")
        .plugin(First)
        .plugin(Second)
        .plugin(Third);
    let loader = loader("mistakes").set("first.workers", "0");
    let error = app.start(loader, Overrides::default()).await.unwrap_err();
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    for (line, expected) in [
        "`first.workers`",
        "`first.url` is not set",
        "`second.mode`: choose `fast` or `safe`",
        "plugin `second`: it needs a licence",
        "both have the metric `db_pool_connections`",
        "plugin `second`: and it cannot continue",
        "plugin `third`: it panicked while it registered: a bug in the third",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(
            lines[line].contains(expected),
            "{expected} is not in line {line} of\n{text}"
        );
    }
    assert_eq!(lines.len(), 7, "{text}");
    assert!(
        text.contains("mistakes.rs:"),
        "the location of the conflict: {text}"
    );
    assert!(!folder("mistakes").exists(), "a file was written");
}

/// A port that two plugins bind.
#[port]
trait Greeter: Send + Sync {
    async fn greet(&self) -> String;
}

#[derive(Clone, Inject)]
struct Polite;

#[port]
impl Greeter for Polite {
    async fn greet(&self) -> String {
        "Good morning".to_owned()
    }
}

macro_rules! binds {
    ($type:ident, $name:literal, $method:ident) => {
        struct $type;

        impl Plugin for $type {
            const NAME: &'static str = $name;
            type Settings = ();

            fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
                app.$method::<dyn Greeter, Polite>();
                Ok(())
            }
        }
    };
}

binds!(BindsOne, "one", bind);
binds!(BindsTwo, "two", bind);
binds!(BindsDefault, "fallback", bind_default);

fn build(app: App, name: &str) -> Result<doyen::app::Built, String> {
    app.build(loader(name), Overrides::default())
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn two_bindings_of_one_port_name_both_plugins_and_locations() {
    let app = App::new("twice").plugin(BindsOne).plugin(BindsTwo);
    let text = build(app, "twice").unwrap_err();
    for word in ["plugin `one`", "plugin `two`", "Greeter`", "mistakes.rs:"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    // Also for a module of the application and a plugin.
    let module = Module::new("m").bind::<dyn Greeter, Polite>();
    let app = App::new("twice").plugin(BindsOne).module(module);
    let text = build(app, "twice").unwrap_err();
    assert!(
        text.contains("plugin `one`") && text.contains("the application"),
        "{text}"
    );
    // A default yields to either.
    let app = App::new("twice").plugin(BindsOne).plugin(BindsDefault);
    let built = build(app, "twice").unwrap();
    let greeter = built.get::<Arc<dyn Greeter>>().await.unwrap();
    assert_eq!(greeter.greet().await, "Good morning");
}

/// Ping
#[get("/ping", allow = anyone)]
async fn ping() -> NoContent {
    NoContent
}

struct Pings;

impl Plugin for Pings {
    const NAME: &'static str = "pings";
    type Settings = ();

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.module(Module::new("pings").routes(routes![ping]));
        Ok(())
    }
}

#[tokio::test]
async fn a_route_of_a_plugin_and_of_the_application_is_a_conflict() {
    let app = App::new("routes")
        .plugin(Pings)
        .module(Module::new("own").routes(routes![ping]));
    let text = build(app, "routes").unwrap_err();
    assert!(
        text.contains("plugin `pings`") && text.contains("`GET /ping`"),
        "{text}"
    );
    assert!(text.contains("the application"), "{text}");
}

struct Needs(&'static str);

impl Plugin for Needs {
    const NAME: &'static str = "needs";
    type Settings = ();

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.requires(self.0);
    }

    fn register(self, (): (), _: &mut Registrar<'_>) -> Result<(), SetupError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_missing_requirement_names_the_chain_and_the_exclusion() {
    let app = App::new("chain").plugin(Needs("mail")).without("mail");
    let text = build(app, "chain").unwrap_err();
    assert!(text.contains("`needs` -> `mail`"), "{text}");
    assert!(text.contains("App::without(\"mail\")"), "{text}");
    assert!(text.contains("mistakes.rs:"), "{text}");
    let text = build(App::new("chain").plugin(Needs("nothing")), "chain").unwrap_err();
    assert!(text.contains("`needs` -> `nothing`"), "{text}");
    let text = build(App::new("chain").plugin(Needs("needs")), "chain").unwrap_err();
    assert!(text.contains("in a circle"), "{text}");
    let text = build(App::new("chain").without("mial"), "chain").unwrap_err();
    assert!(
        text.contains("finds no plugin `mial`") && text.contains("`mail`"),
        "{text}"
    );
    let app = App::new("chain").plugin(Pings).plugin(Pings);
    let text = build(app, "chain").unwrap_err();
    assert!(text.contains("have one name"), "{text}");
}
