//! Helpers of these tests: a service of some routes, and responses to examine.

use bytes::Bytes;
use doyen::prelude::*;
use doyen::web::{Body, Builder, Service};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;

pub(crate) use serde_json::Value;

/// Creates a service of these routes.
pub(crate) fn service(routes: Routes) -> Service {
    finish(Service::builder().module(Module::new("t").routes(routes)))
}

/// Creates a service, or returns its mistakes.
pub(crate) fn finish(builder: Builder) -> Service {
    builder.build().unwrap_or_else(|errors| {
        let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", all.join("\n"))
    })
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Sends a request and reads the whole response.
pub(crate) async fn send(service: &Service, request: Request<Body>) -> Answer {
    let (head, body) = service.handle(request, None).await.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.collect().await.expect("the body ends well").to_bytes(),
    }
}

/// Sends a `GET`.
pub(crate) async fn get(service: &Service, path: &str) -> Answer {
    send(service, Request::get(path).body(Body::empty()).unwrap()).await
}

/// Sends a `GET` with headers.
pub(crate) async fn get_with(service: &Service, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    send(service, request.body(Body::empty()).unwrap()).await
}

/// Sends a `POST` with a body of this type.
pub(crate) async fn post(service: &Service, path: &str, media_type: &str, body: &str) -> Answer {
    let request = Request::post(path).header("content-type", media_type);
    send(service, request.body(Body::whole(body.to_owned())).unwrap()).await
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// Checks the headers of every response.
    pub(crate) fn is_guarded(&self) {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
            ),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(self.header(name), Some(value), "{name} of {self:?}");
        }
        assert!(self.header("cache-control").is_some(), "{self:?}");
        let id = self.header("x-request-id").unwrap();
        assert!((1..=64).contains(&id.len()), "{id}");
    }

    /// Checks a problem against RFC 9457 and our own rules: all members, and no others.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(self.header("cache-control"), Some("no-store"));
        self.is_guarded();
        let json = self.json();
        assert_eq!(json["code"], code, "{json:#}");
        assert_eq!(json["status"], status);
        assert_eq!(json["type"], format!("/problems/{code}"));
        assert_eq!(json["request_id"], self.header("x-request-id").unwrap());
        for (name, value) in json.as_object().unwrap() {
            let known = [
                "type",
                "title",
                "status",
                "detail",
                "instance",
                "code",
                "request_id",
                "errors",
            ];
            assert!(known.contains(&name.as_str()), "{name} in {json:#}");
            assert!(!value.is_null() && value != "", "{name} in {json:#}");
        }
        assert_eq!(json.get("errors").is_some(), status == 422, "{json:#}");
        match status {
            503 => assert!(self.header("retry-after").is_some(), "{self:?}"),
            401 => assert!(self.header("www-authenticate").is_some(), "{self:?}"),
            405 => assert!(self.header("allow").is_some(), "{self:?}"),
            _ => {}
        }
    }

    /// The errors of a 422: part of the request, pointer and code of each.
    #[track_caller]
    pub(crate) fn failures(&self) -> Vec<(String, String, String)> {
        self.is_problem(422, "invalid");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.json()["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let message = text(&one["message"]);
                assert!(!message.is_empty() && one["params"].is_object(), "{one:#}");
                (text(&one["in"]), text(&one["pointer"]), text(&one["code"]))
            })
            .collect()
    }
}

/// The errors in the notation of the tests.
pub(crate) fn expected(all: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    all.iter()
        .map(|(place, pointer, code)| {
            (
                (*place).to_owned(),
                (*pointer).to_owned(),
                (*code).to_owned(),
            )
        })
        .collect()
}
