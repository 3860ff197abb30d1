//! The outside OpenID provider, as the settings say.

use std::sync::Arc;

use doyen_auth::Seed;
use doyen_core::Clock;
use doyen_core::inject::ContainerBuilder;
use doyen_data::Database;
use doyen_settings::Environment;

use crate::assemble::AssembleError;
use crate::settings::FrameworkSettings;

/// Puts it into the graph.
#[cfg(feature = "oidc")]
pub(crate) fn provide(
    settings: &FrameworkSettings,
    environment: Environment,
    seed: &Seed,
    database: &Database,
    clock: &Arc<dyn Clock>,
    container: &mut ContainerBuilder,
) -> Result<(), AssembleError> {
    let openid = doyen_accounts::OpenId::new(
        settings.auth.oidc.clone(),
        seed,
        database.clone(),
        Arc::clone(clock),
        !environment.is_prod(),
    );
    let openid = openid.map_err(|(key, message)| AssembleError::Setting { key, message })?;
    container.provide(Arc::new(openid));
    Ok(())
}

/// Refuses settings that nothing reads.
#[cfg(not(feature = "oidc"))]
pub(crate) fn provide(
    settings: &FrameworkSettings,
    _: Environment,
    _: &Seed,
    _: &Database,
    _: &Arc<dyn Clock>,
    _: &mut ContainerBuilder,
) -> Result<(), AssembleError> {
    if settings.auth.oidc.is_none() {
        return Ok(());
    }
    Err(AssembleError::Setting {
        key: "auth.oidc",
        message: "this program was built without OpenID. Add the feature `oidc` of `doyen`, or remove the section".to_owned(),
    })
}
