//! Random bytes for ids, and their hexadecimal text.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

pub(super) fn hex(bytes: &[u8], out: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(out.as_chunks_mut::<2>().0) {
        *pair = PAIRS[usize::from(*byte)];
    }
}

/// Writes each byte as two digits.
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

pub(super) fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Random bytes for ids: a keyed hash of a counter, with a random key for each thread. They cannot
/// be predicted, collide as rarely as random bytes, and need no system call for each request.
pub(super) fn random<const N: usize>() -> [u8; N] {
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
