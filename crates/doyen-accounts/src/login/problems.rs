//! What can go wrong with a login, as the client is told.

use doyen_core::{Problem, Unexpected};

use crate::SessionRequired;
use crate::cookies::CsrfFailed;

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
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
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
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}
