//! Passwords and tokens, by the engines of the framework.

use std::sync::Arc;

use doyen::auth::{NewPassword, Passwords, Tokens};
use doyen::prelude::*;

use crate::access::{self, User};
use crate::accounts::domain::{Login, PasswordHasher, TokenIssuer, Verdict};

/// Passwords with argon2id.
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

    async fn verify(
        &self,
        password: Secret<String>,
        hash: Option<&str>,
    ) -> Result<Verdict, Unexpected> {
        let verdict = self.passwords.verify(password, hash).await?;
        Ok(Verdict {
            right: verdict.ok,
            outdated: verdict.rehash,
        })
    }
}

/// Access tokens signed with the key of the service.
#[derive(Clone, Inject)]
pub(crate) struct SignedTokens {
    tokens: Arc<Tokens>,
}

#[port]
impl TokenIssuer for SignedTokens {
    fn issue(&self, user: User) -> Result<Login, Unexpected> {
        let issued = self.tokens.issue(&access::caller(user))?;
        Ok(Login {
            user,
            token: issued.token.into(),
            expires_in: issued.expires_in,
        })
    }
}
