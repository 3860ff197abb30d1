//! The routes that enable and disable a second factor.

use std::sync::Arc;

use doyen_core::{Problem, Restricted, Secret, SecurityEvent, Unexpected, security, signed_in};
use doyen_macros::{post, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Client, Json, NoContent, NoStore, Routes};

use super::{FactorSettings, Factors, WrongCode, totp};
use crate::SessionRequired;
use crate::login::WrongPassword;
use crate::proof::{Proof, Prove};
use crate::session_user::without_api_keys;
use crate::sessions::CurrentSession;
use crate::throttle::{Admit, LoginThrottled, Throttle};

/// Returns the routes for the caller's own account, with this access policy.
pub(crate) fn routes(own: Restricted) -> Routes {
    routes![begin, confirm, remove]
        .allow(own)
        .document(without_api_keys)
}

/// The account already has a second factor. Disable it first.
#[derive(Debug, Problem)]
#[problem(conflict)]
struct FactorExists;

/// The account has no second factor to confirm or disable. Set one up first.
#[derive(Debug, Problem)]
#[problem(conflict)]
struct NoFactor;

/// Errors when a second factor is enabled or disabled.
#[derive(Debug, Problem)]
enum ChangeFactor {
    /// The caller has no session.
    #[problem(transparent)]
    Session(SessionRequired),
    /// The password is wrong.
    #[problem(transparent)]
    Password(WrongPassword),
    /// The code is wrong.
    #[problem(transparent)]
    Code(WrongCode),
    /// The account already has a second factor.
    #[problem(transparent)]
    Exists(FactorExists),
    /// The account has no second factor.
    #[problem(transparent)]
    None(NoFactor),
    /// Too many failed attempts.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<Prove> for ChangeFactor {
    fn from(refused: Prove) -> Self {
        match refused {
            Prove::Required(problem) => problem.into(),
            Prove::Wrong(problem) => problem.into(),
            Prove::Throttled(problem) => problem.into(),
            Prove::Unexpected(error) => error.into(),
        }
    }
}

impl From<Admit> for ChangeFactor {
    fn from(refused: Admit) -> Self {
        match refused {
            Admit::Throttled(problem) => problem.into(),
            Admit::Unexpected(error) => error.into(),
        }
    }
}

/// A request to set up a second factor.
#[derive(Input)]
struct TotpSetup {
    /// Current password.
    #[validate(length(min = 1, max = 1024))]
    password: Secret<String>,
}

/// Setup data for an authenticator app. It is shown only once.
#[derive(Output)]
struct TotpSecret {
    /// Secret for manual entry.
    #[output(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// `otpauth` URL for a QR code.
    #[output(
        example = "otpauth://totp/Shop:ada@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shop&algorithm=SHA1&digits=6&period=30"
    )]
    url: String,
}

/// Set up a second factor
///
/// Logins require no code until you confirm the first code.
#[post("/me/totp", allow = signed_in, id = "auth_begin_totp", returns = "The secret of the second factor. The response must not be cached.")]
async fn begin(
    me: CurrentSession,
    proof: Proof,
    factors: Factors,
    settings: Arc<FactorSettings>,
    client: Client,
    Json(given): Json<TotpSetup>,
) -> Result<NoStore<TotpSecret>, ChangeFactor> {
    let confirmed = proof.password(&me, given.password, &client).await?;
    let secret = totp::secret()?;
    if !factors.begin(&me.subject, &secret).await? {
        confirmed.forgive().await?;
        return Err(FactorExists.into());
    }
    let issuer = settings.issuer.as_deref().unwrap_or("Doyen");
    let url = totp::url(&secret, issuer, &confirmed.user.email);
    confirmed.succeeded().await?;
    Ok(NoStore(TotpSecret {
        secret: totp::text(&secret),
        url,
    }))
}

/// The first code of a second factor.
#[derive(Input)]
struct TotpCode {
    /// Code from the authenticator app.
    #[validate(length(min = 1, max = 64))]
    #[input(example = "123456")]
    code: Secret<String>,
}

/// Recovery codes, for logins without the authenticator app.
#[derive(Output)]
struct RecoveryCodes {
    /// Single-use codes. They are shown only once.
    #[output(example = ["abcd-efgh-ijkl-mnop"])]
    recovery_codes: Vec<String>,
}

/// Enable the second factor
///
/// Confirms the first code from the authenticator app and returns the recovery codes.
#[post("/me/totp/confirm", allow = signed_in, id = "auth_confirm_totp", returns = "The recovery codes. The response must not be cached.")]
async fn confirm(
    me: CurrentSession,
    throttle: Throttle,
    factors: Factors,
    client: Client,
    Json(given): Json<TotpCode>,
) -> Result<NoStore<RecoveryCodes>, ChangeFactor> {
    let attempt = throttle.admit_own(&me.subject, client.address).await?;
    let found = factors
        .find(&factors.session.autocommit(), &me.subject)
        .await?;
    let Some(factor) = found.filter(|factor| !factor.confirmed) else {
        attempt.forgive().await?;
        return Err(NoFactor.into());
    };
    // There are no recovery codes yet, so this is one from the app or none.
    if !factors
        .take(&me.subject, &factor, given.code.expose())
        .await?
    {
        // On SQLite an open transaction holds the only writer.
        factors.session.rollback().await;
        attempt.failed().await?;
        return Err(WrongCode.into());
    }
    let codes = factors.confirm(&me.subject, factors.clock.now()).await?;
    let recovery_codes = codes.ok_or(NoFactor)?;
    attempt.succeeded(&factors.session, &me.subject).await?;
    factors.log.record_on_commit(
        SecurityEvent::new(security::FACTOR_ENABLED)
            .subject(&me.subject)
            .session(&me.id.to_string())
            .from(client.address, client.agent.as_deref()),
    );
    Ok(NoStore(RecoveryCodes { recovery_codes }))
}

/// A request to disable the second factor.
#[derive(Input)]
struct TotpDisable {
    /// Current password.
    #[validate(length(min = 1, max = 1024))]
    password: Secret<String>,
    /// Code from the authenticator app, or a recovery code.
    #[validate(length(min = 1, max = 64))]
    #[input(example = "123456")]
    code: Secret<String>,
}

/// Disable the second factor
///
/// This is a `POST` because the credentials are in the body, and some intermediaries drop the body
/// of a `DELETE`.
#[post("/me/totp/disable", allow = signed_in, id = "auth_disable_totp")]
async fn remove(
    me: CurrentSession,
    factors: Factors,
    proof: Proof,
    client: Client,
    Json(given): Json<TotpDisable>,
) -> Result<NoContent, ChangeFactor> {
    let confirmed = proof.password(&me, given.password, &client).await?;
    let found = factors
        .find(&factors.session.autocommit(), &me.subject)
        .await?;
    let Some(factor) = found.filter(|factor| factor.confirmed) else {
        confirmed.forgive().await?;
        return Err(NoFactor.into());
    };
    if !factors
        .take(&me.subject, &factor, given.code.expose())
        .await?
    {
        confirmed.failed().await?;
        return Err(WrongCode.into());
    }
    confirmed.succeeded().await?;
    factors.remove(&me.subject).await?;
    Ok(NoContent)
}
