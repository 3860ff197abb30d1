//! A3, A5: refresh tokens in two hands, cookies that somebody else has set.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Attack;
use super::people::{Person, login};
use super::races::crowd;
use super::target::Target;
use super::verdict::{Tally, Verdict};
use super::wire::{Reply, Wire};
use crate::process::pause;

pub(super) const ATTACKS: [Attack; 2] = [
    Attack {
        id: "A3",
        run: theft,
    },
    Attack {
        id: "A5",
        run: fixation,
    },
];

fn refresh(target: &Target, token: &str) -> Reply {
    target
        .post("/v1/auth/refresh", &json!({"refresh_token": token}))
        .may_shed()
        .send()
}

fn theft(target: &Target) -> Verdict {
    if !target.offers("POST", "/v1/auth/refresh") {
        return Verdict::not_applicable("there are no refresh tokens");
    }
    let Some(owner) = Person::register(target, "family").filter(|owner| !owner.refresh.is_empty())
    else {
        return Verdict::not_applicable(
            "registration is closed, and no session of somebody else's is ended here",
        );
    };
    let mut tally = Tally::new(
        "one refresh token by 50 at once, again after a lost answer, and by a thief after the owner",
    );
    // At once: one successor, and nobody is taken for a thief.
    let replies = crowd(|_| refresh(target, &owner.refresh));
    let mut next: Vec<String> = replies
        .iter()
        .map(|reply| reply.at("/refresh_token"))
        .filter(|token| !token.is_empty())
        .collect();
    for reply in &replies {
        tally.want_status(&[200, 503], "50 at once", reply);
    }
    next.sort_unstable();
    next.dedup();
    tally.hold(
        next.len() == 1,
        format!("{} successors of one token", next.len()),
    );
    let Some(second) = next.pop() else {
        return tally.verdict();
    };
    // The answer is lost: the socket is cut as soon as the request is sent. The same token again gives the same successor.
    if let Ok(mut wire) = Wire::open(target.address) {
        let _ = wire.send(
            &target
                .post("/v1/auth/refresh", &json!({"refresh_token": second}))
                .to_bytes(),
        );
    }
    let third = refresh(target, &second);
    tally.want_status(&[200], "after a lost answer", &third);
    let third = third.at("/refresh_token");
    let again = refresh(target, &second);
    tally.want(
        again.at("/refresh_token") == third,
        "again, within the grace",
        &again,
    );
    // The grandparent is never a lost answer: somebody has copied it.
    let newest = refresh(target, &third);
    tally.want_status(&[200], "the owner goes on", &newest);
    let (access, newest) = (newest.at("/access_token"), newest.at("/refresh_token"));
    tally.want_status(
        &[200],
        "the owner's access token",
        &target.get("/v1/me").bearer(&access).send(),
    );
    tally.want_status(
        &[400],
        "the thief with the grandparent",
        &refresh(target, &second),
    );
    tally.want_status(
        &[400],
        "the newest token after the theft",
        &refresh(target, &newest),
    );
    let since = Instant::now();
    loop {
        let reply = target.get("/v1/me").bearer(&access).send();
        if reply.status == 401 || since.elapsed() > Duration::from_secs(5) {
            tally.want_status(&[401], "the access token 5 s after the theft", &reply);
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
        let reply = refresh(target, bent);
        tally.want_status(
            &[400, 422],
            format!(
                "refresh with {:?}",
                bent.chars().take(12).collect::<String>()
            ),
            &reply,
        );
    }
    tally.want_status(
        &[401],
        "a refresh token at an API",
        &target.get("/v1/me").bearer(&newest).send(),
    );
    thief_and_owner_at_once(target, &mut tally);
    tally.verdict()
}

/// Two hands, the same family, in turns: it ends, and both are out.
fn thief_and_owner_at_once(target: &Target, tally: &mut Tally) {
    let Some(owner) = Person::register(target, "turns").filter(|owner| !owner.refresh.is_empty())
    else {
        return;
    };
    let first = owner.refresh.as_str();
    let turns = |rounds: usize| {
        let mut token = first.to_owned();
        for _ in 0..rounds {
            let reply = refresh(target, &token);
            if reply.status != 200 {
                return false;
            }
            token = reply.at("/refresh_token");
        }
        true
    };
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| turns(3));
        (turns(4), other.join().unwrap_or_default())
    });
    // One of them began with a token that was used long ago by then, or both walked the same family in step.
    tally.note(format!(
        "in turns: {}",
        if one && other {
            "both in step"
        } else {
            "the family ended"
        }
    ));
    tally.want_status(
        &[400],
        "the first token, after all",
        &refresh(target, first),
    );
}

fn fixation(target: &Target) -> Verdict {
    let Ok(ada) = target.people.one() else {
        return Verdict::not_applicable("nobody is logged in");
    };
    let mut tally = Tally::new(
        "a login with cookies that somebody else has set, names twice, 200 cookies, broken ones",
    );
    let reply = login(target, &ada.email, &ada.password)
        .field(
            "cookie",
            "__Host-session=fixed-2f9c; session=fixed-2f9c; sid=fixed-2f9c",
        )
        .send();
    tally.want(
        matches!(reply.status, 200 | 403),
        "login with a fixed cookie",
        &reply,
    );
    let set: Vec<&str> = reply
        .fields
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
        tally.hold(
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
        tally.want_status(
            &[400, 401],
            cookie,
            &target.get("/v1/me").field("cookie", cookie).send(),
        );
    }
    let many: Vec<String> = (0..200).map(|n| format!("c{n}={n}")).collect();
    tally.want_status(
        &[400, 401, 431],
        "200 cookies",
        &target
            .get("/v1/me")
            .field("cookie", &many.join("; "))
            .send(),
    );
    // Beside a bearer token a cookie decides nothing.
    let reply = ada
        .ask(target, "GET", "/v1/me")
        .field("cookie", "__Host-session=fixed-2f9c")
        .send();
    tally.want(
        reply.status == 400 || reply.at("/id") == ada.id,
        "a cookie beside a token",
        &reply,
    );
    tally.verdict()
}
