//! The client address of a request, in handlers and in the log, and whether the client used TLS.

use std::sync::{Arc, Mutex};

use doyen::domain::{AccessRecord, AccessSink};
use doyen::prelude::*;
use doyen::web::{Cidr, Client, EdgeOptions, ForwardedHeader, Service, TrustedProxies};
use http::Request;
use http_body_util::BodyExt as _;

use crate::kit::finish;

/// Show the client
#[get("/who", allow = anyone)]
async fn who(client: Client) -> Text {
    let address = client
        .address
        .map_or_else(|| "unknown".to_owned(), |address| address.to_string());
    Text(format!("{address} {}", client.agent.unwrap_or_default()))
}

/// The client of each line.
#[derive(Default)]
struct Clients(Mutex<Vec<String>>);

impl AccessSink for Clients {
    fn write(&self, record: &AccessRecord<'_>) {
        let client = record.client.map(|client| client.to_string());
        self.0.lock().unwrap().push(client.unwrap_or_default());
    }
}

struct EdgeApp {
    service: Service,
    log: Arc<Clients>,
}

fn app(field: ForwardedHeader) -> EdgeApp {
    let networks = vec![
        Cidr::parse("10.0.0.0/8").unwrap(),
        Cidr::parse("fd00::/8").unwrap(),
    ];
    let log = Arc::new(Clients::default());
    let options = EdgeOptions {
        proxies: TrustedProxies::new(networks, field).unwrap(),
        ..EdgeOptions::default()
    };
    let service = finish(
        Service::builder()
            .options(options)
            .access_log(Arc::clone(&log) as Arc<dyn AccessSink>)
            .module(Module::new("t").routes(routes![who])),
    );
    EdgeApp { service, log }
}

struct Seen {
    body: String,
    log: String,
    hsts: Option<String>,
}

impl EdgeApp {
    async fn ask(&self, peer: &str, fields: &[(&str, &str)]) -> Seen {
        let mut request = Request::get("/who");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(doyen::web::Body::empty()).unwrap();
        let peer = (peer.parse::<std::net::IpAddr>().unwrap(), 4711).into();
        let (head, body) = self.service.handle(request, Some(peer)).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let hsts = head.headers.get("strict-transport-security");
        Seen {
            body: String::from_utf8(body.to_vec()).unwrap(),
            log: self.log.0.lock().unwrap().pop().unwrap(),
            hsts: hsts.map(|value| value.to_str().unwrap().to_owned()),
        }
    }
}

/// Every header a client can send to appear with another address.
const CLAIMS: [(&str, &str); 9] = [
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-for", "10.0.0.1, 127.0.0.1"),
    ("forwarded", "for=203.0.113.7;proto=https;host=evil.test"),
    ("x-real-ip", "203.0.113.7"),
    ("x-client-ip", "203.0.113.7"),
    ("true-client-ip", "203.0.113.7"),
    ("cf-connecting-ip", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "evil.test"),
];

#[tokio::test]
async fn an_untrusted_peer_cannot_change_the_client_address() {
    for field in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
        let app = app(field);
        for claims in [
            &CLAIMS[..],
            &CLAIMS[..1],
            &CLAIMS[1..2],
            &CLAIMS[2..3],
            &CLAIMS[7..8],
        ] {
            for peer in ["192.0.2.9", "11.0.0.1", "127.0.0.1", "2001:db8::9"] {
                let received = app.ask(peer, claims).await;
                assert_eq!(
                    (received.body.trim(), &*received.log),
                    (peer, peer),
                    "{claims:?}"
                );
                assert_eq!(received.hsts, None, "{claims:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_names_the_client() {
    let app = app(ForwardedHeader::XForwardedFor);
    let fields = [
        ("x-forwarded-for", "203.0.113.7, 198.51.100.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x-forwarded-proto", "https"),
        // Written by the client, forwarded by the proxy.
        ("forwarded", "for=203.0.113.8"),
        ("x-real-ip", "203.0.113.9"),
    ];
    let received = app.ask("10.0.0.1", &fields).await;
    assert_eq!(
        (&*received.body, &*received.log),
        ("198.51.100.1 ", "198.51.100.1")
    );
    assert_eq!(received.hsts.as_deref(), Some("max-age=31536000"));
    // On a dual-stack socket.
    let received = app.ask("::ffff:10.0.0.1", &fields).await;
    assert_eq!(received.log, "198.51.100.1");
    let received = app
        .ask("fd00::1", &[("x-forwarded-for", "2001:db8::9")])
        .await;
    assert_eq!((&*received.log, received.hsts), ("2001:db8::9", None));
    let received = app.ask("10.0.0.1", &[("x-forwarded-proto", "http")]).await;
    assert_eq!((&*received.log, received.hsts), ("10.0.0.1", None));
}

#[tokio::test]
async fn a_trusted_proxy_names_the_client_in_forwarded() {
    let app = app(ForwardedHeader::Forwarded);
    let fields = [
        ("forwarded", "for=203.0.113.7, for=198.51.100.1;proto=http"),
        ("forwarded", "for=\"[fd00::5]:80\";proto=https"),
        ("x-forwarded-for", "203.0.113.8"),
        ("x-forwarded-proto", "http"),
    ];
    let received = app.ask("10.0.0.1", &fields).await;
    assert_eq!(
        (&*received.body, &*received.log),
        ("198.51.100.1 ", "198.51.100.1")
    );
    assert!(received.hsts.is_some());
}

#[tokio::test]
async fn a_refusal_is_logged_under_the_client_too() {
    let app = app(ForwardedHeader::XForwardedFor);
    let request = Request::get("/nothing")
        .header("x-forwarded-for", "198.51.100.1")
        .body(doyen::web::Body::empty())
        .unwrap();
    let peer = ([10, 0, 0, 1], 4711).into();
    assert_eq!(app.service.handle(request, Some(peer)).await.status(), 404);
    assert_eq!(*app.log.0.lock().unwrap(), ["198.51.100.1"]);
}

#[tokio::test]
async fn the_user_agent_is_truncated_and_plain() {
    let app = app(ForwardedHeader::XForwardedFor);
    let received = app
        .ask("192.0.2.9", &[("user-agent", "curl/8.1\t(x)")])
        .await;
    assert_eq!(received.body, "192.0.2.9 curl/8.1(x)");
    let long = "x".repeat(10_000);
    let received = app.ask("192.0.2.9", &[("user-agent", &long)]).await;
    assert_eq!(received.body, format!("192.0.2.9 {}", "x".repeat(200)));
}
