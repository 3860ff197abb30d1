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

fn idempotency(target: &Target) -> Verdict {
    let ada = match target.accounts.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let ticket = serde_json::json!({"subject": "once", "body": "b"});
    let send = || {
        ada.request(target, "POST", "/v1/tickets")
            .header("idempotency-key", "attack-2f9c")
            .json(&ticket)
            .send()
    };
    let (first, second) = (send(), send());
    if first.at("/id") != second.at("/id") {
        return Verdict::not_applicable(
            "`Idempotency-Key` is not read yet: two requests make two tickets",
        );
    }
    Verdict::not_applicable("`Idempotency-Key` is read, and this tool has no attack on it yet")
}
