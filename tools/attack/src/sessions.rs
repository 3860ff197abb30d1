//! A3, A5: stolen refresh tokens, and cookies that an attacker has set.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use toolkit::http::{Connection, Response};
use toolkit::process::pause;

use crate::Attack;
use crate::accounts::{Account, login};
use crate::races::crowd;
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 2] = [
    Attack {
        id: "A3",
        run: theft,
    },
    Attack {
        id: "A5",
        run: fixation,
    },
];

fn refresh(target: &Target, token: &str) -> Response {
    target
        .post("/v1/auth/refresh", &json!({"refresh_token": token}))
        .may_shed()
        .send()
}

fn theft(target: &Target) -> Verdict {
    if !target.offers("POST", "/v1/auth/refresh") {
        return Verdict::not_applicable("there are no refresh tokens");
    }
    let Some(owner) = Account::register(target, "family").filter(|owner| !owner.refresh.is_empty())
    else {
        return Verdict::not_applicable(
            "registration is closed, and the sessions of other users are not ended here",
        );
    };
    let mut tally = Tally::new(
        "one refresh token by 50 at once, again after a lost answer, and by a thief after the owner",
    );
    // Concurrent: one successor, and no reuse is detected.
    let responses = crowd(|_| refresh(target, &owner.refresh));
    let mut next: Vec<String> = responses
        .iter()
        .map(|response| response.at("/refresh_token"))
        .filter(|token| !token.is_empty())
        .collect();
    for response in &responses {
        tally.expect_status(&[200, 503], "50 at once", response);
    }
    next.sort_unstable();
    next.dedup();
    tally.check(
        next.len() == 1,
        format!("{} successors of one token", next.len()),
    );
    let Some(second) = next.pop() else {
        return tally.verdict();
    };
    // The response is lost, because the socket is closed after the request. The same token returns
    // the same successor again.
    if let Ok(mut connection) = Connection::open(target.address) {
        let _ = connection.send(
            &target
                .post("/v1/auth/refresh", &json!({"refresh_token": second}))
                .to_bytes(),
        );
    }
    let third = refresh(target, &second);
    tally.expect_status(&[200], "after a lost answer", &third);
    let third = third.at("/refresh_token");
    let again = refresh(target, &second);
    tally.expect(
        again.at("/refresh_token") == third,
        "again, within the grace",
        &again,
    );
    // A token of two generations ago cannot be a lost response: it was copied.
    let newest = refresh(target, &third);
    tally.expect_status(&[200], "the owner stays logged in", &newest);
    let (access, newest) = (newest.at("/access_token"), newest.at("/refresh_token"));
    tally.expect_status(
        &[200],
        "the owner's access token",
        &target.get("/v1/me").bearer(&access).send(),
    );
    tally.expect_status(
        &[400],
        "the thief with the grandparent",
        &refresh(target, &second),
    );
    tally.expect_status(
        &[400],
        "the newest token after the theft",
        &refresh(target, &newest),
    );
    let since = Instant::now();
    loop {
        let response = target.get("/v1/me").bearer(&access).send();
        if response.status == 401 || since.elapsed() > Duration::from_secs(5) {
            tally.expect_status(&[401], "the access token 5 s after the theft", &response);
            break;
        }
        pause();
    }
    for bent in [
        "",
        "x",
        "../../x",
        owner.token.as_str(),
        &newest[..newest.len() / 2],
        &format!("{newest}x"),
        &"y".repeat(5000),
    ] {
        let response = refresh(target, bent);
        tally.expect_status(
            &[400, 422],
            format!(
                "refresh with {:?}",
                bent.chars().take(12).collect::<String>()
            ),
            &response,
        );
    }
    tally.expect_status(
        &[401],
        "a refresh token at an API",
        &target.get("/v1/me").bearer(&newest).send(),
    );
    thief_and_owner_at_once(target, &mut tally);
    tally.verdict()
}

/// Two clients use the same token family in turns: the family is revoked, and both are logged out.
fn thief_and_owner_at_once(target: &Target, tally: &mut Tally) {
    let Some(owner) = Account::register(target, "turns").filter(|owner| !owner.refresh.is_empty())
    else {
        return;
    };
    let first = owner.refresh.as_str();
    let turns = |rounds: usize| {
        let mut token = first.to_owned();
        for _ in 0..rounds {
            let response = refresh(target, &token);
            if response.status != 200 {
                return false;
            }
            token = response.at("/refresh_token");
        }
        true
    };
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| turns(3));
        (turns(4), other.join().unwrap_or_default())
    });
    // One client started with a token that had been used long before, or both used the same tokens
    // in step.
    tally.note(format!(
        "in turns: {}",
        if one && other {
            "both in step"
        } else {
            "the family ended"
        }
    ));
    tally.expect_status(
        &[400],
        "the first token, after all",
        &refresh(target, first),
    );
}

fn fixation(target: &Target) -> Verdict {
    let Ok(ada) = target.accounts.one() else {
        return Verdict::not_applicable("no user is logged in");
    };
    let mut tally = Tally::new(
        "a login with cookies that another site has set, names twice, 200 cookies, broken ones",
    );
    let response = login(target, &ada.email, &ada.password)
        .header(
            "cookie",
            "__Host-session=fixed-2f9c; session=fixed-2f9c; sid=fixed-2f9c",
        )
        .send();
    tally.expect(
        matches!(response.status, 200 | 403),
        "login with a fixed cookie",
        &response,
    );
    let set: Vec<&str> = response
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, value)| value.as_str())
        .collect();
    for cookie in &set {
        let flags = cookie.to_lowercase();
        let good = flags.starts_with("__host-")
            && ["secure", "httponly", "samesite", "path=/"]
                .iter()
                .all(|flag| flags.contains(flag))
            && !flags.contains("domain=");
        tally.check(
            good && !cookie.contains("fixed-2f9c"),
            format!("a cookie without its attributes: {cookie}"),
        );
    }
    tally.note(if set.is_empty() {
        "no cookie is set at login".to_owned()
    } else {
        format!("{} cookies set", set.len())
    });
    for cookie in [
        "__Host-session=fixed-2f9c",
        "__Host-session=a; __Host-session=b",
        "session=fixed-2f9c",
        "=x",
        ";;;;",
        "a=\"b",
        "__Host-session=\u{1f}",
    ] {
        tally.expect_status(
            &[400, 401],
            cookie,
            &target.get("/v1/me").header("cookie", cookie).send(),
        );
    }
    let many: Vec<String> = (0..200).map(|n| format!("c{n}={n}")).collect();
    tally.expect_status(
        &[400, 401, 431],
        "200 cookies",
        &target
            .get("/v1/me")
            .header("cookie", &many.join("; "))
            .send(),
    );
    // A cookie has no effect if there is a bearer token.
    let response = ada
        .request(target, "GET", "/v1/me")
        .header("cookie", "__Host-session=fixed-2f9c")
        .send();
    tally.expect(
        response.status == 400 || response.at("/id") == ada.id,
        "a cookie together with a token",
        &response,
    );
    tally.verdict()
}
