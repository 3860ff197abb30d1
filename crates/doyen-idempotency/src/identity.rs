//! What makes two requests the same.

use aws_lc_rs::digest::{Context, SHA256};
use doyen_core::idempotency::KeyedRequest;
use doyen_core::limit::Who;

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// The identity of a request with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Hash of the caller and the key: the primary key.
    pub(crate) id: Hash,
    /// Hash of the method, URL and body.
    pub(crate) request: Hash,
}

impl Identity {
    /// Returns the identity. The table has no names of callers and no keys, only hashes.
    pub(crate) fn of(request: &KeyedRequest<'_>) -> Self {
        let who = match request.caller {
            Some(caller) => Who::User(&caller.subject),
            None => Who::Address(request.network),
        };
        let (kind, name) = who.parts();
        let media = request.content_type.split(';').next().unwrap_or("");
        let media = media.trim().to_ascii_lowercase();
        Self {
            id: hash([&[kind], name, request.key.as_bytes()]),
            request: hash([
                request.method.as_bytes(),
                request.target.as_bytes(),
                media.as_bytes(),
                request.body,
            ]),
        }
    }
}

/// Hashes the parts with their lengths, so that no two lists of parts have the same input.
fn hash<const N: usize>(parts: [&[u8]; N]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut hash = [0; 32];
    // SHA-256 has 32 bytes.
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use doyen_core::Caller;
    use doyen_core::limit::Network;

    fn request() -> KeyedRequest<'static> {
        KeyedRequest {
            caller: None,
            network: Network::V4([1, 2, 3, 4]),
            key: "k",
            method: "POST",
            target: "/a?b",
            content_type: "application/json; charset=utf-8",
            body: b"{}",
        }
    }

    #[test]
    fn every_part_counts() {
        let base = Identity::of(&request());
        let (ann, bob) = (Caller::new("ann"), Caller::new("bob"));
        let other_ids = [
            KeyedRequest {
                caller: Some(&ann),
                ..request()
            },
            KeyedRequest {
                caller: Some(&bob),
                ..request()
            },
            KeyedRequest {
                key: "k2",
                ..request()
            },
            KeyedRequest {
                network: Network::Unknown,
                ..request()
            },
        ];
        let mut ids: Vec<Hash> = other_ids.iter().map(|one| Identity::of(one).id).collect();
        ids.push(base.id);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 5);
        let other_requests = [
            KeyedRequest {
                method: "PUT",
                ..request()
            },
            KeyedRequest {
                target: "/a",
                ..request()
            },
            KeyedRequest {
                body: b"{ }",
                ..request()
            },
            KeyedRequest {
                content_type: "text/plain",
                ..request()
            },
        ];
        for other in other_requests {
            let other = Identity::of(&other);
            assert_eq!(other.id, base.id);
            assert_ne!(other.request, base.request);
        }
        let same = KeyedRequest {
            content_type: "Application/JSON",
            ..request()
        };
        assert_eq!(Identity::of(&same), base);
    }
}
