//! Checks of HTTP/2 header blocks that the parser leaves out.
//!
//! The parser cuts a fragment off `:path`, and it ignores pseudo-headers in trailers. Both make a
//! request malformed (RFC 9113 sections 8.1 and 8.3.1). They are found here before the parser reads
//! them, and changed in place to something of the same length for which it resets the stream:
//!
//! - `#` in `:path` becomes `>`, which no path may contain,
//! - trailers lose their END_STREAM flag.
//!
//! For that the fields of a block are enumerated (HPACK, RFC 7541), with a table that holds of each
//! field its size and what it is, but not its text.

use std::collections::VecDeque;
use std::ops::Range;

const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// Length of the priority of a stream.
const PRIORITY_BYTES: usize = 5;

/// Maximum size of the dynamic table (`SETTINGS_HEADER_TABLE_SIZE`).
const MAX_TABLE_BYTES: usize = 4096;

/// What an entry of the table takes in addition to its name and value.
const ENTRY_BYTES: usize = 32;

/// Lengths of the names in the static table.
const STATIC_NAME_BYTES: [u8; 61] = [
    10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14,
    16, 13, 12, 6, 4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10,
    25, 17, 10, 4, 3, 16,
];

/// `:path` in the Huffman code.
const CODED_PATH: [u8; 4] = [0xb9, 0x58, 0xd3, 0x3f];

/// The lengths of codes in bits, and the first number above the codes of this length, both as the
/// highest bits of a number. The code is canonical: longer codes are larger.
const CODES: [(u8, u32); 21] = [
    (5, 0xa << 27),
    (6, 0x2e << 26),
    (7, 0x7c << 25),
    (8, 0xfe << 24),
    (10, 0x3fd << 22),
    (11, 0x7fd << 21),
    (12, 0xffc << 20),
    (13, 0x1ffe << 19),
    (14, 0x3ffe << 18),
    (15, 0x7fff << 17),
    (19, 0x7_fff3 << 13),
    (20, 0xf_ffee << 12),
    (21, 0x1f_ffe9 << 11),
    (22, 0x3f_ffec << 10),
    (23, 0x7f_fff5 << 9),
    (24, 0xff_fff6 << 8),
    (25, 0x1ff_fff0 << 7),
    (26, 0x3ff_ffef << 6),
    (27, 0x7ff_fff1 << 5),
    (28, 0xfff_ffff << 4),
    (30, u32::MAX),
];

/// The code of `#`, whose last bit distinguishes it from that of `>`.
const CODED_HASH: u32 = 0xffa;

/// What is known of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Name {
    length: usize,
    is_pseudo: bool,
    is_path: bool,
}

/// The header blocks of a connection.
#[derive(Debug)]
pub(super) struct HeaderBlocks {
    /// The newest first.
    table: VecDeque<(Name, usize)>,
    table_bytes: usize,
    max_table_bytes: usize,
    last_stream: u32,
    /// Set after a block that the parser cannot decode either: it ends the connection.
    is_undecodable: bool,
}

/// What makes a block malformed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Violations {
    pub(super) has_fragment: bool,
    pub(super) has_pseudo_trailer: bool,
}

impl HeaderBlocks {
    pub(super) const fn new() -> Self {
        Self {
            table: VecDeque::new(),
            table_bytes: 0,
            max_table_bytes: MAX_TABLE_BYTES,
            last_stream: 0,
            is_undecodable: false,
        }
    }

    /// Checks the payload of a HEADERS frame with a complete block. A fragment is changed in place.
    pub(super) fn check_frame(&mut self, stream: u32, flags: u8, payload: &mut [u8]) -> Violations {
        let first = payload.first().copied();
        let Some(block) = without_padding(flags, payload.len(), first) else {
            // The parser ends the connection.
            self.is_undecodable = true;
            return Violations::default();
        };
        self.check(stream, &mut payload[block])
    }

    /// Checks a complete block.
    pub(super) fn check(&mut self, stream: u32, block: &mut [u8]) -> Violations {
        let is_trailer = stream <= self.last_stream;
        self.last_stream = self.last_stream.max(stream);
        let mut found = Violations::default();
        let mut at = 0;
        while !self.is_undecodable && at < block.len() {
            match self.field(block, &mut at, &mut found) {
                Some(name) => found.has_pseudo_trailer |= is_trailer && name.is_pseudo,
                None => self.is_undecodable = true,
            }
        }
        found
    }

    /// Reads a field, or a change of the size of the table. Returns `None` if it is invalid.
    fn field(&mut self, block: &mut [u8], at: &mut usize, found: &mut Violations) -> Option<Name> {
        let first = *block.get(*at)?;
        if first & 0x80 != 0 {
            let index = integer(block, at, 7)?;
            return self.name(index);
        }
        if first & 0xe0 == 0x20 {
            let max = integer(block, at, 5)?;
            self.max_table_bytes = max.min(MAX_TABLE_BYTES);
            self.evict();
            return Some(Name::default());
        }
        let is_added = first & 0x40 != 0;
        let name = match integer(block, at, if is_added { 6 } else { 4 })? {
            0 => {
                let text = Text::read(block, at)?;
                text.name(block)
            }
            index => self.name(index)?,
        };
        let value = Text::read(block, at)?;
        let (length, has_hash) = value.scan(block, name.is_path);
        found.has_fragment |= has_hash && name.is_path;
        if is_added {
            let bytes = name.length + length + ENTRY_BYTES;
            self.table.push_front((name, bytes));
            self.table_bytes += bytes;
            self.evict();
        }
        Some(name)
    }

    fn name(&self, index: usize) -> Option<Name> {
        let index = index.checked_sub(1)?;
        match STATIC_NAME_BYTES.get(index) {
            Some(length) => Some(Name {
                length: usize::from(*length),
                is_pseudo: index < 14,
                is_path: matches!(index, 3 | 4),
            }),
            None => {
                let entry = self.table.get(index - STATIC_NAME_BYTES.len());
                entry.map(|(name, _)| *name)
            }
        }
    }

    fn evict(&mut self) {
        while self.table_bytes > self.max_table_bytes {
            let Some((_, bytes)) = self.table.pop_back() else {
                return;
            };
            self.table_bytes -= bytes;
        }
    }
}

/// A string in a block.
#[derive(Clone, Copy, Debug)]
struct Text {
    start: usize,
    end: usize,
    is_coded: bool,
}

impl Text {
    fn read(block: &[u8], at: &mut usize) -> Option<Self> {
        let is_coded = block.get(*at)? & 0x80 != 0;
        let length = integer(block, at, 7)?;
        let start = *at;
        let end = start
            .checked_add(length)
            .filter(|end| *end <= block.len())?;
        *at = end;
        Some(Self {
            start,
            end,
            is_coded,
        })
    }

    fn name(self, block: &mut [u8]) -> Name {
        let (length, _) = self.scan(block, false);
        let bytes = &block[self.start..self.end];
        let first = bytes.first().copied().unwrap_or_default();
        Name {
            length,
            is_pseudo: if self.is_coded {
                first >> 1 == CODED_PATH[0] >> 1
            } else {
                first == b':'
            },
            is_path: bytes
                == if self.is_coded {
                    &CODED_PATH[..]
                } else {
                    b":path"
                },
        }
    }

    /// Returns the length of the decoded string, and whether `#` was found. If `replaces`, it is
    /// replaced by `>`.
    fn scan(self, block: &mut [u8], replaces: bool) -> (usize, bool) {
        let bytes = &mut block[self.start..self.end];
        if self.is_coded {
            return scan_coded(bytes, replaces);
        }
        let mut has_hash = false;
        if replaces {
            for byte in bytes.iter_mut().filter(|byte| **byte == b'#') {
                has_hash = true;
                *byte = b'>';
            }
        }
        (bytes.len(), has_hash)
    }
}

fn scan_coded(bytes: &mut [u8], replaces: bool) -> (usize, bool) {
    let (mut length, mut has_hash) = (0, false);
    // The next bits are the highest ones of `bits`; after the end they are padding.
    let (mut bits, mut filled, mut next) = (u64::MAX, 0, 0);
    loop {
        while filled <= 32 && next < bytes.len() {
            let shift = 56 - filled;
            bits &= !(0xff << shift) | u64::from(bytes[next]) << shift;
            filled += 8;
            next += 1;
        }
        // The highest half.
        let code = (bits >> 32) as u32;
        let known = CODES.iter().find(|(_, above)| code < *above);
        let size = u32::from(known.map_or(30, |(size, _)| *size));
        if size > filled {
            return (length, has_hash);
        }
        if code >> 20 == CODED_HASH {
            has_hash = true;
            if replaces {
                let last_bit = next * 8 - filled as usize + 11;
                bytes[last_bit / 8] |= 0x80 >> (last_bit % 8);
            }
        }
        length += 1;
        filled -= size;
        bits = bits << size | ((1 << size) - 1);
    }
}

/// Reads an integer whose first byte has this many bits of it.
fn integer(block: &[u8], at: &mut usize, bits: u8) -> Option<usize> {
    let max = (1 << bits) - 1;
    let first = usize::from(*block.get(*at)?) & max;
    *at += 1;
    if first < max {
        return Some(first);
    }
    let mut value = first;
    for shift in [0, 7, 14, 21] {
        let byte = *block.get(*at)?;
        *at += 1;
        value += usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Returns where the block is in the payload of a HEADERS frame.
pub(super) fn without_padding(flags: u8, length: usize, first: Option<u8>) -> Option<Range<usize>> {
    let mut start = 0;
    let mut end = length;
    if flags & PADDED != 0 {
        start = 1;
        end = end.checked_sub(usize::from(first?))?;
    }
    if flags & PRIORITY != 0 {
        start += PRIORITY_BYTES;
    }
    (start <= end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes as `hpack` does, without the Huffman code and with indexing.
    fn literal(name: &str, value: &str) -> Vec<u8> {
        let mut bytes = vec![0x40];
        for text in [name, value] {
            bytes.push(u8::try_from(text.len()).unwrap());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    fn check(blocks: &mut HeaderBlocks, stream: u32, mut block: Vec<u8>) -> (Violations, Vec<u8>) {
        let found = blocks.check(stream, &mut block);
        assert!(!blocks.is_undecodable, "{block:?}");
        (found, block)
    }

    #[test]
    fn a_fragment_in_a_path_is_replaced() {
        let mut blocks = HeaderBlocks::new();
        let (found, block) = check(&mut blocks, 1, literal(":path", "/a#b"));
        assert!(found.has_fragment);
        assert_eq!(block, literal(":path", "/a>b"));
        // By an index into the static table, and one into the other.
        for index in [0x44, 0x04, 0x14, 0x7e] {
            let path = [&[index, 4][..], b"/a#b"].concat();
            let (found, block) = check(&mut blocks, 3, path);
            assert!(found.has_fragment, "{index}");
            assert!(block.ends_with(b"/a>b"), "{index}");
        }
        let (found, block) = check(&mut blocks, 5, literal("x", "/a#b"));
        assert_eq!(
            (found, block),
            (Violations::default(), literal("x", "/a#b"))
        );
    }

    #[test]
    fn a_fragment_in_the_huffman_code_is_replaced() {
        let mut blocks = HeaderBlocks::new();
        // `/a#b` (RFC 7541 appendix B): 011000 00011 111111111010 100011, and padding.
        let coded = [0x04, 0x84, 0x60, 0x7f, 0xf5, 0x1f];
        let (found, block) = check(&mut blocks, 1, coded.to_vec());
        assert!(found.has_fragment);
        // The last bit of the code.
        assert_eq!(block, [0x04, 0x84, 0x60, 0x7f, 0xf7, 0x1f]);
        // The name in the Huffman code too.
        let name = [&[0x00, 0x84][..], &CODED_PATH, &coded[1..]].concat();
        assert!(check(&mut blocks, 3, name).0.has_fragment);
    }

    #[test]
    fn the_length_of_a_coded_string_is_known() {
        // The examples of RFC 7541 appendix C.4.
        for (coded, length) in [
            ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com".len()),
            ("a8eb10649cbf", "no-cache".len()),
            ("25a849e95ba97d7f", "custom-key".len()),
            ("25a849e95bb8e8b4bf", "custom-value".len()),
            (
                "d07abe941054d444a8200595040b8166e082a62d1bff",
                "Mon, 21 Oct 2013 20:13:21 GMT".len(),
            ),
            (
                "9d29ad171863c78f0b97c8e9ae82ae43d3",
                "https://www.example.com".len(),
            ),
        ] {
            let byte = |at: usize| u8::from_str_radix(&coded[at..at + 2], 16).unwrap();
            let mut bytes: Vec<u8> = (0..coded.len()).step_by(2).map(byte).collect();
            assert_eq!(scan_coded(&mut bytes, true), (length, false), "{coded}");
        }
    }

    #[test]
    fn pseudo_headers_in_trailers_are_found() {
        let found = |blocks: &mut HeaderBlocks, block: &[u8]| {
            check(blocks, 1, block.to_vec()).0.has_pseudo_trailer
        };
        let mut blocks = HeaderBlocks::new();
        let head = [literal(":path", "/"), literal("x", "y")].concat();
        assert!(!found(&mut blocks, &head));
        // 62 is the newest entry: `x`.
        assert!(!found(&mut blocks, &[0x80 | 62]));
        assert!(found(&mut blocks, &[0x80 | 63]));
        assert!(found(&mut blocks, &[0x82]));
        assert!(found(&mut blocks, &literal(":unknown", "a")));
        assert!(!found(&mut blocks, &literal("y", ":a")));
    }

    #[test]
    fn the_table_forgets_as_the_parser_does() {
        let mut blocks = HeaderBlocks::new();
        let name = |blocks: &HeaderBlocks, index| blocks.name(index).map(|name| name.is_pseudo);
        check(&mut blocks, 1, literal(":path", "/"));
        for _ in 0..119 {
            check(&mut blocks, 1, literal("x", "y"));
        }
        // 38 bytes, and 119 times 34.
        assert_eq!(name(&blocks, 62 + 119), Some(true));
        check(&mut blocks, 1, literal("x", &"y".repeat(10)));
        assert_eq!(name(&blocks, 62 + 119), Some(false));
        assert_eq!(name(&blocks, 62 + 120), None);
        // A table without entries, and the largest.
        check(&mut blocks, 1, vec![0x20]);
        assert_eq!(name(&blocks, 62), None);
        check(&mut blocks, 1, vec![0x3f, 0xe1, 0x1f]);
        check(&mut blocks, 1, literal("x", "y"));
        assert_eq!(name(&blocks, 62), Some(false));
        // What cannot be decoded is left to the parser.
        blocks.check(3, &mut [0xff; 20]);
        assert!(blocks.is_undecodable);
    }

    #[test]
    fn padding_and_priority_are_skipped() {
        assert_eq!(without_padding(0, 9, Some(3)), Some(0..9));
        assert_eq!(without_padding(PADDED, 9, Some(3)), Some(1..6));
        assert_eq!(without_padding(PADDED | PRIORITY, 9, Some(3)), Some(6..6));
        assert_eq!(without_padding(PADDED | PRIORITY, 9, Some(4)), None);
        assert_eq!(without_padding(PRIORITY, 4, Some(0)), None);
    }
}
