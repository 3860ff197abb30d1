//! A stored response as bytes, encrypted.
//!
//! Every response is encrypted, because nothing tells reliably which ones show a secret. The key is
//! derived from the root secret for each row, so that a random nonce is safe for any number of
//! rows.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bytes::Bytes;
use doyen_core::idempotency::{Content, StoredResponse};
use doyen_core::{Caller, Unexpected};
use doyen_secret::KeyDeriver;
use serde::{Deserialize, Serialize};

use crate::identity::{Hash, Identity};

/// What is stored about the first request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// The roles and scopes of its caller.
    pub(crate) rights: Rights,
    pub(crate) response: StoredResponse,
}

/// The rights of a caller.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rights {
    roles: Vec<String>,
    scopes: Vec<String>,
}

impl Rights {
    pub(crate) fn of(caller: Option<&Caller>) -> Self {
        let texts =
            |all: &[std::sync::Arc<str>]| all.iter().map(|one| (**one).to_owned()).collect();
        caller.map_or_else(Self::default, |caller| Self {
            roles: texts(&caller.roles),
            scopes: texts(&caller.scopes),
        })
    }

    /// True if the caller still has all of them.
    pub(crate) fn are_held_by(&self, caller: Option<&Caller>) -> bool {
        match caller {
            None => self.roles.is_empty() && self.scopes.is_empty(),
            Some(caller) => {
                self.roles.iter().all(|role| caller.has_role(role))
                    && self.scopes.iter().all(|scope| caller.has_scope(scope))
            }
        }
    }
}

/// The part before the body.
#[derive(Serialize, Deserialize)]
struct Head {
    rights: Rights,
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    has_body: bool,
    /// Length and hash of the body of the request.
    #[serde(default)]
    content: Option<(u64, [u8; 32])>,
}

/// Encrypts and decrypts envelopes.
#[derive(Clone, Debug)]
pub(crate) struct Sealer(KeyDeriver);

impl Sealer {
    pub(crate) const fn new(keys: KeyDeriver) -> Self {
        Self(keys)
    }

    /// Returns nonce, ciphertext and tag. The identity is authenticated too, so that a row cannot
    /// be moved to another key.
    pub(crate) fn seal(
        &self,
        identity: &Identity,
        envelope: Envelope,
    ) -> Result<Vec<u8>, Unexpected> {
        let StoredResponse {
            status,
            headers,
            body,
            content,
        } = envelope.response;
        let head = Head {
            rights: envelope.rights,
            status,
            headers,
            has_body: body.is_some(),
            content: content.map(|content| (content.length, content.hash)),
        };
        let head = serde_json::to_vec(&head)?;
        let body = body.unwrap_or_default();
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let mut sealed = Vec::with_capacity(4 + head.len() + body.len() + 16);
        sealed.extend_from_slice(&u32::try_from(head.len())?.to_be_bytes());
        sealed.extend_from_slice(&head);
        sealed.extend_from_slice(&body);
        self.cipher(&identity.id)?.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(identity.request),
            &mut sealed,
        )?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts an envelope. `None` if the root secret was replaced, or the row was changed.
    pub(crate) fn open(&self, identity: &Identity, mut sealed: Vec<u8>) -> Option<Envelope> {
        if sealed.len() <= NONCE_LEN {
            return None;
        }
        let mut rest = sealed.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&sealed).ok()?;
        let cipher = self.cipher(&identity.id).ok()?;
        let opened = cipher
            .open_in_place(nonce, Aad::from(identity.request), &mut rest)
            .ok()?;
        let (length, rest) = opened.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (head, body) = rest.split_at_checked(length)?;
        let Head {
            rights,
            status,
            headers,
            has_body,
            content,
        } = serde_json::from_slice(head).ok()?;
        Some(Envelope {
            rights,
            response: StoredResponse {
                status,
                headers,
                body: has_body.then(|| Bytes::copy_from_slice(body)),
                content: content.map(|(length, hash)| Content { length, hash }),
            },
        })
    }

    fn cipher(&self, id: &Hash) -> Result<LessSafeKey, Unexpected> {
        let label: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = UnboundKey::new(&AES_256_GCM, &self.0.derive(&label))?;
        Ok(LessSafeKey::new(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doyen_secret::Seed;

    #[test]
    fn only_the_same_secret_and_identity_open_it() {
        let sealer = Sealer::new(Seed::generate().unwrap().deriver("idempotency"));
        let other = Sealer::new(Seed::generate().unwrap().deriver("idempotency"));
        let identity = Identity {
            id: [1; 32],
            request: [2; 32],
        };
        let envelope = || Envelope {
            rights: Rights::of(Some(&Caller::new("ann"))),
            response: StoredResponse {
                status: 201,
                headers: vec![
                    ("location".into(), b"/x".to_vec()),
                    ("x".into(), vec![0xff]),
                ],
                body: Some(Bytes::from_static(b"whsec_secret")),
                content: Some(Content {
                    length: 7,
                    hash: [9; 32],
                }),
            },
        };
        let sealed = sealer.seal(&identity, envelope()).unwrap();
        assert_eq!(sealer.open(&identity, sealed.clone()).unwrap(), envelope());
        assert!(!sealed.windows(6).any(|part| part == b"whsec_"));
        assert_eq!(other.open(&identity, sealed.clone()), None);
        let moved = Identity {
            id: [3; 32],
            ..identity
        };
        assert_eq!(sealer.open(&moved, sealed.clone()), None);
        let moved = Identity {
            request: [3; 32],
            ..identity
        };
        assert_eq!(sealer.open(&moved, sealed.clone()), None);
        for end in 0..sealed.len() {
            assert_eq!(sealer.open(&identity, sealed[..end].to_vec()), None);
        }
    }

    #[test]
    fn a_caller_without_one_of_the_rights_does_not_hold_them() {
        let mut caller = Caller::new("ann");
        caller.roles = vec!["agent".into()];
        caller.scopes = vec!["read".into(), "write".into()];
        let rights = Rights::of(Some(&caller));
        assert!(rights.are_held_by(Some(&caller)));
        caller.scopes.push("more".into());
        assert!(rights.are_held_by(Some(&caller)));
        caller.roles.clear();
        assert!(!rights.are_held_by(Some(&caller)));
        assert!(!rights.are_held_by(None));
        assert!(Rights::of(None).are_held_by(None));
    }
}
