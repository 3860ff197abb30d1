//! Rules for a new password.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;

use super::common;

/// Minimum and maximum number of characters of a password.
const MIN_CHARS: usize = 8;
const MAX_CHARS: usize = 128;
/// Maximum number of bytes: 128 characters, each with a few combining marks.
const MAX_BYTES: usize = 4096;

/// A new password: 8 to 128 characters of any kind, and not one of the common passwords. There is
/// no rule about digits or symbols, because such rules make passwords alike. The value is never
/// printed.
///
/// ```
/// use doyen_auth::{NewPassword, WeakPassword};
///
/// assert!("correct horse battery staple".parse::<NewPassword>().is_ok());
/// assert_eq!("P@ssw0rd2024!".parse::<NewPassword>().unwrap_err(), WeakPassword::Common);
/// ```
#[derive(Clone)]
pub struct NewPassword(String);

impl NewPassword {
    /// Returns the password in normal form. The name is long so that a reader notices it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl NewPassword {
    /// Checks a new password for a user of whom this is known: email address, name, name of the
    /// service. A password made only of these is refused.
    ///
    /// ```
    /// use doyen_auth::{NewPassword, WeakPassword};
    ///
    /// let known = ["ada.lovelace@example.com", "Helpdesk"];
    /// let refused = NewPassword::parse_excluding("Lovelace1815", &known).unwrap_err();
    /// assert_eq!(refused, WeakPassword::Personal);
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the password is too short, too long, common or personal.
    pub fn parse_excluding(text: &str, known: &[&str]) -> Result<Self, WeakPassword> {
        text.parse::<Self>()?.unlike(known)
    }

    /// Checks a password that passed the other rules against facts about the user that become known
    /// later.
    ///
    /// # Errors
    ///
    /// Returns [`WeakPassword::Personal`] if it is made only of these.
    pub fn unlike(self, known: &[&str]) -> Result<Self, WeakPassword> {
        if common::is_personal(&self.0, known) {
            return Err(WeakPassword::Personal);
        }
        Ok(self)
    }
}

impl FromStr for NewPassword {
    type Err = WeakPassword;

    fn from_str(text: &str) -> Result<Self, WeakPassword> {
        let password = normal(text).ok_or(WeakPassword::TooLong)?;
        match password.chars().count() {
            ..MIN_CHARS => Err(WeakPassword::TooShort),
            MIN_CHARS..=MAX_CHARS if common::is_common(&password) => Err(WeakPassword::Common),
            MIN_CHARS..=MAX_CHARS => Ok(Self(password)),
            _ => Err(WeakPassword::TooLong),
        }
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Returns the form of a password that is hashed (Unicode NFC); `None` if it is longer than any
/// password can be.
pub(super) fn normal(text: &str) -> Option<String> {
    (text.len() <= MAX_BYTES).then(|| text.nfc().collect())
}

/// Reason to refuse a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakPassword {
    /// Fewer than 8 characters.
    TooShort,
    /// More than 128 characters.
    TooLong,
    /// A common password.
    Common,
    /// Made only of facts about the user.
    Personal,
}

impl WeakPassword {
    /// The code for a list of errors: `length`, `common_password` or `personal_password`.
    pub const fn code(self) -> &'static str {
        match self {
            WeakPassword::TooShort | WeakPassword::TooLong => "length",
            WeakPassword::Common => "common_password",
            WeakPassword::Personal => "personal_password",
        }
    }
}

impl fmt::Display for WeakPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WeakPassword::TooShort | WeakPassword::TooLong => "must have 8 to 128 characters",
            WeakPassword::Common => "is a common password; choose another one",
            WeakPassword::Personal => {
                "consists of your address or of the name of this service; choose another one"
            }
        })
    }
}

impl std::error::Error for WeakPassword {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NewPassword, WeakPassword> {
        text.parse()
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(parse("k7-qx2z").unwrap_err(), WeakPassword::TooShort);
        assert!(parse("k7-qx2zw").is_ok());
        assert!(parse("žluťoučk").is_ok());
        assert_eq!(parse("žluťouč").unwrap_err(), WeakPassword::TooShort);
        let long: String = "correct horse 😀 ".chars().cycle().take(128).collect();
        assert!(parse(&long).is_ok());
        assert_eq!(
            parse(&format!("{long}x")).unwrap_err(),
            WeakPassword::TooLong
        );
        assert_eq!(
            parse(&"e\u{301}".repeat(10_000)).unwrap_err(),
            WeakPassword::TooLong
        );
    }

    #[test]
    fn one_password_typed_in_two_forms_is_one() {
        assert_eq!(
            parse("caf\u{e9} au lait").unwrap().expose(),
            parse("cafe\u{301} au lait").unwrap().expose()
        );
    }

    #[test]
    fn nothing_prints_it() {
        assert_eq!(format!("{:?}", parse("k7-qx2zw").unwrap()), "***");
    }
}
