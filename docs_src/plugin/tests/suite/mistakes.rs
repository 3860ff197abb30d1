//! What the application says if its plugins do not fit together.

use doyen::app::{Plugin, Registrar, SetupError};
use doyen::prelude::*;
use doyen::settings::{Environment, Loader};
use doyen::{App, Overrides};
use nodes::Nodes;

/// Returns why the application does not start.
fn refusal(app: App, variables: &[(&str, &str)]) -> String {
    let loader = Loader::new("APP")
        .env(variables.iter().copied())
        .environment(Environment::Test)
        .set(
            "auth.signing_key",
            "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc",
        );
    let built = app.build(loader, Overrides::default());
    built.unwrap_err().to_string()
}

/// The number of places in this file that a message names.
fn places(message: &str) -> usize {
    message.matches("mistakes.rs:").count()
}

fn cluster() -> App {
    App::new("cluster").plugin(Nodes)
}

#[tokio::test]
async fn a_plugin_that_was_added_twice() {
    let message = refusal(cluster().plugin(Nodes), &[]);
    assert!(message.contains("`nodes`"), "{message}");
    assert_eq!(places(&message), 2, "{message}");
}

#[tokio::test]
async fn a_plugin_that_is_not_there() {
    let message = refusal(cluster().without("node"), &[]);
    assert!(message.contains("`node`"), "{message}");
    assert!(
        message.contains("`nodes`"),
        "it names the others: {message}"
    );
    let message = refusal(App::new("cluster").replace(Nodes), &[]);
    assert!(message.contains("use `App::plugin`"), "{message}");
}

#[tokio::test]
async fn a_setting_of_a_removed_plugin() {
    let variables = [("APP_NODES__HEARTBEAT", "5s")];
    let message = refusal(cluster().without("nodes"), &variables);
    assert!(message.contains("App::without(\"nodes\")"), "{message}");
    assert_eq!(places(&message), 1, "{message}");
}

/// Claims the route of the other plugin.
struct Rival;

impl Plugin for Rival {
    const NAME: &'static str = "rival";
    type Settings = ();

    fn register(self, _: (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.module(Module::new("rival").routes(routes![list]));
        app.fault("a mistake of its own");
        panic!("and a panic");
    }
}

/// List nothing
#[get("/nodes", allow = anyone)]
async fn list() -> NoContent {
    NoContent
}

#[tokio::test]
async fn two_plugins_with_one_route_a_fault_and_a_panic() {
    let message = refusal(cluster().plugin(Rival), &[]);
    assert!(message.contains("route `GET /nodes`"), "{message}");
    assert_eq!(places(&message), 2, "{message}");
    for part in ["plugin `rival`: a mistake of its own", "and a panic"] {
        assert!(message.contains(part), "{message}");
    }
}
