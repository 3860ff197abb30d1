//! How often: the settings, what they are made into, and what a caller can ask about their own quotas.
//!
//! Without `redis.url` each process counts for itself; with it all nodes count together. Quotas are counted in SQL, by all nodes alike.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::limit::{
    LimitRules, Limiter, NamedPolicy, NamedQuota, Policy, QuotaBucket, Quotas, Tier,
};
use doyen_core::{Caller, Clock, Output, Rate, Settings, Timestamp, Unexpected, policy, signed_in};
use doyen_data::Database;
use doyen_limit::{Local, SqlQuotas};
use doyen_web::{Json, RateLimits, Route};

use crate::AssembleError;
use crate::redis::Redis;

/// How often callers may call.
#[derive(Debug, Clone, Settings)]
pub struct LimitSettings {
    /// Whether calls are counted at all. Switch it off only where a gateway in front counts.
    #[setting(default = true)]
    pub enabled: bool,
    /// How often a known caller may call routes that have no limit of their own, all of them together: `600/1m`, `600/1m burst 50`.
    #[setting(default = "600/1m")]
    pub default: Rate,
    /// How often an address may call them without a known caller.
    #[setting(default = "300/1m")]
    pub anonymous: Rate,
    /// Policies that routes name: `search: 30/1m per user`; per user, client, address, key or route. One that the application declares under the same name is replaced.
    #[setting(default = [])]
    pub policies: Vec<NamedPolicy>,
    /// Roles that have more of the default, of named policies and of quotas: `partner: x5`. Of several the largest counts.
    #[setting(default = [])]
    pub tiers: Vec<Tier>,
    /// Calls of each user in a day or a month, UTC: `api: 100000/day everywhere`, `exports: 100/month` for routes that name it.
    #[setting(default = [])]
    pub quotas: Vec<NamedQuota>,
    /// How many callers are kept in memory at most. Beyond it those go first that have used least.
    #[setting(default = 100000, min = 1000, max = 100000000)]
    pub max_callers: u32,
}

/// What is made of the settings.
pub(crate) struct Wired {
    pub(crate) rates: Option<RateLimits>,
    pub(crate) quotas: Arc<SqlQuotas>,
    pub(crate) book: Arc<QuotaBook>,
}

/// Makes the engines. `declared` are the policies of the application.
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

/// Those of the settings, and those of the application that the settings do not replace.
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
            // What code says is held to the same rules as what settings say.
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

/// The quotas there are, to ask how they stand. Injectable as `Arc<QuotaBook>`.
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
    /// One entry for each quota.
    pub items: Vec<QuotaView>,
}

/// How a quota of the caller stands.
#[derive(Output)]
#[output(name = "Quota")]
pub struct QuotaView {
    /// Its name.
    #[output(example = "api")]
    pub name: String,
    /// How many calls there are in a period.
    pub limit: u64,
    /// `day` or `month`, in UTC.
    #[output(example = "day")]
    pub period: String,
    /// How many calls were made in this one.
    pub used: u64,
    /// How many are left.
    pub remaining: u64,
    /// When the next one begins.
    pub resets_at: Timestamp,
}

impl QuotaBook {
    /// How each quota of this caller stands.
    ///
    /// # Errors
    ///
    /// The database does not answer.
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

/// A route that shows callers how their quotas stand: mount it with
/// `Routes::new(vec![limits::quota()]).at("/v1/me")`. Every caller who is signed in may call it;
/// `.allow(..)` restricts that to a scope or a role. Quotas do not count it, so that it answers
/// when they are used up.
pub fn quota() -> Route {
    Route::get("/quota")
        .name("show")
        .summary("Show how your quotas stand.")
        .description(
            "Calls that another server may still give out count as used: the numbers can be a little higher than what you called, never lower.",
        )
        .allow(signed_in)
        .limit(policy("default").without_quotas())
        .handler(show)
}

async fn show(me: Caller, book: Arc<QuotaBook>) -> Result<Json<QuotaList>, Unexpected> {
    let items = book.of(&me).await?;
    Ok(Json(QuotaList { items }))
}
