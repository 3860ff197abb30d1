//! Limits of numbers.

use doyen_core::{At, Beyond, Failures, Patch};
use serde_json::{Map, Value as Json};

use super::Num;
use super::tighten::{at_least, at_most};
use crate::Schema;

/// A type with a number. `None` if there is no number.
#[diagnostic::on_unimplemented(
    message = "the rule `range` is for numbers, and `{Self}` is not one",
    label = "not a number",
    note = "for text use `length(..)`, for a list `items(..)`",
    note = "for a type of your own, put the rule on its inner field, or implement `doyen::schema::rule::Number`"
)]
pub trait Number {
    /// Returns the number.
    fn number(&self) -> Option<Num>;
}

macro_rules! numbers {
    ($($variant:ident: $($type:ty)*;)*) => {$($(
        impl Number for $type {
            fn number(&self) -> Option<Num> {
                Some(Num::$variant((*self).into()))
            }
        }

        impl From<$type> for Num {
            fn from(value: $type) -> Num {
                Num::$variant(value.into())
            }
        }
    )*)*};
}

numbers! {
    Int: i8 i16 i32 i64 u8 u16 u32 u64;
    Float: f64;
}

macro_rules! sizes {
    ($($type:ty)*) => {$(
        impl Number for $type {
            fn number(&self) -> Option<Num> {
                Some((*self).into())
            }
        }

        impl From<$type> for Num {
            fn from(value: $type) -> Num {
                // No size has more than 64 bits.
                Num::Int(value as i128)
            }
        }
    )*};
}

sizes!(usize isize);

#[cfg(feature = "decimal")]
impl Number for doyen_core::Decimal {
    fn number(&self) -> Option<Num> {
        Some(Num::Decimal(*self))
    }
}

#[cfg(feature = "decimal")]
impl From<doyen_core::Decimal> for Num {
    fn from(value: doyen_core::Decimal) -> Num {
        Num::Decimal(value)
    }
}

impl<T: Number> Number for Option<T> {
    fn number(&self) -> Option<Num> {
        self.as_ref()?.number()
    }
}

impl<T: Number> Number for Patch<T> {
    fn number(&self) -> Option<Num> {
        self.as_option()?.number()
    }
}

impl<T: Number> Number for Box<T> {
    fn number(&self) -> Option<Num> {
        self.as_ref().number()
    }
}

/// A type with a whole number.
#[diagnostic::on_unimplemented(
    message = "`multiple_of` is for whole numbers, and `{Self}` is not one",
    label = "not a whole number",
    note = "a double cannot hold each multiple: use a whole number of smaller units, such as cents"
)]
pub trait Whole: Number {}

macro_rules! whole {
    ($($type:ty)*) => {$(impl Whole for $type {})*};
}

whole!(i8 i16 i32 i64 u8 u16 u32 u64 usize isize);

impl<T: Whole> Whole for Option<T> {}
impl<T: Whole> Whole for Patch<T> {}
impl<T: Whole> Whole for Box<T> {}

/// The divisor of a number.
#[derive(Clone, Copy, Debug)]
pub struct MultipleOf(
    /// Divisor, above zero.
    pub i128,
);

impl MultipleOf {
    /// Checks a number.
    pub fn check<T: Whole + ?Sized>(&self, value: &T, at: &At<'_>, out: &mut Failures) {
        let Some(Num::Int(number)) = value.number() else {
            return;
        };
        if number % self.0 != 0 {
            let divisor = Json::from(Num::Int(self.0));
            let message = format!("must be a multiple of {divisor}");
            let params = Map::from_iter([("multiple_of".to_owned(), divisor)]);
            at.fail_with(out, "multiple_of", message, params);
        }
    }

    /// Writes the rule into the schema.
    pub fn describe(&self, schema: &mut Schema) {
        schema.set("multipleOf", Num::Int(self.0));
    }
}

/// Limits of a number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range {
    /// Minimum, inclusive.
    pub min: Option<Num>,
    /// Maximum, inclusive.
    pub max: Option<Num>,
    /// Minimum, exclusive.
    pub exclusive_min: Option<Num>,
    /// Maximum, exclusive.
    pub exclusive_max: Option<Num>,
}

impl Range {
    /// Checks a number.
    pub fn check<T: Number + ?Sized>(&self, value: &T, at: &At<'_>, out: &mut Failures) {
        let Some(number) = value.number() else { return };
        if let Some(beyond) = self.beyond(number) {
            at.fail_beyond(out, "range", self.sentence(), self.params(), Some(beyond));
        }
    }

    /// Corrects the failures of numbers that their type cannot hold: they name the range of the
    /// type, and then that of the document. `before` is the number of failures before the value
    /// was parsed, `depth` the number of lists around the number.
    pub fn narrow(&self, at: &At<'_>, before: usize, depth: usize, out: &mut Failures) {
        let here = at.pointer();
        let is_number = |pointer: &str| {
            let inside = pointer.strip_prefix(&here);
            inside.is_some_and(|inside| inside.matches('/').count() == depth)
        };
        for failure in out.since(before) {
            if failure.code == "range" && is_number(&failure.pointer) {
                let range = self.within(&failure.params);
                failure.message = range.sentence();
                failure.params = range.params();
            }
        }
    }

    /// Returns the tighter limits of this range and that of a type.
    fn within(&self, of_type: &serde_json::Map<String, serde_json::Value>) -> Self {
        let of_type = |name| of_type.get(name).and_then(Num::of_json);
        let lower = |limit: Option<Num>, min: Num| limit.is_some_and(|limit| limit >= min);
        let upper = |limit: Option<Num>, max: Num| limit.is_some_and(|limit| limit <= max);
        let min =
            of_type("min").filter(|min| !lower(self.min, *min) && !lower(self.exclusive_min, *min));
        let max =
            of_type("max").filter(|max| !upper(self.max, *max) && !upper(self.exclusive_max, *max));
        Self {
            min: min.or(self.min),
            max: max.or(self.max),
            ..*self
        }
    }

    /// Returns the limit that a number is beyond. A comparison with NaN is false.
    fn beyond(&self, number: Num) -> Option<Beyond> {
        let holds = [
            (Beyond::Min, self.min.is_none_or(|min| number >= min)),
            (
                Beyond::ExclusiveMin,
                self.exclusive_min.is_none_or(|min| number > min),
            ),
            (Beyond::Max, self.max.is_none_or(|max| number <= max)),
            (
                Beyond::ExclusiveMax,
                self.exclusive_max.is_none_or(|max| number < max),
            ),
        ];
        holds
            .into_iter()
            .find(|(_, holds)| !holds)
            .map(|(limit, _)| limit)
    }

    fn limits(&self) -> impl Iterator<Item = (&'static str, &'static str, Num)> {
        let all = [
            ("min", "at least", self.min),
            ("exclusive_min", "greater than", self.exclusive_min),
            ("max", "at most", self.max),
            ("exclusive_max", "less than", self.exclusive_max),
        ];
        all.into_iter()
            .filter_map(|(name, words, limit)| Some((name, words, limit?)))
    }

    fn sentence(&self) -> String {
        let limits: Vec<String> = self
            .limits()
            .map(|(_, words, limit)| format!("{words} {limit}"))
            .collect();
        format!("must be {}", limits.join(" and "))
    }

    fn params(&self) -> Map<String, Json> {
        self.limits()
            .map(|(name, _, limit)| (name.to_owned(), limit.into()))
            .collect()
    }

    /// Writes the limits into the schema.
    ///
    /// A decimal is text, to which `minimum` does not apply. Its limits are text too:
    /// `formatMinimum`, `formatExclusiveMinimum`, and so on.
    pub fn describe(&self, schema: &mut Schema) {
        if schema
            .get("format")
            .is_some_and(|format| format == "decimal")
        {
            for (name, _, limit) in self.limits() {
                schema.set(format_keyword(name), limit.to_string());
            }
            return;
        }
        if let Some(min) = self.min {
            at_least(schema, "minimum", min);
        }
        if let Some(max) = self.max {
            at_most(schema, "maximum", max);
        }
        if let Some(min) = self.exclusive_min {
            at_least(schema, "exclusiveMinimum", min);
        }
        if let Some(max) = self.exclusive_max {
            at_most(schema, "exclusiveMaximum", max);
        }
    }
}

/// Returns the keyword for the limit of a formatted text.
fn format_keyword(limit: &str) -> &'static str {
    match limit {
        "min" => "formatMinimum",
        "max" => "formatMaximum",
        "exclusive_min" => "formatExclusiveMinimum",
        _ => "formatExclusiveMaximum",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "decimal")]
    #[test]
    fn decimals_compare_exactly_with_limits_as_they_are_written() {
        let decimal = |text: &str| Num::Decimal(text.parse().unwrap());
        // The double is 0.1000000000000000055.
        assert!(decimal("0.1") == Num::Float(0.1));
        assert!(decimal("0.1000000000000000000000000001") > Num::Float(0.1));
        assert!(decimal("0.0999999999999999999999999999") < Num::Float(0.1));
        assert!(decimal("0.50") == decimal("0.5"));
        assert!(decimal("79228162514264337593543950335") > Num::Int(5));
        assert!(decimal("79228162514264337593543950335") < Num::Int(i128::MAX));
        assert!(decimal("-79228162514264337593543950335") > Num::Int(i128::MIN));
        assert!(decimal("1") < Num::Float(1e300) && decimal("1") > Num::Float(-1e300));
        assert!(Num::Float(0.5) < decimal("0.6") && Num::Int(1) > decimal("0.6"));
        assert_eq!(decimal("0.1").partial_cmp(&Num::Float(f64::NAN)), None);
    }

    #[test]
    fn whole_numbers_and_doubles_compare_exactly() {
        let big = 9_007_199_254_740_993_i128;
        assert!(Num::Int(big) > Num::Float(9_007_199_254_740_992.0));
        assert!(Num::Int(3) < Num::Float(3.5));
        assert!(Num::Int(4) > Num::Float(3.5));
        assert!(Num::Int(-3) > Num::Float(-3.5));
        assert!(Num::Int(0) == Num::Float(-0.0));
        assert!(Num::Float(1e300) > Num::Int(i128::from(u64::MAX)));
        assert!(Num::Float(-1e300) < Num::Int(i128::from(i64::MIN)));
    }

    #[test]
    fn the_tighter_limit_stays() {
        let mut schema = Schema::of("integer")
            .with("minimum", 0)
            .with("maximum", 255);
        Range {
            min: Some(Num::Int(-5)),
            max: Some(Num::Float(9.5)),
            ..Range::default()
        }
        .describe(&mut schema);
        assert_eq!(schema.get("minimum"), Some(&0.into()));
        assert_eq!(schema.get("maximum"), Some(&9.5.into()));
    }

    #[test]
    fn the_range_of_a_type_is_narrowed_to_that_of_the_document() {
        use crate::Input as _;
        let at = At::root(doyen_core::Place::Query);
        let narrowed = |range: Range| {
            let mut out = Failures::new();
            assert_eq!(
                u8::parse(crate::input::Value::Int(300), &at, &mut out),
                None
            );
            range.narrow(&at, 0, 0, &mut out);
            out.pop().unwrap().message
        };
        let range = Range {
            min: Some(Num::Int(-5)),
            exclusive_max: Some(Num::Int(10)),
            ..Range::default()
        };
        assert_eq!(narrowed(range), "must be at least 0 and less than 10");
        let range = Range {
            exclusive_min: Some(Num::Int(5)),
            ..Range::default()
        };
        assert_eq!(narrowed(range), "must be greater than 5 and at most 255");
    }

    #[test]
    fn the_sentence_names_every_limit() {
        let range = Range {
            min: Some(Num::Int(1)),
            exclusive_max: Some(Num::Float(2.5)),
            ..Range::default()
        };
        assert_eq!(range.sentence(), "must be at least 1 and less than 2.5");
    }
}
