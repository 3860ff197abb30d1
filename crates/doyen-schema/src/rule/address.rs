//! Email addresses and URLs.

use doyen_core::{At, Failures};

use super::tighten::at_most;
use super::{Num, Pattern, Text};
use crate::Schema;

// One label of a host name.
macro_rules! label {
    () => {
        "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    };
}

macro_rules! email {
    () => {
        concat!(
            "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*",
            "@",
            label!(),
            "(?:\\.",
            label!(),
            ")+$"
        )
    };
}

// Host name or IPv4 address, port, path, query, fragment. No user and password, which would end up
// in logs.
macro_rules! url {
    () => {
        concat!(
            "^https?://",
            label!(),
            "(?:\\.",
            label!(),
            ")*(?::[0-9]{1,5})?",
            "(?:/(?:[A-Za-z0-9._~:/@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?",
            "(?:\\?(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?",
            "(?:#(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?$"
        )
    };
}

static EMAIL: Pattern =
    Pattern::new(email!(), email!(), true).says("email", "must be an email address");
static URL: Pattern =
    Pattern::new(url!(), url!(), true).says("url", "must be an http or https URL");

/// An email address in common syntax: no quotes, no comments, a domain with a dot, at most 254
/// characters.
///
/// It only checks that an address could exist. A delivered message proves that it does.
#[derive(Clone, Copy, Debug)]
pub struct Email;

impl Email {
    const MAX: usize = 254;
    /// RFC 5321, 4.5.3.1.1. `format: email` implies it.
    const MAX_LOCAL: usize = 64;

    /// Checks text.
    pub fn check<T: Text + ?Sized>(&self, value: &T, at: &At<'_>, out: &mut Failures) {
        let holds = |text: &str| {
            text.len() <= Self::MAX
                && text.find('@').is_some_and(|at| at <= Self::MAX_LOCAL)
                && EMAIL.matches(text)
        };
        if value.text().is_some_and(|text| !holds(text)) {
            EMAIL.fail(at, out);
        }
    }

    /// Writes format, pattern and length into the schema.
    pub fn describe(&self, schema: &mut Schema) {
        schema.set("format", "email");
        EMAIL.describe(schema);
        at_most(schema, "maxLength", Num::Int(Self::MAX as i128));
    }
}

/// An absolute `http` or `https` URL without user and password, in its encoded form, at most 2,048
/// characters.
///
/// It does not check the target of the URL: use a client that refuses private addresses.
#[derive(Clone, Copy, Debug)]
pub struct Url;

impl Url {
    const MAX: usize = 2_048;

    /// Checks text.
    pub fn check<T: Text + ?Sized>(&self, value: &T, at: &At<'_>, out: &mut Failures) {
        if value
            .text()
            .is_some_and(|text| text.len() > Self::MAX || !URL.matches(text))
        {
            URL.fail(at, out);
        }
    }

    /// Writes format, pattern and length into the schema.
    pub fn describe(&self, schema: &mut Schema) {
        schema.set("format", "uri");
        URL.describe(schema);
        at_most(schema, "maxLength", Num::Int(Self::MAX as i128));
    }
}

#[cfg(test)]
mod tests {
    use doyen_core::Place;

    use super::*;

    fn codes(check: impl FnOnce(&At<'_>, &mut Failures)) -> Vec<&'static str> {
        let mut out = Failures::new();
        check(&At::root(Place::Body), &mut out);
        out.iter().map(|failure| failure.code).collect()
    }

    #[test]
    fn addresses() {
        let is = |text: &str| codes(|at, out| Email.check(text, at, out)).is_empty();
        for good in [
            "a@b.co",
            "first.last+tag@sub.example.org",
            "x_y-z@a-b.example",
            "o'neil@example.com",
            "123@1.example",
        ] {
            assert!(is(good), "{good}");
        }
        let odd = [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a@b.",
            "a@.co",
            "a@b..co",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.co",
            "a b@c.co",
            "a@b@c.co",
        ];
        for wrong in odd.into_iter().chain([
            "a@-b.co",
            "a@b-.co",
            "a@b_c.co",
            "ä@b.co",
            "a@b.co\n",
            "\"a\"@b.co",
            "a@[1.2.3.4]",
            "a\0@b.co",
        ]) {
            assert!(!is(wrong), "{wrong:?}");
        }
        assert!(is(&format!("{}@b.co", "a".repeat(64))));
        assert!(!is(&format!("{}@b.co", "a".repeat(65))));
        assert!(!is(&format!("a@{}.co", "b".repeat(64))));
    }

    #[test]
    fn urls() {
        let is = |text: &str| codes(|at, out| Url.check(text, at, out)).is_empty();
        for good in [
            "http://localhost:8000",
            "https://example.com/a/b?x=1&y=%20#z",
            "https://1.2.3.4/",
            "http://a?b",
        ] {
            assert!(is(good), "{good}");
        }
        let odd = [
            "",
            "example.com",
            "ftp://a.example",
            "javascript:alert(1)",
            "HTTP://a",
            "https://",
            "https:///a",
            "https://u:p@a.example",
        ];
        for wrong in odd.into_iter().chain([
            "https://a b",
            "https://a/ü",
            "https://a/%2",
            "https://a/#b#c",
            "https://a:port",
            "https://a\n",
        ]) {
            assert!(!is(wrong), "{wrong:?}");
        }
    }
}
