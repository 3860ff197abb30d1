//! Compiles the domains of the helpdesk and of the guide with `doyen-core` alone.
//!
//! It does not compile if a domain needs the web or the database, whatever macros hide. The paths
//! that a domain uses, `doyen::domain` and `crate::access`, have the same meaning here as in the
//! application.

#![allow(
    dead_code,
    reason = "the handlers that use the domains are not included"
)]

// `doyen` is this crate, with the part that a domain may use and the part for the macros.
extern crate self as doyen;

pub use doyen_core as domain;
#[doc(hidden)]
pub use doyen_core::__private;

#[path = "../../../apps/helpdesk/src/access.rs"]
pub mod access;

/// The domain of accounts in the helpdesk.
#[path = "../../../apps/helpdesk/src/accounts"]
pub mod accounts {
    pub mod domain;
}

/// The domain of tickets in the helpdesk.
#[path = "../../../apps/helpdesk/src/tickets"]
pub mod tickets {
    pub mod domain;
}

/// The domain of webhooks in the helpdesk.
#[path = "../../../apps/helpdesk/src/webhooks"]
pub mod webhooks {
    pub mod domain;
}

/// The domain of articles in the RealWorld service of the guide.
#[path = "../../../docs_src/src/realworld/layers/articles"]
pub mod articles {
    pub mod domain;
}

/// The domain of users in the RealWorld service of the guide.
#[path = "../../../docs_src/src/realworld/layers/users"]
pub mod users {
    pub mod domain;
}

/// The domain of orders in the guide.
#[path = "../../../docs_src/src/shop"]
pub mod shop {
    pub mod domain;
}
