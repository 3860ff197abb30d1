//! The cache policy of a route: `Cache-Control`, `Vary`, and responses that the server keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use doyen::cache::{CacheSettings, Engine};
use doyen::domain::{Identify, Refusal, RequestCredentials, SystemClock};
use doyen::prelude::*;
use doyen::schema::contract::Contract;
use doyen::web::extract::FromRequestParts;
use doyen::web::{Body, Request, Response, Service};

use crate::kit::{Answer, get_with};

/// `<subject> [scope..]` in `Authorization`.
struct ByName;

#[async_trait]
impl Identify for ByName {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        Ok(credentials.authorization.map(|text| {
            let mut words = text.split(' ');
            let mut caller = Caller::new(words.next().unwrap_or_default());
            caller.scopes = words.map(Into::into).collect();
            Arc::new(caller)
        }))
    }
}

/// Counts the calls of handlers.
#[derive(Default)]
struct Calls(AtomicUsize);

impl Calls {
    /// The text of a response: who called, and the number of the call.
    fn text(&self, who: Option<Caller>) -> String {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let who = who.map_or("anonymous".to_owned(), |caller| caller.subject.to_string());
        format!("{who} {number}")
    }
}

/// A filter.
#[derive(Input)]
struct Filter {
    #[input(default)]
    #[expect(dead_code, reason = "the cache looks at the query")]
    page: u32,
}

#[get("/default", allow = anyone)]
async fn default(calls: Arc<Calls>, who: Option<Caller>) -> Text {
    Text(calls.text(who))
}

#[get("/none", allow = anyone, cache = none)]
async fn never(calls: Arc<Calls>, who: Option<Caller>) -> Text {
    Text(calls.text(who))
}

#[get("/private", allow = anyone, cache = private(secs(30)).vary("accept-language"))]
async fn mine(calls: Arc<Calls>, who: Option<Caller>) -> Text {
    Text(calls.text(who))
}

#[get("/public", allow = anyone, cache = public(secs(30)))]
async fn open(calls: Arc<Calls>, who: Option<Caller>) -> Text {
    Text(calls.text(who))
}

#[get("/kept", allow = signed_in, cache = private(secs(0)).stored(MINUTE).tag("things").vary("accept-language"))]
async fn kept(calls: Arc<Calls>, who: Option<Caller>, _filter: Query<Filter>) -> Text {
    Text(calls.text(who))
}

#[get("/kept/{id}", allow = anyone, cache = private(secs(0)).stored(MINUTE).tag("thing:{id}"))]
async fn one(calls: Arc<Calls>, who: Option<Caller>, id: u32) -> Text {
    Text(format!("{id} {}", calls.text(who)))
}

#[get("/shared", allow = anyone, cache = public(secs(5)).stored(MINUTE))]
async fn shared(calls: Arc<Calls>, who: Option<Caller>) -> Text {
    Text(calls.text(who))
}

#[get("/same", allow = anyone, cache = public(secs(5)).stored(MINUTE).for_callers())]
async fn same(calls: Arc<Calls>) -> Text {
    Text(calls.text(None))
}

/// A response that is made by hand, as `name=value` says.
#[get("/made/{status}/{name}/{value}", allow = anyone, cache = private(secs(0)).stored(MINUTE))]
async fn made(calls: Arc<Calls>, status: u16, name: String, value: String) -> Response {
    let response = http::Response::builder().status(status);
    let body = Body::whole(calls.text(None));
    response.header(name, value).body(body).unwrap()
}

/// Refuses requests with `x-blocked`.
struct NotBlocked;

#[derive(Debug, Problem)]
enum Blocked {
    /// The request is blocked.
    #[problem(forbidden, code = "blocked")]
    Header,
}

impl FromRequestParts for NotBlocked {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        if request.parts.header("x-blocked").is_some() {
            return Err(Blocked::Header.into());
        }
        Ok(Some(Self))
    }
    fn describe(contract: &mut Contract<'_>) {
        contract.operation.fails(Blocked::catalogue());
    }
}

#[get("/guarded", allow = anyone, cache = public(secs(0)).stored(MINUTE))]
async fn behind(calls: Arc<Calls>) -> Text {
    Text(calls.text(None))
}

fn routes() -> Routes {
    routes![default, never, mine, open, kept, one, shared, same, made]
}

#[tokio::test]
async fn a_guard_runs_before_a_stored_response() {
    let service = build(cache());
    for _ in 0..2 {
        assert_eq!(
            get_with(&service, "/guarded", &[]).await.text(),
            "anonymous 1"
        );
        let blocked = get_with(&service, "/guarded", &[("x-blocked", "1")]).await;
        blocked.is_problem(403, "blocked");
    }
}

fn build(cache: Cache) -> Service {
    let guarded = Routes::new(vec![behind::route().guard::<NotBlocked>()]);
    let module = Module::new("t")
        .routes(routes())
        .routes(guarded)
        .provide(Arc::new(Calls::default()));
    let builder = Service::builder().identify(Arc::new(ByName));
    crate::kit::finish(builder.response_cache(cache).module(module))
}

fn cache() -> Cache {
    let engine = Engine::new(CacheSettings::default(), Arc::new(SystemClock));
    Cache::new(Arc::new(engine))
}

async fn by(service: &Service, who: &str, path: &str) -> Answer {
    get_with(service, path, &[("authorization", who)]).await
}

fn control(answer: &Answer) -> &str {
    answer.header("cache-control").unwrap()
}

#[tokio::test]
async fn cache_control_follows_the_policy() {
    let service = build(cache());
    for (path, anonymous, identified) in [
        ("/default", "no-cache", "no-store"),
        ("/none", "no-store", "no-store"),
        ("/private", "private, max-age=30", "private, max-age=30"),
        ("/public", "public, max-age=30", "private, max-age=30"),
        ("/shared", "public, max-age=5", "private, max-age=5"),
        ("/same", "public, max-age=5", "public, max-age=5"),
    ] {
        let answer = get_with(&service, path, &[]).await;
        assert_eq!(control(&answer), anonymous, "{path}");
        let answer = by(&service, "ann", path).await;
        assert_eq!(control(&answer), identified, "{path}");
    }
    // What the handler states takes precedence, and problems are never kept.
    let own = get_with(
        &service,
        "/made/200/cache-control/private,%20max-age=7",
        &[],
    )
    .await;
    assert_eq!(control(&own), "private, max-age=7");
    let refused = get_with(&service, "/kept", &[]).await;
    assert_eq!((refused.status, control(&refused)), (401, "no-store"));
}

#[tokio::test]
async fn vary_lists_the_headers_of_the_policy() {
    let answer = get_with(&build(cache()), "/private", &[]).await;
    let fields = answer.headers.get_all("vary").iter();
    let all: Vec<_> = fields.map(|field| field.to_str().unwrap()).collect();
    let all = all.join(", ").to_lowercase();
    assert!(
        all.contains("accept-language") && all.contains("authorization"),
        "{all}"
    );
}

#[tokio::test]
async fn a_stored_response_is_sent_without_the_handler() {
    let service = build(cache());
    let first = by(&service, "ann", "/kept").await;
    assert_eq!((first.status, first.text()), (200, "ann 1"));
    let again = by(&service, "ann", "/kept").await;
    assert_eq!(again.text(), "ann 1");
    for name in ["content-type", "cache-control", "vary", "etag"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    again.is_guarded();
    // Each response has its own id.
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    // The tag is of the content, so that a 304 needs no handler.
    let tag = first.header("etag").unwrap();
    assert!(tag.starts_with("W/\""), "{tag}");
    let fields = [("authorization", "ann"), ("if-none-match", tag)];
    let known = get_with(&service, "/kept", &fields).await;
    assert_eq!((known.status, known.header("etag")), (304, Some(tag)));
}

/// Every other caller, right, query and header is another response.
#[tokio::test]
async fn a_stored_response_never_crosses_callers() {
    let service = build(cache());
    let mut calls = 0;
    for _ in 0..2 {
        let mut seen = Vec::new();
        for (who, path, language) in [
            ("ann", "/kept", "en"),
            ("bob", "/kept", "en"),
            ("ann admin", "/kept", "en"),
            ("ann", "/kept?page=1", "en"),
            ("ann", "/kept?page=2", "en"),
            ("ann", "/kept", "de"),
            ("ann", "/kept", ""),
            ("", "/kept", "en"),
        ] {
            let fields = [("authorization", who), ("accept-language", language)];
            let answer = get_with(&service, path, &fields).await;
            let subject = who.split(' ').next().unwrap();
            assert!(
                answer.text().starts_with(&format!("{subject} ")),
                "{answer:?}"
            );
            seen.push(answer.text().to_owned());
        }
        let before = calls;
        calls = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 8, "{seen:?}");
        assert!(before == 0 || before == calls);
    }
    // Anonymous callers have a place of their own.
    let open = get_with(&service, "/kept/1", &[]).await;
    assert_eq!(open.text(), "1 anonymous 9");
    assert_eq!(by(&service, "ann", "/kept/1").await.text(), "1 ann 10");
    assert_eq!(
        get_with(&service, "/kept/1", &[]).await.text(),
        "1 anonymous 9"
    );
}

#[tokio::test]
async fn a_public_route_keeps_nothing_of_identified_callers() {
    let service = build(cache());
    assert_eq!(by(&service, "ann", "/shared").await.text(), "ann 1");
    assert_eq!(by(&service, "ann", "/shared").await.text(), "ann 2");
    assert_eq!(
        get_with(&service, "/shared", &[]).await.text(),
        "anonymous 3"
    );
    assert_eq!(
        get_with(&service, "/shared", &[]).await.text(),
        "anonymous 3"
    );
    assert_eq!(by(&service, "bob", "/shared").await.text(), "bob 4");
    // Unless the route says that it is the same for them.
    assert_eq!(by(&service, "ann", "/same").await.text(), "anonymous 5");
    assert_eq!(get_with(&service, "/same", &[]).await.text(), "anonymous 5");
}

#[tokio::test]
async fn stored_responses_are_invalidated_by_tag() {
    let cache = cache();
    let service = build(cache.clone());
    for (who, text) in [("ann", "ann 1"), ("bob", "bob 2")] {
        assert_eq!(by(&service, who, "/kept").await.text(), text);
    }
    for id in [1, 2] {
        let path = format!("/kept/{id}");
        assert_eq!(
            get_with(&service, &path, &[]).await.text(),
            format!("{id} anonymous {}", id + 2)
        );
    }
    cache.invalidate("things").now().await;
    assert_eq!(by(&service, "ann", "/kept").await.text(), "ann 5");
    assert_eq!(by(&service, "bob", "/kept").await.text(), "bob 6");
    cache.invalidate("thing:1").now().await;
    assert_eq!(
        get_with(&service, "/kept/1", &[]).await.text(),
        "1 anonymous 7"
    );
    assert_eq!(
        get_with(&service, "/kept/2", &[]).await.text(),
        "2 anonymous 4"
    );
}

#[tokio::test]
async fn some_responses_are_not_kept() {
    let service = build(cache());
    for (path, is_kept) in [
        ("/made/200/x-own/1", true),
        ("/made/201/x-own/1", false),
        ("/made/404/x-own/1", false),
        ("/made/500/x-own/1", false),
        ("/made/200/set-cookie/a=b", false),
        ("/made/200/cache-control/no-store", false),
        ("/made/200/vary/*", false),
    ] {
        let first = get_with(&service, path, &[]).await;
        let again = get_with(&service, path, &[]).await;
        assert_eq!(first.body == again.body, is_kept, "{path}");
    }
}

/// The first client has the response already: what is kept must still be whole.
#[tokio::test]
async fn a_conditional_request_keeps_the_whole_response() {
    let service = build(cache());
    let fields = [("if-none-match", "*")];
    let known = get_with(&service, "/made/200/etag/%22a%22", &fields).await;
    assert_eq!(known.status, 304);
    let whole = get_with(&service, "/made/200/etag/%22a%22", &[]).await;
    assert_eq!((whole.status, whole.text()), (200, "anonymous 1"));
}

#[tokio::test]
async fn mistakes_are_reported_at_start() {
    async fn handler() -> NoContent {
        NoContent
    }
    let route = |path: &str| {
        Route::get(path)
            .handler(handler)
            .name(&path.replace('/', "n"))
    };
    let routes = vec![
        route("/a").allow(signed_in).cache(public(secs(1))),
        route("/b").allow(anyone).cache(none().stored(secs(1))),
        route("/c").allow(anyone).cache(private(secs(1)).tag("x")),
        route("/d")
            .allow(anyone)
            .cache(private(secs(1)).for_callers()),
        route("/e")
            .allow(anyone)
            .cache(private(secs(1)).vary("a b")),
        route("/f")
            .allow(anyone)
            .cache(private(secs(1)).stored(secs(1))),
        route("/g").allow(anyone).cache(none).cache(none),
        Route::post("/h")
            .handler(handler)
            .name("h")
            .allow(anyone)
            .cache(none),
    ];
    let module = Module::new("t").routes(Routes::new(routes));
    let errors = Service::builder().module(module).build().unwrap_err();
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for (route, what) in [
        ("GET /a", "`private(..)`"),
        ("GET /b", "`none` cannot be stored"),
        ("GET /c", "`.stored(..)`"),
        ("GET /d", "`for_callers`"),
        ("GET /e", "`vary`"),
        ("GET /f", "the feature `cache`"),
        ("GET /g", "more than once"),
        ("POST /h", "only responses to GET"),
    ] {
        let found = all
            .iter()
            .any(|text| text.starts_with(route) && text.contains(what));
        assert!(found, "{route}: {all:#?}");
    }
}
