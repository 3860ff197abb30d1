//! Password hashing with the framework.

use std::sync::Arc;

use doyen::auth::{NewPassword, Passwords};
use doyen::prelude::*;

use crate::accounts::domain::PasswordHasher;

/// Hashes passwords with argon2id.
#[derive(Clone, Inject)]
pub(crate) struct Argon2 {
    passwords: Arc<Passwords>,
}

#[port]
impl PasswordHasher for Argon2 {
    async fn hash(&self, password: Secret<String>) -> Result<String, Unexpected> {
        let password: NewPassword = password.expose().parse()?;
        self.passwords.hash(password).await
    }
}
