//! Classes of bytes, and the search for line ends.

const TOKEN: u8 = 1;
const NOT_IN_TARGET: u8 = 2;
const RARE_IN_TARGET: u8 = 4;
const HOST: u8 = 8;

/// The classes of each byte.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [NOT_IN_TARGET; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        classes[byte] = 0;
        byte += 1;
    }
    // Clients do not send fragments, and servers cut them off in different ways.
    classes[b'#' as usize] = NOT_IN_TARGET;
    let (rare, mut at) = (b"\"<>\\^`{|}", 0);
    while at < rare.len() {
        classes[rare[at] as usize] = RARE_IN_TARGET;
        at += 1;
    }
    let (signs, mut at) = (b"!#$%&'*+-.^_`|~", 0);
    while at < signs.len() {
        classes[signs[at] as usize] |= TOKEN;
        at += 1;
    }
    let mut byte = 0;
    while byte < 128_u8 {
        if byte.is_ascii_alphanumeric() {
            classes[byte as usize] |= TOKEN | HOST;
        }
        if matches!(byte, b'-' | b'.' | b'_') {
            classes[byte as usize] |= HOST;
        }
        byte += 1;
    }
    classes
}

/// True for the bytes of a token: a method or a header name (RFC 9110 section 5.6.2).
#[inline]
pub(crate) fn is_token(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TOKEN != 0
}

/// True for the bytes of a host name.
#[inline]
pub(crate) fn is_host_byte(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & HOST != 0
}

/// The classes of the bytes of a request target.
#[derive(Clone, Copy)]
pub(crate) struct TargetClasses(u8);

impl TargetClasses {
    #[inline]
    pub(crate) fn of(target: &[u8]) -> Self {
        let classes = target.iter();
        Self(classes.fold(0, |all, byte| all | CLASSES[usize::from(*byte)]))
    }

    /// True if a byte must not occur in a target.
    pub(crate) const fn has_forbidden(self) -> bool {
        self.0 & NOT_IN_TARGET != 0
    }

    /// True if a byte is valid only in some parts of a target.
    pub(crate) const fn has_rare(self) -> bool {
        self.0 & RARE_IN_TARGET != 0
    }
}

/// Returns the length of the token at the start of a line.
#[inline]
pub(crate) fn token_length(line: &[u8]) -> usize {
    let mut end = 0;
    while let Some(byte) = line.get(end)
        && is_token(*byte)
    {
        end += 1;
    }
    end
}

const fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// Returns the position of the next control character, or the length if there is none.
///
/// Most bytes of a head pass through here, so many are compared at once, in a form that compilers
/// turn into vector instructions.
#[inline]
pub(crate) fn next_control(bytes: &[u8], from: usize) -> usize {
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
        // Sets the highest bit of each byte that is less than the number. Borrows can set it in
        // higher bytes too, but the lowest one that is set is correct.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_character_is_found_at_every_position() {
        for control in [0, b'\t', b'\n', b'\r', 0x1f, 0x7f] {
            for length in 0..80 {
                for at in 0..length {
                    let mut bytes = vec![0xff; length];
                    bytes[at] = control;
                    assert_eq!(next_control(&bytes, 0), at, "{control} of {length}");
                    assert_eq!(next_control(&bytes, at + 1), length);
                }
            }
        }
    }
}
