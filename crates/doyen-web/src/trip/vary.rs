//! `Vary`: the fields of the request that an answer depends on, so that no cache gives it to another (RFC 9110 section 12.5.5).

use http::HeaderValue;

/// What an answer depends on.
#[derive(Clone, Copy, Default)]
pub(super) struct Vary {
    /// Another caller sees another answer.
    pub(super) authorization: bool,
    /// A page of another origin is told other things.
    pub(super) origin: bool,
    /// It could be compressed.
    pub(super) encoding: bool,
}

impl Vary {
    /// True when an answer depends on something besides who asks.
    pub(super) const fn is_more_than_the_caller(self) -> bool {
        self.origin || self.encoding
    }

    /// One field for all of them; each value stands ready.
    pub(super) fn value(self) -> Option<HeaderValue> {
        let text = match (self.authorization, self.origin, self.encoding) {
            (false, false, false) => return None,
            (true, false, false) => "Authorization",
            (false, true, false) => "Origin",
            (false, false, true) => "Accept-Encoding",
            (true, true, false) => "Authorization, Origin",
            (true, false, true) => "Authorization, Accept-Encoding",
            (false, true, true) => "Origin, Accept-Encoding",
            (true, true, true) => "Authorization, Origin, Accept-Encoding",
        };
        Some(HeaderValue::from_static(text))
    }
}
