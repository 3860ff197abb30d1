//! Rate limits and quotas as a plugin.

use std::sync::Arc;

use doyen_app::{DeclaredPolicy, Manifest, Plugin, Redis, Registrar, SetupError, Stop};
use doyen_core::limit::{Limiter, Quotas};
use doyen_web::RateLimits;
use doyen_web::limit::{LimitRules, NamedPolicy};

use crate::{LimitSettings, Local, QuotaBook, SqlQuotas, TABLES};

/// Limits how often callers use routes, per minute and per day or month.
///
/// Without `redis.url` each process limits rates for itself; with it, all nodes count together.
/// Quotas are counted in SQL, by all nodes together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits;

impl Plugin for Limits {
    const NAME: &'static str = "limits";
    type Settings = LimitSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("Rate limits and quotas").tables(TABLES);
    }

    fn register(self, settings: LimitSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        // Plugins may declare policies too: all are known after registration.
        app.finish(|app| wire(settings, app));
        Ok(())
    }
}

fn wire(settings: LimitSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
    let declared = app.contributions::<DeclaredPolicy>();
    let rules = LimitRules {
        default: settings.default,
        anonymous: settings.anonymous,
        policies: policies(&settings.policies, &declared)?,
        quotas: settings.quotas,
        tiers: settings.tiers,
    };
    if let Some(twice) = twice(rules.quotas.iter().map(|quota| &*quota.name)) {
        let message = format!("`{twice}` occurs twice: remove one");
        app.fault(wrong("limits.quotas", message));
    }
    if let Some(twice) = twice(rules.tiers.iter().map(|tier| &*tier.role)) {
        let message = format!("the role `{twice}` occurs twice: remove one");
        app.fault(wrong("limits.tiers", message));
    }
    let local = Local::new(app.clock(), settings.max_callers as usize);
    let limiter = limiter(app.info().name, Arc::new(local), app.redis());
    let quotas = Arc::new(SqlQuotas::new(app.database(), app.clock()));
    app.provide(Arc::new(QuotaBook {
        rules: rules.clone(),
        quotas: Arc::clone(&quotas) as Arc<dyn Quotas>,
    }));
    app.provide(Arc::clone(&quotas));
    // Returns leased calls that were not used.
    app.service("quotas", |quotas: Arc<SqlQuotas>| async move {
        Ok(Stop::with(move || async move { quotas.flush().await }))
    });
    if settings.enabled {
        app.rate_limits(RateLimits::new(rules, limiter).quotas(quotas));
    }
    Ok(())
}

#[cfg(feature = "redis")]
fn limiter(name: &str, local: Arc<Local>, redis: Option<Redis>) -> Arc<dyn Limiter> {
    match redis {
        Some(redis) => {
            let timeout = redis.timeout();
            let connection = redis.connection();
            Arc::new(crate::Shared::new(connection, name, local, timeout))
        }
        None => local,
    }
}

#[cfg(not(feature = "redis"))]
fn limiter(_: &str, local: Arc<Local>, _: Option<Redis>) -> Arc<dyn Limiter> {
    local
}

/// Returns the policies of the settings and those of the application that the settings do not
/// replace.
fn policies(
    set: &[NamedPolicy],
    declared: &[DeclaredPolicy],
) -> Result<Vec<NamedPolicy>, SetupError> {
    let key = "limits.policies";
    if let Some(twice) = twice(set.iter().map(|policy| &*policy.name)) {
        return Err(wrong(key, format!("`{twice}` occurs twice: remove one")));
    }
    if let Some(twice) = twice(declared.iter().map(|policy| policy.name)) {
        return Err(wrong(
            key,
            format!("the application declares `{twice}` twice: keep one `App::policy`"),
        ));
    }
    let mut all = set.to_vec();
    for DeclaredPolicy { name, policy } in declared {
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

fn wrong(key: &'static str, message: String) -> SetupError {
    SetupError::setting(key, message)
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
