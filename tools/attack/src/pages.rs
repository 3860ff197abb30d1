//! A28, A33, A34, A44, A46, A48: headers for browsers and caches.

use crate::Attack;
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 6] = [
    Attack {
        id: "A28",
        run: cors,
    },
    Attack {
        id: "A33",
        run: poisoning,
    },
    Attack {
        id: "A34",
        run: deception,
    },
    Attack {
        id: "A44",
        run: redirects,
    },
    Attack {
        id: "A46",
        run: hosts,
    },
    Attack {
        id: "A48",
        run: sniffing,
    },
];

const EVIL: &str = "evil.example";

fn cors(target: &Target) -> Verdict {
    let host = target.host.split(':').next().unwrap_or_default();
    let origins = [
        format!("https://{EVIL}"),
        "null".into(),
        format!("http://{host}.{EVIL}"),
        format!("http://{EVIL}.{host}"),
        format!("http://{host}:1"),
        format!("https://{host}"),
        format!("HTTP://{}", target.host),
        "*".into(),
        "file://".into(),
        "http://localhost:3000".into(),
    ];
    let mut tally = Tally::new(format!(
        "{} origins that were not allowed, as a request, a preflight and an error",
        origins.len()
    ));
    for origin in &origins {
        for (method, path) in [
            ("GET", "/livez"),
            ("OPTIONS", "/v1/tickets"),
            ("GET", "/v1/nothing"),
        ] {
            let response = target
                .request(method, path)
                .header("origin", origin)
                .header("access-control-request-method", "GET")
                .header("access-control-request-headers", "authorization")
                .send();
            let allowed = response.header("access-control-allow-origin").is_some()
                || response
                    .header("access-control-allow-credentials")
                    .is_some();
            tally.expect(
                !allowed,
                format!("{method} {path} from {origin}"),
                &response,
            );
        }
    }
    tally.verdict()
}

fn poisoning(target: &Target) -> Verdict {
    let mut tally = Tally::new(
        "fields that name another host, scheme, path or address, at lists, documents and errors",
    );
    let fields = [
        ("x-forwarded-host", EVIL),
        ("x-forwarded-proto", "evil"),
        ("x-forwarded-prefix", "/evil.example"),
        ("x-forwarded-port", "6666"),
        ("x-original-url", "/evil.example"),
        ("x-rewrite-url", "/evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-host", EVIL),
        ("x-forwarded-server", EVIL),
        ("x-forwarded-scheme", "http"),
    ];
    let token = target
        .accounts
        .ada
        .as_ref()
        .map(|ada| ada.token.as_str())
        .unwrap_or_default();
    for path in [
        "/v1/tickets?limit=1",
        "/openapi.json",
        "/v1/nothing",
        "/docs",
        "/livez",
    ] {
        let plain = target.get(path).bearer(token).send();
        for (name, value) in fields {
            let response = target.get(path).bearer(token).header(name, value).send();
            let received = response.text().contains(EVIL)
                || response
                    .headers
                    .iter()
                    .any(|(_, value)| value.contains(EVIL));
            tally.expect(
                response.status == plain.status && !received,
                format!("{path} with {name}"),
                &response,
            );
        }
    }
    let fat = target
        .request("GET", "/livez")
        .bytes("application/json", b"{\"evil.example\":1}".to_vec())
        .send();
    tally.expect(
        !fat.text().contains(EVIL) && matches!(fat.status, 200 | 400 | 413),
        "a GET with a body",
        &fat,
    );
    tally.verdict()
}

fn deception(target: &Target) -> Verdict {
    let (ada, ben) = match target.accounts.both() {
        Ok(both) => both,
        Err(why) => return Verdict::not_applicable(why),
    };
    let mut tally =
        Tally::new("a private page as if it were a picture, and Ada's entity tags sent by Ben");
    for path in [
        "/v1/me/x.css",
        "/v1/me%2fx.js",
        "/v1/me;x.css",
        "/v1/me.css",
        "/v1/me%00.png",
        "/v1/me%23x.css",
        "/v1/me/..%2fx.css",
        "/static/..%2fv1/me",
    ] {
        tally.expect_refusal(path, &ada.get(target, path));
    }
    for path in ["/v1/me", "/v1/tickets", "/v1/stats", "/v1/me/nothing"] {
        let response = ada.get(target, path);
        let kept = response.header("cache-control").unwrap_or_default();
        let private =
            kept.contains("no-store") || (kept.contains("private") && !kept.contains("public"));
        tally.expect(
            private,
            format!("{path} is `cache-control: {kept}`"),
            &response,
        );
        let varies = response.header("vary").unwrap_or_default().to_lowercase();
        tally.check(
            response.status == 404
                || (varies.contains("authorization") && varies.contains("x-api-key")),
            format!("{path} is `vary: {varies}`"),
        );
    }
    let ticket = format!(
        "/v1/tickets/{}",
        ada.create_ticket(target, "Mine").at("/id")
    );
    let her_ticket = ada.get(target, &ticket);
    let tag = her_ticket.header("etag").unwrap_or("\"1\"").to_owned();
    for tag in [tag.as_str(), "*"] {
        let response = ben
            .request(target, "GET", &ticket)
            .header("if-none-match", tag)
            .send();
        tally.expect_status(&[404], format!("Ben with if-none-match {tag}"), &response);
    }
    let me = ada.get(target, "/v1/me");
    let response = ben
        .request(target, "GET", "/v1/me")
        .header("if-none-match", me.header("etag").unwrap_or("\"1\""))
        .send();
    // After a 304, a cache that both use would show the page of Ada to Ben.
    tally.expect(
        response.status == 200 && response.at("/id") == ben.id,
        "Ben's own page with Ada's tag",
        &response,
    );
    tally.verdict()
}

fn redirects(target: &Target) -> Verdict {
    let mut tally = Tally::new("paths and parameters that name another host to go to");
    for path in [
        "//evil.example",
        "//evil.example/%2e%2e",
        "/\\evil.example",
        "/%5cevil.example",
        "/docs//evil.example/..",
        "/docs?next=//evil.example",
        "///evil.example/%2f..",
        "/v1/auth/login?next=https://evil.example",
        "/?url=javascript:alert(1)",
        "/.evil.example",
        "http://evil.example/livez",
        "/docs/?redirect_uri=//evil.example",
    ] {
        let response = target.get(path).send();
        let away = response.header("location").is_some_and(|place| {
            !place.starts_with('/') || place.starts_with("//") || place.starts_with("/\\")
        });
        tally.expect(!away && response.status != 0, path, &response);
    }
    tally.verdict()
}

fn hosts(target: &Target) -> Verdict {
    let mut tally =
        Tally::new("other hosts in `Host`, in an absolute target, and in a list with links");
    let token = target
        .accounts
        .ada
        .as_ref()
        .map(|ada| ada.token.as_str())
        .unwrap_or_default();
    for host in [
        EVIL,
        "evil.example:80",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[::1].evil.example",
        "xn--a",
        "127.0.0.1:99999",
        "",
        "a b",
        "evil.example#",
        "evil.example?",
    ] {
        for path in ["/v1/tickets?limit=1", "/openapi.json"] {
            let response = target.get(path).header("host", host).bearer(token).send();
            let received = response.text().contains("evil.example")
                || response
                    .headers
                    .iter()
                    .any(|(_, value)| value.contains("evil.example"));
            let good = matches!(response.status, 400 | 421)
                || (response.status < 500
                    && !received
                    && host.starts_with(|first: char| first.is_ascii_alphanumeric()));
            tally.expect(good, format!("{path} at {host:?}"), &response);
        }
    }
    let response = target
        .get(&format!("http://{EVIL}/v1/tickets?limit=1"))
        .bearer(token)
        .send();
    tally.expect(
        !response.text().contains(EVIL) && response.status != 0,
        "an absolute target",
        &response,
    );
    tally.verdict()
}

fn sniffing(target: &Target) -> Verdict {
    let mut tally = Tally::new(
        "JSON, pages and errors with markup in them, and what a browser may take them for",
    );
    let token = target
        .accounts
        .ada
        .as_ref()
        .map(|ada| ada.token.as_str())
        .unwrap_or_default();
    let markup = "%3Cscript%3Ealert(1)%3C/script%3E";
    for path in [
        "/livez".to_owned(),
        "/v1/tickets?limit=1".into(),
        "/v1/me".into(),
        format!("/{markup}"),
        format!("/problems/{markup}"),
        format!("/v1/tickets/{markup}"),
        "/docs".into(),
        "/openapi.json".into(),
        "/problems/not_found".into(),
        format!("/v1/tickets?{markup}=1"),
    ] {
        let response = target
            .get(&path)
            .bearer(token)
            .header("accept", "text/html")
            .send();
        let headers = response.header("x-content-type-options") == Some("nosniff")
            && response
                .header("content-security-policy")
                .is_some_and(|policy| policy.contains("default-src 'none'"))
            && response.header("cross-origin-resource-policy").is_some()
            && response.header("referrer-policy").is_some();
        tally.expect(headers, format!("header fields of {path}"), &response);
        let kind = response.header("content-type").unwrap_or_default();
        let html = kind.starts_with("text/html");
        let raw = response.text().contains("<script>alert(1)");
        tally.check(
            !(html && raw)
                && (html == (path.starts_with("/docs") || path.starts_with("/problems/"))
                    || response.status == 404),
            format!("{path} is {kind}"),
        );
    }
    tally.verdict()
}
