//! Resumable uploads: tus 1.0 with creation, creation-with-upload, expiration, checksum and
//! termination.
//!
//! An upload is a row and its parts. A part is an object in quarantine, which is complete and
//! durable before the transaction that adds it and its length to the row. So the offset of the row
//! is what is stored, after a crash too, and any process that shares the database and the store can
//! continue.
//!
//! | event | effect |
//! | --- | --- |
//! | the connection is cut | what has arrived becomes a part, unless it has a checksum |
//! | the process is killed | what has arrived since the last part is lost; the sweeper removes it |
//! | another `PATCH` begins | it takes over: the row names its writer, and only the writer adds parts |
//! | a body names the upload | the parts go through the checks of any other upload, into one object |
//!
//! | file | contents |
//! | --- | --- |
//! | `routes.rs` | the routes |
//! | `protocol.rs` | headers of the protocol |
//! | `append.rs` | the bytes of one request |
//! | `redeem.rs` | a finished upload as a file of a request; removal |
//! | `rows.rs` | the statements |
//! | `refused.rs` | the problems of each route |

mod append;
mod protocol;
mod redeem;
mod refused;
mod routes;
pub(crate) mod rows;

pub(crate) use redeem::redeem;
pub use routes::resumable;
pub use rows::UploadId;

use std::time::Duration;

use crate::settings::FileSettings;

/// Limits of the uploads that no request has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UploadLimits {
    pub(crate) lifetime: Duration,
    pub(crate) max_user_count: u64,
    pub(crate) max_user_bytes: u64,
    pub(crate) max_count: u64,
    pub(crate) max_bytes: u64,
}

impl UploadLimits {
    pub(crate) fn of(settings: &FileSettings) -> Self {
        Self {
            lifetime: settings.upload_lifetime,
            max_user_count: settings.max_user_uploads.into(),
            max_user_bytes: settings.max_user_upload_bytes.bytes(),
            max_count: settings.max_uploads.into(),
            max_bytes: settings.max_upload_bytes.bytes(),
        }
    }
}
