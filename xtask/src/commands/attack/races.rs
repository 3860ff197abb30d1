//! A45: many at once for what only one may have.

use std::thread;

use serde_json::json;

use super::Attack;
use super::people::{new_address, registration};
use super::target::Target;
use super::verdict::{Tally, Verdict};
use super::wire::Reply;

pub(super) const ATTACKS: [Attack; 1] = [Attack {
    id: "A45",
    run: races,
}];

/// So many at once.
const CROWD: usize = 50;

/// The answers to the same request, sent by everybody at once.
pub(super) fn crowd(send: impl Fn(usize) -> Reply + Sync) -> Vec<Reply> {
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
    let replies = crowd(|_| registration(target, &email).may_shed().send());
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let open = !replies
        .iter()
        .any(|reply| matches!(reply.status, 202 | 403 | 404));
    for reply in &replies {
        tally.want_status(&[201, 202, 403, 404, 409, 429, 503], "registration", reply);
    }
    tally.hold(
        made == 1 || !open,
        format!("{made} accounts with one address"),
    );
    let Ok(ada) = target.people.one() else {
        return tally.verdict();
    };
    let ticket = format!("/v1/tickets/{}", ada.opens(target, "Race").at("/id"));
    let tag = ada
        .get(target, &ticket)
        .field("etag")
        .unwrap_or_default()
        .to_owned();
    let replies = crowd(|number| {
        let change = json!({"subject": format!("Race of {number}")});
        ada.ask(target, "PATCH", &ticket)
            .field("if-match", &tag)
            .merge_patch(&change)
            .may_shed()
            .send()
    });
    let done = replies.iter().filter(|reply| reply.status == 200).count();
    for reply in &replies {
        tally.want_status(&[200, 412, 503], "a change", reply);
    }
    tally.hold(
        done == 1,
        format!("{done} changes of one version were accepted"),
    );
    tally.hold(
        ada.get(target, &ticket).json()["version"] == 2,
        "the version does not count one change",
    );
    if let Some(admin) = &target.people.admin {
        let replies = crowd(|_| admin.ask(target, "DELETE", &ticket).may_shed().send());
        let done = replies.iter().filter(|reply| reply.status == 204).count();
        for reply in &replies {
            tally.want_status(&[204, 404, 503], "a deletion", reply);
        }
        tally.hold(done == 1, format!("{done} deletions of one ticket"));
    }
    tally.verdict()
}
