//! Claims deliveries for this node.
//!
//! For each handler, the events of one aggregate are a lane. Only the first delivery of a lane can
//! be claimed, and with it some that follow. While a node has them, no other node can claim from
//! this lane, because its first delivery is leased.

use doyen_data::Session;
use doyen_data::sea_orm::{DbBackend, DbErr};

use super::sequence::{BATCH, Sequenced};
use super::{Claimed, ClaimedRow, Store, Target, commit, now};

/// Maximum number of deliveries of a lane that are claimed with its first one.
const FOLLOWERS: i64 = 15;

/// What to claim: the lanes of some targets.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// Names of the targets, as a JSON list.
    pub(crate) handlers: String,
    /// Maximum number of lanes.
    pub(crate) lanes: usize,
}

/// The result of one round.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// The claimed deliveries, by position.
    pub(crate) claimed: Vec<Claimed>,
    /// True if there may be more to do at once.
    pub(crate) has_more: bool,
    /// True if another node puts events in order at this moment.
    pub(crate) is_busy: bool,
}

impl Store {
    /// True if there may be something to do. It only reads, so that an idle application writes
    /// nothing.
    pub(crate) async fn has_work(&self) -> Result<bool, DbErr> {
        let now = now(self.database.backend());
        let sql = format!(
            "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM doyen_outbox WHERE position IS NULL)
                 OR EXISTS (SELECT 1 FROM events_deliveries WHERE parked_ms IS NULL
                     AND due_ms <= {now} AND leased_until_ms < {now})
             THEN 1 ELSE 0 END AS bigint) AS n"
        );
        Ok(self.number(&sql, Vec::new()).await? != 0)
    }

    /// Puts new events in order and claims deliveries, in one transaction. `token` identifies the
    /// claim.
    pub(crate) async fn round(
        &self,
        targets: &[Target],
        wishes: &[Wish],
        token: &str,
        lease_ms: i64,
    ) -> Result<Round, DbErr> {
        let session = self.session();
        let sequenced = self.sequence(&session, targets).await?;
        let mut lanes = 0;
        for wish in wishes.iter().filter(|wish| wish.lanes > 0) {
            lanes += claim_heads(&session, wish, token, lease_ms).await?;
        }
        let mut claimed = Vec::new();
        if lanes > 0 {
            claim_followers(&session, token, lease_ms).await?;
            claimed = read(&session, token).await?;
        }
        commit(&session).await?;
        Ok(Round {
            claimed,
            has_more: sequenced == Sequenced::Events(BATCH),
            is_busy: sequenced == Sequenced::Busy,
        })
    }

    /// Renews the leases of a claim.
    pub(crate) async fn extend(&self, token: &str, lease_ms: i64) -> Result<(), DbErr> {
        let session = self.session();
        let now = now(session.backend());
        let sql = format!(
            "UPDATE events_deliveries SET leased_until_ms = {now} + $2 WHERE leased_by = $1"
        );
        session
            .execute_sql(&sql, [token.into(), lease_ms.into()])
            .await?;
        commit(&session).await
    }

    /// Releases what a node still holds, for other nodes.
    pub(crate) async fn release(&self, node: &str) -> Result<(), DbErr> {
        let session = self.session();
        let sql = "UPDATE events_deliveries SET leased_by = NULL, leased_until_ms = 0
                   WHERE leased_by LIKE $1";
        session
            .execute_sql(sql, [format!("{node}/%").into()])
            .await?;
        let sql = "DELETE FROM events_leases WHERE holder = $1";
        session.execute_sql(sql, [node.into()]).await?;
        commit(&session).await
    }
}

/// Claims the first deliveries of lanes. Each counts as an attempt, so that an event that kills the
/// process is parked in the end.
async fn claim_heads(
    session: &Session,
    wish: &Wish,
    token: &str,
    lease_ms: i64,
) -> Result<u64, DbErr> {
    let now = now(session.backend());
    let (names, skip) = match session.backend() {
        DbBackend::Sqlite => ("SELECT value FROM json_each($1)", ""),
        _ => (
            "SELECT json_array_elements_text(CAST($1 AS json))",
            "FOR UPDATE OF d SKIP LOCKED",
        ),
    };
    let sql = format!(
        "WITH heads AS MATERIALIZED (
             SELECT d.handler AS h, d.position AS p FROM events_deliveries AS d
             WHERE d.handler IN ({names}) AND d.parked_ms IS NULL
               AND d.due_ms <= {now} AND d.leased_until_ms < {now}
               AND NOT EXISTS (SELECT 1 FROM events_deliveries AS e
                   WHERE e.handler = d.handler AND e.aggregate = d.aggregate
                     AND e.position < d.position)
             ORDER BY d.position LIMIT $2 {skip})
         UPDATE events_deliveries SET leased_by = $3, leased_until_ms = {now} + $4,
             attempts = attempts + 1
         FROM heads WHERE handler = heads.h AND position = heads.p"
    );
    let lanes = i64::try_from(wish.lanes).unwrap_or(i64::MAX);
    let parameters = [
        wish.handlers.as_str().into(),
        lanes.into(),
        token.into(),
        lease_ms.into(),
    ];
    session.execute_sql(&sql, parameters).await
}

/// Claims deliveries that directly follow the claimed ones.
async fn claim_followers(session: &Session, token: &str, lease_ms: i64) -> Result<(), DbErr> {
    let now = now(session.backend());
    let sql = format!(
        "UPDATE events_deliveries SET leased_by = $1, leased_until_ms = {now} + $2
         WHERE (handler, position) IN (
             SELECT d.handler, d.position FROM events_deliveries AS h
             JOIN events_deliveries AS d ON d.handler = h.handler AND d.aggregate = h.aggregate
                 AND d.position > h.position AND d.position <= (
                     SELECT max(f.position) FROM (
                         SELECT e.position FROM events_deliveries AS e
                         WHERE e.handler = h.handler AND e.aggregate = h.aggregate
                           AND e.position > h.position
                         ORDER BY e.position LIMIT {FOLLOWERS}) AS f)
             WHERE h.leased_by = $1 AND d.parked_ms IS NULL AND d.leased_until_ms < {now}
               AND NOT EXISTS (SELECT 1 FROM events_deliveries AS g
                   WHERE g.handler = d.handler AND g.aggregate = d.aggregate
                     AND g.position < d.position AND g.position > h.position
                     AND (g.parked_ms IS NOT NULL OR g.leased_until_ms >= {now})))"
    );
    session
        .execute_sql(&sql, [token.into(), lease_ms.into()])
        .await?;
    Ok(())
}

async fn read(session: &Session, token: &str) -> Result<Vec<Claimed>, DbErr> {
    let sql = "SELECT d.handler, d.attempts, o.id, o.position, o.topic, d.aggregate, o.payload,
                   o.created_at, o.trace, o.origin
               FROM events_deliveries AS d JOIN doyen_outbox AS o ON o.position = d.position
               WHERE d.leased_by = $1 ORDER BY d.position";
    let rows = session.query_as::<ClaimedRow>(sql, [token.into()]).await?;
    Ok(rows.into_iter().map(Claimed::from).collect())
}
