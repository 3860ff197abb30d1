//! Helpers of these tests: a log of what runs, a unit of work, an access log.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use doyen::domain::inject::{Node, RequestFacts, UnitOfWork};
use doyen::domain::{AccessRecord, AccessSink, Inject, Refusal, inject};
use doyen::prelude::*;
use doyen::web::{Body, Builder, Service};
use http_body_util::BodyExt as _;
use serde_json::Value;

/// Notes what runs, in order. Injectable as `Arc<Log>`.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Vec<String>>);

impl Log {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A unit of work that notes its end.
#[derive(Clone)]
pub(crate) struct Work;

struct Noted(Arc<Log>);

#[async_trait::async_trait]
impl UnitOfWork for Noted {
    async fn commit(&self) -> Result<(), Refusal> {
        self.0.note("commit");
        Ok(())
    }
    async fn rollback(&self) {
        self.0.note("rollback");
    }
}

impl Inject for Work {
    fn node() -> Node {
        Node::of::<Self>(vec![<Arc<Log> as Inject>::node])
    }
    fn known(_: &RequestFacts) -> Option<Self> {
        None
    }
    async fn make(cx: &inject::Context) -> Result<Self, Refusal> {
        let log = cx.get::<Arc<Log>>().await?;
        cx.enlist(Arc::new(Noted(log)));
        Ok(Self)
    }
}

/// A line of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) request_id: String,
    pub(crate) path: String,
    pub(crate) route: Option<String>,
    pub(crate) status: u16,
    pub(crate) problem: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) client: Option<std::net::IpAddr>,
    pub(crate) user: Option<String>,
}

/// The access log.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<Vec<Line>>);

impl AccessSink for Lines {
    fn write(&self, record: &AccessRecord<'_>) {
        self.0.lock().unwrap().push(Line {
            request_id: record.request_id.to_owned(),
            path: record.path.to_owned(),
            route: record.route.map(ToOwned::to_owned),
            status: record.status,
            problem: record.problem.map(ToOwned::to_owned),
            cause: record.cause.map(doyen::domain::chain),
            client: record.client,
            user: record.user.map(ToOwned::to_owned),
        });
    }
}

/// A service with a log and an access log.
pub(crate) struct App {
    pub(crate) service: Service,
    pub(crate) log: Arc<Log>,
    lines: Arc<Lines>,
}

pub(crate) fn app(builder: Builder) -> App {
    app_with(Arc::default(), builder)
}

/// The same with a log that other parts have too.
pub(crate) fn app_with(log: Arc<Log>, builder: Builder) -> App {
    let lines = Arc::<Lines>::default();
    let shared = Module::new("log").provide(Arc::clone(&log));
    let sink: Arc<dyn AccessSink> = Arc::clone(&lines) as _;
    let built = builder.module(shared).access_log(sink).build();
    let service = built.unwrap_or_else(|errors| {
        let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", all.join("\n"))
    });
    App {
        service,
        log,
        lines,
    }
}

/// An application of one module.
pub(crate) fn of(module: Module) -> App {
    app(Service::builder().module(module))
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl App {
    pub(crate) async fn send(&self, request: Request) -> Answer {
        let peer = "192.0.2.7:4711".parse().unwrap();
        let (head, body) = self.service.handle(request, Some(peer)).await.into_parts();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await.expect("the body ends well").to_bytes(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, &[], "")).await
    }

    /// Returns the line of the last request.
    pub(crate) fn line(&self) -> Line {
        let mut lines = self.lines.0.lock().unwrap();
        assert_eq!(lines.len(), 1, "one line for each request: {lines:?}");
        lines.remove(0)
    }

    /// Sends a `GET`, and checks that the response is a problem in the format of the application,
    /// with the headers and the log line of any other response.
    #[track_caller]
    pub(crate) fn is_problem(&self, answer: &Answer, status: u16, code: &str) -> Line {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        let json = answer.json();
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(
            (&json["code"], &json["request_id"]),
            (&code.into(), &id.into())
        );
        self.has_frame(answer, status)
    }

    /// Checks the headers and the log line of any response.
    #[track_caller]
    pub(crate) fn has_frame(&self, answer: &Answer, status: u16) -> Line {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("cache-control").is_some());
        let line = self.line();
        assert_eq!(line.status, status);
        assert_eq!(
            Some(line.request_id.as_str()),
            answer.header("x-request-id")
        );
        assert_eq!(line.client, Some("192.0.2.7".parse().unwrap()));
        line
    }
}

pub(crate) fn request(
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &'static str,
) -> Request {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Body::whole(body)).unwrap()
}
