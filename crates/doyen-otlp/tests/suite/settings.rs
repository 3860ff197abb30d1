//! Mistakes in the settings.

use doyen::Overrides;
use doyen::domain::chain;
use doyen::settings::Loader;
use doyen_test::Subject as _;

use crate::app::Shop;

fn start(settings: &[(&str, &str)]) -> Result<(), String> {
    let loader = Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .set("database.url", "sqlite:///tmp/never-opened.db");
    let loader = settings
        .iter()
        .fold(loader, |loader, (key, value)| loader.set(*key, *value));
    let built = Shop::app().build(loader, Overrides::default());
    built.map(|_| ()).map_err(|error| chain(&error))
}

#[tokio::test]
async fn a_mistake_is_named() {
    let endpoint = ("otlp.endpoint", "http://127.0.0.1:4318");
    start(&[endpoint]).unwrap();
    start(&[endpoint, ("otlp.headers", "a=b, c=d%2Ce,")]).unwrap();
    for (key, value, why) in [
        (
            "otlp.endpoint",
            "localhost:4318",
            "must begin with `http://`",
        ),
        ("otlp.endpoint", "127.0.0.1:4318", "is not a URL"),
        (
            "otlp.endpoint",
            "http://user:pw-secret@host",
            "otlp.headers",
        ),
        ("otlp.endpoint", "http://host/?token=x", "query"),
        ("otlp.headers", "api-key", "its part 1 is not a header"),
        (
            "otlp.headers",
            "a=b,bad name=pw-secret",
            "its part 2 is not a header",
        ),
        (
            "otlp.headers",
            "a=line%0Abreak",
            "its part 1 is not a header",
        ),
        ("otlp.sample", "1.5", "otlp.sample"),
        ("otlp.protocol", "smoke", "otlp.protocol"),
        ("otlp.queue", "1 KiB", "otlp.queue"),
    ] {
        let error = start(&[endpoint, (key, value)]).unwrap_err();
        assert!(error.contains(key), "{error}");
        assert!(error.contains(why), "{error}");
        assert!(!error.contains("pw-secret"), "{error}");
    }
}
