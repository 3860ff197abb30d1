//! Access policies: 401 and 403 with their challenges (RFC 6750 section 3), and the order of
//! decisions.

use std::sync::Arc;

use async_trait::async_trait;
use doyen::domain::{
    CredentialHeader, Identify, ProblemInfo, Refusal, RequestCredentials, SecurityScheme,
    problem::Plain,
};
use doyen::prelude::*;
use doyen::web::{Body, Service};
use http::Request;

use crate::kit::{Answer, finish, get_with, send};

#[derive(Clone, Copy, Debug, doyen::domain::Scope)]
enum Scope {
    /// Read orders.
    #[scope("orders:read")]
    Read,
}

#[derive(Clone, Copy, doyen::domain::Role)]
enum Post {
    Clerk,
}

static BAD: ProblemInfo = ProblemInfo {
    code: "invalid_token",
    kind: Kind::Unauthenticated,
    title: "Unauthorized",
    description: "The token is not valid.",
};

/// `Bearer read` may read, `Bearer clerk` too and has the role clerk; `Bearer away` simulates an
/// unavailable key server; others are invalid.
struct Tokens;

#[async_trait]
impl Identify for Tokens {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let mut caller = Caller::new("u1");
        match credentials.authorization {
            None => return Ok(None),
            Some("Bearer read") => caller.scopes = vec!["orders:read".into()],
            Some("Bearer clerk") => {
                caller.scopes = vec!["orders:read".into()];
                caller.roles = vec!["clerk".into()];
            }
            Some("Bearer nothing") => {}
            Some("Bearer away") => return Err(Unexpected::unavailable("no keys").into()),
            Some(_) => return Err(Plain::new(&BAD).into()),
        }
        Ok(Some(Arc::new(caller)))
    }
    fn credential_headers(&self) -> Vec<CredentialHeader> {
        vec![CredentialHeader::Authorization]
    }
}

/// Open to all.
#[get("/open", allow = anyone)]
async fn open(me: Option<Caller>) -> Text {
    Text(me.map_or_else(|| "anonymous".to_owned(), |me| me.subject.to_string()))
}

/// For those who are logged in.
#[get("/mine", allow = signed_in)]
async fn mine(me: Caller) -> Text {
    Text(me.subject.to_string())
}

/// For those who may read.
#[get("/orders", allow = Scope::Read)]
async fn orders() -> NoContent {
    NoContent
}

/// For clerks who may read.
#[get("/desk", allow = Scope::Read.role(Post::Clerk))]
async fn desk() -> NoContent {
    NoContent
}

/// Open to all by mistake: it wants a caller all the same.
#[get("/mistake", allow = anyone)]
async fn mistake(me: Caller) -> Text {
    Text(me.subject.to_string())
}

/// Place an order.
#[post("/orders", allow = Scope::Read)]
async fn place(Json(_all): Json<Vec<u32>>) -> NoContent {
    NoContent
}

fn shop() -> Service {
    let routes = routes![open, mine, orders, desk, mistake, place];
    finish(
        Service::builder()
            .identify(Arc::new(Tokens))
            .module(Module::new("t").routes(routes)),
    )
}

async fn ask(path: &str, token: Option<&str>) -> Answer {
    let value = token.map(|token| format!("Bearer {token}"));
    let fields: Vec<(&str, &str)> = value
        .iter()
        .map(|value| ("authorization", value.as_str()))
        .collect();
    get_with(&shop(), path, &fields).await
}

#[tokio::test]
async fn without_credentials_the_challenge_has_no_error() {
    for path in ["/mine", "/orders", "/desk", "/mistake"] {
        let answer = ask(path, None).await;
        answer.is_problem(401, "unauthenticated");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"api\"")
        );
    }
}

/// Identifies callers by these schemes, and never knows one.
struct Schemes(Vec<SecurityScheme>);

#[async_trait]
impl Identify for Schemes {
    async fn identify(&self, _: RequestCredentials<'_>) -> Result<Option<Arc<Caller>>, Refusal> {
        Ok(None)
    }
    fn schemes(&self) -> Vec<SecurityScheme> {
        self.0.clone()
    }
}

#[tokio::test]
async fn a_challenge_and_the_document_list_the_schemes_of_the_application() {
    let [basic, api_key, cookie, bearer] = [
        SecurityScheme::basic,
        SecurityScheme::api_key,
        SecurityScheme::session_cookie,
        SecurityScheme::bearer,
    ];
    for (schemes, challenge, documented) in [
        (vec![basic()], "Basic realm=\"api\"", vec!["basic"]),
        (vec![api_key()], "ApiKey realm=\"api\"", vec!["api_key"]),
        (
            vec![api_key(), cookie(), bearer(), api_key()],
            "Bearer realm=\"api\", ApiKey realm=\"api\", Cookie realm=\"api\"",
            vec!["api_key", "bearer"],
        ),
        (vec![], "Bearer realm=\"api\"", vec![]),
    ] {
        let shop = finish(
            Service::builder()
                .identify(Arc::new(Schemes(schemes)))
                .module(Module::new("t").routes(routes![open, mine, orders])),
        );
        let answer = get_with(&shop, "/mine", &[]).await;
        answer.is_problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), Some(challenge));
        let info = doyen::schema::Info::default();
        let all = doyen::schema::document(&info, shop.operations(), shop.components());
        let schemes = all.pointer("/components/securitySchemes");
        let names: Vec<&String> = schemes
            .and_then(|all| all.as_object())
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, documented);
        let security = all["paths"]["/orders"]["get"]["security"]
            .as_array()
            .unwrap();
        assert_eq!(security.len(), documented.len());
        for one in security {
            let (name, scopes) = one.as_object().unwrap().iter().next().unwrap();
            let scopes = scopes.as_array().unwrap().len();
            assert_eq!(scopes == 1, name == "bearer", "{one}");
        }
        assert_eq!(
            all["paths"]["/open"]["get"]["security"],
            serde_json::json!([])
        );
    }
}

#[tokio::test]
async fn a_token_that_is_not_valid_is_said_to_be() {
    let answer = ask("/mine", Some("forged")).await;
    answer.is_problem(401, "invalid_token");
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"api\", error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn a_missing_scope_is_named_and_a_missing_role_is_not() {
    let scope = ask("/orders", Some("nothing")).await;
    scope.is_problem(403, "forbidden");
    assert_eq!(
        scope.header("www-authenticate"),
        Some("Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"orders:read\"")
    );
    let role = ask("/desk", Some("read")).await;
    role.is_problem(403, "forbidden");
    assert_eq!(role.header("www-authenticate"), None);
    assert!(!role.text().contains("clerk"), "{}", role.text());
    assert_eq!(ask("/desk", Some("clerk")).await.status, 204);
}

#[tokio::test]
async fn on_an_open_route_a_bad_token_counts_as_none_but_a_fault_does_not() {
    assert_eq!(ask("/open", Some("read")).await.text(), "u1");
    assert_eq!(ask("/open", Some("expired")).await.text(), "anonymous");
    ask("/open", Some("away"))
        .await
        .is_problem(503, "unavailable");
    ask("/mine", Some("away"))
        .await
        .is_problem(503, "unavailable");
}

#[tokio::test]
async fn an_unauthorized_caller_learns_nothing_about_the_schema() {
    let request = Request::post("/orders?bad=1").header("content-type", "nonsense");
    let request = request.body(Body::whole("{")).unwrap();
    send(&shop(), request)
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn responses_of_one_caller_are_not_shared() {
    let seen = ask("/mine", Some("read")).await;
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    assert_eq!(seen.header("vary"), Some("Authorization"));
    assert_eq!(
        ask("/open", None).await.header("cache-control"),
        Some("no-cache")
    );
}

fn refused(routes: Routes) -> Vec<String> {
    let errors = Service::builder()
        .module(Module::new("t").routes(routes))
        .build()
        .map(|_| ())
        .expect_err("it starts");
    errors.iter().map(ToString::to_string).collect()
}

fn given_twice(one: impl Into<Allow>, two: impl Into<Allow>) -> Route {
    Route::get("/twice")
        .name("twice")
        .allow(one)
        .allow(two)
        .handler(async || NoContent)
}

#[tokio::test]
async fn a_policy_given_twice_is_both_or_refused() {
    let refused = |route| refused(Routes::new(vec![route]));
    for route in [
        given_twice(signed_in, anyone),
        given_twice(anyone, signed_in),
        given_twice(Scope::Read, anyone),
        given_twice(Scope::Read, Scope::Read.role(Post::Clerk)),
    ] {
        let errors = refused(route);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(
            errors[0].starts_with("GET /twice: it allows `") && errors[0].contains("Keep one"),
            "{errors:#?}"
        );
    }
    // The narrower policy applies, whichever comes first.
    for route in [
        given_twice(signed_in, Scope::Read),
        given_twice(Scope::Read, signed_in),
    ] {
        let service =
            finish(Service::builder().module(Module::new("t").routes(Routes::new(vec![route]))));
        assert_eq!(service.operations()[0].allow, Scope::Read.into());
    }
}

#[tokio::test]
async fn a_policy_for_a_list_of_routes_never_replaces_one_of_a_route() {
    // `/open` states `anyone`, `/desk` a role: neither may be lost, and neither may open what the
    // list closes.
    let errors = refused(routes![open, desk].allow(Scope::Read));
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(errors[0].starts_with("GET /open: "), "{errors:#?}");
    assert!(errors[1].starts_with("GET /desk: "), "{errors:#?}");
    let routes = routes![mine, orders].allow(Scope::Read);
    let service = finish(Service::builder().module(Module::new("t").routes(routes)));
    for operation in service.operations() {
        assert_eq!(
            operation.allow.scope(),
            Some("orders:read"),
            "{}",
            operation.path
        );
    }
}

#[tokio::test]
async fn a_limit_given_twice_is_refused() {
    let route = Route::get("/twice")
        .name("twice")
        .allow(anyone)
        .limit(per_address(5, MINUTE))
        .limit(unlimited("a probe"))
        .timeout(secs(1))
        .timeout(secs(60))
        .body_limit(1)
        .body_limit(1_000_000)
        .handler(async || NoContent);
    let errors = refused(Routes::new(vec![route]));
    for what in ["limit", "timeout", "body_limit"] {
        let message = format!("GET /twice: `{what}` is given more than once");
        assert!(
            errors.iter().any(|error| error.starts_with(&message)),
            "{errors:#?}"
        );
    }
}

#[tokio::test]
async fn every_role_of_a_route_may_call_it() {
    #[derive(Clone, Copy, doyen::domain::Role)]
    enum Staff {
        One,
        Two,
        Three,
        Four,
        Clerk,
    }
    let allow = signed_in
        .role(Staff::One)
        .role(Staff::Two)
        .role(Staff::Three)
        .role(Staff::Four)
        .role(Staff::Clerk);
    let route = Route::get("/staff")
        .name("staff")
        .allow(allow)
        .handler(async || NoContent);
    let service = finish(
        Service::builder()
            .identify(Arc::new(Tokens))
            .module(Module::new("t").routes(Routes::new(vec![route]))),
    );
    let fifth = get_with(&service, "/staff", &[("authorization", "Bearer clerk")]).await;
    assert_eq!(fifth.status, 204);
    let none = get_with(&service, "/staff", &[("authorization", "Bearer read")]).await;
    none.is_problem(403, "forbidden");
}
