//! Who may: 401 and 403 with their challenges (RFC 6750 section 3), and what is decided before what.

use std::sync::Arc;

use async_trait::async_trait;
use doyen::domain::{
    CredentialHeader, Credentials, Identify, ProblemInfo, Refusal, problem::Plain,
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

/// `Bearer read` may read, `Bearer clerk` too and is a clerk; `Bearer away` finds the key server down; all else is not valid.
struct Tokens;

#[async_trait]
impl Identify for Tokens {
    async fn identify(&self, credentials: Credentials<'_>) -> Result<Option<Arc<Caller>>, Refusal> {
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
    Text(me.map_or_else(|| "nobody".to_owned(), |me| me.subject.to_string()))
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
#[get("/desk", allow = Scope::Read.to(Post::Clerk))]
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
    assert_eq!(ask("/open", Some("expired")).await.text(), "nobody");
    ask("/open", Some("away"))
        .await
        .is_problem(503, "unavailable");
    ask("/mine", Some("away"))
        .await
        .is_problem(503, "unavailable");
}

#[tokio::test]
async fn who_may_not_call_learns_nothing_of_what_a_call_looks_like() {
    let request = Request::post("/orders?bad=1").header("content-type", "nonsense");
    let request = request.body(Body::whole("{")).unwrap();
    send(&shop(), request)
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn what_one_caller_sees_is_not_for_others() {
    let seen = ask("/mine", Some("read")).await;
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    assert_eq!(seen.header("vary"), Some("Authorization"));
    assert_eq!(
        ask("/open", None).await.header("cache-control"),
        Some("no-cache")
    );
}
