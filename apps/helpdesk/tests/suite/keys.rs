//! The signing keys of the program: changed from the command line while it serves; and no token in
//! its output.

use doyen_test::{Ended, Program, Running};

const KEY: &str = "UIY0iSlVTkKC1xWzyNJiLg4YLSjQTPpXQcHdLWjY1ms";

/// A folder for a database that several programs share.
struct Place(std::path::PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("helpdesk-keys-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{error}"));
        Self(folder)
    }

    fn program(&self) -> Program {
        let url = format!("sqlite://{}/keys.db", self.0.display());
        Program::new(env!("CARGO_BIN_EXE_helpdesk"))
            .env("APP_ENV", "test")
            .env("APP_SERVER__BIND", "127.0.0.1:0")
            .env("APP_ADMIN__BIND", "127.0.0.1:0")
            .env("DATABASE_URL", &url)
    }

    fn with_key(&self, key: &str) -> Program {
        self.program().env("APP_AUTH__SIGNING_KEY", key)
    }

    fn keys(&self, words: &[&str]) -> Ended {
        let program = self.with_key(KEY).arg("keys");
        words
            .iter()
            .fold(program, |program, word| program.arg(word))
            .run()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn send(server: &Running, method: &str, target: &str, token: &str, body: &str) -> String {
    let length = body.len();
    server.exchange(&format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

/// Registers a user and logs in.
fn token(server: &Running) -> String {
    let person = r#"{"email": "ada@example.com", "password": "correct horse battery staple""#;
    let new = format!("{person}, \"name\": \"Ada\"}}");
    send(server, "POST", "/v1/auth/register", "", &new);
    let answer = send(server, "POST", "/v1/auth/login", "", &format!("{person}}}"));
    let (_, rest) = answer
        .split_once("\"access_token\":\"")
        .unwrap_or_else(|| panic!("{answer}"));
    rest.split('"').next().unwrap().to_owned()
}

fn status(server: &Running, token: &str) -> String {
    let answer = send(server, "GET", "/v1/me", token, "");
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[track_caller]
fn done(ended: Ended) -> String {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains(KEY) && !ended.stderr.contains(KEY));
    ended.stdout
}

#[track_caller]
fn refused(ended: Ended, words: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

/// T16 from the command line.
#[test]
fn t16_keys_are_rotated_from_the_command_line_while_it_serves() {
    let place = Place::new("rotate");
    refused(place.keys(&["list"]), &["doyen_signing_keys", "migrate up"]);
    let server = place.with_key(KEY).start();
    let old = token(&server);
    assert_eq!(status(&server, &old), "200");

    let list = done(place.keys(&["list"]));
    for word in ["KID", "current", "next", "Ed25519"] {
        assert!(list.contains(word), "{list}");
    }
    refused(place.keys(&["rotate"]), &["key 2", "--force"]);
    let text = done(place.keys(&["rotate", "--force"]));
    assert!(
        text.contains("key 2 signs now") && text.contains("key 3"),
        "{text}"
    );
    let list = done(place.keys(&["list"]));
    assert!(list.contains("retired"), "{list}");

    // The server reads the change by itself: it signs with another key, and still accepts its
    // earlier tokens.
    let kid = |token: &str| token.split('.').next().unwrap().to_owned();
    let new = server.wait_for(|| {
        assert_eq!(status(&server, &old), "200");
        let new = token(&server);
        (kid(&new) != kid(&old)).then_some(new)
    });
    let new = new.unwrap_or_else(|| panic!("it still signs with the old key\n{}", server.output()));
    assert_eq!(status(&server, &new), "200");

    refused(place.keys(&["drop", "2"]), &["key 2", "rotate"]);
    done(place.keys(&["drop", "1"]));
    let gone = server.wait_for(|| (status(&server, &old) == "401").then_some(()));
    assert!(gone.is_some(), "the dropped key is still accepted");
    assert_eq!(status(&server, &new), "200");
    assert!(server.terminate().success());
}

#[test]
fn another_seed_is_refused_until_the_keys_are_reset() {
    let place = Place::new("reset");
    let other = "Xq0z7Rr3cZkS5hXc0u1mE8tYbJ2vN6wLpQ9aFdGiKoM";
    assert!(place.with_key(KEY).start().terminate_when_ready());
    refused(
        place.with_key(other).run(),
        &["`auth.signing_key`", "keys reset"],
    );
    let reset = place.with_key(other).arg("keys").arg("reset").run();
    assert_eq!(reset.code, Some(0), "{reset:?}");
    assert!(place.with_key(other).start().terminate_when_ready());
    refused(place.with_key(KEY).run(), &["`auth.signing_key`"]);
}

trait Ready {
    fn terminate_when_ready(self) -> bool;
}

impl Ready for Running {
    fn terminate_when_ready(self) -> bool {
        self.address();
        self.terminate().success()
    }
}

/// T11: a key that is not random.
#[test]
fn t11_a_weak_signing_key_is_refused_and_not_repeated() {
    let place = Place::new("weak");
    for weak in [
        "secret",
        "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U",
        "the-quick-brown-fox-jumps-over-the-lazy-dog",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNQ",
    ] {
        let ended = place.with_key(weak).run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("`auth.signing_key`"), "{ended:?}");
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!all.contains(weak), "{all}");
    }
}

/// T13: with the most verbose log, a token in the URL or in the header is in no line.
#[test]
fn t13_no_token_is_in_any_line() {
    let place = Place::new("lines");
    let server = place.with_key(KEY).env("APP_LOG__FILTER", "trace").start();
    let good = token(&server);
    let signature = good.rsplit_once('.').map_or("", |(_, signature)| signature);
    assert_eq!(status(&server, &good), "200");
    for (target, token, status) in [
        (format!("/v1/me?access_token={good}"), "", "401"),
        (format!("/v1/me?access_token={good}"), &*good, "422"),
        (format!("/v1/nowhere?access_token={good}"), "", "404"),
        ("/v1/me".to_owned(), &format!("{good}x"), "401"),
    ] {
        let request = send(&server, "GET", &target, token, "");
        let got = request.split(' ').nth(1).unwrap();
        assert_eq!(got, status, "{target}: {request}");
        assert!(!request.contains(signature), "{request}");
    }
    let output = server.output();
    let admin = output.split("Admin http://").nth(1).unwrap();
    let admin = admin.split('/').next().unwrap().parse();
    let admin = admin.unwrap_or_else(|error| panic!("{error}\n{output}"));
    let metrics = server
        .try_exchange(
            admin,
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )
        .unwrap();
    assert!(metrics.contains("/v1/me"), "{metrics}");
    assert!(!metrics.contains(signature) && !metrics.contains("access_token"));
    // The last lines are written by another thread: the end of the program waits for it.
    let lines = server.output_at_end();
    assert!(lines.contains("/v1/me"), "{lines}");
    for line in lines.lines() {
        assert!(!line.contains(signature), "{line}");
        assert!(!line.contains("access_token"), "{line}");
    }
}

trait AtEnd {
    fn output_at_end(self) -> String;
}

impl AtEnd for Running {
    fn output_at_end(mut self) -> String {
        self.ask_to_stop();
        assert!(self.wait().success());
        self.wait_for(|| {
            let output = self.output();
            output.contains("stopped").then_some(output)
        })
        .unwrap_or_else(|| panic!("it does not say that it ended\n{}", self.output()))
    }
}
