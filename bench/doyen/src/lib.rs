//! Doyen in the race: the six cases of `bench/README.md`, as an application.
//!
//! | part | holds |
//! | --- | --- |
//! | [`api`] | the routes and what they read and answer |
//! | [`rows`] | the statements |
//! | [`bare`] | the service without policies |
//! | [`token`] | the caller that the equipped contestants identify |
//!
//! *Full* is what `doyen::run` gives every application in production; it has no code here but
//! `main`.

pub mod api;
pub mod bare;
pub mod rows;
pub mod token;

use doyen::prelude::*;

/// The application, as it runs in production: who calls must be signed in.
pub fn app() -> App {
    App::new("doyen-bench").module(api::full::module())
}
