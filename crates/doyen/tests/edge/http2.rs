//! HTTP/2 as bytes, for clients that no library can simulate.

/// The connection preface of a client.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame (RFC 9113 section 4.1).
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The preface of a client whose streams have a window of zero.
pub(crate) fn closed_window() -> Vec<u8> {
    [PREFACE, &frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])].concat()
}

/// Requests for one path on separate streams, with END_STREAM.
pub(crate) fn requests(method: &str, path: &str, count: u32) -> Vec<u8> {
    let literal = |name: &str, value: &str| {
        let length = |text: &str| u8::try_from(text.len()).unwrap();
        let mut bytes = vec![0, length(name)];
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(length(value));
        bytes.extend_from_slice(value.as_bytes());
        bytes
    };
    let head = [
        literal(":method", method),
        literal(":scheme", "http"),
        literal(":path", path),
        literal(":authority", "a"),
    ]
    .concat();
    let stream = |at| frame(1, 5, 1 + 2 * at, &head);
    (0..count).flat_map(stream).collect()
}
