//! The trace context of a request.

use std::fmt;

use super::random::{ascii, hex, random};

/// A position in a distributed trace (W3C Trace Context): trace, span, and whether it is recorded.
/// Can be injected.
///
/// Its `Display` is the value of a `traceparent` header.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: [u8; 32],
    span: [u8; 16],
    sampled: bool,
}

impl TraceContext {
    /// Starts a new trace.
    pub fn start(sampled: bool) -> Self {
        Self {
            trace: id::<16, 32>(),
            span: id::<8, 16>(),
            sampled,
        }
    }

    /// Parses a `traceparent` header: its span is that of the caller. Returns `None` if any part is
    /// invalid.
    ///
    /// A version newer than 00 is parsed like 00, and additional parts are ignored, as the standard
    /// requires.
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
        // The flag is the lowest bit of the last digit: set in '1', '3', ... 'b', 'd', 'f'.
        let sampled = char::from(head[54]).to_digit(16)? & 1 == 1;
        (dashes && digits && end && some).then_some(Self {
            trace,
            span,
            sampled,
        })
    }

    /// Starts a span below that of the caller; without a valid `traceparent`, a new trace that is
    /// not sampled.
    pub fn continue_or_start(traceparent: Option<&str>) -> Self {
        traceparent
            .and_then(Self::parse)
            .map_or_else(|| Self::start(false), |caller| caller.child())
    }

    /// Starts a new span of the same trace, for an outgoing call.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span: id::<8, 16>(),
            ..*self
        }
    }

    /// Sets whether the trace is recorded.
    #[must_use]
    pub const fn with_sampled(self, sampled: bool) -> Self {
        Self { sampled, ..self }
    }

    /// Returns the trace id: 32 hexadecimal characters.
    pub fn trace_id(&self) -> &str {
        ascii(&self.trace)
    }

    /// Returns the span id: 16 hexadecimal characters.
    pub fn span_id(&self) -> &str {
        ascii(&self.span)
    }

    /// True if the trace is recorded.
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
