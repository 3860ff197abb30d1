//! The commands `events ..`: parked deliveries, shown, repeated and given up.

use std::fmt::Write as _;

use doyen_app::{Command, Manifest, align};
use doyen_core::{Timestamp, Unexpected};
use doyen_data::Session;
use uuid::Uuid;

use crate::store::manage::{Pending, of_event, retry, skip, troubled};

/// Maximum number of rows of `events list`.
const MAX_LISTED: i64 = 200;

pub(crate) fn declare(manifest: &mut Manifest) {
    let about = "Lists parked and failing deliveries";
    let list = |session: Session, _| async move {
        let rows = troubled(&session, MAX_LISTED).await?;
        Ok(table(&rows))
    };
    manifest.command(Command::new("events list", about, &[], list));

    let about = "Shows an event that waits, with its payload and its deliveries";
    let show = |session: Session, arguments: Vec<String>| async move {
        let id = event_id(&arguments)?;
        let rows = of_event(&session, id).await?;
        details(&rows).ok_or_else(|| unknown(id))
    };
    manifest.command(Command::new("events show", about, &["event"], show));

    let about = "Delivers a parked event again; `all` for all of them";
    let again = |session: Session, arguments: Vec<String>| async move {
        let is_all = arguments.first().is_some_and(|argument| argument == "all");
        let id = if is_all {
            None
        } else {
            Some(event_id(&arguments)?)
        };
        let count = retry(&session, id).await?;
        session.wake(doyen_data::EVENTS_CHANNEL);
        match (count, id) {
            (0, Some(id)) => Err(unknown(id)),
            _ => Ok(format!("deliveries that are tried again: {count}")),
        }
    };
    manifest.command(Command::new("events retry", about, &["event"], again));

    let about =
        "Gives up the parked deliveries of an event: later events of its aggregate continue";
    let give_up = |session: Session, arguments: Vec<String>| async move {
        let id = event_id(&arguments)?;
        let count = skip(&session, id).await?;
        session.wake(doyen_data::EVENTS_CHANNEL);
        match count {
            0 => Err(unknown(id)),
            _ => Ok(format!("deliveries that were given up: {count}")),
        }
    };
    manifest.command(Command::new("events skip", about, &["event"], give_up));
}

fn event_id(arguments: &[String]) -> Result<Uuid, Unexpected> {
    let id = arguments.first().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Unexpected::new("the event must be an id, as `events list` shows it"))
}

fn unknown(id: Uuid) -> Unexpected {
    Unexpected::new(format!(
        "the event {id} has no such delivery: `events list` shows those that are parked"
    ))
}

fn state(row: &Pending) -> &'static str {
    match (row.parked_ms, &row.error) {
        (Some(_), _) => "parked",
        (None, Some(_)) => "failing",
        (None, None) => "waiting",
    }
}

fn table(rows: &[Pending]) -> String {
    if rows.is_empty() {
        return "no delivery is parked or failing".to_owned();
    }
    let rows = rows.iter().map(|row| {
        let error = row.error.as_deref().unwrap_or_default();
        [
            row.id.to_string(),
            row.handler.clone(),
            row.topic.clone(),
            row.aggregate.clone().unwrap_or_default(),
            state(row).to_owned(),
            row.attempts.to_string(),
            error.lines().next().unwrap_or_default().to_owned(),
        ]
    });
    let head = [
        "EVENT",
        "HANDLER",
        "TOPIC",
        "AGGREGATE",
        "STATE",
        "ATTEMPTS",
        "ERROR",
    ];
    align(head, rows.collect())
}

fn details(rows: &[Pending]) -> Option<String> {
    let first = rows.first()?;
    let mut text = format!(
        "event      {}\ntopic      {}\naggregate  {}\nemitted    {}\ntrace      {}\npayload    {}\n",
        first.id,
        first.topic,
        first.aggregate.as_deref().unwrap_or("none"),
        Timestamp::from(first.created_at),
        first.trace.as_deref().unwrap_or("none"),
        first.payload,
    );
    for row in rows {
        let error = row.error.as_deref().unwrap_or("none");
        let (handler, state, attempts) = (&row.handler, state(row), row.attempts);
        let _ = write!(
            text,
            "\n{handler}: {state}, {attempts} attempts, error: {error}"
        );
    }
    Some(text)
}
