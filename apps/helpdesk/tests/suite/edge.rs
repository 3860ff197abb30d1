//! The HTTP edge of the configured program: hosts, proxies, and contradictory settings.

use doyen_test::{Program, Running};

fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_LOG__FORMAT", "json")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
}

fn get(server: &Running, path: &str, fields: &str) -> String {
    server.exchange(&format!(
        "GET {path} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n"
    ))
}

/// The line of the log for this request.
fn line(server: &Running, id: &str) -> serde_json::Value {
    let found = server.wait_for(|| {
        let output = server.output();
        let line = output
            .lines()
            .find(|line| line.contains("\"access\"") && line.contains(id))?;
        serde_json::from_str(line).ok()
    });
    found.unwrap_or_else(|| panic!("no line has {id}:\n{}", server.output()))
}

#[test]
fn it_serves_its_hosts_and_refuses_others() {
    let server = program()
        .env("APP_SERVER__HOSTS", "api.example.com,*.helpdesk.test")
        .start();
    for host in ["api.example.com", "API.example.com:443", "eu.helpdesk.test"] {
        let answer = get(&server, "/openapi.json", &format!("Host: {host}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
        // The host is not used for an address.
        assert!(
            !answer.to_lowercase().contains(&host.to_lowercase()),
            "{host}"
        );
    }
    for host in ["evil.test", "helpdesk.test", "127.0.0.1", "localhost"] {
        let fields = format!("Host: {host}\r\nX-Forwarded-Host: api.example.com\r\n");
        for path in ["/openapi.json", "/v1/tickets", "/nothing"] {
            let answer = get(&server, path, &fields);
            assert!(
                answer.starts_with("HTTP/1.1 421"),
                "{host} {path}: {answer}"
            );
            assert!(answer.contains("misdirected_request"), "{answer}");
        }
        for probe in ["/livez", "/readyz"] {
            assert!(
                get(&server, probe, &fields).starts_with("HTTP/1.1 200"),
                "{host} {probe}"
            );
        }
    }
    // The problem page is served for the right host.
    let page = get(
        &server,
        "/problems/misdirected_request",
        "Host: api.example.com\r\n",
    );
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
}

#[test]
fn only_a_trusted_proxy_says_who_the_client_is() {
    let claims = "Host: a\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 198.51.100.1\r\n\
                  Forwarded: for=203.0.113.8\r\nX-Real-IP: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n";
    for (proxies, field, client, secure) in [
        ("", "x-forwarded-for", "127.0.0.1", false),
        ("10.0.0.0/8", "x-forwarded-for", "127.0.0.1", false),
        ("127.0.0.0/8", "x-forwarded-for", "198.51.100.1", true),
        (
            "127.0.0.1,198.51.100.0/24",
            "x-forwarded-for",
            "203.0.113.7",
            true,
        ),
        ("127.0.0.1", "forwarded", "203.0.113.8", false),
    ] {
        let server = program()
            .env("APP_SERVER__TRUSTED_PROXIES", proxies)
            .env("APP_SERVER__FORWARDED_FIELD", field)
            .start();
        let answer = get(
            &server,
            "/openapi.json",
            &format!("{claims}X-Request-Id: who-is-it\r\n"),
        );
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let hsts = answer
            .to_lowercase()
            .contains("strict-transport-security: max-age=31536000");
        assert_eq!(hsts, secure, "{proxies} {field}");
        assert_eq!(
            line(&server, "who-is-it")["client"],
            client,
            "{proxies} {field}"
        );
    }
}

/// The memory limit for clients grows with the largest body, unless it is set.
#[test]
fn a_large_body_limit_needs_no_other_setting() {
    let server = program().env("APP_SERVER__BODY_LIMIT", "100 MiB").start();
    let response = get(&server, "/livez", "Host: a\r\n");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

#[test]
fn trusting_every_address_fails_the_start() {
    for (name, value, words) in [
        (
            "TRUSTED_PROXIES",
            "0.0.0.0/0",
            &["server.trusted_proxies", "every address"][..],
        ),
        (
            "TRUSTED_PROXIES",
            "::/0",
            &["server.trusted_proxies", "every address"],
        ),
        (
            "TRUSTED_PROXIES",
            "10.0.0.1,0.0.0.0/1,128.0.0.0/1",
            &["server.trusted_proxies", "every address"],
        ),
        (
            "TRUSTED_PROXIES",
            "*",
            &["APP_SERVER__TRUSTED_PROXIES", "10.0.0.0/8"],
        ),
        (
            "TRUSTED_PROXIES",
            "balancer.internal",
            &["APP_SERVER__TRUSTED_PROXIES", "10.0.0.0/8"],
        ),
        (
            "TRUSTED_PROXIES",
            "10.0.0.1/8",
            &["APP_SERVER__TRUSTED_PROXIES", "`10.0.0.0/8`"],
        ),
        (
            "BUFFER_LIMIT",
            "3 MiB",
            &["server.buffer_limit", "at least four times"],
        ),
        ("HOSTS", "*", &["APP_SERVER__HOSTS", "leave the list empty"]),
        ("HOSTS", "*.com", &["APP_SERVER__HOSTS", "`*.example.com`"]),
        (
            "HOSTS",
            "https://api.example.com",
            &["APP_SERVER__HOSTS", "without scheme"],
        ),
        (
            "FORWARDED_FIELD",
            "x-real-ip",
            &["APP_SERVER__FORWARDED_FIELD", "`forwarded`"],
        ),
        (
            "MAX_CONCURRENT_REQUESTS",
            "0",
            &["APP_SERVER__MAX_CONCURRENT_REQUESTS"],
        ),
        (
            "MAX_CONNECTIONS_PER_CLIENT",
            "0",
            &["APP_SERVER__MAX_CONNECTIONS_PER_CLIENT"],
        ),
    ] {
        let ended = program().env(&format!("APP_SERVER__{name}"), value).run();
        assert_eq!(ended.code, Some(1), "{name}={value}: {ended:?}");
        for word in words {
            assert!(
                ended.stderr.contains(word),
                "{word} is not in:\n{}",
                ended.stderr
            );
        }
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
}
