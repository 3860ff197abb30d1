//! A10 to A13: other people's things, other people's rights, fields that are not one's to set, ids that tell too much.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Attack;
use super::example::{self, Operation, operations};
use super::people::{PASSWORD, Person, new_address};
use super::target::Target;
use super::verdict::{Tally, Verdict};
use super::wire::Reply;

pub(super) const ATTACKS: [Attack; 4] = [
    Attack {
        id: "A10",
        run: other_peoples_things,
    },
    Attack {
        id: "A11",
        run: other_peoples_rights,
    },
    Attack {
        id: "A12",
        run: mass_assignment,
    },
    Attack {
        id: "A13",
        run: ids,
    },
];

/// Stands in everything of the victim's; nobody else may ever read it.
pub(super) const CANARY: &str = "canary-of-ada-2f9c";

fn other_peoples_things(target: &Target) -> Verdict {
    let (ada, ben) = match target.people.both() {
        Ok(both) => both,
        Err(why) => return Verdict::not_applicable(why),
    };
    let Some(document) = &target.document else {
        return Verdict::not_applicable("no /openapi.json to take the operations from");
    };
    let ticket = ada.opens(target, CANARY).at("/id");
    let says = json!({"body": format!("{CANARY} said so")});
    ada.ask(target, "POST", &format!("/v1/tickets/{ticket}/comments"))
        .json(&says)
        .send();
    // Where there are keys, one of hers is among her things.
    let key = json!({"name": CANARY, "scopes": ["tickets:read"]});
    ada.ask(target, "POST", "/v1/me/api-keys").json(&key).send();
    let all = operations(document);
    let things = things_of(target, ada, &all);
    let mut tally = Tally::new(format!(
        "{} operations: {} ids of Ada's, asked by Ben and by nobody",
        all.len(),
        things.len()
    ));
    tally.hold(
        things.contains(&ticket),
        format!("Ada does not see her own ticket {ticket:?}"),
    );
    let before = ada.get(target, &format!("/v1/tickets/{ticket}"));
    for operation in &all {
        if operation.is_protected() {
            let path = with_id(operation.path, &ticket);
            let reply = ask(target, document, operation, &path, None);
            tally.want_status(
                &[401],
                format!("nobody: {} {}", operation.method, operation.path),
                &reply,
            );
        }
        if operation.method == "GET" && !operation.has_id() && operation.is_protected() {
            let reply = ask(target, document, operation, operation.path, Some(ben));
            tally.want(
                !reply.text().contains(CANARY),
                format!("Ben: GET {}", operation.path),
                &reply,
            );
        }
        for id in things.iter().filter(|_| operation.has_id()) {
            let what = format!("Ben: {} {}", operation.method, with_id(operation.path, id));
            let hers = ask(
                target,
                document,
                operation,
                &with_id(operation.path, id),
                Some(ben),
            );
            let nothing = stranger_of(id);
            let nobodys = ask(
                target,
                document,
                operation,
                &with_id(operation.path, &nothing),
                Some(ben),
            );
            tally.want(hers.is_refusal(), &what, &hers);
            tally.hold(
                same(&hers, id, &nobodys, &nothing),
                format!(
                    "{what} is told apart from an id of nothing: {} / {}",
                    hers.brief(),
                    nobodys.brief()
                ),
            );
        }
    }
    for query in ["reporter", "assignee"] {
        let reply = ben.get(target, &format!("/v1/tickets?{query}={}", ada.id));
        tally.want(
            !reply.text().contains(CANARY),
            format!("Ben: ?{query}=Ada"),
            &reply,
        );
    }
    let after = ada.get(target, &format!("/v1/tickets/{ticket}"));
    tally.hold(
        after.status == 200 && after.field("etag") == before.field("etag"),
        "Ada's ticket was changed",
    );
    tally.hold(
        ada.get(target, "/v1/me").status == 200,
        "Ada's session was ended",
    );
    tally.verdict()
}

/// The ids that this person meets in whatever they may read.
fn things_of(target: &Target, person: &Person, all: &[Operation<'_>]) -> BTreeSet<String> {
    let mut ids = BTreeSet::from([person.id.clone()]);
    for operation in all
        .iter()
        .filter(|operation| operation.method == "GET" && !operation.has_id())
    {
        collect(&person.get(target, operation.path).json(), &mut ids);
    }
    for ticket in ids.clone().iter().filter(|id| id.starts_with("tkt_")) {
        collect(
            &person
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

/// `tkt_01m83b7f9bejctp85vrf6ye7fq`.
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

/// An id of the same kind that was never given to anything.
fn stranger_of(id: &str) -> String {
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

fn ask(
    target: &Target,
    document: &Value,
    operation: &Operation<'_>,
    path: &str,
    person: Option<&Person>,
) -> Reply {
    let mut ask = target
        .ask(&operation.method, path)
        .field("if-match", "\"1\"");
    if let Some(person) = person {
        ask = ask.bearer(&person.token);
    }
    if let Some((media_type, body)) = example::body(document, operation.told) {
        ask = ask.bytes(&media_type, body.to_string().into_bytes());
    }
    ask.send()
}

/// Whether two answers differ in nothing but the id that was asked for and the id of the request.
fn same(one: &Reply, id: &str, other: &Reply, other_id: &str) -> bool {
    let plain = |reply: &Reply, id: &str| {
        let mut body = reply.json();
        if let Some(members) = body.as_object_mut() {
            members.remove("request_id");
        }
        let names: BTreeSet<String> = reply
            .fields
            .iter()
            .map(|(name, _)| name.to_lowercase())
            .collect();
        (reply.status, body.to_string().replace(id, "ID"), names)
    };
    plain(one, id) == plain(other, other_id)
}

fn other_peoples_rights(target: &Target) -> Verdict {
    let (ada, ben) = match target.people.both() {
        Ok(both) => both,
        Err(why) => return Verdict::not_applicable(why),
    };
    let ticket = ada.opens(target, "Mine").at("/id");
    let path = format!("/v1/tickets/{ticket}");
    let mut tally = Tally::new(
        "a customer at the agents' and administrators' operations, under 12 spellings, and with 5 method overrides",
    );
    let owner: [(&str, String, Value); 5] = [
        ("DELETE", path.clone(), Value::Null),
        (
            "POST",
            format!("{path}/assign"),
            json!({"assignee": ada.id}),
        ),
        (
            "PATCH",
            format!("/v1/users/{}", ada.id),
            json!({"role": "admin"}),
        ),
        (
            "PATCH",
            format!("/v1/users/{}", ben.id),
            json!({"role": "agent"}),
        ),
        (
            "POST",
            format!("{path}/comments"),
            json!({"body": "note", "internal": true}),
        ),
    ];
    for (method, path, body) in &owner {
        let mut ask = ada.ask(target, method, path).field("if-match", "\"1\"");
        if *method == "PATCH" {
            ask = ask.merge_patch(body);
        } else if !body.is_null() {
            ask = ask.json(body);
        }
        let reply = ask.send();
        tally.want_status(&[403, 404, 422], format!("{method} {path}"), &reply);
    }
    if let Some(agent) = &target.people.agent {
        tally.want_status(
            &[403],
            "an agent: DELETE a ticket",
            &agent.ask(target, "DELETE", &path).send(),
        );
        let change = agent
            .ask(target, "PATCH", &format!("/v1/users/{}", ada.id))
            .field("if-match", "\"1\"");
        let reply = change.merge_patch(&json!({"role": "admin"})).send();
        tally.want_status(&[403], "an agent: PATCH a user", &reply);
    }
    for spelling in [
        "/v1/users",
        "/v1/users/",
        "//v1/users",
        "/v1//users",
        "/V1/users",
        "/v1/Users",
        "/v1/users;x=1",
        "/v1/%75sers",
        "/v1%2fusers",
        "/v1/./users",
        "/v1/tickets/../users",
        "/v1/users%00",
    ] {
        tally.want_refusal(format!("GET {spelling}"), &ada.get(target, spelling));
    }
    // The administrator may delete: were the override honoured, the ticket would be gone.
    let strong = target.people.admin.as_ref().unwrap_or(ada);
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-method",
    ] {
        tally.want_status(
            &[200, 404],
            name,
            &strong
                .ask(target, "GET", &path)
                .field(name, "DELETE")
                .send(),
        );
        tally.want_refusal(
            name,
            &strong
                .ask(target, "POST", &path)
                .field(name, "DELETE")
                .json(&json!({}))
                .send(),
        );
    }
    tally.want_refusal(
        "?_method",
        &strong
            .ask(target, "POST", &format!("{path}?_method=DELETE"))
            .json(&json!({}))
            .send(),
    );
    for rewrite in ["x-original-url", "x-rewrite-url"] {
        let reply = target.get("/livez").field(rewrite, "/v1/users").send();
        tally.want(
            reply.status == 200 && !reply.text().contains("items"),
            rewrite,
            &reply,
        );
    }
    tally.want_status(&[200], "the ticket is still there", &ada.get(target, &path));
    tally.hold(
        ada.get(target, "/v1/me").at("/role") == "customer",
        "Ada is no customer any more",
    );
    tally.verdict()
}

fn mass_assignment(target: &Target) -> Verdict {
    let ada = match target.people.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let opened = ada.opens(target, "Mine");
    let ticket = format!("/v1/tickets/{}", opened.at("/id"));
    let me = ada.get(target, "/v1/me");
    let extras = json!({
        "id": "tkt_00000000000000000000000000", "reporter": ada.id, "reporter_id": ada.id, "assignee": ada.id, "status": "closed",
        "version": 99, "created_at": "2001-01-01T00:00:00Z", "updated_at": "2001-01-01T00:00:00Z", "comment_count": 9, "is_overdue": true,
        "role": "admin", "roles": ["admin"], "is_admin": true, "email": "evil@example.com", "email_verified": true, "password_hash": "x",
        "scopes": ["users:write"], "tenant_id": 1, "_links": {}, "__proto__": {"role": "admin"}, "constructor": {},
    });
    let mut tally = Tally::new(format!(
        "{} fields that are not the caller's to set, in four bodies",
        extras.as_object().map_or(0, |extras| extras.len())
    ));
    for (name, value) in extras.as_object().into_iter().flatten() {
        let with = |mut body: Value| {
            body[name.as_str()] = value.clone();
            body
        };
        let is_named =
            |reply: &Reply| reply.status == 422 && reply.text().contains(&format!("/{name}"));
        let reply = ada
            .ask(target, "POST", "/v1/tickets")
            .json(&with(json!({"subject": "s", "body": "b"})))
            .send();
        tally.want(is_named(&reply), format!("POST /v1/tickets {name}"), &reply);
        let reply = ada
            .ask(target, "PATCH", &ticket)
            .field("if-match", "\"1\"")
            .merge_patch(&with(json!({})))
            .send();
        tally.want(is_named(&reply), format!("PATCH {ticket} {name}"), &reply);
        let etag = me.field("etag").unwrap_or("\"1\"");
        let reply = ada
            .ask(target, "PATCH", "/v1/me")
            .field("if-match", etag)
            .merge_patch(&with(json!({})))
            .send();
        tally.want(is_named(&reply), format!("PATCH /v1/me {name}"), &reply);
        if name != "email" {
            let new =
                with(json!({"email": new_address("mass"), "password": PASSWORD, "name": "n"}));
            let reply = target.post("/v1/auth/register", &new).send();
            tally.want(
                is_named(&reply) || reply.status == 403,
                format!("register {name}"),
                &reply,
            );
        }
    }
    tally.hold(
        ada.get(target, "/v1/me").json() == me.json(),
        "Ada was changed",
    );
    tally.hold(
        ada.get(target, &ticket).field("etag") == opened.field("etag"),
        "the ticket was changed",
    );
    tally.verdict()
}

fn ids(target: &Target) -> Verdict {
    const COUNT: usize = 40;
    let ada = match target.people.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let mut tally = Tally::new(format!("{COUNT} new tickets, and whose ids come next"));
    let mut tails = BTreeSet::new();
    for _ in 0..COUNT {
        let opened = ada.opens(target, "Count me");
        let id = opened.at("/id");
        tally.want(is_id(&id), format!("the id {id:?}"), &opened);
        // 48 bits of time come first, then 74 random bits: the last 14 letters.
        tails.insert(id.chars().skip(16).collect::<String>());
    }
    let heads: BTreeSet<String> = tails
        .iter()
        .map(|tail| tail.chars().take(4).collect())
        .collect();
    tally.hold(
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
        tally.want_refusal(guess, &ada.get(target, &format!("/v1/tickets/{guess}")));
    }
    tally.verdict()
}
