//! Notes in one process.

use doyen_core::inject::BoxFuture;
use tokio::sync::broadcast;

use super::{Fanout, Note, Notes};

/// Notes that wait for a subscriber. A slower one loses the oldest.
const CAPACITY: usize = 1024;

/// Passes notes between the hubs that share it. Cloning shares it.
#[derive(Clone, Debug)]
pub struct LocalFanout(broadcast::Sender<Note>);

impl Default for LocalFanout {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

struct LocalNotes(broadcast::Receiver<Note>);

#[async_trait::async_trait]
impl Notes for LocalNotes {
    async fn next(&mut self) -> Result<Note, String> {
        self.0.recv().await.map_err(|error| error.to_string())
    }
}

impl Fanout for LocalFanout {
    fn publish<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), String>> {
        // Without a subscriber it is not missed.
        let _ = self.0.send(note.clone());
        Box::pin(std::future::ready(Ok(())))
    }

    fn subscribe(&self) -> BoxFuture<'_, Result<Box<dyn Notes>, String>> {
        let notes: Box<dyn Notes> = Box::new(LocalNotes(self.0.subscribe()));
        Box::pin(std::future::ready(Ok(notes)))
    }
}
