//! A39, A40: bypassing a rate limit, and using it to lock out another user.

use toolkit::http::Response;

use crate::Attack;
use crate::accounts::{login, new_address};
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 2] = [
    Attack {
        id: "A40",
        run: lock_out,
    },
    Attack {
        id: "A39",
        run: bypass,
    },
];

/// More failed logins than any limit permits.
const MANY: usize = 300;

/// Sends wrong logins until one is rejected by the limit.
fn exhaust(target: &Target, email: &str) -> Option<Response> {
    for number in 0..MANY {
        let response = login(target, email, &format!("wrong {number}"))
            .at_once()
            .may_shed()
            .send();
        if response.status == 429 {
            return Some(response);
        }
    }
    None
}

/// Repeats a permitted attempt once: after the waiting time, one attempt is permitted anyway. The
/// next one shows whether the limit was bypassed.
fn retry_once(attempt: impl Fn() -> Response) -> Response {
    let response = attempt();
    if response.status == 401 {
        attempt()
    } else {
        response
    }
}

fn bypass(target: &Target) -> Verdict {
    let victim = new_address("limit");
    let mut tally = Tally::new(
        "a limit on logins is reached, then asked again as another client, under other spellings",
    );
    let Some(stopped) = exhaust(target, &victim) else {
        tally.check(false, format!("{MANY} wrong logins and never a 429"));
        return tally.verdict();
    };
    let wait = stopped
        .header("retry-after")
        .and_then(|seconds| seconds.parse::<u64>().ok());
    tally.expect(
        wait.is_some_and(|wait| wait > 0),
        "429 with a time to wait",
        &stopped,
    );
    let again = |name: &str, value: &str| {
        let ask = login(target, &victim, "wrong").at_once();
        if name.is_empty() {
            ask.send()
        } else {
            ask.header(name, value).send()
        }
    };
    tally.expect_status(&[429], "as before", &retry_once(|| again("", "")));
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("true-client-ip", "203.0.113.7"),
        ("cf-connecting-ip", "203.0.113.7"),
        ("x-client-ip", "203.0.113.7"),
        ("x-originating-ip", "127.0.0.1"),
        ("via", "1.1 a"),
        ("user-agent", "another"),
        ("origin", "http://other.test"),
        ("x-request-id", "another"),
        ("cookie", "a=b"),
        ("accept", "*/*"),
    ] {
        let response = retry_once(|| again(name, value));
        tally.expect_status(&[429, 400], format!("{name}: {value}"), &response);
    }
    for path in [
        "/v1/auth/login/",
        "/v1/auth/login?x=1",
        "//v1/auth/login",
        "/V1/auth/login",
        "/v1/auth/%6cogin",
        "/v1/auth/login;x",
        "/v1/auth/./login",
    ] {
        let response = target
            .post(
                path,
                &serde_json::json!({"email": victim, "password": "wrong"}),
            )
            .at_once()
            .send();
        tally.expect(
            matches!(response.status, 400 | 404 | 422 | 429),
            path,
            &response,
        );
    }
    for email in [
        victim.to_uppercase(),
        format!(" {victim}"),
        victim.replace('@', "%40"),
    ] {
        let response = retry_once(|| login(target, &email, "wrong").at_once().send());
        tally.expect(
            matches!(response.status, 422 | 429),
            format!("spelled {email:?}"),
            &response,
        );
    }
    for method in ["GET", "HEAD", "PUT"] {
        tally.expect(
            matches!(
                target
                    .request(method, "/v1/auth/login")
                    .at_once()
                    .send()
                    .status,
                405 | 429
            ),
            method,
            &stopped,
        );
    }
    tally.verdict()
}

fn lock_out(target: &Target) -> Verdict {
    let Some(victim) = &target.accounts.owner else {
        return Verdict::not_applicable(
            "registration is closed: only real accounts could be locked",
        );
    };
    let mut tally = Tally::new(
        "an attacker spends the limits of an address and of anonymous calls, while its owner works",
    );
    let stopped = exhaust(target, &victim.email);
    tally.note(if stopped.is_some() {
        "guessing was stopped"
    } else {
        "guessing was never stopped"
    });
    for _ in 0..100 {
        target.get("/v1/me").at_once().send();
        target.get("/v1/me").bearer("x.y.z").at_once().send();
    }
    let response = victim.request(target, "GET", "/v1/me").at_once().send();
    tally.expect_status(&[200], "the owner, logged in", &response);
    let response = victim
        .request(target, "GET", "/v1/tickets")
        .at_once()
        .send();
    tally.expect_status(&[200], "the owner's tickets", &response);
    tally.verdict()
}
