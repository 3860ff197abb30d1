//! Somebody who logged in, not a program with a key.

use std::ops::Deref;

use doyen_core::{Caller, Problem, provider};

/// The caller, who is a person: they logged in. Ask for it where somebody manages their own account; an API key or a machine client is
/// answered 403.
///
/// A key that leaks must not be able to make itself others, nor to lock its owner out.
#[derive(Clone, Debug)]
pub struct Person(Caller);

impl Deref for Person {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
    }
}

/// This is for somebody who logged in. An API key or a machine client may not do it, whatever its scopes are.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct SessionRequired;

#[provider]
async fn person(caller: Caller) -> Result<Person, SessionRequired> {
    if caller.session.is_some() && caller.key.is_none() {
        Ok(Person(caller))
    } else {
        Err(SessionRequired)
    }
}
