//! Notes over `NOTIFY` and `LISTEN` of PostgreSQL.

use doyen_core::chain;
use doyen_core::inject::BoxFuture;
use doyen_data::Database;

use super::{Fanout, Note, Notes};

const CHANNEL: &str = "live_notes";

/// Passes notes between the processes of one PostgreSQL database, over the connection of its
/// wake-ups. A note of more than 7,800 bytes is not sent ([`MAX_NOTE_BYTES`]).
///
/// [`MAX_NOTE_BYTES`]: doyen_data::MAX_NOTE_BYTES
#[derive(Clone, Debug)]
pub struct PostgresFanout(pub Database);

struct PostgresNotes(doyen_data::Notes);

#[async_trait::async_trait]
impl Notes for PostgresNotes {
    async fn next(&mut self) -> Result<Note, String> {
        let text = self.0.next().await.map_err(|error| chain(&error))?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }
}

impl Fanout for PostgresFanout {
    fn publish<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let text = serde_json::to_string(note).map_err(|error| error.to_string())?;
            let sent = self.0.send_note(CHANNEL, &text).await;
            sent.map_err(|error| chain(&error))
        })
    }

    fn subscribe(&self) -> BoxFuture<'_, Result<Box<dyn Notes>, String>> {
        Box::pin(async move {
            let notes = self.0.notes(CHANNEL).await.map_err(|error| chain(&error))?;
            let notes: Box<dyn Notes> = Box::new(PostgresNotes(notes));
            Ok(notes)
        })
    }
}
