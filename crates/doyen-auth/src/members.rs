//! A JSON object in a signed token: no duplicate member, no trailing text, a maximum number of
//! members.
//!
//! The usual parser keeps the last of two members with one name. Two programs that keep different
//! ones see two different tokens under one signature (RFC 8725 section 2.4). A duplicate is an
//! error.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

/// Maximum number of members. It bounds the work that an unsigned header can cause.
const MAX_MEMBERS: usize = 64;

/// The members of a JSON object, without duplicates. Nested objects are plain values.
#[derive(Debug)]
pub struct Members(Vec<(String, Value)>);

impl Members {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Returns the member of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Returns the member of this name if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if members.len() == MAX_MEMBERS
                        || members.iter().any(|(known, _)| *known == name)
                    {
                        return Err(A::Error::custom("a duplicate member, or too many members"));
                    }
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_and_anything_unusual_refused() {
        let members = Members::parse(br#"{"a":"x","b":1}"#).unwrap();
        assert_eq!(members.text("a"), Some("x"));
        assert_eq!(members.text("b"), None);
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
