//! The limit of HTTP/2 control frames.
//!
//! SETTINGS and PING frames are acknowledged, and WINDOW_UPDATE, PRIORITY, RST_STREAM and empty
//! DATA frames are processed, for as long as a client sends them (CVE-2019-9511 to 9518,
//! CVE-2023-44487). A client has a use for few of them, so each kind has a budget that refills with
//! time and with what the client earns by ordinary traffic. A client that exceeds it is
//! disconnected.
//!
//! Header blocks are checked on the way (`header_blocks`). A block that arrives in one piece, as
//! nearly all do, is changed in place if it is malformed, so that the parser resets its stream. One
//! that arrives in several has been passed on in part: the connection ends.

use std::time::Instant;

use super::header_blocks::{HeaderBlocks, without_padding};

/// Length of a frame header (RFC 9113 section 4.1).
const HEADER_BYTES: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Frames that are acknowledged.
const ACKNOWLEDGED: Rule = Rule {
    name: "too many SETTINGS or PING frames",
    burst: 200,
    per_second: 10,
};

/// Streams that the client resets. It earns one for each four requests.
const RESETS: Rule = Rule {
    name: "too many RST_STREAM frames",
    burst: 400,
    per_second: 20,
};

/// All others but requests and their bodies. A client that sends a WINDOW_UPDATE for each stream
/// and connection after each small part of a response earns them by these parts.
const OTHERS: Rule = Rule {
    name: "too many WINDOW_UPDATE, PRIORITY or empty frames",
    burst: 2_000,
    per_second: 200,
};

/// Bytes sent to the client that earn it a frame of the last kind.
const BYTES_PER_FRAME: u64 = 16;

/// Maximum bytes of a header block in several pieces. Far more than the parser accepts.
const MAX_BLOCK_BYTES: usize = 256 << 10;

#[derive(Debug)]
struct Rule {
    name: &'static str,
    burst: u32,
    per_second: u32,
}

/// A token bucket, in thousandths of frames.
#[derive(Debug)]
struct Bucket {
    rule: &'static Rule,
    left: u64,
    filled: Instant,
}

/// Counts frames by their headers.
#[derive(Debug)]
pub(super) struct Frames {
    header: [u8; HEADER_BYTES],
    known: usize,
    /// Bytes of the current frame that are still to come, and those that came.
    payload: usize,
    received: usize,
    /// Bytes of header blocks before the current frame that are not complete.
    block: usize,
    acknowledged: Bucket,
    resets: Bucket,
    others: Bucket,
    written: u64,
    is_limited: bool,
    blocks: HeaderBlocks,
    /// A header block that arrives in several pieces.
    pieces: Option<Pieces>,
}

#[derive(Debug)]
struct Pieces {
    bytes: Vec<u8>,
    /// Of the HEADERS frame.
    stream: u32,
    flags: u8,
    /// True in the HEADERS frame, false in those that continue it.
    is_first: bool,
}

impl Bucket {
    fn new(rule: &'static Rule) -> Self {
        Self {
            rule,
            left: u64::from(rule.burst) * 1_000,
            filled: Instant::now(),
        }
    }

    fn earn(&mut self, thousandths: u64) {
        let max = u64::from(self.rule.burst) * 1_000;
        self.left = self.left.saturating_add(thousandths).min(max);
    }

    /// Takes one frame.
    fn take(&mut self) -> Result<(), &'static str> {
        if self.left < 1_000 {
            // The clock is read only when the burst is used up.
            let passed = self.filled.elapsed();
            let earned = passed.as_millis() * u128::from(self.rule.per_second);
            self.filled += passed;
            self.earn(u64::try_from(earned).unwrap_or(u64::MAX));
        }
        self.left = self.left.checked_sub(1_000).ok_or(self.rule.name)?;
        Ok(())
    }
}

impl Frames {
    /// Creates the counter of a connection whose preface has been read. `is_limited` is false for a
    /// trusted proxy, which sends the frames of many clients.
    pub(super) fn new(is_limited: bool) -> Self {
        Self {
            is_limited,
            header: [0; HEADER_BYTES],
            known: 0,
            payload: 0,
            received: 0,
            block: 0,
            acknowledged: Bucket::new(&ACKNOWLEDGED),
            resets: Bucket::new(&RESETS),
            others: Bucket::new(&OTHERS),
            written: 0,
            blocks: HeaderBlocks::new(),
            pieces: None,
        }
    }

    /// Counts the frames in these bytes, and checks their header blocks. `written` is the number of
    /// bytes sent to the client so far.
    ///
    /// # Errors
    ///
    /// Returns the kind of frames of which there are too many, or what is malformed.
    pub(super) fn count(&mut self, bytes: &mut [u8], written: u64) -> Result<(), &'static str> {
        let mut at = 0;
        loop {
            let skipped = self.payload.min(bytes.len() - at);
            self.payload -= skipped;
            self.received += skipped;
            if self.pieces.is_some() {
                self.collect(&bytes[at..at + skipped])?;
            }
            at += skipped;
            if at == bytes.len() {
                return Ok(());
            }
            let some = (HEADER_BYTES - self.known).min(bytes.len() - at);
            self.header[self.known..self.known + some].copy_from_slice(&bytes[at..at + some]);
            self.known += some;
            at += some;
            if self.known < HEADER_BYTES {
                return Ok(());
            }
            self.known = 0;
            let [a, b, c, kind, flags, stream @ ..] = self.header;
            self.payload = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            self.received = 0;
            self.frame(kind, flags, written)?;
            if kind == HEADERS {
                let stream = u32::from_be_bytes(stream) & (u32::MAX >> 1);
                self.check(stream, flags, bytes, at);
            }
            if self.payload == 0 && self.pieces.is_some() {
                self.collect(&[])?;
            }
        }
    }

    /// Checks a HEADERS frame whose payload starts here, if its block is complete. Otherwise the
    /// pieces are collected.
    fn check(&mut self, stream: u32, flags: u8, bytes: &mut [u8], at: usize) {
        let is_whole = flags & END_HEADERS != 0 && at >= HEADER_BYTES;
        let Some(payload) = bytes.get_mut(at..at + self.payload).filter(|_| is_whole) else {
            self.pieces = Some(Pieces {
                bytes: Vec::new(),
                stream,
                flags,
                is_first: true,
            });
            return;
        };
        let found = self.blocks.check_frame(stream, flags, payload);
        if found.has_pseudo_trailer {
            // The flags are the fifth byte of the frame.
            bytes[at - HEADER_BYTES + 4] &= !END_STREAM;
        }
    }

    /// Collects a piece of a header block, and checks the block when it is complete.
    fn collect(&mut self, piece: &[u8]) -> Result<(), &'static str> {
        let Some(pieces) = &mut self.pieces else {
            return Ok(());
        };
        let [_, _, _, kind, flags, ..] = self.header;
        if !matches!(kind, HEADERS | CONTINUATION) {
            // Only CONTINUATION may follow. The parser ends the connection.
            self.pieces = None;
            return Ok(());
        }
        if pieces.bytes.len() + piece.len() > MAX_BLOCK_BYTES {
            return Err("a header block is too long");
        }
        pieces.bytes.extend_from_slice(piece);
        if self.payload > 0 {
            return Ok(());
        }
        if std::mem::take(&mut pieces.is_first) {
            let first = pieces.bytes.first().copied();
            let Some(block) = without_padding(pieces.flags, pieces.bytes.len(), first) else {
                return Err("the padding of a header block is too long");
            };
            pieces.bytes.truncate(block.end);
            pieces.bytes.drain(..block.start);
        }
        if flags & END_HEADERS == 0 {
            return Ok(());
        }
        let Some(mut pieces) = self.pieces.take() else {
            return Ok(());
        };
        let found = self.blocks.check(pieces.stream, &mut pieces.bytes);
        if found.has_fragment || found.has_pseudo_trailer {
            return Err("a header block is malformed");
        }
        Ok(())
    }

    /// Returns the bytes that the parser and this hold until the current frame and its header block
    /// are complete.
    pub(super) fn incomplete(&self) -> usize {
        let frame = if self.payload > 0 { self.received } else { 0 };
        let pieces = self.pieces.as_ref().map_or(0, |pieces| pieces.bytes.len());
        self.block + frame + pieces
    }

    /// True while a header block is incomplete.
    pub(super) const fn is_in_head(&self) -> bool {
        let [_, _, _, kind, ..] = self.header;
        self.block > 0 || self.payload > 0 && matches!(kind, HEADERS | CONTINUATION)
    }

    fn frame(&mut self, kind: u8, flags: u8, written: u64) -> Result<(), &'static str> {
        if matches!(kind, HEADERS | CONTINUATION) {
            let is_complete = flags & END_HEADERS != 0;
            self.block = if is_complete {
                0
            } else {
                self.block + self.payload
            };
        }
        match kind {
            _ if !self.is_limited => Ok(()),
            // A frame of one byte may be nothing but padding.
            DATA if self.payload > 1 || flags & END_STREAM != 0 => Ok(()),
            HEADERS => {
                self.resets.earn(250);
                self.others.earn(4_000);
                Ok(())
            }
            SETTINGS | PING => self.acknowledged.take(),
            RST_STREAM => self.resets.take(),
            _ => {
                let sent = written.saturating_sub(self.written);
                self.written = written;
                self.others
                    .earn(sent.saturating_mul(1_000) / BYTES_PER_FRAME);
                self.others.take()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW_UPDATE: u8 = 8;

    fn frame(kind: u8, payload: usize) -> Vec<u8> {
        let length = u32::try_from(payload).unwrap().to_be_bytes();
        let mut bytes = vec![length[1], length[2], length[3], kind, 0, 0, 0, 0, 1];
        bytes.resize(HEADER_BYTES + payload, 7);
        bytes
    }

    /// Returns how many of 100,000 such frames are accepted at once.
    fn accepted(kinds: &[(u8, usize)], written_each: u64) -> usize {
        let mut frames = Frames::new(true);
        let mut bytes: Vec<u8> = kinds
            .iter()
            .flat_map(|(kind, size)| frame(*kind, *size))
            .collect();
        (0..100_000)
            .take_while(|at| frames.count(&mut bytes, at * written_each).is_ok())
            .count()
    }

    #[test]
    fn floods_are_stopped_and_ordinary_traffic_is_not() {
        let near = |found: usize, expected: usize| {
            assert!(
                (expected..expected + expected / 10 + 5).contains(&found),
                "{found}"
            );
        };
        near(accepted(&[(PING, 8)], 17), 200);
        near(accepted(&[(SETTINGS, 0)], 9), 200);
        near(accepted(&[(WINDOW_UPDATE, 4)], 0), 2_000);
        near(accepted(&[(2, 5)], 0), 2_000);
        near(accepted(&[(DATA, 0)], 0), 2_000);
        near(accepted(&[(DATA, 1)], 0), 2_000);
        near(accepted(&[(9, 0)], 0), 2_000);
        near(accepted(&[(0xbe, 0)], 0), 2_000);
        near(accepted(&[(HEADERS, 30), (RST_STREAM, 4)], 0), 533);
        assert_eq!(accepted(&[(HEADERS, 30)], 0), 100_000);
        assert_eq!(accepted(&[(DATA, 100)], 0), 100_000);
        // Each earns a quarter of the next.
        near(accepted(&[(WINDOW_UPDATE, 4)], 4), 2_666);
        // A client that responds to each small part with two updates.
        let updates = [(WINDOW_UPDATE, 4), (WINDOW_UPDATE, 4)];
        assert_eq!(accepted(&updates, 40), 100_000);
        // One that cancels one request in five.
        let fifth = [
            (HEADERS, 9),
            (HEADERS, 9),
            (HEADERS, 9),
            (HEADERS, 9),
            (HEADERS, 9),
            (RST_STREAM, 4),
        ];
        assert_eq!(accepted(&fifth, 0), 100_000);
    }

    #[test]
    fn frames_are_counted_however_they_are_split() {
        let bytes = [frame(HEADERS, 40), frame(DATA, 300), frame(PING, 8)].concat();
        for size in [1, 2, 5, 9, 10, 48, 1_000] {
            let mut frames = Frames::new(true);
            let mut many = bytes.repeat(201);
            let parts = many.len().div_ceil(size);
            let rejected = many
                .chunks_mut(size)
                .position(|part| frames.count(part, 0).is_err());
            let near_the_end = rejected.is_some_and(|at| at + 1 >= parts - parts / 100 - 1);
            assert!(near_the_end, "{size}: {rejected:?} of {parts}");
        }
    }

    #[test]
    fn the_bytes_that_are_held_are_known() {
        let mut frames = Frames::new(true);
        let mut count = |bytes: &[u8]| {
            frames.count(&mut bytes.to_vec(), 0).unwrap();
            frames.incomplete()
        };
        let block = frame(HEADERS, 1_000);
        assert_eq!(count(&block[..HEADER_BYTES + 400]), 1_000 + 400 + 400);
        assert_eq!(count(&block[HEADER_BYTES + 400..]), 2 * 1_000);
        assert_eq!(count(&frame(CONTINUATION, 500)), 2 * 1_500);
        let mut last = frame(CONTINUATION, 10);
        last[4] = END_HEADERS;
        assert_eq!(count(&last), 0);
        assert_eq!(count(&frame(DATA, 70_000)), 0);
        let data = frame(DATA, 300);
        assert_eq!(count(&data[..HEADER_BYTES + 100]), 100);
        assert_eq!(count(&data[HEADER_BYTES + 100..]), 0);
    }

    #[test]
    fn a_trusted_proxy_is_not_limited() {
        let mut frames = Frames::new(false);
        let mut pings = frame(PING, 8).repeat(10_000);
        assert!(frames.count(&mut pings, 0).is_ok());
    }

    #[test]
    fn a_bucket_refills_with_time() {
        let mut bucket = Bucket::new(&ACKNOWLEDGED);
        bucket.left = 0;
        assert!(bucket.take().is_err());
        bucket.filled = Instant::now() - std::time::Duration::from_millis(250);
        assert!(bucket.take().is_ok() && bucket.take().is_ok());
        assert!(bucket.take().is_err());
    }
}
