//! The address guard: what an address from outside cannot reach.

use std::sync::Arc;

use doyen::outbound::{Addresses, CallErrorKind, Client, Forbidden, Lookup, LookupOverride};
use doyen_test::{Reply, Setup, UpstreamServer};

use crate::support::{Hooks, Names, Shop, kind, paying, status};

fn resolving(names: &Arc<Names>) -> Setup {
    let names = Arc::clone(names) as Arc<dyn Lookup>;
    Setup::new().edit(move |app| app.contribute(LookupOverride(names)))
}

#[doyen_test::test(sqlite)]
async fn no_form_of_an_inner_address_is_called(shop: Shop) {
    let inner = UpstreamServer::start();
    let port = inner.port();
    let setup = Setup::new().set("outbound.hooks.ports", &format!("80,{port}"));
    let app = shop.another(setup).await;
    let client: Client<Hooks> = app.inject().await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "localhost",
        "localhost.",
        "LOCALHOST",
    ] {
        let url = format!("http://{host}:{port}/hook");
        let refused = client.check(&url, Addresses::Public).await;
        // A resolver that does not know the name `localhost.` cannot lead to it either.
        assert!(
            refused == Err(Forbidden::Private) || host == "localhost.",
            "{host}"
        );
        let failed = kind(client.post(&url).send().await);
        let unresolved = host == "localhost." && failed == CallErrorKind::Connect;
        assert!(
            failed == CallErrorKind::Forbidden || unresolved,
            "{host}: {failed:?}"
        );
    }
    for (url, why) in [
        (
            "http://169.254.169.254/latest/meta-data",
            Forbidden::Private,
        ),
        ("http://user:secret@93.184.216.34/", Forbidden::Credentials),
        ("https://93.184.216.34:22/", Forbidden::Port),
        ("file:///etc/passwd", Forbidden::Scheme),
        ("gopher://93.184.216.34:80/", Forbidden::Scheme),
    ] {
        assert_eq!(
            client.check(url, Addresses::Public).await,
            Err(why),
            "{url}"
        );
        assert_eq!(
            kind(client.post(url).send().await),
            CallErrorKind::Forbidden,
            "{url}"
        );
    }
    assert_eq!(inner.connections(), 0);
}

#[doyen_test::test(sqlite)]
async fn a_name_that_changes_its_address_after_the_check_is_not_called(shop: Shop) {
    let inner = UpstreamServer::start();
    let names = Names::new("hook.test", &[&["1.1.1.1"], &["127.0.0.1"]]);
    let ports = inner.port().to_string();
    let setup = resolving(&names).set("outbound.hooks.ports", &ports);
    let client: Client<Hooks> = shop.another(setup).await.inject().await;
    let url = format!("http://hook.test:{}/hook", inner.port());
    assert_eq!(client.check(&url, Addresses::Public).await, Ok(()));
    assert_eq!(
        kind(client.post(&url).send().await),
        CallErrorKind::Forbidden
    );
    assert_eq!((inner.connections(), names.number_of_lookups()), (0, 2));
}

#[doyen_test::test(sqlite)]
async fn one_private_address_among_public_ones_is_enough_to_refuse_a_name(shop: Shop) {
    let inner = UpstreamServer::start();
    let names = Names::new("hook.test", &[&["1.1.1.1", "127.0.0.1"]]);
    let ports = inner.port().to_string();
    let setup = resolving(&names).set("outbound.hooks.ports", &ports);
    let client: Client<Hooks> = shop.another(setup).await.inject().await;
    let url = format!("http://hook.test:{}/hook", inner.port());
    let refused = client.check(&url, Addresses::Public).await;
    assert_eq!(refused, Err(Forbidden::Private));
    assert_eq!(
        kind(client.post(&url).send().await),
        CallErrorKind::Forbidden
    );
    assert_eq!(inner.connections(), 0);
}

#[doyen_test::test(sqlite)]
async fn the_connection_goes_to_the_address_of_the_one_lookup_that_was_checked(shop: Shop) {
    let upstream = UpstreamServer::start();
    // A second lookup would find nothing that can be reached.
    let names = Names::new("hook.test", &[&["127.0.0.1"], &["192.0.2.1"]]);
    let client: Client<Hooks> = shop.another(resolving(&names)).await.inject().await;
    let url = format!("http://hook.test:{}/hook", upstream.port());
    let call = client.post(&url).addresses(Addresses::Any);
    assert_eq!(status(call.send().await), 200);
    assert_eq!(names.number_of_lookups(), 1);
    let host = format!("hook.test:{}", upstream.port());
    assert_eq!(upstream.requests()[0].header("host"), Some(&*host));
}

#[doyen_test::test(sqlite)]
async fn a_connection_to_a_private_address_is_not_shared_with_guarded_calls(shop: Shop) {
    let inner = UpstreamServer::start();
    let names = Names::new("hook.test", &[&["127.0.0.1"]]);
    let ports = inner.port().to_string();
    let setup = resolving(&names).set("outbound.hooks.ports", &ports);
    let client: Client<Hooks> = shop.another(setup).await.inject().await;
    let url = format!("http://hook.test:{}/hook", inner.port());
    assert_eq!(
        status(client.post(&url).addresses(Addresses::Any).send().await),
        200
    );
    assert_eq!(
        kind(client.post(&url).send().await),
        CallErrorKind::Forbidden
    );
    assert_eq!(inner.requests().len(), 1);
}

#[doyen_test::test(sqlite)]
async fn a_redirect_does_not_lead_to_an_inner_address(shop: Shop) {
    let (outer, inner) = (UpstreamServer::start(), UpstreamServer::start());
    let setup = paying(&outer)
        .set("outbound.payments.max_redirects", "5")
        .set("outbound.payments.ports", &format!("80,{}", inner.port()));
    let client = shop
        .another(setup)
        .await
        .inject::<Client<crate::support::Payments>>()
        .await;
    for target in [
        inner.url(),
        format!("http://localhost:{}/", inner.port()),
        "http://169.254.169.254/latest".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        outer.reply(Reply::redirect(&target));
        let refused = kind(client.get("/").send().await);
        assert_eq!(refused, CallErrorKind::Forbidden, "{target}");
    }
    assert_eq!(inner.connections(), 0);
}

#[doyen_test::test(sqlite)]
async fn redirects_are_followed_only_where_allowed_and_without_secrets(shop: Shop) {
    let (first, second) = (UpstreamServer::start(), UpstreamServer::start());
    let client = shop.client(&first, &[]).await;
    first.reply(Reply::redirect("/elsewhere"));
    assert_eq!(status(client.get("/").send().await), 302);
    assert_eq!(first.requests().len(), 1);

    let settings = [
        ("max_redirects", "2"),
        ("allow_private", "true"),
        ("token", "t0p-secret"),
    ];
    let client = shop.client(&first, &settings).await;
    first
        .reply(Reply::redirect("/elsewhere"))
        .reply(Reply::redirect(&second.url()));
    let call = client
        .get("/")
        .header("x-api-key", "k-secret")
        .header("accept", "text/plain");
    assert_eq!(status(call.send().await), 200);
    let requests = first.requests();
    assert_eq!(requests[2].target, "/elsewhere");
    assert_eq!(
        requests[2].header("authorization"),
        Some("Bearer t0p-secret")
    );
    assert_eq!(requests[2].header("x-api-key"), Some("k-secret"));
    let moved = &second.requests()[0];
    assert_eq!(moved.header("accept"), Some("text/plain"));
    for name in ["authorization", "x-api-key", "cookie", "referer"] {
        assert_eq!(moved.header(name), None);
    }

    // The third redirect is one too many.
    for _ in 0..3 {
        first.reply(Reply::redirect("/again"));
    }
    assert_eq!(status(client.get("/").send().await), 302);
    // Other methods follow none: the body would go to another place.
    first.reply(Reply::redirect("/again"));
    assert_eq!(status(client.post("/").send().await), 302);
}
