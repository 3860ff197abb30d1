//! Switching a second factor on and off.

use std::sync::Arc;

use doyen_core::{
    Input, Output, Problem, Restricted, Secret, SecurityEvent, Unexpected, security, signed_in,
};
use doyen_macros::{post, routes};
use doyen_web::{Client, Json, NoContent, NoStore, Routes};

use super::{FactorSettings, Factors, WrongCode, totp};
use crate::SessionRequired;
use crate::login::WrongPassword;
use crate::proof::{Proof, Prove};
use crate::sessions::OwnSession;
use crate::throttle::{Admit, LoginThrottled, Throttle};

/// The routes, for whoever may manage their own account.
pub(crate) fn routes(own: Restricted) -> Routes {
    routes![begin, confirm, remove].allow(own)
}

/// This account has a second factor already. Switch it off first.
#[derive(Debug, Problem)]
#[problem(conflict)]
struct FactorExists;

/// This account has no second factor that waits for its first code. Begin with `POST` at `/me/totp`.
#[derive(Debug, Problem)]
#[problem(conflict)]
struct NoFactor;

/// Why a second factor was not switched on or off.
#[derive(Debug, Problem)]
enum ChangeFactor {
    /// The caller has no session.
    #[problem(transparent)]
    Session(SessionRequired),
    /// The password is another.
    #[problem(transparent)]
    Password(WrongPassword),
    /// The code is wrong.
    #[problem(transparent)]
    Code(WrongCode),
    /// There is one.
    #[problem(transparent)]
    Exists(FactorExists),
    /// There is none.
    #[problem(transparent)]
    None(NoFactor),
    /// Too many tries.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// Something nobody planned for.
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

/// Who wants a second factor.
#[derive(Input)]
struct Enrol {
    /// Your password.
    #[validate(length(min = 1, max = 1024))]
    password: Secret<String>,
}

/// What an app needs. It is shown this once.
#[derive(Output)]
struct Enrolment {
    /// The secret, to type it in.
    #[output(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The same for a QR code.
    #[output(
        example = "otpauth://totp/Shop:ada@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shop&algorithm=SHA1&digits=6&period=30"
    )]
    url: String,
}

/// Begin with a second factor.
///
/// Nothing is asked for at the login before you have sent the first code.
#[post("/me/totp", allow = signed_in, id = "auth_begin_totp")]
async fn begin(
    me: OwnSession,
    proof: Proof,
    factors: Factors,
    settings: Arc<FactorSettings>,
    client: Client,
    Json(given): Json<Enrol>,
) -> Result<NoStore<Enrolment>, ChangeFactor> {
    let confirmed = proof.password(&me, given.password, &client).await?;
    let secret = totp::secret()?;
    if !factors.begin(&me.subject, &secret).await? {
        confirmed.forgive().await?;
        return Err(FactorExists.into());
    }
    let issuer = settings.issuer.as_deref().unwrap_or("Doyen");
    let url = totp::url(&secret, issuer, &confirmed.user.email);
    confirmed.succeeded().await?;
    Ok(NoStore(Enrolment {
        secret: totp::text(&secret),
        url,
    }))
}

/// The first code.
#[derive(Input)]
struct FirstCode {
    /// What the app shows.
    #[validate(length(min = 1, max = 64))]
    #[input(example = "123456")]
    code: Secret<String>,
}

/// Codes for the day the phone is lost.
#[derive(Output)]
struct RecoveryCodes {
    /// Each is good once. They are shown this once.
    #[output(example = ["abcd-efgh-ijkl-mnop"])]
    recovery_codes: Vec<String>,
}

/// Switch the second factor on, with a first code.
#[post("/me/totp/confirm", allow = signed_in, id = "auth_confirm_totp")]
async fn confirm(
    me: OwnSession,
    throttle: Throttle,
    factors: Factors,
    client: Client,
    Json(given): Json<FirstCode>,
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

/// Who wants to be without.
#[derive(Input)]
struct Removal {
    /// Your password.
    #[validate(length(min = 1, max = 1024))]
    password: Secret<String>,
    /// What the app shows, or a recovery code.
    #[validate(length(min = 1, max = 64))]
    #[input(example = "123456")]
    code: Secret<String>,
}

/// Switch the second factor off.
///
/// It is a `POST`, because the proof is in the body, and what a `DELETE` carries is lost on the way in places.
#[post("/me/totp/disable", allow = signed_in, id = "auth_disable_totp")]
async fn remove(
    me: OwnSession,
    factors: Factors,
    proof: Proof,
    client: Client,
    Json(given): Json<Removal>,
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
