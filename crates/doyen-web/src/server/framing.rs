//! Where each request of an HTTP/1.1 connection begins and ends.
//!
//! Our own count, beside that of the parser: the two agree because all that could be counted two ways is refused first.

use super::Refused;
use super::chunks::Chunks;
use super::head::{Carries, Fault, Head};

/// The requests of a connection, in a row.
#[derive(Debug)]
pub(super) struct Framing {
    part: Part,
    /// How many bytes a head may have.
    limit: usize,
    heads: u64,
}

#[derive(Debug)]
enum Part {
    Head(Head),
    Length(u64),
    Chunks(Chunks),
}

/// What was found in some bytes.
#[derive(Debug)]
pub(super) struct Seen {
    /// So many of them belong to requests that are in order; what follows is not whole yet.
    pub(super) fine: usize,
    pub(super) wrong: Option<Wrong>,
}

/// Why nothing after the bytes that are fine is read.
#[derive(Debug)]
pub(super) enum Wrong {
    /// A head, which can be answered.
    Head(Fault),
    /// A body: its request is with a handler already.
    Body(&'static str),
}

impl Framing {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            part: Part::Head(Head::new()),
            limit,
            heads: 0,
        }
    }

    /// How many heads were in order so far.
    pub(super) const fn heads(&self) -> u64 {
        self.heads
    }

    /// True while a body is on its way.
    pub(super) const fn in_body(&self) -> bool {
        !matches!(self.part, Part::Head(_))
    }

    /// A head that will never be whole, as a fault.
    pub(super) fn give_up(&self, refused: Refused) -> Fault {
        let request = match &self.part {
            Part::Head(head) => head.line_read(),
            Part::Length(_) | Part::Chunks(_) => None,
        };
        Fault { refused, request }
    }

    /// Looks at what came: first at what was not whole the last time, from its first byte on, then at what is new.
    pub(super) fn look(&mut self, bytes: &[u8]) -> Seen {
        let mut fine = 0;
        let wrong = loop {
            let rest = &bytes[fine..];
            if rest.is_empty() {
                break None;
            }
            match &mut self.part {
                Part::Head(head) => match head.look(rest, self.limit) {
                    Ok(None) => break None,
                    Ok(Some((end, carries))) => {
                        fine += end;
                        self.heads += 1;
                        self.part = match carries {
                            Carries::Nothing => Part::Head(Head::new()),
                            Carries::Length(length) => Part::Length(length),
                            Carries::Chunks => Part::Chunks(Chunks::new()),
                        };
                    }
                    Err(fault) => break Some(Wrong::Head(fault)),
                },
                Part::Length(left) => {
                    let taken = (rest.len() as u64).min(*left);
                    *left -= taken;
                    // No more than there is.
                    fine += usize::try_from(taken).unwrap_or(usize::MAX);
                    if *left == 0 {
                        self.part = Part::Head(Head::new());
                    }
                }
                Part::Chunks(chunks) => match chunks.look(rest) {
                    Ok((used, done)) => {
                        fine += used;
                        if done {
                            self.part = Part::Head(Head::new());
                        }
                    }
                    // The whole of what came is doubtful: none of it is read.
                    Err(why) => break Some(Wrong::Body(why)),
                },
            }
        };
        Seen { fine, wrong }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 4096;

    /// How many heads were in order, and what was wrong.
    fn read(text: &str) -> (u64, Option<String>) {
        let mut framing = Framing::new(LIMIT);
        let seen = framing.look(text.as_bytes());
        (framing.heads(), seen.wrong.map(said))
    }

    /// The same, a byte at a time.
    fn dribbled(text: &str) -> (u64, Option<String>) {
        let mut framing = Framing::new(LIMIT);
        let mut held = Vec::new();
        for byte in text.bytes() {
            held.push(byte);
            let seen = framing.look(&held);
            held.drain(..seen.fine);
            if let Some(wrong) = seen.wrong {
                return (framing.heads(), Some(said(wrong)));
            }
        }
        assert!(held.is_empty(), "{text:?} is not whole");
        (framing.heads(), None)
    }

    fn said(wrong: Wrong) -> String {
        match wrong {
            Wrong::Head(fault) => format!("{:?}", fault.refused),
            Wrong::Body(why) => why.to_owned(),
        }
    }

    #[test]
    fn requests_in_a_row_are_told_apart() {
        let get = "GET /a?b=c HTTP/1.1\r\nhost: a\r\n\r\n";
        for (all, heads) in [
            (get.to_owned(), 1),
            (format!("\r\n{get}"), 1),
            (get.repeat(3), 3),
            (
                format!(
                    "POST / HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\n{}{get}",
                    "GET /"
                ),
                2,
            ),
            (
                format!(
                    "POST / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:  Chunked \r\n\r\n2\r\nab\r\n0\r\n\r\n{get}"
                ),
                2,
            ),
            (
                format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n{get}"),
                2,
            ),
            ("GET / HTTP/1.0\r\n\r\n".to_owned(), 1),
            ("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 1),
            (
                "GET http://a:80/x HTTP/1.1\r\nhost: A:80\r\n\r\n".to_owned(),
                1,
            ),
            ("GET HTTPS://a HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 1),
            (
                "GET / HTTP/1.1\r\nhost: a\r\nx:\r\ny: \t b\tc \t\r\nz: \u{fc}\r\n\r\n".to_owned(),
                1,
            ),
            ("GET /{a}|b\"c HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 1),
        ] {
            assert_eq!(read(&all), (heads, None), "{all:?}");
            assert_eq!(dribbled(&all), (heads, None), "{all:?}");
        }
    }

    #[test]
    fn what_was_read_of_a_refused_head_is_known() {
        let text = "GET /a HTTP/1.1\r\nhost: a\r\nGET /b";
        let mut framing = Framing::new(LIMIT);
        assert_eq!(framing.look(text.as_bytes()).fine, 0);
        let fault = framing.give_up(Refused::Late);
        assert_eq!(&text[fault.request.unwrap()], "GET /a HTTP/1.1");
        let text = "GET /a HTTP/1.1\r\nhost : a\r\n";
        match Framing::new(LIMIT).look(text.as_bytes()).wrong {
            Some(Wrong::Head(fault)) => {
                assert_eq!(&text[fault.request.unwrap()], "GET /a HTTP/1.1")
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_head_has_an_end() {
        let said = |text: &str| read(text).1.unwrap_or_default();
        let long = "x".repeat(LIMIT);
        assert!(said(&format!("GET /{long}")).contains("UriTooLong"));
        assert!(said(&format!("GET /{long} HTTP/1.1\r\n")).contains("UriTooLong"));
        assert!(said(&format!("GET / HTTP/1.1\r\nx: {long}")).contains("FieldsTooLarge"));
        let fields = "x: y\r\n".repeat(101);
        assert!(said(&format!("GET / HTTP/1.1\r\n{fields}\r\n")).contains("FieldsTooLarge"));
        let fields = "x: y\r\n".repeat(99);
        assert_eq!(
            read(&format!("GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n")),
            (1, None)
        );
    }
}
