//! What becomes of a delivery: done, repeated later, or parked.

use std::time::Duration;

use doyen_data::Session;
use doyen_data::sea_orm::DbErr;

use super::{Claimed, Store, commit, now};

/// Maximum length of a stored error, in bytes.
const MAX_ERROR_BYTES: usize = 2000;

/// What follows a failed delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    /// Another attempt after this pause.
    RetryIn(Duration),
    /// No further attempt. `leaves_lane` lets later events of the aggregate pass.
    Park { leaves_lane: bool },
}

/// Marks a delivery as done, in the unit of work of its handler. Returns false if this node has
/// lost its lease: the unit of work must then be rolled back.
pub(crate) async fn done(
    session: &Session,
    handler: &str,
    position: i64,
    token: &str,
) -> Result<bool, DbErr> {
    let sql = "DELETE FROM events_deliveries
               WHERE handler = $1 AND position = $2 AND leased_by = $3";
    let parameters = [handler.into(), position.into(), token.into()];
    Ok(session.execute_sql(sql, parameters).await? == 1)
}

impl Store {
    /// Marks a delivery as done in a unit of work of its own: that of the broker has none.
    pub(crate) async fn published(&self, claimed: &Claimed, token: &str) -> Result<bool, DbErr> {
        let session = self.session();
        let done = done(&session, &claimed.handler, claimed.record.position, token).await?;
        commit(&session).await?;
        Ok(done)
    }

    /// Records a failed delivery and releases the rest of its lane.
    pub(crate) async fn failed(
        &self,
        claimed: &Claimed,
        token: &str,
        error: &str,
        next: Next,
    ) -> Result<(), DbErr> {
        let session = self.session();
        let now = now(session.backend());
        let (pause, parked, aggregate) = match next {
            Next::RetryIn(pause) => (pause, "NULL", "aggregate"),
            Next::Park { leaves_lane: true } => (Duration::ZERO, now, "NULL"),
            Next::Park { leaves_lane: false } => (Duration::ZERO, now, "aggregate"),
        };
        let sql = format!(
            "UPDATE events_deliveries SET attempts = $4, error = $5, due_ms = {now} + $6,
                 parked_ms = {parked}, aggregate = {aggregate}, leased_by = NULL,
                 leased_until_ms = 0
             WHERE handler = $1 AND position = $2 AND leased_by = $3"
        );
        let record = &claimed.record;
        let parameters = [
            claimed.handler.as_str().into(),
            record.position.into(),
            token.into(),
            i64::from(record.attempt).into(),
            shortened(error).into(),
            i64::try_from(pause.as_millis())
                .unwrap_or(i64::MAX / 2)
                .into(),
        ];
        session.execute_sql(&sql, parameters).await?;
        if let Some(aggregate) = &record.aggregate {
            let sql = "UPDATE events_deliveries SET leased_by = NULL, leased_until_ms = 0
                       WHERE leased_by = $1 AND handler = $2 AND aggregate = $3";
            let handler = claimed.handler.as_str();
            let parameters = [token.into(), handler.into(), aggregate.as_str().into()];
            session.execute_sql(sql, parameters).await?;
        }
        commit(&session).await
    }
}

fn shortened(error: &str) -> &str {
    &error[..error.floor_char_boundary(MAX_ERROR_BYTES)]
}
