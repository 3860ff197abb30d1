//! Doyen: typed functions in, a production API out.
//!
//! A route is an async function. Its signature is the contract: parameters, body, validation, answers, errors and security all stand in
//! the OpenAPI document without a second declaration.
//!
//! ```
//! use doyen::prelude::*;
//!
//! /// A greeting.
//! #[derive(Output)]
//! struct Greeting {
//!     message: String,
//! }
//!
//! /// Greet somebody by name.
//! #[get("/hello/{name}", allow = anyone)]
//! async fn hello(name: String) -> Json<Greeting> {
//!     Json(Greeting { message: format!("Hello, {name}!") })
//! }
//!
//! fn app() -> App {
//!     App::new("greeter").module(Module::new("greetings").routes(routes![hello]))
//! }
//! # let _ = app();
//! ```
//!
//! `doyen::run(app())` in `main` gives that application its command line: `serve`, `migrate`, `routes`, `openapi`, `config`.
//!
//! | module | holds |
//! | --- | --- |
//! | [`prelude`] | what a file of handlers needs |
//! | [`domain`] | all that a domain may import: words and ports, no web, no database |
//! | [`data`] | the Session, pages, migrations |
//! | [`web`] | routes, extractors, answers, the server |
//! | [`limits`] | how often: settings and quotas |
//! | [`redis`] | the connection that nodes share |
//! | [`auth`] | passwords, tokens, accounts |
//! | [`mail`] | mail to people |

// The macros write `::doyen::__private::...`; inside this crate that is this crate.
extern crate self as doyen;

mod app;
mod assemble;
mod cli;
pub mod limits;
mod openid;
mod post;
pub mod redis;
mod sessions;
mod settings;
mod system;

pub use app::{App, Command};
pub use assemble::{AssembleError, Assembled, Bind, Overrides};
pub use cli::run;
pub use doyen_core as domain;
pub use doyen_data as data;
pub use doyen_macros::migrations;
pub use doyen_mail as mail;
pub use doyen_observe as observe;
pub use doyen_schema as schema;
pub use doyen_web as web;
pub use limits::LimitSettings;
pub use redis::RedisSettings;
pub use settings::{
    AdminSettings, AuthSettings, DatabaseSettings, FrameworkSettings, LogSettings, MigrateMode,
    ServerSettings, SigningAlgorithm, SynchronousMode,
};

/// Who is calling: tokens, keys and passwords, and the accounts that an application mounts.
pub mod auth {
    pub use doyen_accounts::*;
    pub use doyen_auth::*;
}

/// What a file of handlers needs.
pub mod prelude {
    pub use doyen_core::{
        Allow, AllowExt as _, Caller, Clock, Failures, Id, Inject, Input, Invalid, Kind, Output,
        Page, PageFrom, Paging, Patch, Port, Problem, Role as _, Scope as _, Secret, Settings,
        Timestamp, Unexpected, anyone, port, provider, secs, signed_in,
    };
    pub use doyen_core::{DAY, HOUR, MINUTE};
    pub use doyen_core::{
        per_address, per_client, per_key, per_route, per_user, policy, quota, unlimited,
    };
    pub use doyen_data::Session;
    pub use doyen_macros::{delete, get, patch, post, put, routes};
    pub use doyen_web::{
        Accepted, Cookie, Created, Form, Header, Html, IfMatch, IntoResponse, Json, LinkMap, Links,
        MergePatch, Module, NoContent, NoStore, Path, Query, Redirect, Route, Routes, Stream, Text,
    };

    pub use crate::App;
}

/// What the macros write against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::*;
    pub use doyen_data as data;
    /// The part for routes.
    pub mod web {
        pub use doyen_web::__private::*;
    }
}
