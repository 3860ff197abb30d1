//! The known networks of an account: those from which it has logged in.

use std::time::Duration;

use doyen_core::{DAY, Unexpected};
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{self, FromQueryResult};
use doyen_data::{Row, Session};

use super::Throttle;

/// Time for which a network stays known after the last login.
pub(super) const NETWORK_RETENTION: Duration = Duration::from_secs(90 * DAY.as_secs());
/// Maximum known networks of one account. The oldest is deleted first.
const MAX_KNOWN: u32 = 20;

#[derive(FromQueryResult, Row)]
struct Seen {
    seen_at: DateTimeUtc,
}

impl Throttle {
    pub(super) async fn is_known(&self, place: &[u8; 32]) -> Result<bool, Unexpected> {
        let session = self.database.session(doyen_core::Access::Read);
        let sql = "SELECT seen_at FROM auth_places WHERE key = $1";
        let seen: Option<Seen> = session.query_one_as(sql, [place.to_vec().into()]).await?;
        let since = DateTimeUtc::from(self.clock.now() - NETWORK_RETENTION);
        Ok(seen.is_some_and(|seen| seen.seen_at > since))
    }

    pub(super) async fn remember(
        &self,
        work: &Session,
        place: &[u8; 32],
        subject: &str,
    ) -> Result<(), Unexpected> {
        let now = DateTimeUtc::from(self.clock.now());
        let sql = "INSERT INTO auth_places (key, subject, seen_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (key) DO UPDATE SET subject = excluded.subject, seen_at = excluded.seen_at";
        let parameters = [place.to_vec().into(), subject.into(), now.into()];
        work.execute_sql(sql, parameters).await?;
        let sql = format!(
            "DELETE FROM auth_places WHERE subject = $1 AND key NOT IN \
             (SELECT key FROM auth_places WHERE subject = $2 ORDER BY seen_at DESC, key LIMIT {MAX_KNOWN})"
        );
        work.execute_sql(&sql, [subject.into(), subject.into()])
            .await?;
        Ok(())
    }

    /// Deletes the known networks of an account, since an intruder may have logged in from one.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn forget_networks(&self, work: &Session, subject: &str) -> Result<(), Unexpected> {
        let sql = "DELETE FROM auth_places WHERE subject = $1";
        work.execute_sql(sql, [subject.into()]).await?;
        Ok(())
    }
}
