//! File names: data that is shown and sent, and never a path.

use crate::kind::FileKind;

/// Maximum length of a name in bytes, as in most file systems.
const MAX_NAME_BYTES: usize = 200;

/// The name of a file without one.
const DEFAULT: &str = "file";

/// Names that Windows reserves for devices, with any extension.
const RESERVED: &[&str] = &["con", "prn", "aux", "nul"];

/// Returns a name that every system can store: the last part of a path, without control and
/// direction characters, not hidden, and with an extension of its kind.
pub(crate) fn sanitize(given: &str, kind: FileKind) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .filter(|one| !is_forbidden(*one))
        .map(|one| match one {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
            one => one,
        })
        .collect();
    let kept = kept.trim_matches(|one: char| one.is_whitespace() || one == '.');
    let mut name = match kept {
        "" => DEFAULT.to_owned(),
        kept => kept.to_owned(),
    };
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.to_ascii_lowercase();
    let is_numbered = |prefix| {
        let number = stem.strip_prefix(prefix);
        number.is_some_and(|number: &str| number.len() == 1 && number != "0")
    };
    if RESERVED.contains(&&*stem) || is_numbered("com") || is_numbered("lpt") {
        name.insert(0, '_');
    }
    // Saved under its name, it must not become a program.
    let wrong = extension(&name).is_some_and(|given| !kind.extensions().contains(&&*given));
    let added = match kind.extensions().first() {
        Some(own) if wrong => format!(".{own}"),
        _ => String::new(),
    };
    shorten(&name, MAX_NAME_BYTES - added.len()) + &added
}

/// Control characters, and those that change the direction of text: `gpj.exe` must not look like
/// another name.
fn is_forbidden(one: char) -> bool {
    one.is_control()
        || matches!(
            one,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffd}'
        )
}

/// Returns the extension in lower case.
pub(crate) fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then(|| extension.to_lowercase())
}

/// Cuts a name in the middle, so that its extension stays.
fn shorten(name: &str, max: usize) -> String {
    if name.len() <= max {
        return name.to_owned();
    }
    let end = name.rfind('.').filter(|at| name.len() - at <= 16);
    let (stem, extension) = name.split_at(end.unwrap_or(name.len()));
    let mut at = max - extension.len();
    while !stem.is_char_boundary(at) {
        at -= 1;
    }
    format!("{}{extension}", &stem[..at])
}

/// A `Content-Disposition`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Disposition {
    /// `name`; empty if there is none.
    pub(crate) name: String,
    /// `filename*` (RFC 8187), else `filename`.
    pub(crate) file_name: Option<String>,
}

impl Disposition {
    /// Parses the header. `None` if a parameter occurs twice: readers would differ.
    pub(crate) fn parse(field: &str) -> Option<Self> {
        let extended = parameter(field, "filename*")?.and_then(decode);
        let plain = || parameter(field, "filename").map(|plain| plain.map(unquote));
        Some(Self {
            name: parameter(field, "name")?.map(unquote).unwrap_or_default(),
            file_name: extended.map_or_else(plain, |extended| Some(Some(extended)))?,
        })
    }
}

/// Returns a parameter of a header with its quotes, or `Some(None)` if it is missing. `None` if it
/// occurs twice.
pub(crate) fn parameter<'a>(field: &'a str, name: &str) -> Option<Option<&'a str>> {
    let mut values = parameters(field).into_iter().filter_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let is_wanted = key.trim().eq_ignore_ascii_case(name);
        is_wanted.then_some(value.trim())
    });
    let first = values.next();
    values.next().is_none().then_some(first)
}

/// Decodes `UTF-8'language'percent-encoded`.
fn decode(value: &str) -> Option<String> {
    let mut pieces = value.splitn(3, '\'');
    let is_utf8 = pieces.next()?.eq_ignore_ascii_case("utf-8");
    let encoded = pieces.nth(1)?;
    let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8_lossy();
    is_utf8.then(|| decoded.into_owned())
}

/// Splits a header at the semicolons outside of quotes.
fn parameters(field: &str) -> Vec<&str> {
    let (mut all, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, one) in field.char_indices() {
        match one {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                all.push(&field[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    all.push(&field[start..]);
    all
}

/// Removes the quotes. Browsers encode a quote as `%22`, other clients as `\"`.
fn unquote(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    match inner {
        Some(inner) => inner.replace("\\\"", "\"").replace("%22", "\""),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        let long = format!("{}.png", "x".repeat(4096));
        for (given, expected) in [
            ("a.png", "a.png"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\win.ini", "win.ini.png"),
            ("C:\\x\\photo.PNG", "photo.PNG"),
            ("/etc/passwd", "passwd"),
            ("..", "file"),
            (".", "file"),
            ("", "file"),
            (".htaccess", "htaccess"),
            ("a/", "file"),
            ("a\0b.png", "ab.png"),
            ("a\r\nSet-Cookie: x.png", "aSet-Cookie_ x.png"),
            ("photo\u{202e}gnp.exe", "photognp.exe.png"),
            ("shell.php", "shell.php.png"),
            ("nul.png", "_nul.png"),
            ("COM1", "_COM1"),
            ("a:b*c?.png", "a_b_c_.png"),
            (
                "\u{dc}bersicht \u{4f60}\u{597d}.png",
                "\u{dc}bersicht \u{4f60}\u{597d}.png",
            ),
            ("trailing.png. . ", "trailing.png"),
        ] {
            assert_eq!(sanitize(given, FileKind::PNG), expected, "{given:?}");
        }
        let short = sanitize(&long, FileKind::PNG);
        assert!(short.len() == MAX_NAME_BYTES && short.ends_with("x.png"));
        let wide = sanitize(&"\u{4f60}".repeat(500), FileKind::PNG);
        assert!(wide.len() <= MAX_NAME_BYTES && wide.starts_with('\u{4f60}'));
    }

    #[test]
    fn names_of_forms_are_read_in_each_encoding() {
        for (field, expected) in [
            (
                "form-data; name=\"f\"; filename=\"a;b.txt\"",
                Some("a;b.txt"),
            ),
            (
                "form-data; name=\"f\"; filename=\"a\\\"b.txt\"",
                Some("a\"b.txt"),
            ),
            (
                "form-data; name=\"f\"; filename=\"a%22b.txt\"",
                Some("a\"b.txt"),
            ),
            ("form-data; name=f; filename=plain.txt", Some("plain.txt")),
            (
                "form-data; filename=\"x.txt\"; filename*=UTF-8''%e4%bd%a0.txt",
                Some("\u{4f60}.txt"),
            ),
            (
                "form-data; filename*=utf-8'en'a%20b.txt; filename=x",
                Some("a b.txt"),
            ),
            ("form-data; name=\"filename=evil\"", None),
            ("form-data; name=\"f\"; filename=\"\"", Some("")),
            ("form-data", None),
            ("form-data; filename*=latin1''x; filename=y", Some("y")),
            ("form-data; filename", None),
        ] {
            let parsed = Disposition::parse(field).unwrap();
            assert_eq!(parsed.file_name.as_deref(), expected, "{field}");
        }
    }

    #[test]
    fn a_name_in_a_file_name_is_not_the_name() {
        let name = |field| Disposition::parse(field).map(|parsed| parsed.name);
        for (field, expected) in [
            ("form-data; name=\"a\"", "a"),
            ("form-data; NAME = a", "a"),
            (
                "form-data; filename=\"x; name=evil.txt\"; name=\"file\"",
                "file",
            ),
            ("form-data; filename=\"name=evil\"", ""),
            ("form-data; name=\"a;b\"", "a;b"),
        ] {
            assert_eq!(name(field).as_deref(), Some(expected), "{field}");
        }
        for twice in [
            "form-data; name=a; name=b",
            "form-data; name=a; filename=x; filename=y",
            "form-data; name=a; filename*=UTF-8''x; filename*=UTF-8''y",
        ] {
            assert_eq!(name(twice), None, "{twice}");
        }
    }
}
