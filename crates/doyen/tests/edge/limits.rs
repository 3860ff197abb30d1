//! Rate limits: who is counted, the headers of the response, and attempts to evade a limit.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use doyen::domain::{Identify, ProblemInfo, Rate, Refusal, RequestCredentials, problem::Plain};
use doyen::prelude::*;
use doyen::web::limit::{LimitRules, NamedPolicy, NamedQuota, Tier};
use doyen::web::{Body, Builder, RateLimits, Service, StartError};
use doyen_limit::Local;
use http::Request;
use http_body_util::BodyExt as _;

use crate::kit::{Answer, finish};

/// A manual clock.
#[derive(Clone)]
struct Moved(Arc<AtomicI64>);

impl Moved {
    fn forward(&self, span: Duration) {
        self.0
            .fetch_add(i64::try_from(span.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Clone, Copy, Debug, doyen::domain::Scope)]
enum Scope {
    /// Read orders.
    #[scope("orders:read")]
    Read,
}

static BAD: ProblemInfo = ProblemInfo {
    code: "invalid_token",
    kind: Kind::Unauthenticated,
    title: "Unauthorized",
    description: "The token is not valid.",
};

/// `Bearer ada` is Ada, who may read; `key-7` is an API key of Ada; `Bearer guest` has no scope;
/// `Bearer bad` is invalid.
struct Names;

#[async_trait]
impl Identify for Names {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        if let Some(key) = credentials.api_key {
            let mut caller = Caller::new("ada");
            caller.scopes = vec!["orders:read".into()];
            caller.key = Some(key.into());
            return Ok(Some(Arc::new(caller)));
        }
        let Some(name) = credentials
            .authorization
            .and_then(|field| field.strip_prefix("Bearer "))
        else {
            return Ok(None);
        };
        if name.starts_with("bad") {
            return Err(Plain::new(&BAD).into());
        }
        let mut caller = Caller::new(name);
        if name != "guest" {
            caller.scopes = vec!["orders:read".into()];
        }
        if name == "partner" {
            caller.roles = vec!["partner".into()];
        }
        Ok(Some(Arc::new(caller)))
    }
}

/// No limit of its own, for all.
#[get("/open", allow = anyone)]
async fn open() -> NoContent {
    NoContent
}

/// No limit of its own, for those who may read.
#[get("/orders", allow = Scope::Read)]
async fn orders() -> NoContent {
    NoContent
}

/// Three a minute for each user.
#[get("/mine/{id}", allow = signed_in, limit = per_user(3, MINUTE))]
async fn mine(id: u32) -> Text {
    Text(id.to_string())
}

/// A body that is checked.
#[post("/checked", allow = anyone, limit = per_client(2, MINUTE))]
async fn checked(Json(_all): Json<Vec<u32>>) -> NoContent {
    NoContent
}

/// Five a minute from each address, and eight an hour for all.
#[get("/both", allow = Scope::Read, limit = (per_address(5, MINUTE), per_route(8, HOUR).named("all")))]
async fn both() -> NoContent {
    NoContent
}

/// Two a minute with each key.
#[get("/machine", allow = signed_in, limit = [per_key(2, MINUTE), per_user(3, MINUTE)])]
async fn machine() -> NoContent {
    NoContent
}

/// A named policy.
#[get("/search", allow = signed_in, limit = policy("search"))]
async fn search() -> NoContent {
    NoContent
}

/// The same one, dearer.
#[get("/export", allow = signed_in, limit = policy("search").cost(3))]
async fn export() -> NoContent {
    NoContent
}

/// For a machine that asks all the time.
#[get("/health", allow = anyone, limit = unlimited("a balancer asks"))]
async fn health() -> NoContent {
    NoContent
}

fn rules() -> LimitRules {
    LimitRules {
        default: Rate::new(10, MINUTE),
        anonymous: Rate::new(4, MINUTE),
        policies: vec![NamedPolicy::parse("search: 4/1m per user").unwrap()],
        quotas: Vec::new(),
        tiers: vec![Tier::parse("partner: x5").unwrap()],
    }
}

fn builder(rules: LimitRules, routes: Routes) -> (Builder, Moved) {
    let clock = Moved(Arc::new(AtomicI64::new(1_795_336_200_000_000)));
    let local = Local::new(Arc::new(clock.clone()), 10_000);
    let builder = Service::builder()
        .identify(Arc::new(Names))
        .limits(RateLimits::new(rules, Arc::new(local)))
        .module(Module::new("t").routes(routes));
    (builder, clock)
}

/// The service, its clock, and requests from given addresses.
struct Shop {
    service: Service,
    clock: Moved,
}

fn shop() -> Shop {
    let (builder, clock) = builder(
        rules(),
        routes![
            open, orders, mine, checked, both, machine, search, export, health
        ],
    );
    Shop {
        service: finish(builder),
        clock,
    }
}

impl Shop {
    async fn ask(&self, from: &str, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let peer = from
            .parse::<IpAddr>()
            .ok()
            .map(|address| SocketAddr::new(address, 40_000));
        let request = request.body(Body::empty()).unwrap();
        let (head, body) = self.service.handle(request, peer).await.into_parts();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    async fn get(&self, path: &str, who: &str) -> Answer {
        self.ask(
            "192.0.2.1",
            "GET",
            path,
            &[("authorization", &format!("Bearer {who}"))],
        )
        .await
    }

    /// Number of calls that pass, of this many.
    async fn passed(&self, from: &str, path: &str, fields: &[(&str, &str)], calls: usize) -> usize {
        let mut passed = 0;
        for _ in 0..calls {
            passed += usize::from(self.ask(from, "GET", path, fields).await.status < 400);
        }
        passed
    }
}

/// The value of a parameter in `"name";q=3;w=60`.
fn parameter(field: &str, name: &str) -> u64 {
    let all = field
        .split(';')
        .skip(1)
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    all.unwrap_or_else(|| panic!("no `{name}` in {field}"))
        .parse()
        .unwrap()
}

/// As a client parses it: one item of a list of RFC 9651, a string with whole numbers as
/// parameters.
fn item(field: &str) -> &str {
    let (name, rest) = field.strip_prefix('"').unwrap().split_once('"').unwrap();
    for pair in rest.split(';').skip(1) {
        let (key, value) = pair.split_once('=').unwrap();
        assert!(key.bytes().all(|byte| byte.is_ascii_lowercase()), "{field}");
        assert!(
            !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
            "{field}"
        );
    }
    name
}

#[tokio::test]
async fn every_response_has_the_calls_left() {
    let shop = shop();
    for left in (0..3).rev() {
        let answer = shop.get("/mine/7", "ada").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"user\";q=3;w=60"));
        let state = answer.header("ratelimit").unwrap();
        assert_eq!((item(state), parameter(state, "r")), ("user", left));
        assert!(parameter(state, "t") <= 60);
    }
    // Also on responses with another error, because they count.
    let wrong = shop.get("/mine/none", "grace").await;
    assert_eq!(wrong.status, 422);
    assert_eq!(parameter(wrong.header("ratelimit").unwrap(), "r"), 2);
    let anonymous = shop.ask("192.0.2.9", "GET", "/orders", &[]).await;
    anonymous.is_problem(401, "unauthenticated");
    assert_eq!(
        anonymous.header("ratelimit-policy"),
        Some("\"default\";q=4;w=60")
    );
    let guest = shop.get("/orders", "guest").await;
    guest.is_problem(403, "forbidden");
    assert_eq!(parameter(guest.header("ratelimit").unwrap(), "r"), 9);
}

#[tokio::test]
async fn a_refusal_names_the_policy_and_waiting_it_out_is_enough() {
    let shop = shop();
    assert_eq!(
        shop.passed(
            "192.0.2.1",
            "/mine/7",
            &[("authorization", "Bearer ada")],
            3
        )
        .await,
        3
    );
    let refused = shop.get("/mine/7", "ada").await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    let problem = refused.json();
    assert_eq!(problem["code"], "quota_exceeded");
    assert_eq!(problem["type"], "/problems/quota_exceeded");
    assert_eq!(problem["violated-policies"], serde_json::json!(["user"]));
    let state = refused.header("ratelimit").unwrap();
    assert_eq!(parameter(state, "r"), 0);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(wait >= 1 && wait >= parameter(state, "t"), "{refused:?}");
    // A thousand refused calls do not extend the wait.
    for _ in 0..1000 {
        let again = shop.get("/mine/7", "ada").await;
        assert_eq!(
            (again.status, again.header("retry-after").unwrap().parse()),
            (429, Ok(wait))
        );
    }
    shop.clock.forward(Duration::from_secs(wait - 1));
    assert_eq!(shop.get("/mine/7", "ada").await.status, 429);
    shop.clock.forward(Duration::from_secs(1));
    assert_eq!(shop.get("/mine/7", "ada").await.status, 200);
}

/// Two and a half windows, at their edges and between: never more than the calls of a window and
/// the burst.
#[tokio::test]
async fn the_edge_of_a_window_admits_no_flood() {
    let shop = shop();
    let ada = [("authorization", "Bearer ada")];
    assert_eq!(shop.passed("192.0.2.1", "/mine/7", &ada, 20).await, 3);
    shop.clock.forward(Duration::from_millis(59_999));
    assert_eq!(shop.passed("192.0.2.1", "/mine/7", &ada, 20).await, 2);
    shop.clock.forward(Duration::from_millis(2));
    assert_eq!(shop.passed("192.0.2.1", "/mine/7", &ada, 20).await, 1);
    shop.clock.forward(Duration::from_secs(600));
    assert_eq!(shop.passed("192.0.2.1", "/mine/7", &ada, 20).await, 3);
}

#[tokio::test]
async fn variants_of_one_request_share_a_bucket() {
    let shop = shop();
    let ada = [("authorization", "Bearer ada")];
    assert_eq!(
        shop.ask("192.0.2.1", "HEAD", "/mine/7", &ada).await.status,
        200
    );
    assert_eq!(
        shop.ask("192.0.2.2", "GET", "/mine/8", &ada).await.status,
        200
    );
    assert_eq!(
        shop.ask("192.0.2.3", "GET", "/mine/%37", &ada).await.status,
        200
    );
    for (method, path) in [
        ("GET", "/mine/7"),
        ("HEAD", "/mine/9"),
        ("GET", "/mine/7?x=1"),
        ("GET", "/mine/%39"),
        ("GET", "/mine/no"),
    ] {
        assert_eq!(
            shop.ask("192.0.2.4", method, path, &ada).await.status,
            429,
            "{method} {path}"
        );
    }
    // Another spelling of the path matches no route.
    for path in ["/MINE/7", "/mine/7/", "//mine/7", "/mine//7"] {
        let status = shop.ask("192.0.2.1", "GET", path, &ada).await.status;
        assert!(status == 404 || status == 429, "{path}: {status}");
    }
}

#[tokio::test]
async fn forged_address_headers_change_nothing() {
    let shop = shop();
    let mut passed = 0;
    for at in 0..40 {
        let address = format!("203.0.113.{at}");
        let forwarded = format!("for={address}");
        let fields = [
            ("x-forwarded-for", address.as_str()),
            ("x-real-ip", &address),
            ("forwarded", &forwarded),
            ("cf-connecting-ip", &address),
            ("true-client-ip", &address),
        ];
        passed += usize::from(shop.ask("192.0.2.1", "GET", "/open", &fields).await.status < 400);
    }
    assert_eq!(passed, 4);
}

#[tokio::test]
async fn an_ipv6_customer_is_one_client_with_all_addresses() {
    let shop = shop();
    let mut passed = 0;
    for at in 0..40 {
        let from = format!("2001:db8:7:1:{at:x}::{at:x}");
        passed += shop.passed(&from, "/open", &[], 1).await;
    }
    assert_eq!(passed, 4);
    assert_eq!(shop.passed("2001:db8:7:2::1", "/open", &[], 1).await, 1);
    // An IPv4-mapped IPv6 address is the same client.
    assert_eq!(shop.passed("192.0.2.77", "/open", &[], 3).await, 3);
    assert_eq!(shop.passed("::ffff:192.0.2.77", "/open", &[], 3).await, 1);
}

/// / A flood of anonymous calls does not use up the limit of an authenticated caller, even from the
/// same address.
#[tokio::test]
async fn a_stranger_cannot_lock_a_user_out() {
    let shop = shop();
    let bad = [("authorization", "Bearer bad")];
    let mut codes = Vec::new();
    for _ in 0..20 {
        codes.push(shop.ask("192.0.2.1", "GET", "/orders", &bad).await.status);
    }
    assert_eq!(codes[..5], [401, 401, 401, 401, 429]);
    for _ in 0..20 {
        shop.ask("192.0.2.1", "GET", "/both", &[]).await;
        shop.get("/both", "guest").await;
    }
    assert_eq!(shop.get("/orders", "ada").await.status, 204);
    assert_eq!(
        shop.passed(
            "192.0.2.50",
            "/both",
            &[("authorization", "Bearer ada")],
            20
        )
        .await,
        5
    );
}

/// A shared limit is used up only by authorized callers.
#[tokio::test]
async fn only_permitted_calls_count_for_all() {
    let shop = shop();
    for at in 0..30 {
        let from = format!("198.51.100.{at}");
        assert_eq!(shop.ask(&from, "GET", "/both", &[]).await.status, 401);
        assert_eq!(
            shop.ask(&from, "GET", "/both", &[("authorization", "Bearer guest")])
                .await
                .status,
            403
        );
    }
    let ada = [("authorization", "Bearer ada")];
    assert_eq!(shop.passed("192.0.2.1", "/both", &ada, 10).await, 5);
    let refused = shop.ask("192.0.2.1", "GET", "/both", &ada).await;
    assert_eq!(
        refused.json()["violated-policies"],
        serde_json::json!(["address"])
    );
    // The calls of the address were refused, so all have three left.
    assert_eq!(shop.passed("192.0.2.2", "/both", &ada, 10).await, 3);
    let refused = shop.ask("192.0.2.3", "GET", "/both", &ada).await;
    assert_eq!(
        refused.json()["violated-policies"],
        serde_json::json!(["all"])
    );
}

#[tokio::test]
async fn many_keys_of_one_user_are_one_user() {
    let shop = shop();
    let mut passed = 0;
    for at in 0..10 {
        let key = format!("key-{at}");
        passed += shop
            .passed("192.0.2.1", "/machine", &[("x-api-key", &key)], 1)
            .await;
    }
    assert_eq!(passed, 3);
    shop.clock.forward(Duration::from_secs(120));
    assert_eq!(
        shop.passed("192.0.2.1", "/machine", &[("x-api-key", "key-1")], 10)
            .await,
        2
    );
    assert_eq!(
        shop.passed("192.0.2.1", "/machine", &[("x-api-key", "key-2")], 10)
            .await,
        1
    );
}

#[tokio::test]
async fn a_named_policy_is_shared_by_its_routes_and_tiers_have_more() {
    let shop = shop();
    assert_eq!(shop.get("/export", "ada").await.status, 204);
    assert_eq!(shop.get("/search", "ada").await.status, 204);
    assert_eq!(shop.get("/search", "ada").await.status, 429);
    let partner = [("authorization", "Bearer partner")];
    assert_eq!(
        shop.get("/search", "partner")
            .await
            .header("ratelimit-policy"),
        Some("\"search\";q=20;w=60")
    );
    assert_eq!(shop.passed("192.0.2.1", "/search", &partner, 40).await, 19);
    // Limits in code apply to all callers alike.
    assert_eq!(shop.passed("192.0.2.1", "/mine/7", &partner, 40).await, 3);
}

#[tokio::test]
async fn probes_and_preflights_are_not_counted() {
    let shop = shop();
    for _ in 0..100 {
        let answer = shop.ask("192.0.2.1", "GET", "/health", &[]).await;
        assert_eq!((answer.status, answer.header("ratelimit")), (204, None));
        let options = shop.ask("192.0.2.1", "OPTIONS", "/open", &[]).await;
        assert_eq!(options.status, 204);
    }
    assert_eq!(shop.ask("192.0.2.1", "GET", "/open", &[]).await.status, 204);
}

/// All of them: unknown paths, other methods, malformed paths.
#[tokio::test]
async fn requests_that_no_route_answers_are_counted_by_address() {
    let shop = shop();
    let ask = async |method: &str, path: &str| shop.ask("192.0.2.1", method, path, &[]).await;
    let first = ask("GET", "/nothing").await;
    assert_eq!(first.status, 404);
    assert_eq!(
        first.header("ratelimit-policy"),
        Some("\"unmatched\";q=4;w=60")
    );
    assert_eq!(ask("DELETE", "/open").await.status, 405);
    assert_eq!(ask("GET", "/%ff").await.status, 404);
    let long = format!("/{}", "x".repeat(9_000));
    assert_eq!(ask("GET", &long).await.status, 414);
    for path in ["/nothing", "/%ff", &long] {
        let refused = ask("GET", path).await;
        assert_eq!(refused.status, 429, "{path}");
        assert!(refused.header("retry-after").is_some());
    }
    // Neither routes nor other addresses are affected.
    assert_eq!(ask("GET", "/open").await.status, 204);
    let neighbour = shop.ask("192.0.2.2", "GET", "/nothing", &[]).await;
    assert_eq!(neighbour.status, 404);
    shop.clock.forward(MINUTE);
    assert_eq!(ask("GET", "/nothing").await.status, 404);
}

#[tokio::test]
async fn pages_of_other_origins_may_read_the_fields() {
    use doyen::web::{Cors, EdgeOptions, Origin};
    let (builder, _) = builder(rules(), routes![open]);
    let cors = Cors::new(
        vec![Origin::parse("https://app.example.com").unwrap()],
        false,
        Duration::from_secs(60),
    )
    .unwrap();
    let service = finish(builder.options(EdgeOptions {
        cors: Some(cors),
        ..EdgeOptions::default()
    }));
    let request = Request::get("/open")
        .header("origin", "https://app.example.com")
        .body(Body::empty())
        .unwrap();
    let response = service.handle(request, None).await;
    let exposed = response.headers()["access-control-expose-headers"]
        .to_str()
        .unwrap()
        .to_owned();
    for name in ["ratelimit", "ratelimit-policy", "retry-after"] {
        assert!(exposed.split(", ").any(|field| field == name), "{exposed}");
    }
    assert!(response.headers().contains_key("ratelimit"));
}

#[test]
fn every_route_has_a_limit_or_a_reason() {
    let shop = shop();
    for operation in shop.service.operations() {
        let counted = operation
            .problems
            .iter()
            .any(|problem| problem.code == "quota_exceeded");
        assert_eq!(counted, operation.unlimited.is_none(), "{}", operation.path);
        assert_eq!(counted, !operation.limits.is_empty(), "{}", operation.path);
    }
}

/// The mistake in these limits.
fn refused(limit: impl Into<doyen::domain::Limit>) -> String {
    let route = Route::get("/x")
        .name("x")
        .allow(anyone)
        .limit(limit)
        .handler(health);
    let (builder, _) = builder(rules(), Routes::new(vec![route]));
    let errors = builder.build().map(|_| ()).unwrap_err();
    assert!(matches!(errors[..], [StartError::Limit(..)]), "{errors:?}");
    errors[0].to_string()
}

#[test]
fn words_that_make_no_sense_keep_it_from_starting() {
    let burst = refused(quota("exports").burst(5));
    assert!(
        burst.contains("without `burst` where it is a quota"),
        "{burst}"
    );
    let unknown = refused(policy("serach"));
    for word in [
        "GET /x",
        "`serach`",
        "`default`",
        "`search`",
        "limits.policies",
    ] {
        assert!(unknown.contains(word), "{unknown}");
    }
    let quota = refused(quota("exports"));
    assert!(
        quota.contains("`exports`") && quota.contains("limits.quotas"),
        "{quota}"
    );
    assert!(refused(per_user(5, MINUTE).cost(6)).contains("would never pass"));
    assert!(refused(policy("search").cost(5)).contains("at most 4"));
    assert!(refused(per_user(0, MINUTE)).contains("at least one call"));
    assert!(refused(per_user(1, Duration::from_millis(100))).contains("1s to 31d"));
    assert!(refused(per_user(1, MINUTE).named("not valid")).contains("letters"));
    assert!(refused(unlimited(" ")).contains("reason"));
    assert!(refused([per_user(1, MINUTE); 9]).contains("more than 8"));
}

#[test]
fn a_quota_of_the_settings_is_known_to_routes() {
    let mut rules = rules();
    rules.quotas = vec![NamedQuota::parse("exports: 5/month").unwrap()];
    let route = Route::get("/x")
        .name("x")
        .allow(signed_in)
        .limit(quota("exports"))
        .handler(health);
    let (builder, _) = builder(rules, Routes::new(vec![route]));
    let service = finish(builder);
    assert!(
        service.operations()[0]
            .limits
            .contains(&"exports: 5/month".to_owned())
    );
}
