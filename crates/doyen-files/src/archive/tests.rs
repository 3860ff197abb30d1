use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;

/// A member to write: what the directory says about it, and its content.
struct Entry {
    name: &'static str,
    content: Vec<u8>,
    deflate: bool,
    mode: u32,
    flags: u16,
    /// A size to state instead of the true one.
    stated: Option<u32>,
}

fn file(name: &'static str, content: impl Into<Vec<u8>>) -> Entry {
    Entry {
        name,
        content: content.into(),
        deflate: true,
        mode: 0o100_644,
        flags: 0,
        stated: None,
    }
}

/// Writes an archive.
fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let packed = match entry.deflate {
            true => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(&entry.content).unwrap();
                encoder.finish().unwrap()
            }
            false => entry.content.clone(),
        };
        let number = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
        let size = entry
            .stated
            .map_or(number(entry.content.len()), u32::to_le_bytes);
        let name_length = u16::try_from(entry.name.len()).unwrap().to_le_bytes();
        let method = [if entry.deflate { 8 } else { 0 }, 0];
        let common = [
            &[20, 0][..],
            &entry.flags.to_le_bytes(),
            &method,
            &[0; 8],
            &number(packed.len()),
            &size,
            &name_length,
            &[0, 0],
        ]
        .concat();
        let offset = number(out.len());
        out.extend([b"PK\x03\x04", &common[..], entry.name.as_bytes(), &packed].concat());
        let mode = (entry.mode << 16).to_le_bytes();
        let own = [&[0; 6][..], &mode, &offset, entry.name.as_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\x03", &common[..], &own[..2], &own[2..]].concat());
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    let start = u32::try_from(out.len()).unwrap().to_le_bytes();
    out.extend(directory);
    out.extend(
        [
            b"PK\x05\x06\0\0\0\0",
            &count[..],
            &count,
            &size,
            &start,
            &[0, 0],
        ]
        .concat(),
    );
    out
}

const LIMITS: ArchiveLimits = ArchiveLimits {
    entries: 10,
    bytes: 1 << 20,
    ratio: 100,
    depth: 3,
};

/// Returns why an archive is refused; an empty text if it is not.
fn reason(archive: Vec<u8>) -> String {
    let scratch = std::env::temp_dir();
    match check(&mut Cursor::new(archive), LIMITS, &scratch) {
        Ok(()) => String::new(),
        Err(ArchiveError::Refused(why)) => why,
        Err(ArchiveError::Io(error)) => panic!("{error}"),
    }
}

#[track_caller]
fn is_refused(archive: Vec<u8>, why: &str) {
    let found = reason(archive);
    assert!(found.contains(why), "`{found}` is not about `{why}`");
}

#[test]
fn ordinary_archives_are_accepted() {
    assert_eq!(reason(zip(&[])), "");
    let stored = Entry {
        deflate: false,
        ..file("b/c.txt", "content")
    };
    let folder = Entry {
        mode: 0o040_755,
        ..file("b/", "")
    };
    assert_eq!(reason(zip(&[file("a.txt", "hello"), folder, stored])), "");
    let inner = zip(&[file("a.txt", "hello")]);
    assert_eq!(reason(zip(&[file("inner.zip", inner)])), "");
}

#[test]
fn what_unpacks_to_too_much_is_refused() {
    let zeros = |bytes: usize| vec![0; bytes];
    is_refused(
        zip(&[file("bomb", zeros(1 << 20))]),
        "times its packed size",
    );
    let noise: Vec<u8> = (0..600_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let noise = |name| Entry {
        deflate: false,
        ..file(name, noise.clone())
    };
    is_refused(zip(&[noise("a"), noise("b")]), "more than 1048576 bytes");
    let many: Vec<Entry> = (0..11).map(|_| file("x", "")).collect();
    is_refused(zip(&many), "more than 10 members");
    // Those of an archive in it count too.
    let six = || zip(&(0..6).map(|_| file("x", "")).collect::<Vec<_>>());
    is_refused(
        zip(&[file("a.zip", six()), file("b.zip", six())]),
        "more than 10 members",
    );
    // The size that the archive states is not trusted.
    let lying = Entry {
        stated: Some(5),
        ..file("bomb", zeros(60_000))
    };
    is_refused(zip(&[lying]), "the size that the archive states");
}

#[test]
fn archives_in_archives_have_a_depth() {
    let mut archive = zip(&[file("a.txt", "hello")]);
    for _ in 0..2 {
        archive = zip(&[file("inner", archive)]);
    }
    assert_eq!(reason(archive.clone()), "");
    is_refused(zip(&[file("inner", archive)]), "nested more than 3 deep");
}

#[test]
fn members_stay_in_the_folder() {
    for name in [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "\\x",
        "C:\\x",
        "..\\x",
        "a/..",
        "a\0b",
    ] {
        is_refused(zip(&[file(name, "x")]), "leaves the folder");
    }
    for mode in [0o120_777, 0o060_000, 0o010_000] {
        let link = Entry {
            mode,
            ..file("link", "/etc/passwd")
        };
        is_refused(zip(&[link]), "link or a special file");
    }
}

#[test]
fn ambiguous_archives_are_refused() {
    let encrypted = Entry {
        flags: 1,
        ..file("secret", "x")
    };
    is_refused(zip(&[encrypted]), "encrypted");
    let good = zip(&[file("a.txt", "hello")]);
    for cut in 1..good.len() {
        is_refused(good[..cut].to_vec(), "damaged");
    }
    let after = [&good[..], b"more"].concat();
    is_refused(after, "damaged");
    let before = [b"PK\x03\x04", &good[..]].concat();
    is_refused(before, "damaged");
    // Another name before the content than in the directory.
    let mut two_names = good.clone();
    two_names[30] = b'b';
    is_refused(two_names, "damaged");
    let mut garbled = good;
    // The first byte of the content says how it is compressed.
    garbled[35] ^= 0xff;
    assert_ne!(reason(garbled), "");
    // Two members with the same content.
    let mut overlapping = zip(&[file("a", "xxxx"), file("a", "xxxx")]);
    let second = overlapping.len() - END_AND_ENTRY;
    overlapping[second + 42..second + 46].fill(0);
    is_refused(overlapping, "overlap");
}

/// Length of the end, and of an entry whose name has one letter.
const END_AND_ENTRY: usize = 22 + 46 + 1;
