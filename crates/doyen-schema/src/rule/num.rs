//! Numbers of rules.

use std::cmp::Ordering;

use serde_json::Value as Json;

/// A number of any type, compared exactly.
#[derive(Clone, Copy, Debug)]
pub enum Num {
    /// A whole number.
    Int(i128),
    /// A double.
    Float(f64),
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

impl From<Num> for Json {
    fn from(number: Num) -> Json {
        match number {
            Num::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => value.into(),
                (_, Ok(value)) => value.into(),
                _ => (value as f64).into(),
            },
            Num::Float(value) => value.into(),
        }
    }
}
