//! Mail that leaves after the answer.
//!
//! | room | holds |
//! | --- | --- |
//! | [`Post`] | the queue: takes a mail and returns at once |
//! | [`Folder`] | an adapter for development: each mail is a file, and a line in the log |
//! | [`Nowhere`] | an adapter that throws mails away |
//! | [`InMemory`] | an adapter for tests: keeps mails in a list |
//! | `Smtp` (feature `smtp`) | an adapter for a mail server |
//! | [`MailSettings`] | which of them, and how it is reached |
//!
//! The port they implement is [`Mailer`](doyen_core::Mailer).
//!
//! What it does not do: the queue is in memory. A process that is killed loses the mails that wait, and the user asks again; a process
//! that is told to stop delivers them first, for a few seconds.

// The macros write `::doyen::__private::...`; inside this crate that is this crate.
extern crate self as doyen;

mod folder;
mod memory;
mod nowhere;
mod post;
mod settings;
#[cfg(feature = "smtp")]
mod smtp;

pub use folder::Folder;
pub use memory::InMemory;
pub use nowhere::Nowhere;
pub use post::Post;
pub use settings::{BadMailSettings, MailSettings, Transport};
#[cfg(feature = "smtp")]
pub use smtp::{BadSmtp, Smtp};

/// What the macros write against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::*;
    pub use doyen_settings as settings;
}
