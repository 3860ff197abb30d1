//! Expensive work that no rate limit counts.

use std::ops::Deref;

use doyen::domain::Caller;
use doyen::outbound::{Client, Upstream, upstream};
use doyen::prelude::*;
use doyen_test::{Call, Reply, Setup, Subject, TestApp, UpstreamServer};

/// An application with notes.
pub(crate) struct Notes(TestApp);

/// Another service.
struct Rates;

impl Upstream for Rates {
    const NAME: &'static str = "rates";
}

impl Subject for Notes {
    fn app() -> App {
        let routes = routes![
            add_unlimited,
            add_signed_in,
            list_unlimited,
            list_signed_in,
            rate,
            ping,
            add
        ];
        App::new("notes")
            .contribute(upstream::<Rates>())
            .module(Module::new("notes").routes(routes))
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Notes {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

async fn insert(session: &Session) -> Result<NoContent, Unexpected> {
    let sql = "INSERT INTO notes (name) VALUES ('note')";
    session.execute_sql(sql, []).await?;
    Ok(NoContent)
}

async fn select(session: &Session) -> Result<NoContent, Unexpected> {
    let sql = "SELECT name FROM notes LIMIT 5";
    session.execute_sql(sql, []).await?;
    Ok(NoContent)
}

/// Adds a note
#[post("/unlimited", allow = anyone, limit = unlimited("a partner sends them"))]
async fn add_unlimited(session: Session) -> Result<NoContent, Unexpected> {
    insert(&session).await
}

/// Adds a note as a user
#[post("/signed-in", allow = signed_in, limit = unlimited("users are few"))]
async fn add_signed_in(session: Session) -> Result<NoContent, Unexpected> {
    insert(&session).await
}

/// Lists notes
#[get("/unlimited", allow = anyone, limit = unlimited("a page reads them"))]
async fn list_unlimited(session: Session) -> Result<NoContent, Unexpected> {
    select(&session).await
}

/// Lists notes as a user
#[get("/signed-in", allow = signed_in, limit = unlimited("users are few"))]
async fn list_signed_in(session: Session) -> Result<NoContent, Unexpected> {
    select(&session).await
}

/// Gets a rate from another service
#[get("/rate", allow = signed_in, limit = unlimited("users are few"))]
async fn rate(rates: Client<Rates>) -> Result<NoContent, Unexpected> {
    rates.get("/").send().await?.success()?;
    Ok(NoContent)
}

/// Does nothing
#[get("/ping", allow = anyone, limit = unlimited("a balancer asks"))]
async fn ping() -> NoContent {
    NoContent
}

/// Adds a note, with the default limit
#[post("/notes", allow = anyone)]
async fn add(session: Session) -> Result<NoContent, Unexpected> {
    insert(&session).await
}

impl Notes {
    async fn with_table(self) -> Self {
        self.execute("CREATE TABLE notes (name text NOT NULL)", [])
            .await;
        self
    }
}

/// The codes and the work that were found in a request.
async fn found(call: Call) -> Vec<(String, String)> {
    let answer = call.send().await.expect(204);
    let findings = answer.findings().iter();
    findings
        .map(|finding| {
            let work = finding.work.clone().unwrap_or_default();
            (finding.code.clone(), work)
        })
        .collect()
}

fn missing(work: &str) -> Vec<(String, String)> {
    vec![("missing_limit".to_owned(), work.to_owned())]
}

#[doyen_test::test]
async fn expensive_work_without_a_limit_is_found(notes: Notes) {
    let notes = notes.with_table().await;
    let user = notes.as_user(Caller::new("usr_1"));
    assert_eq!(found(notes.post("/unlimited")).await, missing("INSERT"));
    assert_eq!(found(user.post("/signed-in")).await, missing("INSERT"));
    // Anyone can cause the query, and as often as they like.
    assert_eq!(found(notes.get("/unlimited")).await, missing("SELECT"));

    assert_eq!(found(user.get("/signed-in")).await, []);
    assert_eq!(found(notes.get("/ping")).await, []);
    assert_eq!(found(notes.post("/notes")).await, []);
    let refused = notes.post("/signed-in").send().await.expect(401);
    assert_eq!(refused.findings(), []);
}

#[doyen_test::test(sqlite)]
async fn a_call_to_another_service_without_a_limit_is_found(notes: Notes) {
    let server = UpstreamServer::start();
    server.reply(Reply::status(200));
    let setup = Setup::new().set("outbound.rates.url", &server.url());
    let app = notes.another(setup).await;
    let user = app.as_user(Caller::new("usr_1"));
    assert_eq!(found(user.get("/rate")).await, missing("GET rates"));
}

#[doyen_test::test(sqlite)]
async fn without_the_plugin_each_route_is_unlimited_and_a_gateway_may_limit_instead(notes: Notes) {
    let notes = notes.with_table().await;
    let without = notes.another(Setup::new().without("limits")).await;
    assert_eq!(found(without.post("/notes")).await, missing("INSERT"));
    let gateway = Setup::new().set("limits.enabled", "false");
    let gateway = notes.another(gateway).await;
    assert_eq!(found(gateway.post("/unlimited")).await, []);
    let expected = Setup::new().set("evidence.allow", "missing_limit POST /unlimited");
    let expected = notes.another(expected).await;
    assert_eq!(found(expected.post("/unlimited")).await, []);
    assert_eq!(found(expected.get("/unlimited")).await, missing("SELECT"));
}
