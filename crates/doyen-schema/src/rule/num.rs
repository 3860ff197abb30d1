//! Numbers of rules.

use std::cmp::Ordering;
use std::fmt;

#[cfg(feature = "decimal")]
use doyen_core::Decimal;
use serde_json::Value as Json;

/// A number of any type, compared exactly.
#[derive(Clone, Copy, Debug)]
pub enum Num {
    /// A whole number.
    Int(i128),
    /// A double.
    Float(f64),
    /// A decimal.
    #[cfg(feature = "decimal")]
    Decimal(Decimal),
}

impl Num {
    /// Returns the number for a schema.
    pub(super) fn of_json(json: &Json) -> Option<Num> {
        match (json.as_i64(), json.as_u64()) {
            (Some(value), _) => Some(Num::Int(value.into())),
            (_, Some(value)) => Some(Num::Int(value.into())),
            _ => json.as_f64().map(Num::Float),
        }
    }
}

impl PartialEq for Num {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Num {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            #[cfg(feature = "decimal")]
            (Num::Decimal(one), two) => compare_decimal(one, two),
            #[cfg(feature = "decimal")]
            (one, Num::Decimal(two)) => compare_decimal(two, one).map(Ordering::reverse),
            (Num::Int(one), Num::Int(two)) => Some(one.cmp(&two)),
            (Num::Float(one), Num::Float(two)) => one.partial_cmp(&two),
            (Num::Int(one), Num::Float(two)) => compare(one, two),
            (Num::Float(one), Num::Int(two)) => compare(two, one).map(Ordering::reverse),
        }
    }
}

/// Compares without rounding the whole number: above 2^53 a double cannot represent each one.
fn compare(whole: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // The cast saturates, which is correct: a whole number never reaches the limits of `i128`.
    let floor = float.floor() as i128;
    Some(whole.cmp(&floor).then(if float.fract() == 0.0 {
        Ordering::Equal
    } else {
        Ordering::Less
    }))
}

/// Compares without rounding the decimal.
#[cfg(feature = "decimal")]
fn compare_decimal(decimal: Decimal, other: Num) -> Option<Ordering> {
    match other {
        Num::Decimal(other) => Some(decimal.cmp(&other)),
        Num::Int(whole) => match Decimal::try_from_i128_with_scale(whole, 0) {
            Ok(whole) => Some(decimal.cmp(&whole)),
            // It has more digits than any decimal.
            Err(_) => Some(0.cmp(&whole)),
        },
        // As it is written: a limit of 0.1 is one tenth, which no double is.
        Num::Float(float) => match Decimal::from_str_exact(&float.to_string()) {
            Ok(float) => Some(decimal.cmp(&float)),
            Err(_) => f64::try_from(decimal).ok()?.partial_cmp(&float),
        },
    }
}

/// As in a sentence: `5`, `0.5`.
impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "decimal")]
            Num::Decimal(value) => value.fmt(f),
            other => Json::from(*other).fmt(f),
        }
    }
}

impl From<Num> for Json {
    fn from(number: Num) -> Json {
        match number {
            Num::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => value.into(),
                (_, Ok(value)) => value.into(),
                _ => (value as f64).into(),
            },
            Num::Float(value) => value.into(),
            #[cfg(feature = "decimal")]
            Num::Decimal(value) => value.to_string().into(),
        }
    }
}
