//! Mails in a list.

use std::sync::{Arc, Mutex, PoisonError};

use doyen_core::{Mail, Mailer, NotDelivered, port};

/// Keeps mails in a list, for tests. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryMailer(Arc<Mutex<Vec<Mail>>>);

impl MemoryMailer {
    /// The mails so far, the oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[port]
impl Mailer for MemoryMailer {
    async fn deliver(&self, mail: &Mail) -> Result<(), NotDelivered> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(mail.clone());
        Ok(())
    }
}
