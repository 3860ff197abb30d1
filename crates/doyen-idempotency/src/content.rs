//! The hash of a body that is read while it arrives.
//!
//! A form is hashed part by part, without its boundary, which is another one in each attempt. The
//! hash of a form is that of the hashes of what is between two boundaries, so that no two lists of
//! parts have the same input.

use aws_lc_rs::digest::{Context, SHA256};
use doyen_core::idempotency::{BodyDigest, Content};
use memchr::memmem::Finder;

/// Hashes a body.
pub(crate) struct Digest {
    form: Option<Form>,
    /// Of the body; in a form, of the hashes of its parts.
    outer: Context,
    length: u64,
}

/// The state of a form.
struct Form {
    /// `CRLF--boundary`.
    delimiter: Finder<'static>,
    /// Of the current part.
    part: Context,
    /// Bytes that can be the beginning of a delimiter.
    held: Vec<u8>,
    is_closed: bool,
}

impl Digest {
    pub(crate) fn new(content_type: &str) -> Self {
        let form = boundary(content_type).map(|boundary| Form {
            delimiter: Finder::new(&format!("\r\n--{boundary}")).into_owned(),
            part: Context::new(&SHA256),
            // The first delimiter has no line before it.
            held: b"\r\n".to_vec(),
            is_closed: false,
        });
        Self {
            form,
            outer: Context::new(&SHA256),
            length: 0,
        }
    }
}

/// Returns the boundary of a form.
fn boundary(content_type: &str) -> Option<&str> {
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut parameters = parameters.split(';').filter_map(|one| one.split_once('='));
    let found = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"));
    found.map(|(_, value)| value.trim().trim_matches('"'))
}

impl Form {
    /// Takes the next bytes. Returns how many belong to parts.
    fn update(&mut self, bytes: &[u8], outer: &mut Context) -> u64 {
        if self.is_closed {
            return 0;
        }
        self.held.extend_from_slice(bytes);
        let delimiter = self.delimiter.needle().len();
        let (mut done, mut length) = (0, 0);
        loop {
            let rest = &self.held[done..];
            let found = self.delimiter.find(rest);
            // All but what can begin a delimiter.
            let end = found.unwrap_or_else(|| rest.len().saturating_sub(delimiter - 1));
            self.part.update(&rest[..end]);
            length += end as u64;
            done += end;
            let after = found.map(|_| &self.held[done + delimiter..]);
            match after {
                // The two bytes after a delimiter say whether it is the last one.
                Some([first, second, ..]) => {
                    let part = std::mem::replace(&mut self.part, Context::new(&SHA256));
                    outer.update(part.finish().as_ref());
                    self.is_closed = [*first, *second] == *b"--";
                    done += delimiter;
                    if self.is_closed {
                        self.held.clear();
                        return length;
                    }
                }
                _ => {
                    self.held.drain(..done);
                    return length;
                }
            }
        }
    }
}

impl BodyDigest for Digest {
    fn update(&mut self, bytes: &[u8]) {
        self.length += match &mut self.form {
            Some(form) => form.update(bytes, &mut self.outer),
            None => {
                self.outer.update(bytes);
                bytes.len() as u64
            }
        };
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn is_closed(&self) -> bool {
        self.form.as_ref().is_some_and(|form| form.is_closed)
    }

    fn finish(&self) -> Content {
        let mut outer = self.outer.clone();
        if let Some(form) = self.form.as_ref().filter(|form| !form.is_closed) {
            let mut part = form.part.clone();
            part.update(&form.held);
            outer.update(part.finish().as_ref());
        }
        let mut hash = [0; 32];
        // SHA-256 has 32 bytes.
        hash.copy_from_slice(outer.finish().as_ref());
        Content {
            length: self.length,
            hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(boundary: &str, parts: &[&str]) -> String {
        let parts = parts
            .iter()
            .map(|part| format!("--{boundary}\r\nA: b\r\n\r\n{part}\r\n"));
        format!("{}--{boundary}--\r\n", parts.collect::<String>())
    }

    /// Hashes a form, in chunks of this size.
    fn of(boundary: &str, body: &str, chunk: usize) -> (Content, bool) {
        let media_type = format!("multipart/form-data; charset=x; Boundary=\"{boundary}\"");
        let mut digest = Digest::new(&media_type);
        for chunk in body.as_bytes().chunks(chunk) {
            digest.update(chunk);
        }
        (digest.finish(), digest.is_closed())
    }

    #[test]
    fn a_boundary_does_not_count() {
        let parts = ["one", "two\r\n-", "\r\n--x", ""];
        let expected = of("b", &form("b", &parts), 1000);
        assert!(expected.1);
        for boundary in ["b", "another", "y", "----WebKitFormBoundary0"] {
            let body = form(boundary, &parts);
            for chunk in 1..body.len() {
                assert_eq!(of(boundary, &body, chunk), expected, "{boundary} {chunk}");
            }
            let more = format!("{body}epilogue");
            assert_eq!(of(boundary, &more, 7), expected);
        }
    }

    #[test]
    fn every_byte_of_a_part_counts() {
        let known = [
            form("b", &["one", "two"]),
            form("b", &["onetwo"]),
            form("b", &["one", "twO"]),
            form("b", &["one", "two", ""]),
            form("b", &["one--b", "two"]),
            form("b", &["", "one", "two"]),
            "--b".to_owned(),
            String::new(),
        ];
        let mut all: Vec<[u8; 32]> = known.iter().map(|body| of("b", body, 9).0.hash).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), known.len());
    }

    #[test]
    fn another_body_is_hashed_as_it_is() {
        let mut digest = Digest::new("text/plain; boundary=b");
        digest.update(b"--b--");
        digest.update(b"x");
        assert!(!digest.is_closed());
        assert_eq!(digest.finish().length, 6);
    }
}
