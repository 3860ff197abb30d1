//! Strict validation of HTTP/1.1 requests (RFC 9112), in front of a lenient parser.
//!
//! HTTP parsers are built for speed and accept more than the grammar allows: a transfer coding next
//! to a length, or lines that end with a bare LF. A proxy that reads such a request differently can
//! be used to smuggle a second request past it. This crate rejects every request that two
//! implementations could read differently, so that the parser behind it and the proxy in front of
//! it agree about the rest.
//!
//! It does no I/O and copies nothing. [`Framing::scan`] takes the bytes of a connection and returns
//! how many of them belong to valid requests:
//!
//! ```
//! use doyen_http1::{Framing, FramingError, HeadError};
//!
//! let mut framing = Framing::new(32 << 10);
//! let request = b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n";
//! let scan = framing.scan(request);
//! assert_eq!((scan.accepted, framing.heads()), (request.len(), 1));
//!
//! let scan = framing.scan(b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n");
//! assert!(matches!(
//!     scan.error,
//!     Some(FramingError::Head(invalid)) if matches!(invalid.error, HeadError::Malformed(_))
//! ));
//! ```
//!
//! | module | contents |
//! | --- | --- |
//! | `framing` | the requests of a connection, one after another |
//! | `head` | one request head: request line and headers |
//! | `request_line` | method, target and version |
//! | `chunked_body` | a body with `Transfer-Encoding: chunked` |
//! | `authority` | a host with an optional port |
//! | `bytes` | classes of bytes, and the search for line ends |

mod authority;
mod bytes;
mod chunked_body;
mod error;
mod framing;
mod head;
mod request_line;

pub use authority::Authority;
pub use error::{FramingError, HeadError, InvalidHead};
pub use framing::{Framing, Scan};
