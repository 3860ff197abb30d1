//! The helpdesk: a ticket system in which customers open tickets and agents answer them.
//!
//! It is the reference service of Doyen: small, complete, and tested against its public contract.
//!
//! | module | contents |
//! | --- | --- |
//! | [`access`] | roles, scopes and the caller as a user, shared by all domains |
//! | [`accounts`] | registration, profiles and users |
//! | [`tickets`] | tickets, their states, comments and statistics |
//! | `demo` | a page on which two browsers see each other's changes, in development |
//! | [`jobs`] | the background jobs of users |
//! | [`webhooks`] | webhooks: the events of tickets, sent to URLs |
//! | [`settings`] | settings of the application, in addition to those of the framework |
//!
//! Each domain is a directory with three layers: `api` defines the HTTP interface, `domain` the
//! rules, and `infrastructure` the storage. Dependencies point inwards: `api` and `infrastructure`
//! depend on `domain`, which depends on neither.

pub mod access;
pub mod accounts;
mod demo;
pub mod jobs;
mod rng;
mod seed;
pub mod settings;
pub mod tickets;
mod versions;
pub mod webhooks;

use doyen::auth::Accounts;
use doyen::prelude::*;

/// The module with the quotas of the caller.
fn quotas() -> Module {
    let quota = doyen::limits::quota().allow(access::Scope::Profile);
    Module::new("quotas")
        .describe("Request quotas of the caller.")
        .routes(Routes::new(vec![quota]).at("/v1/me"))
}

/// The module with the tokens that open sockets from browsers.
fn connection_tokens() -> Module {
    let tokens = doyen::live::tokens().allow(access::Scope::TicketsRead);
    Module::new("live")
        .describe("Tokens that open WebSockets.")
        .routes(Routes::new(vec![tokens]).at("/v1/live"))
}

/// The module with resumable uploads, which become attachments.
fn uploads() -> Module {
    let uploads = doyen::files::resumable::<tickets::AttachmentPolicy>();
    Module::new("uploads")
        .describe("Resumable uploads (tus 1.0).")
        .routes(uploads.at("/v1/uploads").allow(access::Scope::TicketsWrite))
}

/// Builds the application.
pub fn app() -> App {
    let app = App::new("helpdesk")
        .title("Helpdesk")
        .version(env!("CARGO_PKG_VERSION"))
        .description("A ticket system: customers open tickets, and agents answer them.")
        .contact("The Doyen authors", "mailto:helpdesk@example.com")
        .licence("MIT OR Apache-2.0", "MIT OR Apache-2.0")
        .versions(versions::versions())
        .scopes::<access::Scope>()
        .settings::<settings::HelpdeskSettings>()
        .migrations(doyen::migrations!("migrations"))
        .plugin(
            Accounts::of::<accounts::SqlUsers>()
                .own(access::Scope::Profile)
                .admin(access::Scope::UsersWrite),
        )
        .module(accounts::module())
        .module(tickets::module())
        .module(jobs::module())
        .plugin(webhooks::WebhooksPlugin)
        .module(webhooks::module())
        .module(quotas())
        .module(connection_tokens())
        .module(uploads())
        .plugin(demo::DemoPlugin)
        .command(accounts::create_user())
        .seed(seed::seed);
    webhooks::messages().fold(app, App::webhook)
}
