//! Settings of plugins: misspelt, missing or declared twice.

use doyen::app::{Plugin, Registrar, SetupError};
use doyen::settings::{Environment, Loader, Settings};
use doyen::{App, Overrides};

use crate::loader;

fn refusal(app: App, loader: Loader) -> String {
    let built = app.build(loader, Overrides::default());
    built.map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn a_misspelt_section_is_refused_with_the_nearest_name() {
    let text = refusal(App::new("s"), loader("s").set("mial.transport", "none"));
    assert!(text.contains("did you mean `mail.transport`?"), "{text}");
    let variables = Loader::new("APP")
        .environment(Environment::Test)
        .env([("APP_MIAL__TRANSPORT", "none")]);
    let text = refusal(App::new("s"), variables);
    assert!(text.contains("did you mean APP_MAIL__TRANSPORT?"), "{text}");
}

#[tokio::test]
async fn a_section_of_a_removed_plugin_is_reported() {
    let app = || App::new("s").without("mail");
    let text = refusal(app(), loader("s").set("mail.transport", "none"));
    assert!(
        text.contains("`mail.transport`") && text.contains("App::without(\"mail\")"),
        "{text}"
    );
    let variables = Loader::new("APP")
        .environment(Environment::Test)
        .env([("APP_MAIL__TRANSPORT", "none")]);
    let text = refusal(app(), variables);
    assert!(
        text.contains("APP_MAIL__TRANSPORT") && text.contains("left it out"),
        "{text}"
    );
}

#[tokio::test]
async fn a_renamed_setting_is_reported_with_its_new_name() {
    let text = refusal(App::new("s"), loader("s").set("server.docs", "true"));
    assert!(text.contains("it is `docs.enabled` now"), "{text}");
    let variables = Loader::new("APP")
        .environment(Environment::Test)
        .env([("APP_SERVER__DOCS", "true")]);
    let text = refusal(App::new("s"), variables);
    assert!(text.contains("it is `docs.enabled` now"), "{text}");
}

/// Settings of an application that conflict with a plugin.
#[derive(Settings)]
struct Own {
    /// Outgoing mail.
    #[setting(section)]
    mail: OwnMail,
}

/// Settings that conflict.
#[derive(Settings)]
struct OwnMail {
    /// The sender.
    #[setting(default = "me@example.com")]
    from: String,
}

#[tokio::test]
async fn a_setting_of_an_application_and_a_plugin_names_both() {
    let text = refusal(App::new("s").settings::<Own>(), loader("s"));
    assert!(
        text.contains("plugin `mail`") && text.contains("the application"),
        "{text}"
    );
    assert!(text.contains("`mail.from`"), "{text}");
    let own = Own::read_for_test();
    assert_eq!(own, "me@example.com");
}

impl Own {
    fn read_for_test() -> String {
        let loaded = Loader::new("X").env(std::iter::empty::<(String, String)>());
        loaded.load::<Own>().unwrap().value.mail.from
    }
}

struct Twin;

impl Plugin for Twin {
    const NAME: &'static str = "twin";
    type Settings = doyen::mail::MailSettings;

    fn manifest(&self, manifest: &mut doyen::app::Manifest) {
        manifest.section("mail");
    }

    fn register(self, _: Self::Settings, _: &mut Registrar<'_>) -> Result<(), SetupError> {
        Ok(())
    }
}

#[tokio::test]
async fn two_plugins_cannot_have_one_setting() {
    let text = refusal(App::new("s").plugin(Twin), loader("s"));
    assert!(
        text.contains("plugin `mail`") && text.contains("plugin `twin`"),
        "{text}"
    );
}
