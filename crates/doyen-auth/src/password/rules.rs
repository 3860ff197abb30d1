//! What a new password must be.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;

use super::common;

/// The fewest and the most characters of a password.
const SHORTEST: usize = 8;
const LONGEST: usize = 128;
/// The most bytes that are looked at: 128 characters, each with a few marks of its own.
const MOST_BYTES: usize = 4096;

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
    /// The password in normal form. The name is long so that a reader stops at it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl NewPassword {
    /// Checks a new password for a user of whom this is known: e-mail address, name, name of the
    /// service. A password made only of these is refused.
    ///
    /// ```
    /// use doyen_auth::{NewPassword, WeakPassword};
    ///
    /// let known = ["ada.lovelace@example.com", "Helpdesk"];
    /// let refused = NewPassword::of_somebody("Lovelace1815", &known).unwrap_err();
    /// assert_eq!(refused, WeakPassword::Personal);
    /// ```
    ///
    /// # Errors
    ///
    /// The password is too short, too long, or one that is tried first.
    pub fn of_somebody(text: &str, known: &[&str]) -> Result<Self, WeakPassword> {
        text.parse::<Self>()?.unlike(known)
    }

    /// The same password, unless it is made of what is known of the person: for where that is found
    /// out later.
    ///
    /// # Errors
    ///
    /// [`WeakPassword::Personal`].
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
            ..SHORTEST => Err(WeakPassword::TooShort),
            SHORTEST..=LONGEST if common::is_common(&password) => Err(WeakPassword::Common),
            SHORTEST..=LONGEST => Ok(Self(password)),
            _ => Err(WeakPassword::TooLong),
        }
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The one form of a password that is hashed (Unicode NFC); `None` when it is longer than any
/// password can be.
pub(super) fn normal(text: &str) -> Option<String> {
    (text.len() <= MOST_BYTES).then(|| text.nfc().collect())
}

/// Why a new password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakPassword {
    /// Fewer than 8 characters.
    TooShort,
    /// More than 128 characters.
    TooLong,
    /// It is one of those that are tried first.
    Common,
    /// It is made of what is known of the person.
    Personal,
}

impl WeakPassword {
    /// The code for a list of failures: `length`, `common_password` or `personal_password`.
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
            WeakPassword::Common => {
                "is one of the passwords that are tried first; take one that others do not have"
            }
            WeakPassword::Personal => {
                "is made of your address or of the name of this service; take one that cannot be known"
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
