//! The accepted hosts of the service.

use doyen::prelude::*;
use doyen::web::{Body, EdgeOptions, HostName, Service};
use http::Request;

use crate::kit::{Answer, finish, send};
use crate::server::{run_built, soon, status};

/// Say hello.
#[get("/hello", allow = anyone)]
async fn greet() -> Text {
    Text("hello".into())
}

/// Say that it runs.
#[get("/livez", allow = anyone)]
async fn livez() -> Text {
    Text("alive".into())
}

/// Say that it is ready.
#[get("/readyz", allow = anyone)]
async fn readyz() -> Text {
    Text("ready".into())
}

fn builder(hosts: &[&str]) -> doyen::web::Builder {
    let hosts = hosts.iter().map(|host| HostName::parse(host).unwrap());
    Service::builder()
        .options(EdgeOptions {
            hosts: hosts.collect(),
            ..EdgeOptions::default()
        })
        .module(Module::new("hosts").routes(routes![livez, readyz]))
}

async fn ask(service: &Service, path: &str, host: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    send(service, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_foreign_host_is_misdirected_before_anything_is_looked_up() {
    let module = Module::new("t").routes(routes![greet]);
    let service = finish(builder(&["api.example.com", "*.shop.test:8443"]).module(module));
    for host in [
        "api.example.com",
        "API.Example.Com.",
        "api.example.com:8000",
        "a.shop.test:8443",
    ] {
        assert_eq!(
            ask(&service, "/hello", Some(host)).await.status,
            200,
            "{host}"
        );
    }
    for host in [
        "evil.test",
        "127.0.0.1",
        "localhost",
        "example.com",
        "a.shop.test",
        "a.shop.test:443",
        "shop.test:8443",
        "api.example.com.evil.test",
        "evil.test:80",
        "api.example.com@evil.test",
    ] {
        // Existing and unknown paths get the same response.
        for path in ["/hello", "/nothing"] {
            let answer = ask(&service, path, Some(host)).await;
            answer.is_problem(421, "misdirected_request");
        }
        for probe in ["/livez", "/readyz"] {
            assert_eq!(
                ask(&service, probe, Some(host)).await.status,
                200,
                "{host} {probe}"
            );
        }
    }
    ask(&service, "/hello", None)
        .await
        .is_problem(421, "misdirected_request");
    assert_eq!(ask(&service, "/livez", None).await.status, 200);
    // An absolute target contains the host.
    assert_eq!(
        ask(&service, "http://api.example.com/hello", None)
            .await
            .status,
        200
    );
    ask(&service, "http://evil.test/hello", Some("api.example.com"))
        .await
        .is_problem(421, "misdirected_request");
    // Other headers of the client have no effect.
    let request = Request::get("/hello")
        .header("host", "evil.test")
        .header("x-forwarded-host", "api.example.com");
    let answer = send(&service, request.body(Body::empty()).unwrap()).await;
    answer.is_problem(421, "misdirected_request");
}

#[tokio::test]
async fn without_a_list_every_host_is_answered_and_none_is_repeated() {
    let module = Module::new("t").routes(routes![greet]);
    let service = finish(builder(&[]).module(module));
    for host in ["evil.test", "127.0.0.1:80"] {
        for path in ["/hello", "/nothing"] {
            let answer = ask(&service, path, Some(host)).await;
            assert!(answer.status == 200 || answer.status == 404);
            let shown = format!("{answer:?}");
            assert!(!shown.contains(host), "{shown}");
        }
    }
}

/// DNS rebinding: a page can give its own name any address, but it cannot call by an address.
#[tokio::test]
async fn an_internal_service_answers_to_addresses_and_its_own_names() {
    let hosts = vec![HostName::parse("metrics.internal").unwrap()];
    let options = EdgeOptions {
        hosts,
        internal: true,
        ..EdgeOptions::default()
    };
    let service = finish(builder(&[]).options(options));
    for host in [
        "127.0.0.1:9000",
        "10.1.2.3",
        "[::1]:9000",
        "localhost:9000",
        "LOCALHOST",
        "metrics.internal",
    ] {
        let answer = ask(&service, "/readyz", Some(host)).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    for host in [
        "evil.test",
        "evil.test:9000",
        "127.0.0.1.evil.test",
        "localhost.evil.test",
        "127.1",
        "2130706433",
    ] {
        for path in ["/livez", "/readyz", "/nothing"] {
            let answer = ask(&service, path, Some(host)).await;
            answer.is_problem(421, "misdirected_request");
        }
    }
    assert_eq!(ask(&service, "/livez", None).await.status, 200);
}

#[tokio::test]
async fn over_a_socket_too() {
    let server = run_built(builder(&["api.example.com"]), |_| {}).await;
    let mut wire = server.connect().await;
    for (host, wanted) in [
        ("evil.test", "421"),
        ("api.example.com", "200"),
        ("evil.test", "421"),
    ] {
        wire.send(&format!("GET /hello HTTP/1.1\r\nhost: {host}\r\n\r\n"))
            .await;
        assert_eq!(status(&wire.answer().await.0), wanted);
    }
    wire.send("GET /livez HTTP/1.1\r\nhost: 10.0.0.1:8000\r\n\r\n")
        .await;
    assert_eq!(status(&wire.answer().await.0), "200");
    let stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for (uri, wanted) in [
        ("http://evil.test/hello", 421),
        ("http://api.example.com/hello", 200),
    ] {
        let mut client = client.clone().ready().await.unwrap();
        let request = http::Request::get(uri).body(()).unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        assert_eq!(soon(answer).await.unwrap().status(), wanted, "{uri}");
    }
}
