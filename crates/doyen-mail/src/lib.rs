//! Mail that is sent after the response.
//!
//! | item | contents |
//! | --- | --- |
//! | [`MailPlugin`] | the plugin: provides the mailer and the queue |
//! | [`MailWorker`] | the queue: takes a mail and returns at once |
//! | [`FileMailer`] | a mailer for development: each mail is a file, and a line in the log |
//! | [`NullMailer`] | a mailer that drops mails |
//! | [`MemoryMailer`] | a mailer for tests: keeps mails in a list |
//! | `Smtp` (feature `smtp`) | a mailer for a mail server |
//! | [`MailSettings`] | which mailer, and how the server is reached |
//!
//! The ports are [`Mailer`](doyen_core::Mailer), [`MailOutbox`](doyen_core::MailOutbox) and
//! [`MailQueue`](doyen_core::MailQueue).
//!
//! With the plugin `jobs`, a mail in the outbox is a background job, encrypted, in the transaction
//! of the change that it is about. Otherwise it waits in the queue, which is in memory: a process
//! that is killed loses the mails that wait, and the user must request them again. A process that
//! is stopped delivers them first, for some seconds.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod file;
mod job;
mod memory;
mod null;
mod outbox;
mod plugin;
mod seal;
mod settings;
#[cfg(feature = "smtp")]
mod smtp;
mod worker;

pub use file::FileMailer;
pub use memory::MemoryMailer;
pub use null::NullMailer;
pub use plugin::{MailPlugin, MailerOverride};
pub use settings::{BadMailSettings, MailSettings, Transport};
#[cfg(feature = "smtp")]
pub use smtp::{BadSmtp, Smtp};
pub use worker::MailWorker;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::*;
    pub use doyen_settings as settings;
}
