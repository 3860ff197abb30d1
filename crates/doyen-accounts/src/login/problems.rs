//! What can go wrong with a login, as the client is told.

use doyen_core::{Invalid, Problem, Unexpected};

use crate::SessionRequired;
use crate::cookies::CsrfFailed;
use crate::emails::EmailNotVerified;
use crate::factor::{CheckFactor, SecondFactorRequired, WrongCode};
use crate::throttle::{Admit, LoginThrottled};

/// The e-mail address or the password is wrong.
#[derive(Debug, Problem)]
#[problem(unauthenticated)]
pub struct InvalidCredentials;

/// This service does not give what `transport` asks for. Leave it out.
#[derive(Debug, Problem)]
#[problem(malformed, code = "transport_not_offered")]
pub struct NotOffered;

/// The present password is not the one that was sent. Nothing was changed.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct WrongPassword;

/// Why somebody was not logged in.
#[derive(Debug, Problem)]
pub enum LogIn {
    /// Address or password is wrong, or the account is disabled: all told alike.
    #[problem(transparent)]
    Wrong(InvalidCredentials),
    /// Tokens or a cookie where there is only the other.
    #[problem(transparent)]
    NotOffered(NotOffered),
    /// A page of another site.
    #[problem(transparent)]
    Elsewhere(CsrfFailed),
    /// Too many failed before.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// The password is right, the address not verified.
    #[problem(transparent)]
    Unverified(EmailNotVerified),
    /// The password is right, and a code is missing.
    #[problem(transparent)]
    SecondFactor(SecondFactorRequired),
    /// The password is right, and the code is wrong.
    #[problem(transparent)]
    WrongCode(WrongCode),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<Admit> for LogIn {
    fn from(refused: Admit) -> Self {
        match refused {
            Admit::Throttled(problem) => problem.into(),
            Admit::Unexpected(error) => error.into(),
        }
    }
}

impl From<CheckFactor> for LogIn {
    fn from(refused: CheckFactor) -> Self {
        match refused {
            CheckFactor::Required(problem) => problem.into(),
            CheckFactor::Wrong(problem) => problem.into(),
            CheckFactor::Throttled(problem) => problem.into(),
            CheckFactor::Unexpected(error) => error.into(),
        }
    }
}

/// Why a password was not changed.
#[derive(Debug, Problem)]
pub(crate) enum ChangePassword {
    /// The caller has no session.
    #[problem(transparent)]
    Required(SessionRequired),
    /// The present password is another.
    #[problem(transparent)]
    Wrong(WrongPassword),
    /// Too many were wrong.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// The new one is not taken.
    #[problem(transparent)]
    Weak(Invalid),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<Admit> for ChangePassword {
    fn from(refused: Admit) -> Self {
        match refused {
            Admit::Throttled(problem) => problem.into(),
            Admit::Unexpected(error) => error.into(),
        }
    }
}
