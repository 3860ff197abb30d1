//! Tests of the ticket rules, without a database.

use std::sync::Arc;
use std::time::Duration;

use doyen::domain::{Event, HOUR, Paging, Patch, Problem};

use super::memory::{Heard, InMemory, Ticking};
use super::*;
use crate::access::{Role, User};

struct Desk {
    memory: Arc<InMemory>,
    received: Arc<Heard>,
    tickets: Tickets,
    ann: User,
    bob: User,
    agent: User,
}

impl Desk {
    fn new() -> Self {
        let memory = Arc::new(InMemory::default());
        let received = Arc::new(Heard::default());
        let (ann, bob, agent) = (
            memory.user("Ann", Role::Customer),
            memory.user("Bob", Role::Customer),
            memory.user("Agent", Role::Agent),
        );
        let tickets = Tickets::new(
            memory.clone(),
            received.clone(),
            Arc::new(Ticking::default()),
        );
        Self {
            memory,
            received,
            tickets,
            ann,
            bob,
            agent,
        }
    }

    async fn ticket(&self) -> Ticket {
        let draft = Draft {
            subject: "Printer on fire".into(),
            body: "It burns.".into(),
            priority: Priority::Normal,
            tags: vec![
                Tag::trusted("printer"),
                Tag::trusted("fire"),
                Tag::trusted("fire"),
            ],
        };
        self.tickets.open(self.ann.into(), draft).await.unwrap()
    }

    async fn say(&self, who: User, id: TicketId, internal: bool) -> Result<Comment, AddComment> {
        self.tickets
            .comment(
                who.into(),
                id,
                NewComment {
                    body: "Well.".into(),
                    internal,
                },
            )
            .await
    }

    async fn status(&self, id: TicketId) -> Status {
        self.tickets
            .find(self.agent.into(), id)
            .await
            .unwrap()
            .status
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, impl Problem>) -> &'static str {
    match result {
        Ok(value) => panic!("expected a problem, got {value:?}"),
        Err(problem) => problem.info().code,
    }
}

#[tokio::test]
async fn a_new_ticket_is_open_and_its_tags_are_sorted_and_distinct() {
    let desk = Desk::new();
    let ticket = desk.ticket().await;
    assert_eq!(
        (ticket.status, ticket.version, ticket.assignee.as_ref()),
        (Status::Open, 1, None)
    );
    assert_eq!(
        ticket.tags.iter().map(Tag::as_str).collect::<Vec<_>>(),
        ["fire", "printer"]
    );
    assert_eq!(ticket.reporter.name, "Ann");
    assert_eq!(
        *desk.received.0.lock().unwrap(),
        [TicketEvent::Created {
            ticket: ticket.id,
            by: desk.ann.id
        }]
    );
}

#[tokio::test]
async fn the_ticket_of_somebody_else_is_not_there_whatever_is_asked() {
    let desk = Desk::new();
    let id = desk.ticket().await.id;
    let bob = desk.bob.into();
    assert_eq!(code(desk.tickets.find(bob, id).await), "ticket_not_found");
    assert_eq!(
        code(desk.tickets.edit(bob, id, None, Edit::default()).await),
        "ticket_not_found"
    );
    assert_eq!(code(desk.tickets.remove(bob, id).await), "ticket_not_found");
    assert_eq!(code(desk.tickets.solve(bob, id).await), "ticket_not_found");
    assert_eq!(
        code(desk.tickets.comments(bob, id, &Paging::default()).await),
        "ticket_not_found"
    );
    assert_eq!(
        code(desk.say(desk.bob, id, false).await),
        "ticket_not_found"
    );
    assert_eq!(code(desk.say(desk.bob, id, true).await), "ticket_not_found");
    assert!(
        desk.tickets
            .list(bob, &TicketFilter::default(), &Paging::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert_eq!(desk.tickets.stats(bob).await.unwrap().total, 0);
    assert_eq!(
        desk.tickets
            .stats(desk.agent.into())
            .await
            .unwrap()
            .by_status
            .open,
        1
    );
}

#[tokio::test]
async fn each_action_is_possible_in_its_states_only() {
    use Action::{Assign, Close, Reopen, Solve};
    use Status::{Closed, Open, Pending, Solved};
    let table = [
        (Open, [Some(Open), Some(Solved), None, None]),
        (Pending, [Some(Pending), Some(Solved), None, None]),
        (Solved, [Some(Solved), None, Some(Closed), Some(Open)]),
        (Closed, [None, None, None, Some(Open)]),
    ];
    for (status, after) in table {
        assert_eq!(
            [Assign, Solve, Close, Reopen].map(|action| status.after(action)),
            after,
            "{status}"
        );
    }

    let desk = Desk::new();
    let (id, agent) = (desk.ticket().await.id, desk.agent.into());
    let refused = desk.tickets.close(agent, id).await.unwrap_err();
    assert_eq!(
        (refused.info().code, refused.info().kind.status()),
        ("invalid_transition", 409)
    );
    assert_eq!(
        refused.detail().unwrap(),
        "A ticket that is open cannot be closed."
    );
    desk.tickets.solve(agent, id).await.unwrap();
    desk.tickets.close(agent, id).await.unwrap();
    assert_eq!(
        code(desk.tickets.assign(agent, id, desk.agent.id).await),
        "invalid_transition"
    );
    assert_eq!(desk.tickets.reopen(agent, id).await.unwrap().status, Open);
    let received = desk.received.0.lock().unwrap();
    let topics: Vec<_> = received.iter().map(Event::topic).collect();
    let expected = ["created", "solved", "closed", "reopened"];
    assert_eq!(topics, expected.map(|name| format!("ticket.{name}")));
    let aggregate = Some(format!("ticket:{id}"));
    assert!(received.iter().all(|event| event.aggregate() == aggregate));
}

#[tokio::test]
async fn tickets_are_assigned_to_agents() {
    let desk = Desk::new();
    let (id, agent) = (desk.ticket().await.id, desk.agent.into());
    let refused = desk
        .tickets
        .assign(agent, id, desk.bob.id)
        .await
        .unwrap_err();
    assert_eq!(refused.info().kind.status(), 422);
    assert_eq!(
        refused.failures().unwrap().iter().next().unwrap().pointer,
        "/assignee"
    );
    assert_eq!(
        desk.tickets
            .assign(agent, id, desk.agent.id)
            .await
            .unwrap()
            .assignee
            .unwrap()
            .name,
        "Agent"
    );
}

#[tokio::test]
async fn an_edit_needs_the_version_seen_and_counts_only_what_changes() {
    let desk = Desk::new();
    let (ticket, ann) = (desk.ticket().await, desk.ann.into());
    let subject = |text: &str| Edit {
        subject: Patch::Set(text.to_owned()),
        ..Edit::default()
    };
    let changed = desk
        .tickets
        .edit(ann, ticket.id, Some(1), subject("Out"))
        .await
        .unwrap();
    assert_eq!((changed.version, changed.subject.as_str()), (2, "Out"));
    assert!(changed.updated_at > ticket.updated_at);
    let refused = desk
        .tickets
        .edit(ann, ticket.id, Some(1), subject("Again"))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.info().code, refused.info().kind.status()),
        ("precondition_failed", 412)
    );
    assert_eq!(
        desk.tickets
            .edit(ann, ticket.id, None, subject("Out"))
            .await
            .unwrap(),
        changed
    );
    // Simulate a concurrent change between the read and the write.
    *desk.memory.rivals.lock().unwrap() = 1;
    assert_eq!(
        code(
            desk.tickets
                .edit(ann, ticket.id, Some(2), subject("Mine"))
                .await
        ),
        "precondition_failed"
    );
}

#[tokio::test]
async fn comments_pass_an_open_ticket_to_and_fro() {
    let desk = Desk::new();
    let (id, agent) = (desk.ticket().await.id, desk.agent.into());
    desk.say(desk.agent, id, true).await.unwrap();
    assert_eq!(desk.status(id).await, Status::Open);
    desk.say(desk.agent, id, false).await.unwrap();
    assert_eq!(desk.status(id).await, Status::Pending);
    desk.say(desk.agent, id, false).await.unwrap();
    assert_eq!(desk.status(id).await, Status::Pending);
    desk.say(desk.ann, id, false).await.unwrap();
    assert_eq!(desk.status(id).await, Status::Open);
    desk.tickets.solve(agent, id).await.unwrap();
    desk.say(desk.ann, id, false).await.unwrap();
    assert_eq!(desk.status(id).await, Status::Solved);
    let ticket = desk.tickets.find(agent, id).await.unwrap();
    assert_eq!((ticket.comments, ticket.notes, ticket.version), (4, 1, 6));
}

#[tokio::test]
async fn internal_notes_are_for_agents() {
    let desk = Desk::new();
    let id = desk.ticket().await.id;
    assert_eq!(code(desk.say(desk.ann, id, true).await), "agents_only");
    desk.say(desk.agent, id, true).await.unwrap();
    desk.say(desk.agent, id, false).await.unwrap();
    let seen = async |who: User| {
        desk.tickets
            .comments(who.into(), id, &Paging::default())
            .await
            .unwrap()
            .items
            .len()
    };
    assert_eq!((seen(desk.ann).await, seen(desk.agent).await), (1, 2));
}

#[tokio::test]
async fn no_change_is_lost_when_others_change_too() {
    let desk = Desk::new();
    let (id, agent) = (desk.ticket().await.id, desk.agent.into());
    *desk.memory.rivals.lock().unwrap() = 1;
    let solved = desk.tickets.solve(agent, id).await.unwrap();
    assert_eq!((solved.status, solved.version), (Status::Solved, 2));
    *desk.memory.rivals.lock().unwrap() = 1;
    desk.say(desk.ann, id, false).await.unwrap();
    *desk.memory.rivals.lock().unwrap() = 1;
    let edit = Edit {
        subject: Patch::Set("Any".to_owned()),
        ..Edit::default()
    };
    let edited = desk.tickets.edit(agent, id, None, edit).await.unwrap();
    assert_eq!(edited.version, 4);
}

#[tokio::test]
async fn a_ticket_is_overdue_when_it_waits_longer_than_its_priority_allows() {
    let desk = Desk::new();
    let mut ticket = desk.ticket().await;
    ticket.priority = Priority::Urgent;
    let limit = ticket.created_at + 4 * HOUR;
    assert!(!ticket.is_overdue(limit));
    assert!(ticket.is_overdue(limit + Duration::from_micros(1)));
    ticket.status = Status::Solved;
    assert!(!ticket.is_overdue(limit + HOUR));
    assert!(
        Priority::ALL
            .windows(2)
            .all(|pair| pair[0].target() > pair[1].target())
    );
}
