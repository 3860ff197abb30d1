//! An untyped value.

use std::borrow::Cow;
use std::fmt;

use doyen_core::{At, Failures};
use serde_json::{Map, Value as Json, json};

/// An untyped value: a JSON document, or the text of a query string, a path, a header, a cookie or
/// a form.
///
/// `Debug` shows the type and never the value, which may be a password.
#[derive(Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number written without fraction or exponent, between `i64::MIN` and `u64::MAX`.
    Int(i128),
    /// Any other number. Never infinite, never NaN.
    Float(f64),
    /// A JSON string.
    Str(Cow<'a, str>),
    /// Text from an untyped location: a number or a boolean may be parsed from it.
    Text(Cow<'a, str>),
    /// A list; the values of a repeated parameter.
    List(Vec<Value<'a>>),
    /// Names and values, in the order received. Names are unique.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.kind())
    }
}

impl<'a> Value<'a> {
    /// Returns the JSON Schema type: `null`, `boolean`, `integer`, `number`, `string`, `array`,
    /// `object`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) => "integer",
            Value::Float(_) => "number",
            Value::Str(_) | Value::Text(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "object",
        }
    }

    /// Returns the text of a JSON string or a parameter.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Str(text) | Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Records a value of another type: `repeated`, `null` or `type`.
    ///
    /// `wanted` is a JSON Schema type (`integer`); `words` is its readable form (`a whole number`).
    pub fn refuse(&self, wanted: &'static str, words: &str, at: &At<'_>, out: &mut Failures) {
        match self {
            Value::List(items) if matches!(items.first(), Some(Value::Text(_))) => {
                at.fail(out, "repeated", "may be given only once");
            }
            Value::Null => at.fail(out, "null", format!("must be {words}, not null")),
            other => {
                let mut params = Map::new();
                params.insert("expected".into(), wanted.into());
                params.insert("found".into(), other.kind().into());
                at.fail_with(out, "type", format!("must be {words}"), params);
            }
        }
    }

    /// Converts the value to JSON. Text stays text.
    pub fn into_json(self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(value),
            Value::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => value.into(),
                (_, Ok(value)) => value.into(),
                _ => json!(value as f64),
            },
            Value::Float(value) => json!(value),
            Value::Str(text) | Value::Text(text) => Json::String(text.into_owned()),
            Value::List(items) => items.into_iter().map(Value::into_json).collect(),
            Value::Map(entries) => Json::Object(
                entries
                    .into_iter()
                    .map(|(name, value)| (name.into_owned(), value.into_json()))
                    .collect(),
            ),
        }
    }
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(value), ..) => Value::Int(value.into()),
                (_, Some(value), _) => Value::Int(value.into()),
                (.., value) => Value::Float(value.unwrap_or_default()),
            },
            Json::String(text) => Value::Str(Cow::Borrowed(text)),
            Json::Array(items) => Value::List(items.iter().map(Value::from).collect()),
            Json::Object(map) => Value::Map(
                map.iter()
                    .map(|(name, value)| (Cow::Borrowed(name.as_str()), value.into()))
                    .collect(),
            ),
        }
    }
}
