//! A45: concurrent requests of which only one may succeed.

use std::thread;

use serde_json::json;
use toolkit::http::Response;

use crate::Attack;
use crate::accounts::{new_address, registration};
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 1] = [Attack {
    id: "A45",
    run: races,
}];

/// Number of concurrent requests.
const CROWD: usize = 50;

/// Sends the same request concurrently and returns the responses.
pub(crate) fn crowd(send: impl Fn(usize) -> Response + Sync) -> Vec<Response> {
    thread::scope(|scope| {
        let send = &send;
        let all: Vec<_> = (0..CROWD)
            .map(|number| scope.spawn(move || send(number)))
            .collect();
        all.into_iter()
            .map(|one| one.join().unwrap_or_default())
            .collect()
    })
}

fn races(target: &Target) -> Verdict {
    let mut tally = Tally::new(format!(
        "{CROWD} registrations of one address, {CROWD} changes of one version, {CROWD} deletions of one ticket, each at once"
    ));
    let email = new_address("race");
    let responses = crowd(|_| registration(target, &email).may_shed().send());
    let made = responses
        .iter()
        .filter(|response| response.status == 201)
        .count();
    let open = !responses
        .iter()
        .any(|response| matches!(response.status, 202 | 403 | 404));
    for response in &responses {
        tally.expect_status(
            &[201, 202, 403, 404, 409, 429, 503],
            "registration",
            response,
        );
    }
    tally.check(
        made == 1 || !open,
        format!("{made} accounts with one address"),
    );
    let Ok(ada) = target.accounts.one() else {
        return tally.verdict();
    };
    let ticket = format!(
        "/v1/tickets/{}",
        ada.create_ticket(target, "Race").at("/id")
    );
    let tag = ada
        .get(target, &ticket)
        .header("etag")
        .unwrap_or_default()
        .to_owned();
    let responses = crowd(|number| {
        let change = json!({"subject": format!("Race of {number}")});
        ada.request(target, "PATCH", &ticket)
            .header("if-match", &tag)
            .merge_patch(&change)
            .may_shed()
            .send()
    });
    let done = responses
        .iter()
        .filter(|response| response.status == 200)
        .count();
    for response in &responses {
        tally.expect_status(&[200, 412, 503], "a change", response);
    }
    tally.check(
        done == 1,
        format!("{done} changes of one version were accepted"),
    );
    tally.check(
        ada.get(target, &ticket).json()["version"] == 2,
        "the version does not count one change",
    );
    if let Some(admin) = &target.accounts.admin {
        let responses = crowd(|_| admin.request(target, "DELETE", &ticket).may_shed().send());
        let done = responses
            .iter()
            .filter(|response| response.status == 204)
            .count();
        for response in &responses {
            tally.expect_status(&[204, 404, 503], "a deletion", response);
        }
        tally.check(done == 1, format!("{done} deletions of one ticket"));
    }
    tally.verdict()
}
