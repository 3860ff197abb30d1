//! Mails in memory.

use std::sync::{Arc, Mutex};

use doyen_core::sync;
use doyen_core::{Mail, Mailer, NotDelivered, port};

/// Keeps mails in a list, for tests. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryMailer(Arc<Mutex<Vec<Mail>>>);

impl MemoryMailer {
    /// Returns the mails so far, the oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        sync::lock(&self.0).clone()
    }
}

#[port]
impl Mailer for MemoryMailer {
    async fn deliver(&self, mail: &Mail) -> Result<(), NotDelivered> {
        sync::lock(&self.0).push(mail.clone());
        Ok(())
    }
}
