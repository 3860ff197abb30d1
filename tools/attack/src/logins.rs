//! A6 to A9: guessing accounts, passwords and keys.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use toolkit::http::Response;

use crate::Attack;
use crate::accounts::{PASSWORD, login, new_address};
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 4] = [
    Attack {
        id: "A7",
        run: enumeration,
    },
    Attack {
        id: "A9",
        run: keys,
    },
    Attack {
        id: "A8",
        run: timing,
    },
    Attack {
        id: "A6",
        run: stuffing,
    },
];

/// Returns the parts of a response that must not depend on the account: all but the request id.
fn comparable(response: &Response) -> (u16, String, BTreeSet<String>) {
    let mut body = response.json();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    let names = response.headers.iter().map(|(name, _)| name.to_lowercase());
    // The remaining number of requests is counted per address.
    (
        response.status,
        body.to_string(),
        names
            .filter(|name| !name.starts_with("ratelimit") && name != "retry-after")
            .collect(),
    )
}

fn enumeration(target: &Target) -> Verdict {
    let Ok(ada) = target.accounts.one() else {
        return Verdict::not_applicable("no user is logged in");
    };
    let mut tally = Tally::new(
        "wrong passwords, resets and registrations, for an address that is known and one that is not",
    );
    for password in ["wrong", "x", &"y".repeat(128)] {
        let known = login(target, &ada.email, password).send();
        let unknown = login(target, &new_address("unknown"), password).send();
        tally.expect_status(&[401], "login, known", &known);
        tally.expect_status(&[401], "login, unknown", &unknown);
        tally.check(
            comparable(&known) == comparable(&unknown),
            format!(
                "logins are distinguishable: {} / {}",
                known.summary(),
                unknown.summary()
            ),
        );
    }
    for path in ["/v1/auth/forgot-password", "/v1/auth/verify-email/resend"] {
        let body = |email: &str| json!({"email": email});
        let unknown = target.post(path, &body(&new_address("unknown"))).send();
        if matches!(unknown.status, 404 | 405 | 422) {
            continue;
        }
        let known = target.post(path, &body(&ada.email)).send();
        tally.expect(
            comparable(&known) == comparable(&unknown),
            format!("{path} tells them apart: {} /", unknown.summary()),
            &known,
        );
    }
    let new = |email: &str| {
        target
            .post(
                "/v1/auth/register",
                &json!({"email": email, "password": PASSWORD, "name": "n"}),
            )
            .send()
    };
    let (known, unknown) = (new(&ada.email), new(&new_address("new")));
    if unknown.status == 201 && known.status == 409 {
        tally.note("registration without mail tells that an address is taken, as documented");
    } else {
        tally.expect(
            comparable(&known) == comparable(&unknown),
            format!("registration tells them apart: {} /", unknown.summary()),
            &known,
        );
    }
    tally.verdict()
}

fn keys(target: &Target) -> Verdict {
    let mut tally =
        Tally::new("API keys and refresh tokens that are near one, or nothing like one");
    let ada = target.accounts.ada.as_ref();
    let made = ada.map(|ada| {
        let new = json!({"name": "attack", "scopes": ["tickets:read"]});
        ada.request(target, "POST", "/v1/me/api-keys")
            .json(&new)
            .send()
    });
    let key = made
        .as_ref()
        .map(|made| made.at("/key"))
        .filter(|key| !key.is_empty());
    let near = key
        .clone()
        .unwrap_or_else(|| "dk_0000000000000000000000000000000000000000".into());
    let mut wrong: Vec<String> = vec![
        String::new(),
        "x".into(),
        "dk_".into(),
        near.clone() + "x",
        near.to_uppercase(),
        "0".repeat(5000),
        "' OR 1=1--".into(),
        "%00".into(),
    ];
    for place in (0..near.len()).step_by(5) {
        let letter = if near.as_bytes()[place] == b'a' {
            "b"
        } else {
            "a"
        };
        let mut bent = near.clone();
        bent.replace_range(place..=place, letter);
        wrong.push(bent);
    }
    wrong.push(near[..near.len() - 1].to_owned());
    for bent in wrong.iter().filter(|bent| Some(*bent) != key.as_ref()) {
        let response = target.get("/v1/tickets").header("x-api-key", bent).send();
        tally.expect_status(
            &[401, 400],
            format!("key {:?}", bent.chars().take(16).collect::<String>()),
            &response,
        );
    }
    match &key {
        None => tally.note("no API key could be made here"),
        Some(key) => {
            let with =
                |method: &str, path: &str| target.request(method, path).header("x-api-key", key);
            tally.expect_status(&[200], "the real key", &with("GET", "/v1/tickets").send());
            tally.expect_status(
                &[401],
                "in the URL",
                &target.get(&format!("/v1/tickets?api_key={key}")).send(),
            );
            tally.expect_status(
                &[403],
                "beyond its scopes",
                &with("POST", "/v1/tickets")
                    .json(&json!({"subject": "s", "body": "b"}))
                    .send(),
            );
            let more = json!({"name": "more", "scopes": ["tickets:write"]});
            tally.expect_refusal(
                "a key makes a key",
                &with("POST", "/v1/me/api-keys").json(&more).send(),
            );
        }
    }
    if let Some(ada) = ada.filter(|_| key.is_some()) {
        let more = json!({"name": "admin", "scopes": ["users:write"]});
        tally.expect_refusal(
            "a key beyond its owner",
            &ada.request(target, "POST", "/v1/me/api-keys")
                .json(&more)
                .send(),
        );
    }
    tally.verdict()
}

/// Number of pairs of logins, and the maximum difference of their medians. A lower bound needs an
/// idle machine.
const PAIRS: usize = 60;
const APART: f64 = 0.35;

fn timing(target: &Target) -> Verdict {
    if target.options.quick {
        return Verdict::not_applicable("left out by --quick");
    }
    let Ok(ada) = target.accounts.one() else {
        return Verdict::not_applicable("no user is logged in");
    };
    let mut tally = Tally::new(format!(
        "{PAIRS} interleaved pairs of wrong logins, address known and unknown"
    ));
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for number in 0..PAIRS {
        let wrong = format!("wrong {number}");
        for (email, times) in [
            (ada.email.clone(), &mut known),
            (new_address("unknown"), &mut unknown),
        ] {
            let response = login(target, &email, &wrong).at_once().send();
            if response.status == 429 {
                return Verdict::not_applicable(format!(
                    "guessing is stopped after {number} pairs (429): too few to compare"
                ));
            }
            tally.expect_status(&[401], "a wrong login", &response);
            times.push(response.took);
        }
    }
    let (known, unknown) = (median(&mut known), median(&mut unknown));
    let apart =
        (known.as_secs_f64() - unknown.as_secs_f64()).abs() / known.max(unknown).as_secs_f64();
    tally.note(format!(
        "medians {:.1} ms and {:.1} ms, {:.1} % apart",
        known.as_secs_f64() * 1e3,
        unknown.as_secs_f64() * 1e3,
        apart * 100.0
    ));
    tally.check(
        apart < APART,
        format!("the medians are {:.0} % apart", apart * 100.0),
    );
    tally.verdict()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Number of guesses from one address after which a limit must apply.
const GUESSES: usize = 120;

fn stuffing(target: &Target) -> Verdict {
    let Ok(ada) = target.accounts.one() else {
        return Verdict::not_applicable("no user is logged in");
    };
    let mut tally = Tally::new(format!(
        "up to {GUESSES} addresses with one guess each, and one address with {GUESSES} guesses, with a forged client address each"
    ));
    for (what, one) in [("many addresses", false), ("one address", true)] {
        let victim = new_address("victim");
        let mut stopped = None;
        for number in 0..GUESSES {
            let email = if one {
                victim.clone()
            } else {
                new_address("many")
            };
            let from = format!("203.0.113.{}", number % 250);
            let ask = login(target, &email, &format!("guess {number}"))
                .header("x-forwarded-for", &from)
                .header("x-real-ip", &from)
                .header("forwarded", &format!("for={from}"));
            let response = ask.at_once().may_shed().send();
            tally.expect_status(&[401, 429, 503], what, &response);
            if response.status == 429 {
                stopped = Some(number);
                break;
            }
        }
        match stopped {
            Some(number) => tally.note(format!("{what}: stopped after {number}")),
            None => tally.check(false, format!("{what}: {GUESSES} guesses and never a 429")),
        }
    }
    tally.expect_status(
        &[200],
        "a logged-in user is not affected",
        &ada.request(target, "GET", "/v1/me").send(),
    );
    tally.verdict()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_times() {
        let mut times = [3, 1, 2].map(Duration::from_secs);
        assert_eq!(median(&mut times), Duration::from_secs(2));
        assert_eq!(median(&mut []), Duration::ZERO);
    }
}
