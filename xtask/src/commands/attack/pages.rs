//! A28, A33, A34, A36, A38, A44, A46 to A48: what browsers, caches and curious people are told.

use super::Attack;
use super::target::Target;
use super::verdict::{Tally, Verdict};

pub(super) const ATTACKS: [Attack; 9] = [
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
        id: "A36",
        run: log_injection,
    },
    Attack {
        id: "A38",
        run: leakage,
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
        id: "A47",
        run: debug_pages,
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
            let reply = target
                .ask(method, path)
                .field("origin", origin)
                .field("access-control-request-method", "GET")
                .field("access-control-request-headers", "authorization")
                .send();
            let allowed = reply.field("access-control-allow-origin").is_some()
                || reply.field("access-control-allow-credentials").is_some();
            tally.want(!allowed, format!("{method} {path} from {origin}"), &reply);
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
        .people
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
            let reply = target.get(path).bearer(token).field(name, value).send();
            let told = reply.text().contains(EVIL)
                || reply.fields.iter().any(|(_, value)| value.contains(EVIL));
            tally.want(
                reply.status == plain.status && !told,
                format!("{path} with {name}"),
                &reply,
            );
        }
    }
    let fat = target
        .ask("GET", "/livez")
        .bytes("application/json", b"{\"evil.example\":1}".to_vec())
        .send();
    tally.want(
        !fat.text().contains(EVIL) && matches!(fat.status, 200 | 400 | 413),
        "a GET with a body",
        &fat,
    );
    tally.verdict()
}

fn deception(target: &Target) -> Verdict {
    let (ada, ben) = match target.people.both() {
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
        tally.want_refusal(path, &ada.get(target, path));
    }
    for path in ["/v1/me", "/v1/tickets", "/v1/stats", "/v1/me/nothing"] {
        let reply = ada.get(target, path);
        let kept = reply.field("cache-control").unwrap_or_default();
        let private =
            kept.contains("no-store") || (kept.contains("private") && !kept.contains("public"));
        tally.want(
            private,
            format!("{path} is `cache-control: {kept}`"),
            &reply,
        );
        let varies = reply.field("vary").unwrap_or_default().to_lowercase();
        tally.hold(
            kept.contains("no-store") || varies.contains("authorization"),
            format!("{path} is `vary: {varies}`"),
        );
    }
    let ticket = format!("/v1/tickets/{}", ada.opens(target, "Mine").at("/id"));
    let hers = ada.get(target, &ticket);
    let tag = hers.field("etag").unwrap_or("\"1\"").to_owned();
    for tag in [tag.as_str(), "*"] {
        let reply = ben
            .ask(target, "GET", &ticket)
            .field("if-none-match", tag)
            .send();
        tally.want_status(&[404], format!("Ben with if-none-match {tag}"), &reply);
    }
    let me = ada.get(target, "/v1/me");
    let reply = ben
        .ask(target, "GET", "/v1/me")
        .field("if-none-match", me.field("etag").unwrap_or("\"1\""))
        .send();
    // A tag names a version, so two people may have the same one; what Ben keeps under it is his own.
    tally.want(
        reply.status == 304 || reply.at("/id") == ben.id,
        "Ben's own page with Ada's tag",
        &reply,
    );
    tally.verdict()
}

fn log_injection(target: &Target) -> Verdict {
    let mut tally = Tally::new(
        "line breaks, escapes and 60 KB in what a log would hold: path, query, agent, id. Seen from outside only",
    );
    let forged = "%0d%0a{\"level\":\"ERROR\",\"message\":\"forged-line-2f9c\"}";
    for path in [
        format!("/{forged}"),
        format!("/v1/tickets?q={forged}"),
        "/%1b%5b2J%1b%5b31mforged-line-2f9c".to_owned(),
        "/v1/tickets/%e2%80%a8forged-line-2f9c".to_owned(),
    ] {
        let reply = target
            .get(&path)
            .field("user-agent", "forged-line-2f9c\u{1b}[2J\u{2028}")
            .send();
        tally.want_refusal(&path, &reply);
    }
    let reply = target
        .get("/livez")
        .field("user-agent", &"forged-line-2f9c ".repeat(3500))
        .send();
    tally.want_status(&[200, 431], "an agent of 60 KB", &reply);
    let reply = target
        .get("/livez")
        .field("x-request-id", "forged-line-2f9c\"}\t{")
        .send();
    tally.want(
        reply
            .field("x-request-id")
            .is_some_and(|id| !id.contains('"')),
        "a request id with quotes",
        &reply,
    );
    let reply = target
        .get("/livez")
        .field("traceparent", "00-forged-line-2f9c-01")
        .send();
    tally.want_status(&[200], "a trace that is none", &reply);
    tally.verdict()
}

fn leakage(target: &Target) -> Verdict {
    let mut tally = Tally::new(
        "one error of each kind: a problem with its status and id, and no word of the inside",
    );
    let token = target
        .people
        .ada
        .as_ref()
        .map(|ada| ada.token.as_str())
        .unwrap_or_default();
    let errors = [
        target.get("/v1/nothing"),
        target.get("/v1/tickets"),
        target.get("/v1/tickets/x").bearer(token),
        target.get("/v1/tickets?limit=x").bearer(token),
        target.get("/v1/tickets?cursor=x").bearer(token),
        target.get("/v1/tickets?q=%ff").bearer(token),
        target.ask("PUT", "/v1/tickets").bearer(token),
        target.ask("TRACE", "/v1/tickets"),
        target.ask("BREW", "/v1/tickets"),
        target.ask("POST", "/v1/auth/login"),
        target
            .ask("POST", "/v1/auth/login")
            .bytes("text/plain", b"x".to_vec()),
        target
            .ask("POST", "/v1/auth/login")
            .bytes("application/json", b"{".to_vec()),
        target
            .ask("POST", "/v1/auth/login")
            .bytes("application/json", vec![b' '; 3 << 20]),
        target
            .ask("PATCH", "/v1/me")
            .bearer(token)
            .bytes("application/merge-patch+json", b"{}".to_vec()),
        target.get(&format!("/{}", "a".repeat(9000))),
    ];
    for ask in errors {
        let reply = ask.send();
        let problem = reply.json();
        let told = reply
            .field("content-type")
            .is_some_and(|kind| kind.starts_with("application/problem+json"))
            && problem["status"] == reply.status
            && ["type", "title", "code", "request_id"]
                .iter()
                .all(|member| problem[member].is_string());
        tally.want(told && reply.is_refusal(), "an error", &reply);
        let server = reply.field("server").unwrap_or_default();
        let names = reply.field("x-powered-by").is_some()
            || server.contains('/')
            || server.bytes().any(|b| b.is_ascii_digit());
        tally.hold(!names, format!("the server names itself: {server:?}"));
    }
    let trace = target
        .ask("TRACE", "/livez")
        .field("x-secret", "canary-2f9c")
        .send();
    tally.want(
        !trace.text().contains("canary-2f9c") && trace.is_refusal(),
        "TRACE",
        &trace,
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
        let reply = target.get(path).send();
        let away = reply.field("location").is_some_and(|place| {
            !place.starts_with('/') || place.starts_with("//") || place.starts_with("/\\")
        });
        tally.want(!away && reply.status != 0, path, &reply);
    }
    tally.verdict()
}

fn hosts(target: &Target) -> Verdict {
    let mut tally =
        Tally::new("other hosts in `Host`, in an absolute target, and in a list with links");
    let token = target
        .people
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
            let reply = target.get(path).field("host", host).bearer(token).send();
            let told = reply.text().contains("evil.example")
                || reply
                    .fields
                    .iter()
                    .any(|(_, value)| value.contains("evil.example"));
            let good = matches!(reply.status, 400 | 421)
                || (reply.status < 500
                    && !told
                    && host.starts_with(|first: char| first.is_ascii_alphanumeric()));
            tally.want(good, format!("{path} at {host:?}"), &reply);
        }
    }
    let reply = target
        .get(&format!("http://{EVIL}/v1/tickets?limit=1"))
        .bearer(token)
        .send();
    tally.want(
        !reply.text().contains(EVIL) && reply.status != 0,
        "an absolute target",
        &reply,
    );
    tally.verdict()
}

fn debug_pages(target: &Target) -> Verdict {
    const PATHS: [&str; 40] = [
        "/metrics",
        "/console",
        "/debug",
        "/debug/pprof/",
        "/actuator",
        "/actuator/env",
        "/admin",
        "/server-status",
        "/status",
        "/health",
        "/healthz",
        "/info",
        "/env",
        "/.env",
        "/.git/config",
        "/.git/HEAD",
        "/.svn/entries",
        "/.DS_Store",
        "/.well-known/security.txt~",
        "/config",
        "/config/base.toml",
        "/config.json",
        "/data/helpdesk.db",
        "/data/dev.key",
        "/helpdesk.db",
        "/backup.sql",
        "/dump.sql",
        "/swagger.json",
        "/swagger-ui.html",
        "/graphql",
        "/graphiql",
        "/phpinfo.php",
        "/wp-login.php",
        "/cgi-bin/",
        "/trace",
        "/heapdump",
        "/Cargo.toml",
        "/src/main.rs",
        "/v1",
        "/test",
    ];
    let mut tally = Tally::new(format!(
        "{} paths where such things are left lying about",
        PATHS.len()
    ));
    for path in PATHS {
        tally.want_status(&[404], path, &target.get(path).send());
    }
    let live = target.get("/livez").send();
    tally.want(
        !live.text().bytes().any(|b| b == b'.'),
        "the version in /livez",
        &live,
    );
    let ready = target.get("/readyz?verbose").send();
    let detail = ["database", "redis", "sqlite", "postgres"]
        .iter()
        .any(|word| ready.text().contains(word));
    tally.want(!detail, "detail in /readyz?verbose", &ready);
    let docs = target.get("/docs").send();
    tally.note(if docs.status == 200 {
        "/docs is public, as in development"
    } else {
        "/docs is not public"
    });
    tally.verdict()
}

fn sniffing(target: &Target) -> Verdict {
    let mut tally = Tally::new(
        "JSON, pages and errors with markup in them, and what a browser may take them for",
    );
    let token = target
        .people
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
        let reply = target
            .get(&path)
            .bearer(token)
            .field("accept", "text/html")
            .send();
        let headers = reply.field("x-content-type-options") == Some("nosniff")
            && reply
                .field("content-security-policy")
                .is_some_and(|policy| policy.contains("default-src 'none'"))
            && reply.field("cross-origin-resource-policy").is_some()
            && reply.field("referrer-policy").is_some();
        tally.want(headers, format!("header fields of {path}"), &reply);
        let kind = reply.field("content-type").unwrap_or_default();
        let html = kind.starts_with("text/html");
        let raw = reply.text().contains("<script>alert(1)");
        tally.hold(
            !(html && raw)
                && (html == (path.starts_with("/docs") || path.starts_with("/problems/"))
                    || reply.status == 404),
            format!("{path} is {kind}"),
        );
    }
    tally.verdict()
}
