//! CORS: requests as browsers send them, and requests that no browser sends (WHATWG Fetch section
//! 3.3).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use doyen::Overrides;
use doyen::domain::{CredentialHeader, Identify, Refusal, RequestCredentials};
use doyen::settings::Loader;

use doyen::prelude::*;
use doyen::web::{Body, Cors, EdgeOptions, Origin, Route, Service};
use http::Request;

use crate::kit::{Answer, finish, send};

const GOOD: &str = "https://app.example.com";

/// Identifies no caller.
struct RefuseAll;

#[async_trait]
impl Identify for RefuseAll {
    async fn identify(&self, _: RequestCredentials<'_>) -> Result<Option<Arc<Caller>>, Refusal> {
        Ok(None)
    }
    fn credential_headers(&self) -> Vec<CredentialHeader> {
        Vec::new()
    }
}

/// Whose desk it is.
#[derive(Input)]
struct Tenant {
    x_tenant: Option<String>,
}

/// Say hello to a tenant.
#[get("/hello", allow = anyone)]
async fn hello(tenant: Header<Tenant>) -> Text {
    Text(tenant.0.x_tenant.unwrap_or_default())
}

/// Take a thing.
#[post("/hello", allow = anyone)]
async fn take(Json(_all): Json<Vec<u32>>) -> NoContent {
    NoContent
}

/// For those who are logged in.
#[get("/mine", allow = signed_in)]
async fn mine() -> NoContent {
    NoContent
}

/// Break.
#[get("/broken", allow = anyone)]
async fn broken() -> NoContent {
    panic!("on purpose")
}

/// Write the fields by hand.
#[get("/by-hand", allow = anyone)]
async fn by_hand() -> doyen::web::Response {
    let response = http::Response::builder()
        .header("access-control-allow-origin", "*")
        .header("vary", "X-Own");
    response.body(Body::whole("mine")).unwrap()
}

async fn never() -> Text {
    Text("a route for OPTIONS".into())
}

fn cors(origins: &[&str], credentials: bool) -> Cors {
    let origins = origins.iter().map(|text| Origin::parse(text).unwrap());
    Cors::new(origins.collect(), credentials, Duration::from_secs(600)).unwrap()
}

fn service(cors: Option<Cors>) -> Service {
    let own = Route::new("OPTIONS", "/own")
        .allow(signed_in)
        .handler(never);
    let module = Module::new("t")
        .routes(routes![hello, take, mine, broken, by_hand])
        .routes(Routes::new(vec![own]));
    let options = EdgeOptions {
        cors,
        ..EdgeOptions::default()
    };
    finish(
        Service::builder()
            .options(options)
            .identify(Arc::new(RefuseAll))
            .module(module),
    )
}

fn open() -> Service {
    service(Some(cors(&[GOOD, "http://localhost:5173"], false)))
}

async fn ask(service: &Service, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    send(service, request.body(Body::empty()).unwrap()).await
}

async fn from(service: &Service, origin: &str, path: &str) -> Answer {
    ask(service, "GET", path, &[("origin", origin)]).await
}

/// A preflight as a browser sends it.
async fn preflight(service: &Service, origin: &str, path: &str, method: &str) -> Answer {
    let fields = [
        ("origin", origin),
        ("access-control-request-method", method),
        (
            "access-control-request-headers",
            "authorization,content-type",
        ),
    ];
    ask(service, "OPTIONS", path, &fields).await
}

impl Answer {
    /// The names of the CORS headers.
    fn cors(&self) -> Vec<&str> {
        let names = self.headers.keys().map(http::HeaderName::as_str);
        names
            .filter(|name| name.starts_with("access-control-"))
            .collect()
    }

    fn origin(&self) -> Option<&str> {
        let all: Vec<_> = self
            .headers
            .get_all("access-control-allow-origin")
            .iter()
            .collect();
        assert!(all.len() < 2, "{self:?}");
        self.header("access-control-allow-origin")
    }

    fn vary(&self) -> Vec<String> {
        let fields = self.headers.get_all("vary").iter();
        let names = fields.flat_map(|field| field.to_str().unwrap().split(", "));
        names.map(str::to_ascii_lowercase).collect()
    }

    fn list(&self, name: &str) -> Vec<&str> {
        self.header(name).unwrap().split(", ").collect()
    }
}

#[tokio::test]
async fn without_origins_nothing_is_said() {
    let service = service(None);
    for path in ["/hello", "/mine", "/nowhere", "/broken"] {
        let answer = from(&service, GOOD, path).await;
        assert!(answer.cors().is_empty(), "{answer:?}");
        assert!(answer.vary().is_empty(), "{answer:?}");
    }
    let answer = preflight(&service, GOOD, "/hello", "GET").await;
    assert_eq!(answer.status, 204);
    assert!(answer.cors().is_empty(), "{answer:?}");
}

#[tokio::test]
async fn a_page_that_may_reads_every_answer_and_every_error() {
    let service = open();
    for (path, status) in [
        ("/hello", 200),
        ("/mine", 401),
        ("/nowhere", 404),
        ("/hello?other=1", 422),
        ("/broken", 500),
    ] {
        let answer = from(&service, GOOD, path).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.origin(), Some(GOOD), "{answer:?}");
        assert_eq!(answer.vary(), ["origin"]);
        answer.is_guarded();
        let exposed = answer.list("access-control-expose-headers");
        for name in [
            "etag",
            "location",
            "link",
            "retry-after",
            "x-request-id",
            "www-authenticate",
        ] {
            assert!(exposed.contains(&name), "{name}: {answer:?}");
        }
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("access-control-allow-methods"), None);
    }
    let other = ask(&service, "DELETE", "/hello", &[("origin", GOOD)]).await;
    other.is_problem(405, "method_not_allowed");
    assert_eq!(other.origin(), Some(GOOD));
}

#[tokio::test]
async fn the_other_configured_origin_is_echoed_and_not_the_first() {
    let answer = from(&open(), "http://localhost:5173", "/hello").await;
    assert_eq!(answer.origin(), Some("http://localhost:5173"));
}

#[tokio::test]
async fn without_an_origin_only_vary_is_sent() {
    for path in ["/hello", "/mine", "/nowhere", "/broken"] {
        let answer = ask(&open(), "GET", path, &[]).await;
        assert!(answer.cors().is_empty(), "{answer:?}");
        assert_eq!(answer.vary(), ["origin"], "{path}");
    }
}

#[tokio::test]
async fn a_forged_origin_gets_nothing() {
    let service = open();
    for origin in [
        "https://app.example.com.evil.com",
        "https://evil-app.example.com",
        "https://evil.com/https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:8443",
        "https://app.example.com:443",
        "https://APP.example.com",
        "HTTPS://app.example.com",
        "http://app.example.com",
        "https://example.com",
        "https://app.example.co",
        "https://appXexample.com",
        "https://app.example.com, https://evil.com",
        "https://evil.com https://app.example.com",
        "https://app.example.com\u{e9}",
        "http://localhost:51730",
        "http://localhost",
        "null",
        "*",
        "",
        "://",
    ] {
        let answer = from(&service, origin, "/hello").await;
        assert_eq!(answer.status, 200, "{origin}");
        assert!(answer.cors().is_empty(), "{origin}: {answer:?}");
        assert_eq!(answer.vary(), ["origin"], "{origin}");
        let asked = preflight(&service, origin, "/hello", "GET").await;
        assert_eq!(asked.status, 204, "{origin}");
        assert!(asked.cors().is_empty(), "{origin}: {asked:?}");
        assert_eq!(asked.vary(), ["origin"], "{origin}");
        assert_eq!(asked.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    }
}

#[tokio::test]
async fn two_origins_are_refused() {
    for two in [
        [("origin", GOOD), ("origin", GOOD)],
        [("origin", GOOD), ("origin", "https://evil.com")],
        [("origin", "https://evil.com"), ("origin", GOOD)],
    ] {
        let answer = ask(&open(), "GET", "/hello", &two).await;
        assert_eq!(answer.status, 200);
        assert!(answer.cors().is_empty(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_preflight_needs_no_authentication() {
    let service = open();
    for path in ["/hello", "/mine", "/own"] {
        let answer = preflight(&service, GOOD, path, "GET").await;
        assert_eq!(answer.status, 204, "{answer:?}");
        assert!(answer.body.is_empty());
        assert_eq!(answer.origin(), Some(GOOD));
        assert_eq!(answer.vary(), ["origin"]);
        assert_eq!(answer.header("access-control-max-age"), Some("600"));
        let headers = answer.list("access-control-allow-headers");
        for name in [
            "authorization",
            "content-type",
            "if-match",
            "if-none-match",
            "idempotency-key",
            "x-request-id",
            "traceparent",
            // A route reads it.
            "x-tenant",
        ] {
            assert!(headers.contains(&name), "{name}: {answer:?}");
        }
        assert!(!headers.contains(&"*"));
        assert_eq!(answer.header("access-control-expose-headers"), None);
    }
    let methods = |answer: &Answer| {
        answer
            .header("access-control-allow-methods")
            .map(str::to_owned)
    };
    let both = preflight(&service, GOOD, "/hello", "POST").await;
    assert_eq!(methods(&both).as_deref(), Some("GET, POST, HEAD, OPTIONS"));
    // A method that does not exist: the browser sees that.
    let none = preflight(&service, GOOD, "/hello", "DELETE").await;
    assert_eq!(methods(&none).as_deref(), Some("GET, POST, HEAD, OPTIONS"));
    let odd = preflight(&service, GOOD, "/mine", "no method, \u{e9}").await;
    assert_eq!(methods(&odd).as_deref(), Some("GET, HEAD, OPTIONS"));
    let own = preflight(&service, GOOD, "/own", "OPTIONS").await;
    assert_eq!(methods(&own).as_deref(), Some("OPTIONS"));
}

#[tokio::test]
async fn a_preflight_for_nothing_is_404() {
    let answer = preflight(&open(), GOOD, "/nowhere", "GET").await;
    answer.is_problem(404, "not_found");
    assert_eq!(answer.origin(), Some(GOOD));
    assert_eq!(answer.header("access-control-allow-methods"), None);
}

#[tokio::test]
async fn options_without_a_requested_method_is_not_a_preflight() {
    let service = open();
    let plain = ask(&service, "OPTIONS", "/hello", &[("origin", GOOD)]).await;
    assert_eq!(plain.status, 204);
    assert_eq!(plain.origin(), Some(GOOD));
    assert_eq!(plain.header("access-control-allow-methods"), None);
    // A route for OPTIONS keeps its own policy.
    let own = ask(&service, "OPTIONS", "/own", &[("origin", GOOD)]).await;
    own.is_problem(401, "unauthenticated");
    // A preflight with another method is not one either.
    let fields = [("origin", GOOD), ("access-control-request-method", "GET")];
    let get = ask(&service, "GET", "/mine", &fields).await;
    get.is_problem(401, "unauthenticated");
    assert_eq!(get.header("access-control-allow-methods"), None);
}

#[tokio::test]
async fn credentials_are_said_on_both_answers() {
    let service = service(Some(cors(&[GOOD], true)));
    for answer in [
        from(&service, GOOD, "/hello").await,
        preflight(&service, GOOD, "/hello", "GET").await,
    ] {
        assert_eq!(answer.origin(), Some(GOOD));
        let credentials = answer.header("access-control-allow-credentials");
        assert_eq!(credentials, Some("true"));
    }
    let evil = from(&service, "https://evil.com", "/hello").await;
    assert!(evil.cors().is_empty(), "{evil:?}");
}

#[tokio::test]
async fn every_origin_is_a_star_and_never_an_echo() {
    let service = service(Some(cors(&["*"], false)));
    for origin in [GOOD, "https://evil.com", "null"] {
        let answer = from(&service, origin, "/hello").await;
        assert_eq!(answer.origin(), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.vary(), ["origin"]);
    }
}

#[tokio::test]
async fn headers_of_a_route_are_not_duplicated() {
    let answer = from(&open(), GOOD, "/by-hand").await;
    assert_eq!(answer.origin(), Some(GOOD));
    assert_eq!(answer.vary(), ["x-own", "origin"]);
}

#[tokio::test]
async fn head_says_what_get_says() {
    let answer = ask(&open(), "HEAD", "/hello", &[("origin", GOOD)]).await;
    assert_eq!(answer.origin(), Some(GOOD));
    assert_eq!(answer.vary(), ["origin"]);
}

#[tokio::test]
async fn contradictory_options_are_refused_at_start() {
    for (values, key, why) in [
        (
            &[
                ("server.cors_origins", "*"),
                ("server.cors_credentials", "true"),
            ][..],
            "`server.cors_credentials`",
            "`*`",
        ),
        (
            &[("server.cors_origins", "*, https://app.example.com")],
            "`server.cors_origins`",
            "`*`",
        ),
        (
            &[("server.cors_origins", "https://app.example.com/")],
            "`server.cors_origins`",
            "final slash",
        ),
        (
            &[("server.cors_origins", "https://app.example.com/app")],
            "`server.cors_origins`",
            "without a path",
        ),
        (
            &[("server.cors_origins", "https://*.example.com")],
            "`server.cors_origins`",
            "cannot be part of an origin",
        ),
        (
            &[("server.cors_origins", "null")],
            "`server.cors_origins`",
            "sandbox",
        ),
        (
            &[("server.cors_max_age", "25h")],
            "`server.cors_max_age`",
            "24h",
        ),
    ] {
        let none = std::iter::empty::<(String, String)>();
        let mut loader = Loader::new("APP").env(none).folder("no such folder").set(
            "auth.signing_key",
            "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc",
        );
        for (name, value) in values {
            loader = loader.set(*name, *value);
        }
        let started = App::new("t").start(loader, Overrides::default()).await;
        let message = started.expect_err("it is refused").to_string();
        assert!(message.contains(key) && message.contains(why), "{message}");
    }
}
