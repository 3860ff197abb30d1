//! The macros of problems and injection use absolute paths: they work without the prelude and in a
//! module with types of common names.

#![no_implicit_prelude]
#![allow(missing_docs, dead_code, reason = "a test")]

extern crate doyen_core as doyen;

use ::doyen::{Clock, Unexpected};

struct Result;
struct Option;
struct String;
struct Vec;
// `#[port]` uses async-trait, which generates `Box` and means that of the standard library.
use ::std::boxed::Box;
struct Some;
struct None;
struct Ok;
struct Err;

/// Why not.
#[derive(::std::fmt::Debug, ::doyen::Problem)]
enum Problem {
    /// Away.
    #[problem(gone, detail = "{since} days")]
    Away {
        since: u32,
        #[problem(retry_after)]
        wait: u32,
    },
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// What may be done.
#[derive(::std::clone::Clone, ::std::marker::Copy, ::doyen::Scope)]
enum Scope {
    /// Read.
    #[scope("things:read")]
    Read,
}

#[derive(::std::clone::Clone, ::std::marker::Copy, ::doyen::Role)]
enum Role {
    Admin,
}

#[derive(::std::clone::Clone, ::doyen::Inject)]
#[inject(application)]
struct Inject {
    clock: ::std::sync::Arc<dyn Clock>,
    lock: Lock,
}

#[derive(::std::clone::Clone)]
struct Lock;

#[::doyen::provider(application)]
async fn lock(clock: ::std::sync::Arc<dyn Clock>) -> ::std::result::Result<Lock, Unexpected> {
    ::std::mem::drop(clock);
    ::std::result::Result::Ok(Lock)
}

#[::doyen::port]
trait Port {
    async fn all(&self, page: u32) -> u32;
}

#[::doyen::port]
impl Port for Lock {
    async fn all(&self, page: u32) -> u32 {
        page
    }
}

#[::core::prelude::v1::test]
fn it_compiles() {
    ::std::assert_eq!(
        ::doyen::Problem::info(&Problem::Away { since: 1, wait: 2 }).code,
        "away"
    );
}
