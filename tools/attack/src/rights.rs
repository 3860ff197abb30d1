//! A11, A12: privileges of other users, and fields that a client may not set.

use serde_json::{Value, json};
use toolkit::http::Response;

use crate::Attack;
use crate::accounts::{PASSWORD, new_address};
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 2] = [
    Attack {
        id: "A11",
        run: privilege_escalation,
    },
    Attack {
        id: "A12",
        run: mass_assignment,
    },
];

fn privilege_escalation(target: &Target) -> Verdict {
    let (ada, ben) = match target.accounts.both() {
        Ok(both) => both,
        Err(why) => return Verdict::not_applicable(why),
    };
    let ticket = ada.create_ticket(target, "Mine").at("/id");
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
        let mut ask = ada
            .request(target, method, path)
            .header("if-match", "\"1\"");
        if *method == "PATCH" {
            ask = ask.merge_patch(body);
        } else if !body.is_null() {
            ask = ask.json(body);
        }
        let response = ask.send();
        tally.expect_status(&[403, 404, 422], format!("{method} {path}"), &response);
    }
    if let Some(agent) = &target.accounts.agent {
        tally.expect_status(
            &[403],
            "an agent: DELETE a ticket",
            &agent.request(target, "DELETE", &path).send(),
        );
        let change = agent
            .request(target, "PATCH", &format!("/v1/users/{}", ada.id))
            .header("if-match", "\"1\"");
        let response = change.merge_patch(&json!({"role": "admin"})).send();
        tally.expect_status(&[403], "an agent: PATCH a user", &response);
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
        tally.expect_refusal(format!("GET {spelling}"), &ada.get(target, spelling));
    }
    // The administrator may delete: if the override were honoured, the ticket would be gone.
    let strong = target.accounts.admin.as_ref().unwrap_or(ada);
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-method",
    ] {
        tally.expect_status(
            &[200, 404],
            name,
            &strong
                .request(target, "GET", &path)
                .header(name, "DELETE")
                .send(),
        );
        tally.expect_refusal(
            name,
            &strong
                .request(target, "POST", &path)
                .header(name, "DELETE")
                .json(&json!({}))
                .send(),
        );
    }
    tally.expect_refusal(
        "?_method",
        &strong
            .request(target, "POST", &format!("{path}?_method=DELETE"))
            .json(&json!({}))
            .send(),
    );
    for rewrite in ["x-original-url", "x-rewrite-url"] {
        let response = target.get("/livez").header(rewrite, "/v1/users").send();
        tally.expect(
            response.status == 200 && !response.text().contains("items"),
            rewrite,
            &response,
        );
    }
    tally.expect_status(&[200], "the ticket is still there", &ada.get(target, &path));
    tally.check(
        ada.get(target, "/v1/me").at("/role") == "customer",
        "Ada is no customer any more",
    );
    tally.verdict()
}

fn mass_assignment(target: &Target) -> Verdict {
    let ada = match target.accounts.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let opened = ada.create_ticket(target, "Mine");
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
        let is_named = |response: &Response| {
            response.status == 422 && response.text().contains(&format!("/{name}"))
        };
        let response = ada
            .request(target, "POST", "/v1/tickets")
            .json(&with(json!({"subject": "s", "body": "b"})))
            .send();
        tally.expect(
            is_named(&response),
            format!("POST /v1/tickets {name}"),
            &response,
        );
        let response = ada
            .request(target, "PATCH", &ticket)
            .header("if-match", "\"1\"")
            .merge_patch(&with(json!({})))
            .send();
        tally.expect(
            is_named(&response),
            format!("PATCH {ticket} {name}"),
            &response,
        );
        let etag = me.header("etag").unwrap_or("\"1\"");
        let response = ada
            .request(target, "PATCH", "/v1/me")
            .header("if-match", etag)
            .merge_patch(&with(json!({})))
            .send();
        tally.expect(
            is_named(&response),
            format!("PATCH /v1/me {name}"),
            &response,
        );
        if name != "email" {
            let new =
                with(json!({"email": new_address("mass"), "password": PASSWORD, "name": "n"}));
            let response = target.post("/v1/auth/register", &new).send();
            tally.expect(
                is_named(&response) || response.status == 403,
                format!("register {name}"),
                &response,
            );
        }
    }
    tally.check(
        ada.get(target, "/v1/me").json() == me.json(),
        "Ada was changed",
    );
    tally.check(
        ada.get(target, &ticket).header("etag") == opened.header("etag"),
        "the ticket was changed",
    );
    tally.verdict()
}
