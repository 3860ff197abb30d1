//! The head of an HTTP/1.1 request, looked at before the parser sees it (RFC 9112).
//!
//! The parser behind it is made for speed and forgives: it reads a transfer coding and drops the length beside it, and takes a line that
//! ends with LF alone. A proxy in front that reads such a head another way than we do is a way to smuggle a second request past it. So what
//! can be read two ways is refused here, and what is left both read alike.
//!
//! It keeps its place between two calls: a head that comes byte by byte is not read again from the beginning.

use std::ops::Range;

use super::Refused;
use super::authority::Authority;

/// How many fields a head may have: as many as the parser takes.
const FIELDS: usize = 100;

/// The largest announced length that is a number and no mistake: 2^62.
const LONGEST: u64 = 1 << 62;

/// A head on its way in. Positions count from its first byte.
#[derive(Debug)]
pub(super) struct Head {
    /// Where the line begins that is not whole yet.
    line: usize,
    /// How far its end has been looked for.
    looked: usize,
    lines: usize,
    request: Option<RequestLine>,
    host: Option<Range<usize>>,
    length: Option<u64>,
    chunked: bool,
    authorization: bool,
    content_type: bool,
}

#[derive(Debug)]
struct RequestLine {
    whole: Range<usize>,
    /// That of a target with a scheme.
    authority: Option<Range<usize>>,
    /// HTTP/1.0: without chunks, and perhaps without a host.
    old: bool,
}

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    Nothing,
    Length(u64),
    Chunks,
}

/// A head that is not read.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) refused: Refused,
    /// Its first line, when that could be read.
    pub(super) request: Option<Range<usize>>,
}

type Verdict<T> = Result<T, Refused>;

const fn malformed<T>(why: &'static str) -> Verdict<T> {
    Err(Refused::Malformed(why))
}

impl Head {
    pub(super) const fn new() -> Self {
        Self {
            line: 0,
            looked: 0,
            lines: 0,
            request: None,
            host: None,
            length: None,
            chunked: false,
            authorization: false,
            content_type: false,
        }
    }

    /// Looks at a head from its first byte on: how long it is and what follows, or `None` when it is not whole yet.
    pub(super) fn look(
        &mut self,
        bytes: &[u8],
        limit: usize,
    ) -> Result<Option<(usize, Carries)>, Fault> {
        self.lines(bytes, limit).map_err(|refused| Fault {
            refused,
            request: self.line_read(),
        })
    }

    /// The first line, when it was read.
    pub(super) fn line_read(&self) -> Option<Range<usize>> {
        self.request.as_ref().map(|line| line.whole.clone())
    }

    fn lines(&mut self, bytes: &[u8], limit: usize) -> Verdict<Option<(usize, Carries)>> {
        // What speaks another protocol may never send a line.
        if let Some(first) = bytes.first()
            && !is_token(*first)
            && *first != b'\r'
        {
            return malformed("it does not begin with a method");
        }
        loop {
            let stop = next_control(bytes, self.looked);
            // The line feed of a carriage return that came last may still be on its way.
            let whole = stop + 1 < bytes.len();
            if stop + if whole { 2 } else { 0 } > limit {
                return Err(match &self.request {
                    None => Refused::UriTooLong,
                    Some(_) => Refused::FieldsTooLarge(
                        "the header fields are longer than the server allows",
                    ),
                });
            }
            self.looked = stop;
            match bytes.get(stop..) {
                None | Some([] | [b'\r']) => return Ok(None),
                Some([b'\r', b'\n', ..]) => {}
                Some([b'\t', ..]) => {
                    // Between words of a field; elsewhere it is met below.
                    self.looked = stop + 1;
                    continue;
                }
                Some([b'\n', ..]) => return malformed("a line ends with LF alone"),
                Some(_) => return malformed("a control character stands in a line"),
            }
            let (begin, end) = (self.line, stop + 2);
            let line = &bytes[begin..stop];
            (self.line, self.looked) = (end, end);
            self.lines += 1;
            match (&self.request, line) {
                // RFC 9112 section 2.2: an empty line before a request is skipped. One.
                (None, b"") if self.lines == 1 => {}
                (None, _) => self.request = Some(request_line(line, begin)?),
                (Some(_), b"") => {
                    return self
                        .whole(&bytes[..end])
                        .map(|carries| Some((end, carries)));
                }
                (Some(_), _) => self.field(line, begin)?,
            }
        }
    }

    fn field(&mut self, line: &[u8], begin: usize) -> Verdict<()> {
        if self.lines > FIELDS + 1 {
            return Err(Refused::FieldsTooLarge(
                "there are more than 100 header fields",
            ));
        }
        let name = token(line);
        if line.get(name) != Some(&b':') || name == 0 {
            return match line.first() {
                Some(b' ' | b'\t') => malformed("a line begins with a space"),
                _ => malformed("the name of a field is not well-formed"),
            };
        }
        let is = |known: &[u8]| line[..name].eq_ignore_ascii_case(known);
        match name {
            4 if is(b"host") => {
                let value = trimmed(line, name + 1);
                if self.host.is_some() {
                    return malformed("`Host` came more than once");
                }
                if !Authority::is_one(&line[value.clone()]) {
                    return malformed("`Host` is not a host with or without a port");
                }
                self.host = Some(begin + value.start..begin + value.end);
            }
            14 if is(b"content-length") => {
                if self.length.is_some() {
                    return malformed("`Content-Length` came more than once");
                }
                self.length = Some(length(&line[trimmed(line, name + 1)])?);
            }
            17 if is(b"transfer-encoding") => {
                if self.chunked {
                    return malformed("`Transfer-Encoding` came more than once");
                }
                if !line[trimmed(line, name + 1)].eq_ignore_ascii_case(b"chunked") {
                    return malformed("`Transfer-Encoding` is read as `chunked` and nothing else");
                }
                self.chunked = true;
            }
            13 if is(b"authorization") => once(
                &mut self.authorization,
                "`Authorization` came more than once",
            )?,
            12 if is(b"content-type") => {
                once(&mut self.content_type, "`Content-Type` came more than once")?
            }
            _ => {}
        }
        Ok(())
    }

    /// What only a whole head tells.
    fn whole(&self, bytes: &[u8]) -> Verdict<Carries> {
        let Some(request) = &self.request else {
            return malformed("it has no first line");
        };
        match (&self.host, &request.authority) {
            (None, _) if !request.old => return malformed("`Host` is missing"),
            (Some(host), Some(authority))
                if !bytes[host.clone()].eq_ignore_ascii_case(&bytes[authority.clone()]) =>
            {
                return malformed("`Host` and the target of the request are not the same");
            }
            _ => {}
        }
        match (self.chunked, self.length) {
            (true, Some(_)) => malformed("`Content-Length` and `Transfer-Encoding` came together"),
            (true, None) if request.old => malformed("HTTP/1.0 knows no `Transfer-Encoding`"),
            (true, None) => Ok(Carries::Chunks),
            (false, None | Some(0)) => Ok(Carries::Nothing),
            (false, Some(length)) => Ok(Carries::Length(length)),
        }
    }
}

/// `GET /path HTTP/1.1`: three words, one space between each two.
fn request_line(line: &[u8], begin: usize) -> Verdict<RequestLine> {
    let method = token(line);
    let Some(b' ') = line.get(method).filter(|_| method > 0) else {
        return malformed("it does not begin with a method and a space");
    };
    let rest = &line[method + 1..];
    let (target, old) = match (
        rest.strip_suffix(b" HTTP/1.1"),
        rest.strip_suffix(b" HTTP/1.0"),
    ) {
        (Some(target), _) => (target, false),
        (None, Some(target)) => (target, true),
        (None, None) => {
            return malformed("its first line does not end with `HTTP/1.1` or `HTTP/1.0`");
        }
    };
    let seen = target
        .iter()
        .fold(0, |seen, byte| seen | KINDS[usize::from(*byte)]);
    if seen & NOT_IN_TARGET != 0 || target.is_empty() {
        return malformed("its target is not well-formed");
    }
    let authority = match target[0] {
        b'/' => None,
        b'*' if target.len() == 1 && &line[..method] == b"OPTIONS" => None,
        _ => Some(authority(target)?),
    };
    if &line[..method] == b"CONNECT" {
        return malformed("`CONNECT` is for proxies");
    }
    // Rare characters: those that the parser takes stand in paths, if seldom; the others are refused here, where there is a word to say.
    if (seen & RARE != 0 || authority.is_some()) && http::Uri::try_from(target).is_err() {
        return malformed("its target is not well-formed");
    }
    let at = begin + method + 1;
    Ok(RequestLine {
        whole: begin..begin + line.len(),
        authority: authority.map(|range| at + range.start..at + range.end),
        old,
    })
}

/// Where the authority of `http://authority/path` stands.
fn authority(target: &[u8]) -> Verdict<Range<usize>> {
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
        target.len() > scheme.len() && target[..scheme.len()].eq_ignore_ascii_case(scheme)
    });
    let Some(scheme) = scheme else {
        return malformed("its target is neither a path nor a whole address");
    };
    let rest = &target[scheme.len()..];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    if !Authority::is_one(&rest[..end]) {
        return malformed("the host in its target is not well-formed");
    }
    Ok(scheme.len()..scheme.len() + end)
}

fn length(value: &[u8]) -> Verdict<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return malformed("`Content-Length` is not one whole number");
    }
    let text = std::str::from_utf8(value).unwrap_or_default();
    match text.parse() {
        Ok(length) if length <= LONGEST => Ok(length),
        _ => malformed("`Content-Length` is larger than any body"),
    }
}

fn once(seen: &mut bool, why: &'static str) -> Verdict<()> {
    if std::mem::replace(seen, true) {
        return malformed(why);
    }
    Ok(())
}

/// How many bytes at the begin of a line are a word: a method, the name of a field.
fn token(line: &[u8]) -> usize {
    let mut end = 0;
    while let Some(byte) = line.get(end)
        && is_token(*byte)
    {
        end += 1;
    }
    end
}

/// What is left of a line from here on without the spaces around it.
fn trimmed(line: &[u8], mut from: usize) -> Range<usize> {
    let mut end = line.len();
    while from < end && matches!(line[from], b' ' | b'\t') {
        from += 1;
    }
    while from < end && matches!(line[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    from..end
}

const fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// Where the next control character stands; the length when there is none. All that may be there ends a line, but for a tab.
///
/// Most of the bytes of a head pass here: many are looked at at once, in a way that the compiler can do with one instruction.
fn next_control(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(many) = bytes.get(at..).and_then(<[u8]>::first_chunk::<32>)
        && many
            .iter()
            .fold(0, |any, byte| any | u8::from(is_control(*byte)))
            == 0
    {
        at += many.len();
    }
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    while let Some(some) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*some);
        // The highest bit of a byte is set where that byte is less than the number; of the first one that is so, surely.
        let less = |word: u64, than: u64| word.wrapping_sub(EACH * than) & !word & (EACH << 7);
        let found = less(word, 0x20) | less(word ^ (EACH * 0x7f), 1);
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += some.len();
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| !is_control(**byte)).count()
}

const TOKEN: u8 = 1;
const NOT_IN_TARGET: u8 = 2;
const RARE: u8 = 4;
const HOST: u8 = 8;

/// What each byte may stand in.
static KINDS: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let mut kinds = [NOT_IN_TARGET; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        kinds[byte] = 0;
        byte += 1;
    }
    // A fragment is for browsers: who sends one has a target that others cut.
    kinds[b'#' as usize] = NOT_IN_TARGET;
    let (rare, mut at) = (b"\"<>\\^`{|}", 0);
    while at < rare.len() {
        kinds[rare[at] as usize] = RARE;
        at += 1;
    }
    let (signs, mut at) = (b"!#$%&'*+-.^_`|~", 0);
    while at < signs.len() {
        kinds[signs[at] as usize] |= TOKEN;
        at += 1;
    }
    let mut byte = 0;
    while byte < 128_u8 {
        if byte.is_ascii_alphanumeric() {
            kinds[byte as usize] |= TOKEN | HOST;
        }
        if matches!(byte, b'-' | b'.' | b'_') {
            kinds[byte as usize] |= HOST;
        }
        byte += 1;
    }
    kinds
}

/// Whether this byte may stand in a method or in the name of a field (RFC 9110 section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    KINDS[usize::from(byte)] & TOKEN != 0
}

/// Whether this byte may stand in the name of a host.
pub(super) fn is_host_letter(byte: u8) -> bool {
    KINDS[usize::from(byte)] & HOST != 0
}
