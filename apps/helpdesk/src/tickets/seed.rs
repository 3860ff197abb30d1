//! Demo tickets: always the same ones, spread over the last 90 days.

mod texts;

use std::time::Duration;

use doyen::data::Session;
use doyen::data::sea_orm::prelude::Uuid;
use doyen::data::sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use doyen::prelude::*;

use super::domain::{Comment, Person, Priority, Status, Tag, Ticket};
use super::infrastructure::rows;
use crate::accounts::People;
use crate::rng::Rng;
use texts::TOPICS;

const TICKETS: usize = 1_000;
/// Period over which the creation times are spread.
const SPAN: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Rows per statement. PostgreSQL allows at most 65,535 parameters, SQLite 32,766.
const BATCH: usize = 500;

/// Inserts the demo tickets and comments, and returns the number of each.
pub(crate) async fn seed(
    session: &Session,
    people: &People,
    now: Timestamp,
) -> Result<(usize, usize), Unexpected> {
    let mut rng = Rng::new(7);
    let (mut tickets, mut comments) =
        (Vec::with_capacity(TICKETS), Vec::with_capacity(3 * TICKETS));
    for number in 0..TICKETS {
        let back = SPAN.mul_f64((TICKETS - number) as f64 / TICKETS as f64);
        let (ticket, said) = story(&mut rng, people, now - back, now);
        tickets.push(ticket);
        comments.extend(said);
    }
    let counts = (tickets.len(), comments.len());
    insert(session, tickets.iter().map(rows::ticket).collect()).await?;
    insert(session, tickets.iter().flat_map(rows::tags).collect()).await?;
    insert(session, comments.iter().map(rows::comment).collect()).await?;
    Ok(counts)
}

async fn insert<A>(session: &Session, rows: Vec<A>) -> Result<(), Unexpected>
where
    A: ActiveModelTrait,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        A::Entity::insert_many(rows.by_ref().take(BATCH))
            .exec_without_returning(session)
            .await?;
    }
    Ok(())
}

/// Creates a plausible ticket with its comments.
fn story(
    rng: &mut Rng,
    people: &People,
    opened: Timestamp,
    now: Timestamp,
) -> (Ticket, Vec<Comment>) {
    let topic = rng.pick(TOPICS);
    let reporter = person(rng.pick(&people.customers));
    let agent = person(rng.pick(&people.agents));
    let place = rng.pick(texts::PLACES);
    let fill = |text: &&str| text.replace("{place}", place);
    let mut tags: Vec<Tag> = topic
        .tags
        .iter()
        .copied()
        .filter(|_| rng.chance(70))
        .map(Tag::trusted)
        .collect();
    tags.sort();
    let mut ticket = Ticket {
        id: Id::from_uuid(id_at(rng, opened)),
        subject: fill(rng.pick(topic.subjects)),
        body: format!(
            "{}\n\n{}",
            fill(rng.pick(topic.stories)),
            rng.pick(texts::CLOSINGS)
        ),
        status: Status::Open,
        priority: *rng.pick(&[
            Priority::Low,
            Priority::Normal,
            Priority::Normal,
            Priority::Normal,
            Priority::High,
            Priority::High,
            Priority::Urgent,
        ]),
        tags,
        reporter,
        assignee: None,
        comments: 0,
        notes: 0,
        created_at: opened,
        updated_at: opened,
        version: 1,
    };
    // Older tickets are more likely to be solved or closed.
    let age = now.since(opened).as_secs() / (24 * 60 * 60);
    let end = match (age, rng.below(100)) {
        (0..3, 0..70) => Status::Open,
        (0..14, 0..30) => Status::Open,
        (0..14, 30..60) => Status::Pending,
        (_, 0..6) => Status::Open,
        (_, 6..12) => Status::Pending,
        (_, 12..45) => Status::Solved,
        _ => Status::Closed,
    };
    if end != Status::Open || rng.chance(50) {
        ticket.assignee = Some(agent.clone());
        ticket.version += 1;
    }
    let comments = talk(rng, &mut ticket, &agent, topic.answers, now);
    ticket.status = end;
    ticket.version += i64::from(end != Status::Open);
    (ticket, comments)
}

/// Creates a conversation between agent and customer of up to six comments.
fn talk(
    rng: &mut Rng,
    ticket: &mut Ticket,
    agent: &Person,
    answers: &[&str],
    now: Timestamp,
) -> Vec<Comment> {
    let mut said = Vec::new();
    let mut at = ticket.created_at;
    for turn in 0..rng.below(7) {
        at = at + Duration::from_secs(600 + rng.below(20 * 60 * 60));
        if at > now {
            break;
        }
        let internal = rng.chance(12);
        let by_agent = internal || turn % 2 == 0;
        let body = match (internal, by_agent) {
            (true, _) => rng.pick(texts::NOTES),
            (false, true) => rng.pick(answers),
            (false, false) => rng.pick(texts::REPLIES),
        };
        let author = if by_agent {
            agent.clone()
        } else {
            ticket.reporter.clone()
        };
        said.push(Comment {
            id: Id::from_uuid(id_at(rng, at)),
            ticket: ticket.id,
            author,
            body: (*body).to_owned(),
            internal,
            created_at: at,
        });
        if internal {
            ticket.notes += 1;
        } else {
            ticket.commented(by_agent);
            ticket.touch(at);
        }
    }
    said
}

fn person(user: &(crate::access::UserId, String)) -> Person {
    Person {
        id: user.0,
        name: user.1.clone(),
    }
}

/// Returns a UUID version 7 for this time, so that ids sort by time.
fn id_at(rng: &mut Rng, at: Timestamp) -> Uuid {
    let millis = u128::from((at.micros() / 1_000).unsigned_abs());
    let (high, low) = (u128::from(rng.next() & 0xfff), u128::from(rng.next() >> 2));
    Uuid::from_u128(millis << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
}
