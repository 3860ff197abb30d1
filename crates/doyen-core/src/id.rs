//! Typed ids: `tkt_01jd9m3z6veqjsk4dy2hjcg8x4`.
//!
//! On the wire, an id is a prefix that names the type, `_`, and 26 characters of lower-case
//! Crockford base32. In memory and in the database it is a UUID of version 7, so that new ids sort
//! after old ones. An id of another type is refused: by the compiler in code, and by the prefix on
//! the wire.
//!
//! ```
//! use doyen_core::Id;
//! use doyen_core::id::Named;
//!
//! struct Ticket;
//! impl Named for Ticket {
//!     const PREFIX: &'static str = "tkt";
//! }
//!
//! let id = Id::<Ticket>::new();
//! assert_eq!(id.to_string().parse(), Ok(id));
//! assert!("usr_01jd9m3z6veqjsk4dy2hjcg8x4".parse::<Id<Ticket>>().is_err());
//! ```

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use uuid::Uuid;

/// A type that has ids.
pub trait Named: 'static {
    /// The prefix before the `_`: lower-case letters and digits, starting with a letter.
    const PREFIX: &'static str;
}

/// The id of a `T`. See the [module](self).
pub struct Id<T: ?Sized>(Uuid, PhantomData<fn() -> T>);

impl<T: ?Sized> Id<T> {
    /// Creates a new id: version 7, from the time and random bits.
    #[allow(
        clippy::new_without_default,
        reason = "a default would have to be the same each time"
    )]
    pub fn new() -> Self {
        Self::from_uuid(Uuid::now_v7())
    }

    /// Creates the id with this UUID.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// Returns the UUID, which the database stores.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<T: ?Sized> Copy for Id<T> {}

impl<T: ?Sized> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: ?Sized> Eq for Id<T> {}

impl<T: ?Sized> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: ?Sized> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T: ?Sized> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<T: ?Sized> From<Uuid> for Id<T> {
    fn from(uuid: Uuid) -> Self {
        Self::from_uuid(uuid)
    }
}

impl<T: ?Sized> From<Id<T>> for Uuid {
    fn from(id: Id<T>) -> Self {
        id.0
    }
}

/// The digits of Crockford's base32, in lower case.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Number of digits for 128 bits.
const DIGIT_COUNT: usize = 26;

impl<T: Named + ?Sized> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_", T::PREFIX)?;
        let bits = self.0.as_u128();
        (0..DIGIT_COUNT).rev().try_for_each(|place| {
            fmt::Write::write_char(f, char::from(DIGITS[(bits >> (5 * place)) as usize & 31]))
        })
    }
}

/// `Debug` is the UUID, because the text of the id without the prefix does not show its type.
impl<T: ?Sized> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}

/// The text is not an id of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId {
    prefix: &'static str,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be an id: `{}_` and 26 characters", self.prefix)
    }
}

impl std::error::Error for NotAnId {}

impl<T: Named + ?Sized> FromStr for Id<T> {
    type Err = NotAnId;

    /// Strict: each id has one text. Two spellings of one id would be two keys in a cache.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text
            .strip_prefix(T::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'));
        digits
            .and_then(decode)
            .map(Self::from_uuid)
            .ok_or(NotAnId { prefix: T::PREFIX })
    }
}

fn decode(digits: &str) -> Option<Uuid> {
    // 26 digits have 130 bits: the first digit may not use its upper two.
    if digits.len() != DIGIT_COUNT || digits.as_bytes()[0] > b'7' {
        return None;
    }
    let bits = digits.bytes().try_fold(0_u128, |bits, byte| {
        let digit = DIGITS.iter().position(|known| *known == byte)?;
        Some(bits << 5 | digit as u128)
    });
    bits.map(Uuid::from_u128)
}

impl<T: Named + ?Sized> serde::Serialize for Id<T> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de, T: Named + ?Sized> serde::Deserialize<'de> for Id<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ticket;
    impl Named for Ticket {
        const PREFIX: &'static str = "tkt";
    }

    #[test]
    fn text_and_back_at_both_ends() {
        for bits in [0, 1, u128::MAX, u128::MAX / 3, 1 << 127] {
            let id = Id::<Ticket>::from_uuid(Uuid::from_u128(bits));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!(
            Id::<Ticket>::from_uuid(Uuid::nil()).to_string(),
            "tkt_00000000000000000000000000"
        );
        assert_eq!(
            Id::<Ticket>::from_uuid(Uuid::max()).to_string(),
            "tkt_7zzzzzzzzzzzzzzzzzzzzzzzzz"
        );
    }

    #[test]
    fn only_the_one_spelling_is_read() {
        let good = "tkt_01jd9m3z6veqjsk4dy2hjcg8x4";
        assert!(good.parse::<Id<Ticket>>().is_ok());
        let odd = [
            "usr_01jd9m3z6veqjsk4dy2hjcg8x4",
            "tkt-01jd9m3z6veqjsk4dy2hjcg8x4",
            "TKT_01jd9m3z6veqjsk4dy2hjcg8x4",
            "tkt_01JD9M3Z6VEQJSK4DY2HJCG8X4",
            "tkt_81jd9m3z6veqjsk4dy2hjcg8x4",
            "tkt_01jd9m3z6veqjsk4dy2hjcg8x",
            "tkt_01jd9m3z6veqjsk4dy2hjcg8x44",
            "tkt_01jd9m3z6veqjsk4dy2hjcg8xl",
            "tkt_ü1jd9m3z6veqjsk4dy2hjcg8x4",
            " tkt_01jd9m3z6veqjsk4dy2hjcg8x4",
            "01jd9m3z6veqjsk4dy2hjcg8x4",
            "tkt_",
            "",
        ];
        for text in odd {
            assert!(text.parse::<Id<Ticket>>().is_err(), "{text}");
        }
    }

    #[test]
    fn new_ids_sort_behind_old_ones_also_as_text() {
        let ids: Vec<_> = (0..1_000).map(|_| Id::<Ticket>::new()).collect();
        assert!(ids.is_sorted());
        assert!(
            ids.iter()
                .map(Id::to_string)
                .collect::<Vec<_>>()
                .is_sorted()
        );
    }
}
