//! JSON without duplicate members and trailing text.
//!
//! The usual parser keeps the last of two members with one name. Two programs that keep different
//! ones see two different tokens under one signature (RFC 8725 section 2.4). A duplicate is an
//! error.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Maximum number of members of a token.
const MAX_MEMBERS: usize = 64;

/// Parses JSON in which no object has a member twice.
///
/// ```
/// use doyen_auth::strict_json;
///
/// assert!(strict_json(br#"{"keys": [{"kid": "1"}]}"#).is_some());
/// assert!(strict_json(br#"{"keys": [{"kid": "1", "kid": "2"}]}"#).is_none());
/// ```
pub fn strict_json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Strict>(bytes)
        .ok()
        .map(|strict| strict.0)
}

/// The members of a JSON object.
#[derive(Debug)]
pub struct Members(Map<String, Value>);

impl Members {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match strict_json(bytes)? {
            Value::Object(members) if members.len() <= MAX_MEMBERS => Some(Self(members)),
            _ => None,
        }
    }

    /// Returns the member of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns the member of this name if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a member twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_and_anything_unusual_refused() {
        let text = br#"{"a":"x","b":1,"c":[true,null,-2.5,{"d":-1}]}"#;
        let members = Members::parse(text).unwrap();
        assert_eq!(members.text("a"), Some("x"));
        assert_eq!(members.text("b"), None);
        let usual: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(strict_json(text), Some(usual));
        let many = format!(
            "{{{}}}",
            (0..65)
                .map(|n| format!("\"{n}\":0"))
                .collect::<Vec<_>>()
                .join(",")
        );
        for wrong in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1},{"b":1,"b":2}]}"#,
            "[]",
            "{}x",
            "{",
            "null",
            "",
            "{\"a\":\"\u{0}\"}",
            &many,
        ] {
            assert!(Members::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(Members::parse(b"{\"a\":\"\xff\"}").is_none());
    }
}
