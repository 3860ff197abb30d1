//! A10, A13: access to data of other users, and ids that reveal information.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use toolkit::http::Response;

use crate::Attack;
use crate::accounts::Account;
use crate::example::{self, Operation, operations};
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 2] = [
    Attack {
        id: "A10",
        run: access_to_other_accounts,
    },
    Attack {
        id: "A13",
        run: ids,
    },
];

/// A text in all data of the victim. No other user may read it.
pub(crate) const CANARY: &str = "canary-of-ada-2f9c";

fn access_to_other_accounts(target: &Target) -> Verdict {
    let (ada, ben) = match target.accounts.both() {
        Ok(both) => both,
        Err(why) => return Verdict::not_applicable(why),
    };
    let Some(document) = &target.document else {
        return Verdict::not_applicable("no /openapi.json to take the operations from");
    };
    let ticket = ada.create_ticket(target, CANARY).at("/id");
    let says = json!({"body": format!("{CANARY} said so")});
    ada.request(target, "POST", &format!("/v1/tickets/{ticket}/comments"))
        .json(&says)
        .send();
    // If the helpdesk has API keys, one belongs to her data.
    let key = json!({"name": CANARY, "scopes": ["tickets:read"]});
    ada.request(target, "POST", "/v1/me/api-keys")
        .json(&key)
        .send();
    let all = operations(document);
    let things = ids_of(target, ada, &all);
    let mut tally = Tally::new(format!(
        "{} operations: {} ids of Ada's, requested by Ben and without credentials",
        all.len(),
        things.len()
    ));
    tally.check(
        things.contains(&ticket),
        format!("Ada does not see her own ticket {ticket:?}"),
    );
    let before = ada.get(target, &format!("/v1/tickets/{ticket}"));
    for operation in &all {
        if operation.is_protected() {
            let path = with_id(operation.path, &ticket);
            let response = send(target, document, operation, &path, None);
            tally.expect_status(
                &[401],
                format!("anonymous: {} {}", operation.method, operation.path),
                &response,
            );
        }
        if operation.method == "GET" && !operation.has_id() && operation.is_protected() {
            let response = send(target, document, operation, operation.path, Some(ben));
            tally.expect(
                !response.text().contains(CANARY),
                format!("Ben: GET {}", operation.path),
                &response,
            );
        }
        for id in things.iter().filter(|_| operation.has_id()) {
            let what = format!("Ben: {} {}", operation.method, with_id(operation.path, id));
            let her_ticket = send(
                target,
                document,
                operation,
                &with_id(operation.path, id),
                Some(ben),
            );
            let nothing = unused_id_like(id);
            let nobodys = send(
                target,
                document,
                operation,
                &with_id(operation.path, &nothing),
                Some(ben),
            );
            tally.expect(her_ticket.is_refusal(), &what, &her_ticket);
            tally.check(
                same(&her_ticket, id, &nobodys, &nothing),
                format!(
                    "{what} differs from an unknown id: {} / {}",
                    her_ticket.summary(),
                    nobodys.summary()
                ),
            );
        }
    }
    for query in ["reporter", "assignee"] {
        let response = ben.get(target, &format!("/v1/tickets?{query}={}", ada.id));
        tally.expect(
            !response.text().contains(CANARY),
            format!("Ben: ?{query}=Ada"),
            &response,
        );
    }
    let after = ada.get(target, &format!("/v1/tickets/{ticket}"));
    tally.check(
        after.status == 200 && after.header("etag") == before.header("etag"),
        "Ada's ticket was changed",
    );
    tally.check(
        ada.get(target, "/v1/me").status == 200,
        "Ada's session was ended",
    );
    tally.verdict()
}

/// Returns the ids in everything that this account can read.
fn ids_of(target: &Target, account: &Account, all: &[Operation<'_>]) -> BTreeSet<String> {
    let mut ids = BTreeSet::from([account.id.clone()]);
    for operation in all
        .iter()
        .filter(|operation| operation.method == "GET" && !operation.has_id())
    {
        collect(&account.get(target, operation.path).json(), &mut ids);
    }
    for ticket in ids.clone().iter().filter(|id| id.starts_with("tkt_")) {
        collect(
            &account
                .get(target, &format!("/v1/tickets/{ticket}/comments"))
                .json(),
            &mut ids,
        );
    }
    ids.into_iter().take(12).collect()
}

fn collect(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if is_id(text) => _ = ids.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(members) => members.values().for_each(|member| collect(member, ids)),
        _ => {}
    }
}

/// Returns true for an id such as `tkt_01m83b7f9bejctp85vrf6ye7fq`.
fn is_id(text: &str) -> bool {
    let Some((prefix, rest)) = text.split_once('_') else {
        return false;
    };
    prefix.len() == 3
        && rest.len() == 26
        && rest
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}

/// Returns an unused id of the same kind.
fn unused_id_like(id: &str) -> String {
    let letters = id
        .chars()
        .enumerate()
        .map(|(place, letter)| match (place, letter) {
            (20..=25, 'z') => 'y',
            (20..=25, _) => 'z',
            (_, letter) => letter,
        });
    letters.collect()
}

fn with_id(path: &str, id: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        parts.push(if part.starts_with('{') { id } else { part });
    }
    parts.join("/")
}

fn send(
    target: &Target,
    document: &Value,
    operation: &Operation<'_>,
    path: &str,
    account: Option<&Account>,
) -> Response {
    let mut request = target
        .request(&operation.method, path)
        .header("if-match", "\"1\"");
    if let Some(account) = account {
        request = request.bearer(&account.token);
    }
    if let Some((media_type, body)) = example::body(document, operation.definition) {
        request = request.bytes(&media_type, body.to_string().into_bytes());
    }
    request.send()
}

/// Returns true if two responses differ only in the requested id and the request id.
fn same(one: &Response, id: &str, other: &Response, other_id: &str) -> bool {
    let plain = |response: &Response, id: &str| {
        let mut body = response.json();
        if let Some(members) = body.as_object_mut() {
            members.remove("request_id");
        }
        let names: BTreeSet<String> = response
            .headers
            .iter()
            .map(|(name, _)| name.to_lowercase())
            .collect();
        (response.status, body.to_string().replace(id, "ID"), names)
    };
    plain(one, id) == plain(other, other_id)
}

fn ids(target: &Target) -> Verdict {
    const COUNT: usize = 40;
    let ada = match target.accounts.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let mut tally = Tally::new(format!("{COUNT} new tickets, and whose ids come next"));
    let mut tails = BTreeSet::new();
    for _ in 0..COUNT {
        let opened = ada.create_ticket(target, "Count me");
        let id = opened.at("/id");
        tally.expect(is_id(&id), format!("the id {id:?}"), &opened);
        // The last 14 letters are the 74 random bits after 48 bits of time.
        tails.insert(id.chars().skip(16).collect::<String>());
    }
    let heads: BTreeSet<String> = tails
        .iter()
        .map(|tail| tail.chars().take(4).collect())
        .collect();
    tally.check(
        tails.len() == COUNT && heads.len() > COUNT / 2,
        "the random part of the ids repeats",
    );
    for guess in [
        "1",
        "2",
        "0",
        "-1",
        "tkt_1",
        "00000000-0000-0000-0000-000000000000",
    ] {
        tally.expect_refusal(guess, &ada.get(target, &format!("/v1/tickets/{guess}")));
    }
    tally.verdict()
}
