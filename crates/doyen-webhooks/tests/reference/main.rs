//! Signatures of the reference library of Standard Webhooks (`make.py` writes them). A signature is
//! a pure function of secret, id, time and body: what is equal here, each side verifies.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use doyen_core::Timestamp;
use doyen_webhooks::{BadSignature, Message, WebhookSecret, sign, verify};
use serde_json::Value;

#[test]
fn signatures_are_those_of_the_reference_library() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    assert_eq!(vectors.len(), 21);
    for vector in &vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let secret = WebhookSecret::parse(text("secret")).unwrap();
        let at = Timestamp::from_micros(vector["timestamp"].as_i64().unwrap() * 1_000_000);
        let body = text("body").as_bytes();
        let ours = sign(&[&secret], text("id"), at, body);
        assert_eq!(ours[2].1, text("signature"));

        // Among signatures of other versions and other keys, as the standard permits.
        let list = format!("v1a,aaaa {} v1,AAAA", text("signature"));
        let get = |name: &str| match name {
            "webhook-id" => Some(text("id")),
            "webhook-timestamp" => Some(&*ours[1].1),
            "webhook-signature" => Some(&*list),
            _ => None,
        };
        let id = text("id").to_owned();
        let known = [WebhookSecret::generate().unwrap(), secret];
        assert_eq!(verify(&known, get, body, at), Ok(Message { id, at }));
        let refused = verify(&known[..1], get, body, at);
        assert_eq!(refused, Err(BadSignature::Signature));
    }
}
