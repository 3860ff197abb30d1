//! Attacks on features that the helpdesk does not have, and attacks that are impossible from
//! outside. The paths where such a feature would be are requested.

use crate::Attack;
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 10] = [
    Attack {
        id: "A17",
        run: |_| {
            Verdict::not_applicable("abuse of HTTP/2 frames: this tool supports HTTP/1.1 only")
        },
    },
    Attack {
        id: "A27",
        run: |_| Verdict::not_applicable("no route fetches an address that a client names"),
    },
    Attack {
        id: "A29",
        run: |target| socket(target, "a WebSocket from another origin"),
    },
    Attack {
        id: "A30",
        run: |target| socket(target, "a flood on a WebSocket"),
    },
    Attack {
        id: "A31",
        run: |target| socket(target, "what is still sent after a right is lost"),
    },
    Attack {
        id: "A32",
        run: |target| socket(target, "other people's topics"),
    },
    Attack {
        id: "A37",
        run: |_| {
            Verdict::not_applicable(
                "metrics stand on the admin address, which this tool does not see",
            )
        },
    },
    Attack {
        id: "A41",
        run: idempotency,
    },
    Attack {
        id: "A49",
        run: |_| Verdict::not_applicable("TLS ends at the proxy in front"),
    },
    Attack {
        id: "A50",
        run: |_| {
            Verdict::not_applicable(
                "not from outside: `cargo xtask licences` and `cargo xtask advisories` look at the dependencies",
            )
        },
    },
];

fn socket(target: &Target, what: &str) -> Verdict {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let ask = |path: &str| {
        target
            .get(path)
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", key)
            .send()
    };
    let mut tally = Tally::new("an upgrade where a WebSocket will be");
    for path in ["/v1/socket", "/ws", "/livez"] {
        let response = ask(path);
        tally.expect(response.status != 101, path, &response);
    }
    let verdict = tally.verdict();
    match verdict.outcome {
        crate::Outcome::Pass => {
            Verdict::not_applicable(format!("{what}: there is no WebSocket and no event stream"))
        }
        _ => verdict,
    }
}

/// A41: another user's key, another body or route, a key that is too long.
fn idempotency(target: &Target) -> Verdict {
    let (ada, ben) = match target.accounts.both() {
        Ok(both) => both,
        Err(why) => return Verdict::not_applicable(why),
    };
    let key = crate::accounts::new_address("key");
    let send = |who: &crate::accounts::Account, path: &str, key: &str, subject: &str| {
        who.request(target, "POST", path)
            .header("idempotency-key", key)
            .json(&serde_json::json!({"subject": subject, "body": "b"}))
            .send()
    };
    let mut tally = Tally::new("idempotency keys");
    let first = send(ada, "/v1/tickets", &key, "once");
    let again = send(ada, "/v1/tickets", &key, "once");
    let is_same = first.status == 201 && first.at("/id") == again.at("/id");
    tally.expect(is_same, "the same request again", &again);
    let other = send(ben, "/v1/tickets", &key, "once");
    let is_own = other.status == 201 && other.at("/id") != first.at("/id");
    tally.expect(is_own, "the key of another user", &other);
    let body = send(ada, "/v1/tickets", &key, "another");
    tally.expect(body.status == 422, "another body", &body);
    let query = send(ada, "/v1/tickets/", &key, "once");
    tally.expect(query.status >= 400, "another path", &query);
    for length in [256, 4_000] {
        let long = send(ada, "/v1/tickets", &"k".repeat(length), "long");
        tally.expect(long.status == 400, "a key that is too long", &long);
    }
    tally.verdict()
}
