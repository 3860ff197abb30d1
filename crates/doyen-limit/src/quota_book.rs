//! The route that shows callers the state of their quotas.

use std::sync::Arc;

use doyen_core::limit::{Period, QuotaBucket, Quotas};
use doyen_core::{Caller, Timestamp, Unexpected, policy, signed_in};
use doyen_schema::Output;
use doyen_web::limit::LimitRules;
use doyen_web::{Json, Route};

/// The configured quotas, to query their state. Injectable as `Arc<QuotaBook>`.
pub struct QuotaBook {
    pub(crate) rules: LimitRules,
    pub(crate) quotas: Arc<dyn Quotas>,
}

impl std::fmt::Debug for QuotaBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuotaBook")
            .field("quotas", &self.rules.quotas)
            .finish_non_exhaustive()
    }
}

/// The quotas of the caller.
#[derive(Output)]
#[output(name = "Quotas")]
pub struct QuotaList {
    /// One entry per quota.
    pub items: Vec<QuotaView>,
}

/// The state of one quota of the caller.
#[derive(Output)]
#[output(name = "Quota")]
pub struct QuotaView {
    /// Name of the quota.
    #[output(example = "api")]
    pub name: String,
    /// Maximum calls per period.
    pub limit: u64,
    /// Calendar period of the quota, in UTC.
    pub period: QuotaPeriod,
    /// Calls used in the current period.
    pub used: u64,
    /// Calls left in the current period.
    pub remaining: u64,
    /// Start of the next period.
    pub resets_at: Timestamp,
}

/// A calendar period, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Output)]
pub enum QuotaPeriod {
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

impl From<Period> for QuotaPeriod {
    fn from(period: Period) -> Self {
        match period {
            Period::Day => Self::Day,
            Period::Month => Self::Month,
        }
    }
}

impl QuotaBook {
    /// Returns the state of each quota of this caller.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn of(&self, caller: &Caller) -> Result<Vec<QuotaView>, Unexpected> {
        let mut views = Vec::with_capacity(self.rules.quotas.len());
        for quota in &self.rules.quotas {
            let limit = quota
                .calls
                .saturating_mul(u64::from(self.rules.factor(caller)));
            let bucket = QuotaBucket {
                name: quota.name.clone(),
                calls: quota.calls,
                period: quota.period,
                slot: 0,
                cost: 1,
            };
            let state = self.quotas.state(&bucket, &caller.subject).await?;
            views.push(QuotaView {
                name: quota.name.clone(),
                limit,
                period: quota.period.into(),
                used: state.used,
                remaining: limit.saturating_sub(state.used),
                resets_at: state.resets_at,
            });
        }
        Ok(views)
    }
}

/// Returns a route that shows callers the state of their quotas. Mount it with
/// `Routes::new(vec![limits::quota()]).at("/v1/me")`. Every authenticated caller may use it;
/// `.allow(..)` restricts it to a scope or a role. It does not count against quotas, so that it
/// works when they are used up.
pub fn quota() -> Route {
    Route::get("/quota")
        .name("show")
        .summary("Get your quotas")
        .description(
            "Calls that another server has reserved count as used. The numbers can be slightly higher than the calls you made, but never lower.",
        )
        .allow(signed_in)
        .limit(policy("default").without_quotas())
        .handler(show)
}

async fn show(me: Caller, book: Arc<QuotaBook>) -> Result<Json<QuotaList>, Unexpected> {
    let items = book.of(&me).await?;
    Ok(Json(QuotaList { items }))
}
