//! A16: requests whose end is ambiguous. Each is followed by a second request that must never be
//! served.

use std::time::Duration;

use toolkit::http::exchange_all;

use crate::Attack;
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 1] = [Attack {
    id: "A16",
    run: smuggling,
}];

/// Timeout for a response, and for a second one that must not arrive.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Ambiguous headers, some with a body, for `POST /v1/auth/login`. `{host}` is the host.
const AMBIGUOUS: [(&str, &str); 44] = [
    (
        "length and chunks",
        "Host: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunks and length",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    (
        "two lengths",
        "Host: {host}\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
    ),
    (
        "two lengths in one",
        "Host: {host}\r\nContent-Length: 0, 44\r\n\r\n",
    ),
    (
        "one length twice",
        "Host: {host}\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "a signed length",
        "Host: {host}\r\nContent-Length: +0\r\n\r\n",
    ),
    (
        "a negative length",
        "Host: {host}\r\nContent-Length: -1\r\n\r\n",
    ),
    (
        "a length in hex",
        "Host: {host}\r\nContent-Length: 0x0\r\n\r\n",
    ),
    (
        "a length with a word",
        "Host: {host}\r\nContent-Length: 0 0\r\n\r\n",
    ),
    ("an empty length", "Host: {host}\r\nContent-Length:\r\n\r\n"),
    (
        "a length past 2^64",
        "Host: {host}\r\nContent-Length: 18446744073709551616\r\n\r\n",
    ),
    (
        "a length with an underscore",
        "Host: {host}\r\nContent-Length: 0_0\r\n\r\n",
    ),
    (
        "chunks twice",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunks twice in one",
        "Host: {host}\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a comma before",
        "Host: {host}\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "identity after",
        "Host: {host}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "identity",
        "Host: {host}\r\nTransfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "xchunked",
        "Host: {host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "quoted chunks",
        "Host: {host}\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunks with a parameter",
        "Host: {host}\r\nTransfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
    ),
    (
        "a vertical tab before",
        "Host: {host}\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a space before the colon",
        "Host: {host}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a tab before the colon",
        "Host: {host}\r\nContent-Length\t: 0\r\n\r\n",
    ),
    (
        "a folded field",
        "Host: {host}\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a folded first field",
        "Host: {host}\r\n X: y\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "a bare LF in the head",
        "Host: {host}\nContent-Length: 0\r\nX: a\n\r\n",
    ),
    (
        "a bare CR in the head",
        "Host: {host}\r\nX: a\rContent-Length: 0\r\n\r\n",
    ),
    ("NUL in a name", "Host: {host}\r\nX\0: a\r\n\r\n"),
    ("no host", "Content-Length: 0\r\n\r\n"),
    (
        "two hosts",
        "Host: {host}\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "one host twice",
        "Host: {host}\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "two hosts in one",
        "Host: {host}, evil.example\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "a host with a user",
        "Host: a@{host}\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "a host with a path",
        "Host: {host}/x\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "a chunk size that is none",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n\r\n",
    ),
    (
        "a chunk size with 0x",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    ),
    (
        "a signed chunk size",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    ),
    (
        "a chunk size past 2^64",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
    ),
    (
        "an empty chunk size",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n",
    ),
    (
        "a chunk longer than it says",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    ),
    (
        "a bare LF after a size",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
    ),
    (
        "a bare LF in an extension",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
    ),
    (
        "a trailer that frames",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 44\r\n\r\n",
    ),
    (
        "a bad trailer",
        "Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon here\r\n\r\n",
    ),
];

/// Request lines that are ambiguous or of an unsupported version.
const FIRST_LINES: [&str; 14] = [
    "GET /livez HTTP/1.1 x",
    "GET  /livez HTTP/1.1",
    "GET /livez\tHTTP/1.1",
    "GET /livez HTTP/9.9",
    "GET /livez HTTP/1.1\r",
    "GET /livez http/1.1",
    "GET /livez",
    "GET\x0b/livez HTTP/1.1",
    "G@T /livez HTTP/1.1",
    "GET /li vez HTTP/1.1",
    "GET livez HTTP/1.1",
    "GET /livez#x HTTP/1.1",
    " GET /livez HTTP/1.1",
    "PRI * HTTP/1.1",
];

fn smuggling(target: &Target) -> Verdict {
    let count = AMBIGUOUS.len() + FIRST_LINES.len();
    let mut tally = Tally::new(format!(
        "{count} ambiguous framings, each with a second request behind it, which is never served"
    ));
    let host = &target.host;
    let canary = format!("GET /problems/not_found HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let framed = AMBIGUOUS.iter().map(|(what, rest)| {
        let head = "POST /v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\n";
        (
            (*what).to_owned(),
            format!("{head}{}", rest.replace("{host}", host)),
        )
    });
    let lines = FIRST_LINES.iter().map(|line| {
        (
            format!("{line:?}"),
            format!("{line}\r\nHost: {host}\r\n\r\n"),
        )
    });
    for (what, bytes) in framed.chain(lines) {
        let (responses, closed) = exchange_all(
            target.address,
            format!("{bytes}{canary}").as_bytes(),
            TIMEOUT,
        );
        let response = responses.first().cloned().unwrap_or_default();
        target.check_response(&what, &response, response.status == 501);
        let refused =
            matches!(response.status, 0 | 400 | 501 | 505) && responses.len() <= 1 && closed;
        // A request that ends in a trailer is complete, so a response is correct, as long as the
        // trailer does not affect the framing.
        let whole =
            what == "a trailer that frames" && response.is_refusal() && responses.len() <= 2;
        tally.expect(
            refused || whole,
            format!(
                "{what} ({} answers, {})",
                responses.len(),
                if closed { "closed" } else { "open" }
            ),
            &response,
        );
    }
    // Pipelining is valid: the second request gets a response after the first.
    let good = format!(
        "GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\nGET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    );
    let (responses, _) = exchange_all(target.address, good.as_bytes(), TIMEOUT);
    tally.check(
        responses.len() == 2 && responses.iter().all(|response| response.status == 200),
        "two good requests at once are not both answered",
    );
    tally.verdict()
}
