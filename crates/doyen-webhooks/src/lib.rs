//! [Standard Webhooks](https://www.standardwebhooks.com): messages between services, signed with a
//! shared secret (HMAC-SHA256 over id, time and body).
//!
//! | item | for |
//! | --- | --- |
//! | [`WebhookSecret`] | a secret, `whsec_...`: created by the sender, shown to the receiver once |
//! | [`sign`] | the three headers of a message, with a signature of each live secret |
//! | [`verify`] | checks the headers and the body of a message |
//! | [`WebhookSecret::seal`] | encrypts a secret for the database of the sender |
//! | [`Verified`], [`WebhookSource`] | the extractor for handlers that receive messages |
//!
//! ```
//! use doyen_core::Timestamp;
//! use doyen_webhooks::{WebhookSecret, sign, verify};
//!
//! let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
//! let now = Timestamp::from_micros(1_614_265_330_000_000);
//! let body = br#"{"test": 2432232314}"#;
//! let headers = sign(&[&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", now, body);
//! assert_eq!(headers[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
//!
//! let get = |name: &str| headers.iter().find(|header| header.0 == name).map(|header| &*header.1);
//! assert!(verify(&[secret], get, body, now).is_ok());
//! ```
//!
//! What it does not do: it delivers nothing, and it does not remember ids. A sender may deliver a
//! message twice, so a receiver keeps the ids of the last days where a repetition matters.

mod extract;
mod seal;
mod secret;
mod signature;

pub use extract::{Verified, WebhookSource};
pub use secret::{BadSecret, WebhookSecret};
pub use signature::{
    BadSignature, ID_HEADER, Message, SIGNATURE_HEADER, TIMESTAMP_HEADER, TOLERANCE, sign, verify,
};
