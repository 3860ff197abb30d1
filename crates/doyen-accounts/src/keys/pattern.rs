//! The format of a key: prefix, secret, checksum.

use aws_lc_rs::digest::{SHA256, digest};
use doyen_core::{Secret, Unexpected};

use super::KeyPrefix;

/// The pattern after the prefix and its `_`, for secret scanners: `helpdesk_[0-9A-Za-z]{49}`. The
/// last six characters are the CRC-32 of all before them, in base 62 with digits, upper-case and
/// lower-case letters in this order.
pub const KEY_PATTERN: &str = "[0-9A-Za-z]{49}";

/// Random characters: 43 of 62 are a little more than 256 bits.
const SECRET_CHARS: usize = 43;
/// Characters of a CRC-32.
const CHECKSUM_CHARS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Creates a key.
pub(crate) fn mint(prefix: &KeyPrefix) -> Result<Secret<String>, Unexpected> {
    let mut text = format!("{prefix}_");
    let whole = text.len() + SECRET_CHARS;
    let mut bytes = [0; 64];
    while text.len() < whole {
        getrandom::fill(&mut bytes)
            .map_err(|_| Unexpected::new("the system gives no random bytes"))?;
        // 248 is the last multiple of 62: larger bytes would favour some characters.
        let drawn = bytes.iter().filter(|byte| **byte < 248);
        text.extend(
            drawn
                .map(|byte| char::from(DIGITS[usize::from(byte % 62)]))
                .take(whole - text.len()),
        );
    }
    let check = checksum(&text);
    text.extend(check.map(char::from));
    Ok(Secret::new(text))
}

/// Returns true if the text can be a key with any prefix: keys with a former prefix stay valid.
pub(crate) fn is_well_formed(text: &str) -> bool {
    let Some((prefix, rest)) = text.rsplit_once('_') else {
        return false;
    };
    rest.len() == SECRET_CHARS + CHECKSUM_CHARS
        && KeyPrefix::fits(prefix)
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && {
            let (signed, check) = text.split_at(text.len() - CHECKSUM_CHARS);
            checksum(signed).as_slice() == check.as_bytes()
        }
}

/// Returns the hash that is stored. It cannot be used as a key, and a lookup by it does not reveal
/// how much of a guess is correct.
pub(crate) fn fingerprint(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

/// Returns the prefix and four characters, to tell keys apart.
pub(crate) fn hint(text: &str) -> String {
    let shown = text.rfind('_').map_or(0, |at| at + 5);
    text.chars().take(shown).collect()
}

/// Returns the CRC-32 of ISO 3309, as in zip and PNG, in base 62.
fn checksum(text: &str) -> [u8; CHECKSUM_CHARS] {
    let crc = !text.bytes().fold(!0u32, |crc, byte| {
        CRC_TABLE[((crc ^ u32::from(byte)) & 0xff) as usize] ^ (crc >> 8)
    });
    let mut rest = crc;
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

const CRC_TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                0xedb8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix() -> KeyPrefix {
        KeyPrefix::of("helpdesk")
    }

    #[test]
    fn k1_a_new_key_is_well_formed_and_never_the_same() {
        let one = mint(&prefix()).unwrap();
        let two = mint(&prefix()).unwrap();
        assert_ne!(one, two);
        for key in [one, two] {
            let key = key.expose();
            assert!(is_well_formed(key), "{key}");
            assert_eq!(key.len(), "helpdesk_".len() + 49);
            assert_eq!(hint(key), key[.."helpdesk_".len() + 4]);
        }
    }

    #[test]
    fn k1_every_single_typing_error_is_noticed() {
        let key = mint(&prefix()).unwrap();
        let key = key.expose();
        for at in 0..key.len() {
            for wrong in ["0", "Z", "_", "é", " "] {
                let mut other = key.clone();
                other.replace_range(at..=at, wrong);
                assert!(other == *key || !is_well_formed(&other), "{other}");
            }
            let mut swapped = key.clone().into_bytes();
            if at + 1 < swapped.len() {
                swapped.swap(at, at + 1);
            }
            let swapped = String::from_utf8(swapped).unwrap();
            assert!(swapped == *key || !is_well_formed(&swapped), "{swapped}");
        }
        for wrong in [
            "",
            "_",
            "helpdesk_",
            &key[1..],
            &key[..key.len() - 1],
            &format!("{key}0"),
            &format!(" {key}"),
            &key.replace("helpdesk", "Helpdesk"),
            &key.replace("helpdesk", "other"),
            &"x".repeat(100_000),
        ] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_checksum_is_the_one_everybody_has() {
        // The check value of CRC-32/ISO-HDLC is 0xCBF43926 for these nine digits.
        let mut value: u64 = 0;
        for digit in checksum("123456789") {
            let place = DIGITS.iter().position(|known| *known == digit).unwrap();
            value = value * 62 + place as u64;
        }
        assert_eq!(value, 0xcbf4_3926);
    }

    #[test]
    fn k1_every_character_comes_as_often() {
        let mut counts = [0u32; 62];
        for _ in 0..2_000 {
            let key = mint(&prefix()).unwrap();
            for byte in key.expose()["helpdesk_".len()..].bytes().take(SECRET_CHARS) {
                counts[DIGITS.iter().position(|known| *known == byte).unwrap()] += 1;
            }
        }
        // 86 000 characters: 1387 of each, with a standard deviation of 37; six of them never
        // happen.
        assert!(
            counts.iter().all(|count| (1165..=1610).contains(count)),
            "{counts:?}"
        );
    }
}
