//! Options that are set twice are refused at start: otherwise the last one would win silently.

use std::path::PathBuf;

use doyen::Overrides;
use doyen::auth::Accounts;
use doyen::prelude::*;
use doyen::settings::{Environment, Loader};

use crate::accounts_app::{AccountsApp, MIGRATIONS, Scope, SqlUsers};

/// The database, for errors that occur after it was opened.
fn file() -> PathBuf {
    std::env::temp_dir().join(format!("doyen-mount-{}.db", std::process::id()))
}

fn loader() -> Loader {
    Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test)
        .set("database.url", format!("sqlite://{}", file().display()))
        .set(
            "auth.signing_key",
            "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc",
        )
}

async fn refused(app: App, loader: Loader) -> String {
    let started = app.start(loader, Overrides::default()).await;
    started.map(|_| ()).expect_err("it starts").to_string()
}

#[tokio::test]
async fn an_option_of_the_application_given_twice_is_refused() {
    let app = App::new("porch")
        .migrations(MIGRATIONS)
        .migrations(MIGRATIONS)
        .scopes::<Scope>()
        .scopes::<Scope>();
    let message = refused(app, loader()).await;
    for option in ["App::migrations", "App::scopes"] {
        let line = format!("the application: `{option}` is given more than once");
        assert!(message.contains(&line), "{message}");
    }
}

#[tokio::test]
async fn a_policy_of_the_accounts_given_twice_is_refused() {
    let auth = Accounts::of::<SqlUsers>()
        .own(Scope::Profile)
        .own(signed_in)
        .admin(Scope::Keep)
        .admin(Scope::Read)
        .at("/v1")
        .at("/v2");
    let message = refused(App::new("porch").plugin(auth), loader()).await;
    for option in ["Accounts::own", "Accounts::admin", "Accounts::at"] {
        assert!(message.contains(&format!("`{option}`")), "{message}");
    }
}

#[tokio::test]
async fn a_limit_declared_twice_is_refused() {
    let app = App::new("porch")
        .policy("search", per_user(5, MINUTE))
        .policy("search", per_user(500, MINUTE));
    let message = refused(app, loader()).await;
    assert!(message.contains("`search` twice"), "{message}");
    let tiers = loader().set("limits.tiers", "partner: x2, partner: x50");
    let message = refused(App::new("porch"), tiers).await;
    assert!(
        message.contains("limits.tiers") && message.contains("`partner`"),
        "{message}"
    );
    let _ = std::fs::remove_file(file());
}

#[doyen_test::test(sqlite)]
async fn the_document_lists_the_modules_of_the_application_first(app: AccountsApp) {
    let tags = app.document()["tags"].as_array().unwrap().clone();
    assert!(tags.len() > 1, "{tags:?}");
    assert_eq!(tags[0]["name"], "porch");
}
