//! Time-based codes (RFC 6238 on RFC 4226).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use doyen_core::{Timestamp, Unexpected};

/// 160 bits, as RFC 4226 advises: the length of the hash.
pub(super) type Secret = [u8; 20];

/// Seconds for which a code is shown.
const STEP_SECONDS: i64 = 30;
/// Permitted clock difference in steps, in either direction.
const MAX_STEP_OFFSET: i64 = 1;

/// Creates a secret.
pub(super) fn secret() -> Result<Secret, Unexpected> {
    let mut secret = [0; 20];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

/// Returns the typed text if it is six digits, perhaps with spaces between.
pub(super) fn code(text: &str) -> Option<[u8; 6]> {
    if text.len() > 16 {
        return None;
    }
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let code: [u8; 6] = digits.try_into().ok()?;
    code.iter().all(u8::is_ascii_digit).then_some(code)
}

/// Returns the step of a code if it is current and later than the last one that was used.
pub(super) fn matches(secret: &Secret, code: &[u8; 6], now: Timestamp, last: i64) -> Option<i64> {
    let current = now.unix().div_euclid(STEP_SECONDS);
    let mut found = None;
    // Checks all steps, so that the timing reveals nothing.
    for step in (current - MAX_STEP_OFFSET)..=(current + MAX_STEP_OFFSET) {
        let expected = at(secret, step.unsigned_abs());
        if verify_slices_are_equal(&expected, code).is_ok() && step > last {
            found = found.or(Some(step));
        }
    }
    found
}

/// Returns the code of a step.
fn at(secret: &Secret, step: u64) -> [u8; 6] {
    let number = truncated(secret, step) % 1_000_000;
    let mut code = [b'0'; 6];
    let mut rest = number;
    for digit in code.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    code
}

/// Truncates the hash (RFC 4226 section 5.3).
fn truncated(secret: &Secret, step: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let hash = tag.as_ref();
    let place = usize::from(hash[hash.len() - 1] & 0x0f);
    let four = [
        hash[place],
        hash[place + 1],
        hash[place + 2],
        hash[place + 3],
    ];
    u32::from_be_bytes(four) & 0x7fff_ffff
}

/// Returns the secret for manual entry: base32 without padding (RFC 4648).
pub(super) fn text(secret: &Secret) -> String {
    super::recovery::base32(secret)
}

/// Returns the URL for the QR code.
pub(super) fn url(secret: &Secret, issuer: &str, account: &str) -> String {
    let (issuer, account) = (encode(issuer), encode(account));
    let secret = text(secret);
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    )
}

fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC_SECRET: Secret = *b"12345678901234567890";

    fn now(unix: i64) -> Timestamp {
        Timestamp::from_micros(unix * 1_000_000)
    }

    /// RFC 6238 appendix B. The table has eight digits; the last six are ours.
    #[test]
    fn the_vectors_of_rfc_6238() {
        for (time, eight) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let code = at(&RFC_SECRET, time / 30);
            assert_eq!(code, eight.as_bytes()[2..], "{time}");
        }
    }

    /// RFC 4226 appendix D.
    #[test]
    fn the_vectors_of_rfc_4226() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(at(&RFC_SECRET, counter), code.as_bytes(), "{counter}");
        }
    }

    #[test]
    fn a_code_is_valid_one_step_to_either_side_and_only_once() {
        let code = at(&RFC_SECRET, 100);
        for (step, good) in [
            (98, false),
            (99, true),
            (100, true),
            (101, true),
            (102, false),
        ] {
            assert_eq!(
                matches(&RFC_SECRET, &code, now(step * 30), 0).is_some(),
                good,
                "{step}"
            );
        }
        assert_eq!(matches(&RFC_SECRET, &code, now(3000), 99), Some(100));
        assert_eq!(matches(&RFC_SECRET, &code, now(3000), 100), None);
        assert_eq!(matches(&RFC_SECRET, &code, now(3000), 101), None);
    }

    #[test]
    fn only_six_digits_have_the_form_of_a_code() {
        assert_eq!(code("123456"), Some(*b"123456"));
        assert_eq!(code(" 123 456 "), Some(*b"123456"));
        for text in [
            "",
            "12345",
            "1234567",
            "12345a",
            "-12345",
            "１２３４５６",
            "123456\n",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn the_url_names_account_and_issuer() {
        assert_eq!(
            url(&RFC_SECRET, "Help & Desk", "ada+x@example.com"),
            "otpauth://totp/Help%20%26%20Desk:ada%2Bx@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Help%20%26%20Desk&algorithm=SHA1&digits=6&period=30"
        );
    }
}
