//! Access of an open connection: its caller is identified again at an interval.
//!
//! Any change ends the connection: a logout, an expired token, a disabled account, another role,
//! fewer or more scopes. The client connects again with its new rights.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::{Caller, Kind};
use doyen_web::RetainedCredentials;
use tokio::time::Instant;

use crate::CloseReason;
use crate::hub::{Hub, random_fraction};

/// How long access may be unknown, while identification is unavailable.
const MAX_UNKNOWN: Duration = Duration::from_secs(4);

/// The access of one connection.
pub(crate) struct ConnectionAccess {
    caller: Option<Arc<Caller>>,
    credentials: RetainedCredentials,
    interval: Duration,
    due: Instant,
    /// When access was last confirmed.
    confirmed: Instant,
}

impl ConnectionAccess {
    pub(crate) fn new(
        caller: Option<Arc<Caller>>,
        credentials: RetainedCredentials,
        interval: Duration,
    ) -> Self {
        let now = Instant::now();
        Self {
            caller,
            credentials,
            interval,
            // Spread, so that connections that were opened together are not checked together.
            due: now + interval.mul_f64(random_fraction()),
            confirmed: now,
        }
    }

    pub(crate) const fn caller(&self) -> Option<&Arc<Caller>> {
        self.caller.as_ref()
    }

    /// When the next check is due. An anonymous connection has none.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.caller.as_ref().map(|_| self.due)
    }

    /// Identifies the caller again if a check is due: before an event is shown.
    pub(crate) async fn check_if_due(&mut self, hub: &Hub) -> Result<(), CloseReason> {
        match self.due() {
            Some(due) if due <= Instant::now() => self.check(hub).await,
            _ => Ok(()),
        }
    }

    /// Identifies the caller again.
    pub(crate) async fn check(&mut self, hub: &Hub) -> Result<(), CloseReason> {
        let (Some(known), Some(identify)) = (&self.caller, hub.identify.get()) else {
            self.due = Instant::now() + self.interval;
            return Ok(());
        };
        let found = tokio::time::timeout(MAX_UNKNOWN, self.credentials.identify(&**identify)).await;
        self.due = Instant::now() + self.interval;
        match found {
            Ok(Ok(Some(now))) if is_unchanged(known, &now) => {
                self.confirmed = Instant::now();
                Ok(())
            }
            Ok(Ok(now)) => {
                let was = if now.is_some() { "changed" } else { "lost" };
                tracing::info!(target: "live", user = %known.subject, access = was, "a live connection ends");
                Err(CloseReason::AccessEnded)
            }
            Ok(Err(refusal))
                if matches!(
                    refusal.info().kind,
                    Kind::Unauthenticated | Kind::Forbidden | Kind::Malformed
                ) =>
            {
                let code = refusal.info().code;
                tracing::info!(target: "live", user = %known.subject, code, "a live connection ends");
                Err(CloseReason::AccessEnded)
            }
            // Identification is unavailable: the last result counts for a short time.
            Ok(Err(_)) | Err(_) if self.confirmed.elapsed() < MAX_UNKNOWN => Ok(()),
            Ok(Err(_)) | Err(_) => Err(CloseReason::Unavailable),
        }
    }
}

fn is_unchanged(known: &Caller, now: &Caller) -> bool {
    known.subject == now.subject && known.scopes == now.scopes && known.roles == now.roles
}
