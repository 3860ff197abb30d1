//! The problems of a login.

use doyen_core::{Invalid, Problem, Unexpected};

use crate::SessionRequired;
use crate::cookies::CsrfFailed;
use crate::emails::EmailNotVerified;
use crate::factor::{CheckFactor, SecondFactorRequired, WrongCode};
use crate::throttle::{Admit, LoginThrottled};

/// The email address or the password is wrong. Check both and try again.
#[derive(Debug, Problem)]
#[problem(unauthenticated)]
pub struct InvalidCredentials;

/// The service does not offer the requested `transport`. Omit it.
#[derive(Debug, Problem)]
#[problem(malformed, code = "transport_not_offered")]
pub struct NotOffered;

/// The password is wrong. Nothing was changed. Send your current password.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct WrongPassword;

/// Errors of a login.
#[derive(Debug, Problem)]
pub enum LogIn {
    /// The address or the password is wrong, or the account is disabled. The response is the same.
    #[problem(transparent)]
    Wrong(InvalidCredentials),
    /// The requested transport is not offered.
    #[problem(transparent)]
    NotOffered(NotOffered),
    /// The request comes from a page of another site.
    #[problem(transparent)]
    Elsewhere(CsrfFailed),
    /// Too many failed attempts.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// The password is correct, but the address is not verified.
    #[problem(transparent)]
    Unverified(EmailNotVerified),
    /// The password is correct, but the code is missing.
    #[problem(transparent)]
    SecondFactor(SecondFactorRequired),
    /// The password is correct, but the code is wrong.
    #[problem(transparent)]
    WrongCode(WrongCode),
    /// An unexpected error.
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

/// Errors when a password is changed.
#[derive(Debug, Problem)]
pub(crate) enum ChangePassword {
    /// The caller has no session.
    #[problem(transparent)]
    Required(SessionRequired),
    /// The current password is wrong.
    #[problem(transparent)]
    Wrong(WrongPassword),
    /// Too many failed attempts.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// The new password is rejected.
    #[problem(transparent)]
    Weak(Invalid),
    /// An unexpected error.
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
