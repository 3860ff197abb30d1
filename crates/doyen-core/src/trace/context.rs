//! The place of a request in a distributed trace.

use std::fmt;

use super::random::{ascii, hex, random};

/// A place in a distributed trace (W3C Trace Context): which trace, which span, and whether it is
/// recorded. Can be injected.
///
/// Its `Display` is the value of a `traceparent` field.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: [u8; 32],
    span: [u8; 16],
    sampled: bool,
}

impl TraceContext {
    /// The beginning of a new trace.
    pub fn start(sampled: bool) -> Self {
        Self {
            trace: id::<16, 32>(),
            span: id::<8, 16>(),
            sampled,
        }
    }

    /// Reads a `traceparent` field, as the caller sent it: its span is the caller's. `None` when
    /// any part of it is wrong.
    ///
    /// A version newer than 00 is read like 00, and what it appends is left out, as the standard
    /// says.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (head, tail) = bytes.split_at_checked(55)?;
        let dashes = [2, 35, 52].iter().all(|at| head[*at] == b'-');
        let digits = [0..2, 3..35, 36..52, 53..55].into_iter().all(|part| {
            head[part]
                .iter()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        });
        let end = match &head[..2] {
            b"ff" => false,
            b"00" => tail.is_empty(),
            _ => tail.is_empty() || tail[0] == b'-',
        };
        let trace: [u8; 32] = head[3..35].try_into().ok()?;
        let span: [u8; 16] = head[36..52].try_into().ok()?;
        // All zeros means "none" in both ids.
        let some = trace != [b'0'; 32] && span != [b'0'; 16];
        // The lowest bit of the last digit is the flag; '1', '3', ... 'b', 'd', 'f' have it.
        let sampled = char::from(head[54]).to_digit(16)? & 1 == 1;
        (dashes && digits && end && some).then_some(Self {
            trace,
            span,
            sampled,
        })
    }

    /// A span of our own below the caller's; a new trace that is not sampled when there is no
    /// usable `traceparent`.
    pub fn continue_or_start(traceparent: Option<&str>) -> Self {
        traceparent
            .and_then(Self::parse)
            .map_or_else(|| Self::start(false), |caller| caller.child())
    }

    /// The same trace with a new span, for what is called from here.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span: id::<8, 16>(),
            ..*self
        }
    }

    /// The id of the whole trace: 32 hexadecimal characters.
    pub fn trace_id(&self) -> &str {
        ascii(&self.trace)
    }

    /// The id of this part of it: 16 hexadecimal characters.
    pub fn span_id(&self) -> &str {
        ascii(&self.span)
    }

    /// True when the trace is recorded.
    pub const fn sampled(&self) -> bool {
        self.sampled
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{}-{}-0{}",
            self.trace_id(),
            self.span_id(),
            u8::from(self.sampled)
        )
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn id<const N: usize, const TEXT: usize>() -> [u8; TEXT] {
    let mut bytes = random::<N>();
    if bytes == [0; N] {
        bytes[N - 1] = 1;
    }
    let mut text = [0; TEXT];
    hex(&bytes, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_read_and_written_back() {
        let parsed = TraceContext::parse(GOOD).unwrap();
        assert_eq!(parsed.to_string(), GOOD);
        assert_eq!(parsed.span_id(), "b7ad6b7169203331");
        assert!(parsed.sampled());
        assert!(
            !TraceContext::parse(&GOOD.replace("-01", "-02"))
                .unwrap()
                .sampled()
        );
        assert!(
            TraceContext::parse(&GOOD.replace("-01", "-0b"))
                .unwrap()
                .sampled()
        );
    }

    #[test]
    fn a_newer_version_is_read_and_version_00_may_not_be_longer() {
        assert!(TraceContext::parse(&format!("01{}-more", &GOOD[2..])).is_some());
        assert!(TraceContext::parse(&format!("01{}", &GOOD[2..])).is_some());
        assert!(TraceContext::parse(&format!("01{}more", &GOOD[2..])).is_none());
        assert!(TraceContext::parse(&format!("{GOOD}-more")).is_none());
    }

    #[test]
    fn each_wrong_traceparent_starts_a_new_trace() {
        let wrong = [
            String::new(),
            "00".to_owned(),
            GOOD.to_uppercase(),
            format!("ff{}", &GOOD[2..]),
            format!(" {GOOD}"),
            format!("{GOOD} "),
            GOOD.replace('-', "_"),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            GOOD.replace("0af7", "0ag7"),
            GOOD.replace("-01", "-0x"),
            GOOD.replace("0af7", "é\u{301}"),
            "x".repeat(10_000),
        ];
        for text in wrong {
            assert_eq!(TraceContext::parse(&text), None, "{text}");
            assert_ne!(
                TraceContext::continue_or_start(Some(&text)).trace_id(),
                "0".repeat(32)
            );
        }
    }

    #[test]
    fn a_child_keeps_the_trace_and_changes_the_span() {
        let parent = TraceContext::start(true);
        let child = parent.child();
        assert_eq!(child.trace_id(), parent.trace_id());
        assert_ne!(child.span_id(), parent.span_id());
        assert!(child.sampled());
    }
}
