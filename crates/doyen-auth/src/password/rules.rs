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
        PasswordRules::default().check(text)
    }
}

/// The rules for a new password, from the settings `auth.password`. The default is 8 to 128
/// characters, and no common password.
///
/// ```
/// use doyen_auth::{PasswordRules, WeakPassword};
///
/// let rules = PasswordRules { min_chars: 12, ..PasswordRules::default() };
/// assert_eq!(rules.check("k7-qx2zw").unwrap_err(), WeakPassword::TooShort);
/// assert_eq!(rules.explain(WeakPassword::TooShort), "must have 12 to 128 characters");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Minimum number of characters.
    pub min_chars: usize,
    /// True to refuse common passwords, and those made of facts about the user.
    pub refuses_common: bool,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self {
            min_chars: MIN_CHARS,
            refuses_common: true,
        }
    }
}

impl PasswordRules {
    /// Checks a new password.
    ///
    /// # Errors
    ///
    /// Returns an error if the password is too short, too long or common.
    pub fn check(&self, text: &str) -> Result<NewPassword, WeakPassword> {
        let password = normal(text).ok_or(WeakPassword::TooLong)?;
        let chars = password.chars().count();
        if chars < self.min_chars {
            return Err(WeakPassword::TooShort);
        }
        if chars > MAX_CHARS {
            return Err(WeakPassword::TooLong);
        }
        if self.refuses_common && common::is_common(&password) {
            return Err(WeakPassword::Common);
        }
        Ok(NewPassword(password))
    }

    /// Checks a password that passed [`check`](Self::check) against facts about the user: email
    /// address, name, name of the service.
    ///
    /// # Errors
    ///
    /// Returns [`WeakPassword::Personal`] if it is made only of these.
    pub fn check_personal(
        &self,
        password: NewPassword,
        known: &[&str],
    ) -> Result<NewPassword, WeakPassword> {
        if self.refuses_common {
            return password.unlike(known);
        }
        Ok(password)
    }

    /// Returns the message for a refused password.
    pub fn explain(&self, why: WeakPassword) -> String {
        match why {
            WeakPassword::TooShort | WeakPassword::TooLong => {
                format!("must have {} to {MAX_CHARS} characters", self.min_chars)
            }
            other => other.to_string(),
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
