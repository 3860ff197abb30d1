//! Recovery codes: ten single-use codes.

use aws_lc_rs::hmac;
use doyen_core::Unexpected;

const CODE_COUNT: usize = 10;
/// 80 random bits: sixteen characters.
const CODE_BYTES: usize = 10;
const CODE_CHARS: usize = CODE_BYTES * 8 / 5;

/// Returns new codes, as shown to the user: `abcd-efgh-ijkl-mnop`.
pub(super) fn codes() -> Result<Vec<String>, Unexpected> {
    (0..CODE_COUNT)
        .map(|_| {
            let mut random = [0; CODE_BYTES];
            getrandom::fill(&mut random)?;
            let text = base32(&random).to_lowercase();
            let groups: Vec<&str> = (0..CODE_CHARS)
                .step_by(4)
                .map(|at| &text[at..at + 4])
                .collect();
            Ok(groups.join("-"))
        })
        .collect()
}

/// Returns the hash that is stored of a code, however it was typed, or `None` if it is malformed.
pub(super) fn hash(key: &[u8; 32], subject: &str, code: &str) -> Option<Vec<u8>> {
    if code.len() > 64 {
        return None;
    }
    let code: String = code
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let fits = code.len() == CODE_CHARS && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let text = format!("{}\0{subject}\0{code}", subject.len());
        hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    })
}

/// Encodes base32 without padding (RFC 4648).
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = String::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(ALPHABET[(held >> bits) as usize & 31]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(char::from(ALPHABET[(held << (5 - bits)) as usize & 31]));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// RFC 4648 section 10.
    #[test]
    fn the_vectors_of_base32() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn ten_different_codes_that_may_be_typed_in_any_way() {
        let key = [7; 32];
        let codes = codes().unwrap();
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), 10);
        for code in &codes {
            let kept = hash(&key, "usr_1", code);
            assert!(kept.is_some(), "{code}");
            assert_eq!(
                kept,
                hash(&key, "usr_1", &code.to_uppercase().replace('-', " "))
            );
            assert_ne!(kept, hash(&key, "usr_2", code));
        }
        for text in [
            "",
            "abcd",
            "abcd-efgh-ijkl-mno",
            "abcd-efgh-ijkl-mnopq",
            "äbcd-efgh-ijkl-mnop",
        ] {
            assert_eq!(hash(&key, "usr_1", text), None, "{text}");
        }
    }
}
