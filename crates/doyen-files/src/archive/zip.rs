//! ZIP archives, read strictly: what two readers could understand differently is refused.
//!
//! - The directory ends at the end of the file, and begins where it says.
//! - Each member has the same name in the directory and before its content.
//! - Members do not overlap.
//! - Members are stored or deflated, and not encrypted, so that a scanner sees what a user sees.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

use super::{ArchiveError, refused};

/// A member of an archive.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    /// True for a symbolic link, a device or a pipe.
    pub(super) is_link: bool,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    is_deflated: bool,
    offset: u64,
}

const END: &[u8; 4] = b"PK\x05\x06";
const ENTRY: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";
const END_BYTES: usize = 22;
const ENTRY_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
/// Maximum length of the comment at the end.
const MAX_COMMENT_BYTES: usize = 0xffff;
/// Maximum size of the directory for each member that it may have: header, name, extra fields and
/// comment. The directory is read into memory.
const MAX_ENTRY_BYTES: u64 = 512;
/// A directory of this size is read whatever the number of members.
const MIN_DIRECTORY_BYTES: u64 = 64 << 10;
/// The value that stands for one in the ZIP64 extra field.
const IN_EXTRA: u64 = 0xffff_ffff;

const DAMAGED: &str = "the archive is damaged, or not a plain ZIP archive";

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 2)
        .map_or(0, |two| u64::from(u16::from_le_bytes([two[0], two[1]])))
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    u16_at(bytes, at) | u16_at(bytes, at + 2) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) | u32_at(bytes, at + 4) << 32
}

/// Reads the directory, of at most `max` members.
pub(super) fn members(
    archive: &mut (impl Read + Seek),
    max: u64,
    too_many: impl Fn() -> String,
) -> Result<Vec<Member>, ArchiveError> {
    let length = archive.seek(SeekFrom::End(0))?;
    let tail_bytes = length.min((END_BYTES + MAX_COMMENT_BYTES) as u64);
    let tail = read_at(archive, length - tail_bytes, tail_bytes)?;
    let is_end = |at: &usize| {
        let comment = u16_at(&tail, at + END_BYTES - 2);
        tail[*at..].starts_with(END) && (at + END_BYTES) as u64 + comment == tail_bytes
    };
    let last = tail.len().checked_sub(END_BYTES);
    let mut ends = (0..last.map_or(0, |last| last + 1)).filter(is_end);
    // A second one would be hidden in the comment of the first.
    let (Some(at), None) = (ends.next(), ends.next()) else {
        return refused(DAMAGED);
    };
    let end = &tail[at..];
    let (count, size, start) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16));
    if count > max {
        return refused(too_many());
    }
    let end_at = length - tail_bytes + at as u64;
    let is_split = u32_at(end, 4) != 0 || u16_at(end, 8) != count;
    if is_split
        || start + size != end_at
        || size > max.saturating_mul(MAX_ENTRY_BYTES).max(MIN_DIRECTORY_BYTES)
    {
        return refused(DAMAGED);
    }
    let directory = read_at(archive, start, size)?;
    let mut rest = &directory[..];
    let mut members = Vec::new();
    while !rest.is_empty() {
        if members.len() as u64 == count {
            return refused(DAMAGED);
        }
        members.push(entry(&mut rest)?);
    }
    if members.len() as u64 != count {
        return refused(DAMAGED);
    }
    check_places(archive, &mut members, start)?;
    Ok(members)
}

/// Reads one entry of the directory.
fn entry(rest: &mut &[u8]) -> Result<Member, ArchiveError> {
    let all = *rest;
    if !all.starts_with(ENTRY) || all.len() < ENTRY_BYTES {
        return refused(DAMAGED);
    }
    let lengths = [28, 30, 32].map(|at| u16_at(all, at) as usize);
    let [name_bytes, extra_bytes, comment_bytes] = lengths;
    let name_end = ENTRY_BYTES + name_bytes;
    let extra_end = name_end + extra_bytes;
    let (Some(name), Some(extra), Some(after)) = (
        all.get(ENTRY_BYTES..name_end),
        all.get(name_end..extra_end),
        all.get(extra_end + comment_bytes..),
    ) else {
        return refused(DAMAGED);
    };
    *rest = after;
    let flags = u16_at(all, 8);
    if flags & 0x2041 != 0 {
        return refused("a member is encrypted");
    }
    let method = u16_at(all, 10);
    if method != 0 && method != 8 {
        return refused("a member is compressed in another way than deflate");
    }
    let mut sizes = [24, 20, 42].map(|at| u32_at(all, at));
    large_sizes(extra, &mut sizes);
    let [unpacked, packed, offset] = sizes;
    // The upper half is the mode of Unix, if the archive is from there. Regular files and folders.
    let kind = u32_at(all, 38) >> 16 & 0o170_000;
    Ok(Member {
        name: name.to_vec(),
        is_link: !matches!(kind, 0 | 0o100_000 | 0o040_000),
        packed,
        unpacked,
        is_deflated: method == 8,
        offset,
    })
}

/// Replaces the values that are in the ZIP64 extra field, in its order.
fn large_sizes(mut extra: &[u8], sizes: &mut [u64; 3]) {
    while extra.len() >= 4 {
        let length = u16_at(extra, 2) as usize;
        let Some(field) = extra.get(4..4 + length) else {
            return;
        };
        if u16_at(extra, 0) == 1 {
            let values = field.chunks_exact(8).map(|value| u64_at(value, 0));
            let missing = sizes.iter_mut().filter(|size| **size == IN_EXTRA);
            missing.zip(values).for_each(|(size, value)| *size = value);
            return;
        }
        extra = &extra[4 + length..];
    }
}

/// Finds the content of each member, and refuses members that overlap or have another name there.
fn check_places(
    archive: &mut (impl Read + Seek),
    members: &mut [Member],
    directory: u64,
) -> Result<(), ArchiveError> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|at| members[*at].offset);
    let mut free = 0;
    for at in order {
        let member = &mut members[at];
        if member.offset < free {
            return refused("members of the archive overlap");
        }
        let wanted = (LOCAL_BYTES + member.name.len()) as u64;
        if directory.saturating_sub(member.offset) < wanted {
            return refused(DAMAGED);
        }
        let local = read_at(archive, member.offset, wanted)?;
        let is_same = local[LOCAL_BYTES..] == *member.name
            && u16_at(&local, 26) as usize == member.name.len();
        if !local.starts_with(LOCAL) || !is_same {
            return refused(DAMAGED);
        }
        member.offset += wanted + u16_at(&local, 28);
        free = member.offset.saturating_add(member.packed);
        if free > directory {
            return refused(DAMAGED);
        }
    }
    Ok(())
}

fn read_at(archive: &mut (impl Read + Seek), at: u64, length: u64) -> io::Result<Vec<u8>> {
    archive.seek(SeekFrom::Start(at))?;
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    archive.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Returns the unpacked content of a member.
pub(super) fn content<'a, R: Read + Seek>(
    archive: &'a mut R,
    member: &Member,
) -> io::Result<Box<dyn Read + 'a>> {
    archive.seek(SeekFrom::Start(member.offset))?;
    let packed = archive.take(member.packed);
    Ok(match member.is_deflated {
        true => Box::new(DeflateDecoder::new(packed)),
        false => Box::new(packed),
    })
}
