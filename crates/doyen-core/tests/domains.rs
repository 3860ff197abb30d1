//! The domains of the helpdesk and of the guide compile against doyen-core alone: no web, no
//! database, no schema. The unit tests inside them run here too.

#![allow(
    missing_docs,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the code of applications"
)]

extern crate doyen_core as doyen;
// The unit tests of the domains are asynchronous.
use tokio as _;

#[path = "../../../apps/helpdesk/src/access.rs"]
mod access;

#[path = "../../../apps/helpdesk/src/accounts"]
mod accounts {
    mod domain;
}

#[path = "../../../apps/helpdesk/src/tickets"]
mod tickets {
    mod domain;
}

#[path = "../../../docs_src/src/shop"]
mod shop {
    mod domain;
}
