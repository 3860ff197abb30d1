//! A36, A38, A47: information in errors, in logs and in forgotten files.

use crate::Attack;
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 3] = [
    Attack {
        id: "A36",
        run: log_injection,
    },
    Attack {
        id: "A38",
        run: leakage,
    },
    Attack {
        id: "A47",
        run: debug_pages,
    },
];

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
        let response = target
            .get(&path)
            .header("user-agent", "forged-line-2f9c\u{1b}[2J\u{2028}")
            .send();
        tally.expect_refusal(&path, &response);
    }
    let response = target
        .get("/livez")
        .header("user-agent", &"forged-line-2f9c ".repeat(3500))
        .send();
    tally.expect_status(&[200, 431], "an agent of 60 KB", &response);
    let response = target
        .get("/livez")
        .header("x-request-id", "forged-line-2f9c\"}\t{")
        .send();
    tally.expect(
        response
            .header("x-request-id")
            .is_some_and(|id| !id.contains('"')),
        "a request id with quotes",
        &response,
    );
    let response = target
        .get("/livez")
        .header("traceparent", "00-forged-line-2f9c-01")
        .send();
    tally.expect_status(&[200], "a trace that is none", &response);
    tally.verdict()
}

fn leakage(target: &Target) -> Verdict {
    let mut tally = Tally::new(
        "one error of each kind: a problem with its status and id, and no word of the inside",
    );
    let token = target
        .accounts
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
        target.request("PUT", "/v1/tickets").bearer(token),
        target.request("TRACE", "/v1/tickets"),
        target.request("BREW", "/v1/tickets"),
        target.request("POST", "/v1/auth/login"),
        target
            .request("POST", "/v1/auth/login")
            .bytes("text/plain", b"x".to_vec()),
        target
            .request("POST", "/v1/auth/login")
            .bytes("application/json", b"{".to_vec()),
        target
            .request("POST", "/v1/auth/login")
            .bytes("application/json", vec![b' '; 3 << 20]),
        target
            .request("PATCH", "/v1/me")
            .bearer(token)
            .bytes("application/merge-patch+json", b"{}".to_vec()),
        target.get(&format!("/{}", "a".repeat(9000))),
    ];
    for ask in errors {
        let response = ask.send();
        let problem = response.json();
        let received = response
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/problem+json"))
            && problem["status"] == response.status
            && ["type", "title", "code", "request_id"]
                .iter()
                .all(|member| problem[member].is_string());
        tally.expect(received && response.is_refusal(), "an error", &response);
        let server = response.header("server").unwrap_or_default();
        let names = response.header("x-powered-by").is_some()
            || server.contains('/')
            || server.bytes().any(|b| b.is_ascii_digit());
        tally.check(!names, format!("the server names itself: {server:?}"));
    }
    let trace = target
        .request("TRACE", "/livez")
        .header("x-secret", "canary-2f9c")
        .send();
    tally.expect(
        !trace.text().contains("canary-2f9c") && trace.is_refusal(),
        "TRACE",
        &trace,
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
        tally.expect_status(&[404], path, &target.get(path).send());
    }
    let live = target.get("/livez").send();
    tally.expect(
        !live.text().bytes().any(|b| b == b'.'),
        "the version in /livez",
        &live,
    );
    let ready = target.get("/readyz?verbose").send();
    let detail = ["database", "redis", "sqlite", "postgres"]
        .iter()
        .any(|word| ready.text().contains(word));
    tally.expect(!detail, "detail in /readyz?verbose", &ready);
    let docs = target.get("/docs").send();
    tally.note(if docs.status == 200 {
        "/docs is public, as in development"
    } else {
        "/docs is not public"
    });
    tally.verdict()
}
