//! Rate limits and quotas: their settings, their components, and the route that shows quotas.
//!
//! Without `redis.url` each process counts for itself; with it all nodes count together. Quotas are
//! counted in SQL, by all nodes together.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::limit::{Limiter, Policy, QuotaBucket, Quotas};
use doyen_core::{Caller, Clock, Rate, Timestamp, Unexpected, policy, signed_in};
use doyen_data::Database;
use doyen_limit::{Local, SqlQuotas};
use doyen_schema::Output;
use doyen_settings::Settings;
use doyen_web::limit::{LimitRules, NamedPolicy, NamedQuota, Tier};
use doyen_web::{Json, RateLimits, Route};

use crate::AssembleError;
use crate::redis::Redis;

/// Rate limits and quotas.
#[derive(Debug, Clone, Settings)]
pub struct LimitSettings {
    /// Enforces rate limits and quotas. Disable it only if a gateway enforces them.
    #[setting(default = true)]
    pub enabled: bool,
    /// Rate of an authenticated caller for all routes without their own limit together: `600/1m`,
    /// `600/1m burst 50`. Further requests get a 429.
    #[setting(default = "600/1m")]
    pub default: Rate,
    /// Rate of one address for these routes without authentication. Further requests get a 429.
    #[setting(default = "300/1m")]
    pub anonymous: Rate,
    /// Named policies for routes: `search: 30/1m per user`. A policy counts per user, client,
    /// address, key or route. It replaces a policy that the application declares under the same
    /// name.
    #[setting(default = [])]
    pub policies: Vec<NamedPolicy>,
    /// Roles with higher limits: `partner: x5`. The factor applies to the default, to named
    /// policies and to quotas. If a caller has several of these roles, the largest factor applies.
    #[setting(default = [])]
    pub tiers: Vec<Tier>,
    /// Maximum calls of one user per day or month, in UTC: `api: 100000/day everywhere` for every
    /// route, `exports: 100/month` for routes that name the quota.
    #[setting(default = [])]
    pub quotas: Vec<NamedQuota>,
    /// Maximum callers tracked in memory. Beyond it, the callers with the least usage are dropped
    /// first.
    #[setting(default = 100000, min = 1000, max = 100000000)]
    pub max_callers: u32,
}

/// The components that are built from the settings.
pub(crate) struct Wired {
    pub(crate) rates: Option<RateLimits>,
    pub(crate) quotas: Arc<SqlQuotas>,
    pub(crate) book: Arc<QuotaBook>,
}

/// Builds the components. `declared` are the policies of the application.
pub(crate) fn wire(
    name: &str,
    settings: &LimitSettings,
    declared: &[(&'static str, Policy)],
    clock: &Arc<dyn Clock>,
    database: &Database,
    redis: Option<&Redis>,
    patience: Duration,
) -> Result<Wired, AssembleError> {
    let rules = LimitRules {
        default: settings.default,
        anonymous: settings.anonymous,
        policies: policies(&settings.policies, declared)?,
        quotas: settings.quotas.clone(),
        tiers: settings.tiers.clone(),
    };
    if let Some(twice) = twice(rules.quotas.iter().map(|quota| &*quota.name)) {
        return Err(wrong(
            "limits.quotas",
            format!("`{twice}` stands twice: remove one"),
        ));
    }
    if let Some(twice) = twice(rules.tiers.iter().map(|tier| &*tier.role)) {
        return Err(wrong(
            "limits.tiers",
            format!("the role `{twice}` stands twice: remove one"),
        ));
    }
    let local = Local::new(Arc::clone(clock), settings.max_callers as usize);
    let limiter = limiter(name, Arc::new(local), redis, patience);
    let quotas = Arc::new(SqlQuotas::new(database.clone(), Arc::clone(clock)));
    let book = QuotaBook {
        rules: rules.clone(),
        quotas: Arc::clone(&quotas) as Arc<dyn Quotas>,
    };
    let rates = RateLimits::new(rules, limiter).quotas(Arc::clone(&quotas) as Arc<dyn Quotas>);
    Ok(Wired {
        rates: settings.enabled.then_some(rates),
        quotas,
        book: Arc::new(book),
    })
}

#[cfg(feature = "redis")]
fn limiter(
    name: &str,
    local: Arc<Local>,
    redis: Option<&Redis>,
    patience: Duration,
) -> Arc<dyn Limiter> {
    match redis {
        Some(redis) => {
            let connection = redis.connection();
            Arc::new(doyen_limit::Shared::new(connection, name, local, patience))
        }
        None => local,
    }
}

#[cfg(not(feature = "redis"))]
fn limiter(_: &str, local: Arc<Local>, _: Option<&Redis>, _: Duration) -> Arc<dyn Limiter> {
    local
}

/// Returns the policies of the settings and those of the application that the settings do not
/// replace.
fn policies(
    set: &[NamedPolicy],
    declared: &[(&'static str, Policy)],
) -> Result<Vec<NamedPolicy>, AssembleError> {
    let key = "limits.policies";
    if let Some(twice) = twice(set.iter().map(|policy| &*policy.name)) {
        return Err(wrong(key, format!("`{twice}` stands twice: remove one")));
    }
    if let Some(twice) = twice(declared.iter().map(|(name, _)| *name)) {
        return Err(wrong(
            key,
            format!("the application declares `{twice}` twice: keep one `App::policy`"),
        ));
    }
    let mut all = set.to_vec();
    for (name, policy) in declared {
        let Some((per, rate)) = policy.rate() else {
            return Err(wrong(
                key,
                format!(
                    "the application declares `{name}` by another name: give `App::policy` a rate, such as `per_user(30, MINUTE)`"
                ),
            ));
        };
        if !all.iter().any(|known| known.name == *name) {
            let policy = NamedPolicy {
                name: (*name).to_owned(),
                rate,
                per,
            };
            // Policies from code follow the same rules as policies from settings.
            let policy = NamedPolicy::parse(&policy.to_string()).map_err(|what| {
                wrong(key, format!("`{name}` of the application must be {what}"))
            })?;
            all.push(policy);
        }
    }
    Ok(all)
}

fn wrong(key: &'static str, message: String) -> AssembleError {
    AssembleError::Setting { key, message }
}

fn twice<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) {
            return Some(name);
        }
        seen.push(name);
    }
    None
}

/// The configured quotas, to query their state. Injectable as `Arc<QuotaBook>`.
pub struct QuotaBook {
    rules: LimitRules,
    quotas: Arc<dyn Quotas>,
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
    /// Period of the quota in UTC: `day` or `month`.
    #[output(example = "day")]
    pub period: String,
    /// Calls used in the current period.
    pub used: u64,
    /// Calls left in the current period.
    pub remaining: u64,
    /// Start of the next period.
    pub resets_at: Timestamp,
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
                period: quota.period.word().to_owned(),
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
        .summary("Show your quotas")
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
