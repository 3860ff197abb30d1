//! The helpdesk: customers open tickets, agents answer.
//!
//! It is the reference service of Doyen: small, complete, and tested against its contract from outside.
//!
//! | part | holds |
//! | --- | --- |
//! | [`access`] | roles, scopes, and the caller as a user: the words all domains share |
//! | [`accounts`] | register, log in, the users |
//! | [`tickets`] | tickets, their states, comments, counts |
//! | [`settings`] | what can be set besides the framework's settings |
//!
//! Each domain is a folder of three layers: `api` shows it on the web, `domain` has its rules, `infrastructure` keeps its data. The arrows
//! point inwards: `api` and `infrastructure` know `domain`, which knows neither.

pub mod access;
pub mod accounts;
mod dice;
mod seed;
pub mod settings;
pub mod tickets;

use doyen::auth::Auth;
use doyen::prelude::*;

/// How the caller's quotas stand.
fn quotas() -> Module {
    let quota = doyen::limits::quota().allow(access::Scope::Profile);
    Module::new("quotas")
        .describe("How many calls are left.")
        .routes(Routes::new(vec![quota]).at("/v1/me"))
}

/// The application.
pub fn app() -> App {
    App::new("helpdesk")
        .title("Helpdesk")
        .version(env!("CARGO_PKG_VERSION"))
        .description("Customers open tickets, agents answer.")
        .contact("The Doyen authors", "mailto:helpdesk@example.com")
        .licence("MIT OR Apache-2.0", "MIT OR Apache-2.0")
        .scopes::<access::Scope>()
        .settings::<settings::HelpdeskSettings>()
        .migrations(doyen::migrations!("migrations"))
        .auth(
            Auth::of::<accounts::SqlUsers>()
                .own(access::Scope::Profile)
                .admin(access::Scope::UsersWrite),
        )
        .module(accounts::module())
        .module(tickets::module())
        .module(quotas())
        .command(accounts::create_user())
        .seed(seed::seed)
}
