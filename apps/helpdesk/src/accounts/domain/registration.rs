//! Registration with email verification.
//!
//! It does not reveal whether an address has an account: the response and the work are the same in
//! both cases, and the outcome is sent to the address by email.

use std::sync::Arc;

use doyen::domain::{
    Clock, Inject, Secret, SecurityEvent, SecurityLog, Unexpected, port, security,
};

use super::{Account, Email, PasswordHasher};
use crate::access::{Role, UserId};

/// The account that has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// User id.
    pub id: UserId,
    /// True if the address has not been verified.
    pub waits: bool,
}

/// Stores registrations and sends the mails about them.
#[port]
pub trait Registry {
    /// Stores an unverified account. Returns false if the address already has an account.
    async fn claim(&self, account: &Account, password_hash: &str) -> Result<bool, Unexpected>;

    /// Returns the account that has this address.
    async fn holder(&self, email: &Email) -> Result<Option<Holder>, Unexpected>;

    /// Replaces the name and the password of an unverified account.
    async fn take_over(
        &self,
        id: UserId,
        name: &str,
        password_hash: &str,
    ) -> Result<(), Unexpected>;

    /// Sends a verification mail. Returns false if one was sent a short time ago.
    async fn ask(&self, id: UserId, email: &Email) -> Result<bool, Unexpected>;

    /// Sends a mail stating that the address already has an account.
    async fn tell(&self, id: UserId, email: &Email) -> Result<(), Unexpected>;
}

/// Registration, for handlers.
#[derive(Clone, Inject)]
pub struct Registrations {
    registry: Arc<dyn Registry>,
    passwords: Arc<dyn PasswordHasher>,
    log: Arc<dyn SecurityLog>,
    clock: Arc<dyn Clock>,
}

impl Registrations {
    /// Creates the service from its dependencies, without a container.
    pub fn new(
        registry: Arc<dyn Registry>,
        passwords: Arc<dyn PasswordHasher>,
        log: Arc<dyn SecurityLog>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            registry,
            passwords,
            log,
            clock,
        }
    }

    /// Registers a customer, who must then follow the link in a mail.
    ///
    /// Until the address is verified, a later registration replaces an earlier one. Otherwise an
    /// attacker could register the address of another person, who would then follow the link and
    /// use an account whose password the attacker knows.
    pub async fn register(
        &self,
        email: Email,
        name: String,
        password: Secret<String>,
    ) -> Result<(), Unexpected> {
        // Always hash, so that the work is the same. Hash first: the rest holds a transaction.
        let hash = self.passwords.hash(password).await?;
        let account = Account::new(email, name, Role::Customer, self.clock.now());
        let email = &account.email;
        if self.registry.claim(&account, &hash).await? {
            self.registry.ask(account.id, email).await?;
            let event = SecurityEvent::new(security::ACCOUNT_CREATED);
            self.log
                .record_on_commit(event.subject(&account.id.to_string()));
            return Ok(());
        }
        let Some(holder) = self.registry.holder(email).await? else {
            // The account was deleted in the meantime. The client can register again.
            return Ok(());
        };
        if !holder.waits {
            return self.registry.tell(holder.id, email).await;
        }
        // A mail that is already on its way belongs to the earlier registration.
        if self.registry.ask(holder.id, email).await? {
            self.registry
                .take_over(holder.id, &account.name, &hash)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use doyen::domain::SystemClock;

    use super::*;

    /// Records its calls.
    #[derive(Default)]
    struct Desk {
        holder: Option<Holder>,
        soon: bool,
        notes: Mutex<Vec<String>>,
    }

    impl Desk {
        fn note(&self, what: &str) {
            self.notes.lock().unwrap().push(what.to_owned());
        }
    }

    #[port]
    impl Registry for Desk {
        async fn claim(&self, _: &Account, hash: &str) -> Result<bool, Unexpected> {
            self.note(&format!("claim {hash}"));
            Ok(self.holder.is_none())
        }
        async fn holder(&self, _: &Email) -> Result<Option<Holder>, Unexpected> {
            Ok(self.holder.clone())
        }
        async fn take_over(&self, _: UserId, name: &str, hash: &str) -> Result<(), Unexpected> {
            self.note(&format!("take over {name} {hash}"));
            Ok(())
        }
        async fn ask(&self, _: UserId, _: &Email) -> Result<bool, Unexpected> {
            self.note("ask");
            Ok(!self.soon)
        }
        async fn tell(&self, _: UserId, _: &Email) -> Result<(), Unexpected> {
            self.note("tell");
            Ok(())
        }
    }

    struct Counting(Arc<AtomicU32>);

    #[port]
    impl PasswordHasher for Counting {
        async fn hash(&self, password: Secret<String>) -> Result<String, Unexpected> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(format!("#{}", password.expose()))
        }
    }

    struct Silent;

    impl SecurityLog for Silent {
        fn record(&self, _: SecurityEvent) {}
        fn record_on_commit(&self, _: SecurityEvent) {}
    }

    async fn register(desk: Desk) -> Vec<String> {
        let (desk, hashes) = (Arc::new(desk), Arc::new(AtomicU32::new(0)));
        let registry = Arc::clone(&desk) as Arc<dyn Registry>;
        let all = Registrations::new(
            registry,
            Arc::new(Counting(Arc::clone(&hashes))),
            Arc::new(Silent),
            Arc::new(SystemClock),
        );
        all.register(
            "ann@example.com".parse().unwrap(),
            "Ann".to_owned(),
            "pw".to_owned().into(),
        )
        .await
        .unwrap();
        assert_eq!(hashes.load(Ordering::Relaxed), 1, "a8: the same work");
        let notes = desk.notes.lock().unwrap();
        notes.clone()
    }

    fn held(waits: bool) -> Option<Holder> {
        let id = UserId::new();
        Some(Holder { id, waits })
    }

    #[tokio::test]
    async fn a8_a_taken_address_costs_the_same_hash() {
        assert_eq!(register(Desk::default()).await, ["claim #pw", "ask"]);
        let taken = Desk {
            holder: held(false),
            ..Desk::default()
        };
        assert_eq!(register(taken).await, ["claim #pw", "tell"]);
    }

    #[tokio::test]
    async fn the_last_link_goes_with_the_last_password() {
        let waiting = Desk {
            holder: held(true),
            ..Desk::default()
        };
        assert_eq!(
            register(waiting).await,
            ["claim #pw", "ask", "take over Ann #pw"]
        );
        let too_soon = Desk {
            holder: held(true),
            soon: true,
            ..Desk::default()
        };
        assert_eq!(register(too_soon).await, ["claim #pw", "ask"]);
    }
}
