//! What joins the records of one request: its id, and its place in a distributed trace.
//!
//! ```
//! use doyen_core::{RequestId, TraceContext};
//!
//! let incoming = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
//! let here = TraceContext::continue_or_start(Some(incoming));
//! assert_eq!(here.trace_id(), "0af7651916cd43dd8448eb211c80319c");
//! assert!(here.sampled());
//!
//! assert_eq!(RequestId::accept_or_new(Some("order-7.retry_2")).as_str(), "order-7.retry_2");
//! assert_eq!(RequestId::accept_or_new(Some("bad\r\nid")).as_str().len(), 32);
//! ```
//!
//! What it does not do: it makes no spans and carries no `tracestate`. Ids are unique, not secret: nothing may be permitted because
//! somebody knows one.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use crate::Refusal;
use crate::inject::{Context, Inject, Node, RequestFacts};

/// The id of a request: in every answer, problem and log line that belongs to it. Can be injected.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId {
    bytes: [u8; 64],
    len: u8,
}

impl RequestId {
    /// A new one: 32 hexadecimal characters.
    pub fn new() -> Self {
        let mut bytes = [0; 64];
        hex(&random::<16>(), &mut bytes);
        Self { bytes, len: 32 }
    }

    /// The id a client sent, if it is 1 to 64 characters of `A-Z a-z 0-9 . _ -`.
    pub fn accept(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let mut bytes = [0; 64];
        let len = u8::try_from(text.len()).ok().filter(|len| *len > 0)?;
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        text.bytes().all(allowed).then_some(Self { bytes, len })
    }

    /// The id a client sent if it is acceptable, else a new one.
    pub fn accept_or_new(text: Option<&str>) -> Self {
        text.and_then(Self::accept).unwrap_or_default()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        ascii(&self.bytes[..usize::from(self.len)])
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Known to the edge from the start; a job or a command gets a new one.
impl Inject for RequestId {
    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }
    fn known(facts: &RequestFacts) -> Option<Self> {
        facts.request_id
    }
    async fn make(_: &Context) -> Result<Self, Refusal> {
        Ok(Self::new())
    }
}

/// A place in a distributed trace (W3C Trace Context): which trace, which span, and whether it is recorded. Can be injected.
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

    /// Reads a `traceparent` field, as the caller sent it: its span is the caller's. `None` when any part of it is wrong.
    ///
    /// A version newer than 00 is read like 00, and what it appends is left out, as the standard says.
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

    /// A span of our own below the caller's; a new trace that is not sampled when there is no usable `traceparent`.
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

/// Known to the edge from the start; a job or a command begins a new trace.
impl Inject for TraceContext {
    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }
    fn known(facts: &RequestFacts) -> Option<Self> {
        facts.trace
    }
    async fn make(_: &Context) -> Result<Self, Refusal> {
        Ok(Self::start(false))
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

fn hex(bytes: &[u8], out: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(out.as_chunks_mut::<2>().0) {
        *pair = PAIRS[usize::from(*byte)];
    }
}

/// Each byte as two digits.
static PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Bytes for ids: a keyed hash of a count, the key drawn at random for each thread: nobody foresees them, two are as rarely equal as any
/// random ones, and the system is not asked for each request.
fn random<const N: usize>() -> [u8; N] {
    thread_local! {
        static SOURCE: (RandomState, Cell<u64>) = (RandomState::new(), Cell::new(0));
    }
    SOURCE.with(|(key, count)| {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            count.set(count.get().wrapping_add(1));
            let word = key.hash_one(count.get()).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        bytes
    })
}

std::thread_local! {
    static CURRENT: Cell<Option<(RequestId, TraceContext)>> = const { Cell::new(None) };
}

/// The request this thread is working on right now, if it is working on one. The log asks, so that each line says whose it is.
pub fn current_request() -> Option<(RequestId, TraceContext)> {
    CURRENT.get()
}

/// Runs this as a part of a request. The edge does it around each step of a request's future; what the request spawns is on its own.
pub fn within_request<R>(id: RequestId, trace: TraceContext, work: impl FnOnce() -> R) -> R {
    // Put back even when the work panics: the thread goes on to other requests.
    struct Restore(Option<(RequestId, TraceContext)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(Some((id, trace))));
    work()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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

    #[test]
    fn only_plain_request_ids_are_taken_over() {
        for good in ["a", "A-1_b.c", &"x".repeat(64)] {
            assert_eq!(RequestId::accept_or_new(Some(good)).as_str(), good);
        }
        for bad in [
            "",
            "a b",
            "a\n",
            "é",
            "a/b",
            "{}",
            &"x".repeat(65),
            &"x".repeat(300),
        ] {
            assert_eq!(RequestId::accept(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn new_ids_do_not_repeat() {
        let ids: HashSet<RequestId> = (0..10_000).map(|_| RequestId::new()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
