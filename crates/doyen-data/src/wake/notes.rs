//! Notes: short texts to all processes of a PostgreSQL database, over the connection of the
//! wake-ups.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DbBackend, DbErr};
use tokio::sync::{broadcast, watch};

use super::send;
use crate::Database;

/// Maximum size of a note, in bytes. PostgreSQL refuses notifications of 8000.
pub const MAX_NOTE_BYTES: usize = 7_800;

/// Notes that wait for a slow reader.
const NOTES_CAPACITY: usize = 1024;

/// Maximum time until this process listens.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);

/// A subscription to the notes of a channel.
#[derive(Debug)]
pub struct Notes {
    channel: &'static str,
    notes: broadcast::Receiver<(Arc<str>, Arc<str>)>,
    listening: watch::Receiver<u64>,
    /// The connection that this subscription began with.
    connection: u64,
}

impl Notes {
    /// Waits for the next note.
    ///
    /// # Errors
    ///
    /// Returns an error if notes were lost: the connection was, or this reader is too slow.
    pub async fn next(&mut self) -> Result<Arc<str>, DbErr> {
        loop {
            let lost = |what: &str| DbErr::Custom(what.to_owned());
            tokio::select! {
                biased;
                note = self.notes.recv() => {
                    let (channel, text) = note.map_err(|error| lost(&error.to_string()))?;
                    if *channel == *self.channel {
                        return Ok(text);
                    }
                }
                _ = self.listening.wait_for(|now| *now != self.connection) => {
                    return Err(lost("the connection that listens was lost"));
                }
            }
        }
    }
}

/// The subscriptions of one process.
pub(super) struct NoteHub {
    notes: broadcast::Sender<(Arc<str>, Arc<str>)>,
    /// Odd while this process listens. Each connection has another number.
    listening: watch::Sender<u64>,
}

impl Default for NoteHub {
    fn default() -> Self {
        Self {
            notes: broadcast::Sender::new(NOTES_CAPACITY),
            listening: watch::Sender::new(0),
        }
    }
}

#[cfg(feature = "postgres")]
impl NoteHub {
    pub(super) fn received(&self, channel: &str, text: &str) {
        // Without a subscription the note is not missed.
        let _ = self.notes.send((channel.into(), text.into()));
    }

    pub(super) fn set_listening(&self, is_listening: bool) {
        self.listening.send_if_modified(|number| {
            let is_changed = (*number % 2 == 1) != is_listening;
            *number += u64::from(is_changed);
            is_changed
        });
    }
}

impl Database {
    /// Subscribes to the notes of a channel, of all processes and of this one. The notes of one
    /// process arrive in their order.
    ///
    /// # Errors
    ///
    /// Returns an error if this process does not listen within five seconds: the database is no
    /// PostgreSQL or not available, or a pooler is in between.
    pub async fn notes(&self, channel: &'static str) -> Result<Notes, DbErr> {
        // Starts to listen.
        drop(self.wakeups(channel));
        let hub = &self.wake_center().shared.notes;
        let mut listening = hub.listening.subscribe();
        // Before the connection is known, so that no note of it is missed.
        let notes = hub.notes.subscribe();
        let listens = listening.wait_for(|number| number % 2 == 1);
        let listens = tokio::time::timeout(LISTEN_TIMEOUT, listens).await;
        let connection = listens.ok().and_then(Result::ok).map(|number| *number);
        let connection =
            connection.ok_or_else(|| DbErr::Custom("this process does not listen".to_owned()))?;
        Ok(Notes {
            channel,
            notes,
            listening,
            connection,
        })
    }

    /// Sends a note to all processes. It is sent outside of any unit of work.
    ///
    /// # Errors
    ///
    /// Returns an error if it is larger than [`MAX_NOTE_BYTES`], or the database is no PostgreSQL
    /// or not available.
    pub async fn send_note(&self, channel: &'static str, text: &str) -> Result<(), DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Err(DbErr::Custom("only PostgreSQL passes on notes".to_owned()));
        }
        if text.len() > MAX_NOTE_BYTES {
            return Err(DbErr::Custom("the note is too large".to_owned()));
        }
        let process = &self.wake_center().shared.process;
        send(self, format!("{process} {channel} {text}")).await
    }
}
