//! An application that calls an upstream.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen::outbound::{CallError, CallErrorKind, Client, Lookup, Response, Upstream, upstream};
use doyen::prelude::*;
use doyen_test::{Setup, Subject, TestApp, UpstreamServer};

/// The upstream with a URL in the settings.
pub struct Payments;

impl Upstream for Payments {
    const NAME: &'static str = "payments";
}

/// An upstream whose URLs come from outside.
pub struct Hooks;

impl Upstream for Hooks {
    const NAME: &'static str = "hooks";
}

/// The payment provider does not respond. Try again later.
#[derive(Debug, Problem)]
#[problem(unavailable, code = "payments_unavailable")]
pub struct PaymentsUnavailable;

/// Charge a card
#[post("/charge", allow = anyone, timeout = Duration::from_millis(600))]
async fn charge(payments: Client<Payments>) -> Result<NoContent, PaymentsUnavailable> {
    match payments.post("/charges").send().await {
        Ok(_) => Ok(NoContent),
        Err(error) => {
            assert_eq!(error.kind(), CallErrorKind::Timeout, "{error}");
            Err(PaymentsUnavailable)
        }
    }
}

/// Get the balance
#[get("/balance", allow = anyone)]
async fn balance(payments: Client<Payments>) -> Result<NoContent, Unexpected> {
    payments.get("/balance").send().await?.success()?;
    Ok(NoContent)
}

pub struct Shop(TestApp);

impl Subject for Shop {
    fn app() -> App {
        let routes = routes![charge, balance];
        App::new("shop")
            .contribute(upstream::<Payments>())
            .contribute(upstream::<Hooks>())
            .module(Module::new("payments").routes(routes))
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Shop {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// The settings of a client of this upstream: pauses are short, so that tests are.
pub fn paying(upstream: &UpstreamServer) -> Setup {
    Setup::new()
        .set("outbound.payments.url", &upstream.url())
        .set("outbound.payments.retry_pause", "1ms")
}

impl Shop {
    /// Starts the application with this upstream and these settings.
    pub async fn with(&self, upstream: &UpstreamServer, settings: &[(&str, &str)]) -> TestApp {
        let setup = settings
            .iter()
            .fold(paying(upstream), |setup, (key, value)| {
                setup.set(&format!("outbound.payments.{key}"), value)
            });
        self.another(setup).await
    }

    /// Returns a client with this upstream and these settings.
    pub async fn client(
        &self,
        upstream: &UpstreamServer,
        settings: &[(&str, &str)],
    ) -> Client<Payments> {
        self.with(upstream, settings).await.inject().await
    }
}

pub fn kind(result: Result<Response, CallError>) -> CallErrorKind {
    match result {
        Ok(response) => panic!("it succeeded: {response:?}"),
        Err(error) => error.kind(),
    }
}

pub fn status(result: Result<Response, CallError>) -> u16 {
    result
        .unwrap_or_else(|error| panic!("{error}: {error:?}"))
        .status()
        .as_u16()
}

/// A resolver with scripted answers: the last one of a name stays.
#[derive(Default)]
pub struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<std::net::IpAddr>>>>,
    pub asked: Mutex<Vec<String>>,
}

impl Names {
    pub fn new(name: &str, answers: &[&[&str]]) -> Arc<Self> {
        let parse = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let answers = answers.iter().rev().map(parse).collect();
        let names = Self::default();
        names
            .answers
            .lock()
            .unwrap()
            .insert(name.to_owned(), answers);
        Arc::new(names)
    }

    pub fn number_of_lookups(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Lookup for Names {
    fn lookup<'a>(&'a self, name: &'a str) -> doyen::outbound::Found<'a> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let found = answers.get_mut(name).map(|answers| match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop().unwrap(),
        });
        Box::pin(std::future::ready(
            found.ok_or_else(|| std::io::Error::other("no such name")),
        ))
    }
}

/// Reads the metrics until one line has this form.
pub async fn until_metric(app: &TestApp, line: &str) {
    for _ in 0..4_000 {
        if metrics(app).await.lines().any(|one| one == line) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no `{line}` in:\n{}", metrics(app).await);
}

pub async fn metrics(app: &TestApp) -> String {
    admin(app, "/metrics").await.1
}

/// Calls the admin listener.
pub async fn admin(app: &TestApp, path: &str) -> (u16, String) {
    send_admin(app, "GET", path, "application/json", "").await
}

/// Calls the admin listener with a body.
pub async fn send_admin(
    app: &TestApp,
    method: &str,
    path: &str,
    media_type: &str,
    body: &str,
) -> (u16, String) {
    use http_body_util::BodyExt as _;
    let request = http::Request::builder().method(method).uri(path);
    let request = request.header("host", "localhost");
    let request = request.header("content-type", media_type);
    let body = doyen::web::Body::whole(body.to_owned());
    let request = request.body(body).unwrap();
    let service = app.runtime().admin().expect("there is an admin service");
    let response = service.handle(request, None).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}
