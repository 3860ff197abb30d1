//! What is sent: paths, headers, the trace, and no secrets elsewhere.

use doyen::outbound::{Addresses, CallErrorKind, Client};
use doyen_test::{Reply, UpstreamServer};
use serde_json::json;

use crate::support::{Hooks, Shop, kind, status};

#[doyen_test::test(sqlite)]
async fn the_trace_of_a_request_continues_in_its_calls(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.reply(Reply::status(503));
    let app = shop.with(&upstream, &[]).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let call = app.get("/balance").header("traceparent", parent.as_str());
    call.send().await.expect(204);
    let sent: Vec<String> = upstream
        .requests()
        .iter()
        .map(|request| request.header("traceparent").unwrap().to_owned())
        .collect();
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0], sent[1], "each try is a span");
    for one in &sent {
        assert!(
            one.starts_with(&format!("00-{trace}-")) && one.ends_with("-01"),
            "{one}"
        );
        assert!(!one.contains("b7ad6b7169203331"), "{one}");
    }
}

#[doyen_test::test(sqlite)]
async fn a_call_has_its_path_below_the_url(shop: Shop) {
    let upstream = UpstreamServer::start();
    let url = format!("{}/v2/", upstream.url());
    let client = shop.client(&upstream, &[("url", &url)]).await;
    let call = client
        .get("/charges?limit=1")
        .query("after", "a b&c")
        .header("x-one", "1");
    assert_eq!(status(call.send().await), 200);
    let request = &upstream.requests()[0];
    assert_eq!(request.target, "/v2/charges?limit=1&after=a+b%26c");
    assert_eq!(request.header("x-one"), Some("1"));
    assert_eq!(
        request.header("user-agent").unwrap().split('/').next(),
        Some("shop")
    );
    for outside in ["/../admin", "/a/../../admin", "/%2e%2e/admin", "relative"] {
        let failed = kind(client.get(outside).send().await);
        assert_eq!(failed, CallErrorKind::Invalid, "{outside}");
    }
    assert_eq!(upstream.requests().len(), 1);
}

#[doyen_test::test(sqlite)]
async fn a_mistake_in_a_call_is_an_error_and_nothing_is_sent(shop: Shop) {
    let upstream = UpstreamServer::start();
    let client = shop.client(&upstream, &[]).await;
    for call in [
        client.get("/").header("x-one", "a\r\nx-two: b"),
        client.get("/").header("x one", "a"),
        client.get("not a url"),
    ] {
        assert_eq!(kind(call.send().await), CallErrorKind::Invalid);
    }
    let hooks: Client<Hooks> = shop.inject().await;
    assert_eq!(
        kind(hooks.get("/path").send().await),
        CallErrorKind::Invalid
    );
    assert_eq!(upstream.connections(), 0);
}

#[doyen_test::test(sqlite)]
async fn a_body_is_parsed_and_one_of_another_form_is_an_error(shop: Shop) {
    let upstream = UpstreamServer::start();
    let client = shop.client(&upstream, &[]).await;
    upstream.reply(Reply::json(&json!({"cents": 500})));
    let response = client.get("/balance").send().await.unwrap();
    let value: serde_json::Value = response.json().unwrap();
    assert_eq!(value, json!({"cents": 500}));
    upstream.reply(Reply::status(200).body("{\"secret\": hunter2}"));
    let response = client.get("/balance").send().await.unwrap();
    let error = response.json::<serde_json::Value>().unwrap_err();
    assert_eq!(error.kind(), CallErrorKind::Body);
    assert!(!doyen::domain::chain(&error).contains("hunter2"));
}

#[doyen_test::test(sqlite)]
async fn secrets_do_not_appear_in_errors_and_debug_output(shop: Shop) {
    let upstream = UpstreamServer::start();
    let app = shop.with(&upstream, &[("token", "t0p-secret")]).await;
    let client: Client<crate::support::Payments> = app.inject().await;
    let call = client
        .post("/hooks/t0p-secret")
        .header("x-key", "t0p-secret")
        .json("t0p-secret");
    assert!(!format!("{call:?} {client:?}").contains("t0p"));
    let response = call.send().await.unwrap();
    assert!(!format!("{response:?}").contains("t0p"));
    let sent = &upstream.requests()[0];
    assert_eq!(sent.header("authorization"), Some("Bearer t0p-secret"));

    drop(upstream);
    let error = client
        .get("/hooks/t0p-secret?k=t0p-secret")
        .send()
        .await
        .unwrap_err();
    assert!(error.is_unsent() && error.is_transient());
    let text = format!("{error:?} {}", doyen::domain::chain(&error));
    assert!(!text.contains("t0p"), "{text}");
    let report = format!("{:?}", app.runtime().settings());
    assert!(
        report.contains("outbound.payments.token") && !report.contains("t0p"),
        "{report}"
    );
}

#[doyen_test::test(sqlite)]
async fn the_token_goes_to_the_host_of_the_settings_only(shop: Shop) {
    let (upstream, other) = (UpstreamServer::start(), UpstreamServer::start());
    let client = shop.client(&upstream, &[("token", "t0p-secret")]).await;
    let call = client.get(other.url()).addresses(Addresses::Any);
    assert_eq!(status(call.send().await), 200);
    assert_eq!(other.requests()[0].header("authorization"), None);
    let own = client.get("/").header("authorization", "Basic own");
    assert_eq!(status(own.send().await), 200);
    assert_eq!(
        upstream.requests()[0].header("authorization"),
        Some("Basic own")
    );
}
