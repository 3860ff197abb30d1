//! Kinds of files, and how their content is recognized.

use std::fmt;

/// A kind of file that an upload accepts: its media type, its extensions, and how its content is
/// checked.
///
/// ```
/// use doyen_files::FileKind;
///
/// const ACCEPTED: &[FileKind] = &[FileKind::PNG, FileKind::PDF, FileKind::CSV];
/// const MARKDOWN: FileKind = FileKind::text("text/markdown", &["md"]);
/// assert_eq!(MARKDOWN.media_type(), "text/markdown");
/// # let _ = ACCEPTED;
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FileKind {
    media_type: &'static str,
    /// Other names of the media type that clients send.
    aliases: &'static [&'static str],
    extensions: &'static [&'static str],
    is_text: bool,
}

impl fmt::Debug for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.media_type)
    }
}

/// Bytes at the beginning of a file that decide its kind.
pub(crate) const HEAD_BYTES: usize = 4 << 10;

impl FileKind {
    /// PNG images.
    pub const PNG: Self = Self::binary("image/png", &["png"]);
    /// JPEG images.
    pub const JPEG: Self = Self::binary("image/jpeg", &["jpg", "jpeg"]).alias(&["image/jpg"]);
    /// GIF images.
    pub const GIF: Self = Self::binary("image/gif", &["gif"]);
    /// WebP images.
    pub const WEBP: Self = Self::binary("image/webp", &["webp"]);
    /// PDF documents.
    pub const PDF: Self = Self::binary("application/pdf", &["pdf"]);
    /// ZIP archives, within the limits of the settings.
    pub const ZIP: Self = Self::binary("application/zip", &["zip"])
        .alias(&["application/x-zip-compressed", "application/x-zip"]);
    /// Plain text.
    pub const TEXT: Self = Self::text("text/plain", &["txt", "text", "log", "md"]);
    /// Comma-separated values.
    pub const CSV: Self =
        Self::text("text/csv", &["csv"]).alias(&["application/csv", "application/vnd.ms-excel"]);

    /// A kind with a signature in its first bytes, by the media type that the crate `infer` gives
    /// it.
    pub const fn binary(media_type: &'static str, extensions: &'static [&'static str]) -> Self {
        Self {
            media_type,
            aliases: &[],
            extensions,
            is_text: false,
        }
    }

    /// A kind of text: it has no control characters other than white space, and not the signature
    /// of another kind.
    pub const fn text(media_type: &'static str, extensions: &'static [&'static str]) -> Self {
        Self {
            is_text: true,
            ..Self::binary(media_type, extensions)
        }
    }

    /// Sets other media types that clients send for the same content.
    #[must_use]
    pub const fn alias(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Returns the media type.
    pub const fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// Returns the extensions of file names.
    pub(crate) const fn extensions(&self) -> &'static [&'static str] {
        self.extensions
    }

    /// True if a client that states this media type means this kind.
    fn is_declared(&self, media_type: &str) -> bool {
        let names = std::iter::once(&self.media_type).chain(self.aliases);
        names
            .into_iter()
            .any(|name| name.eq_ignore_ascii_case(media_type))
    }

    /// True if the first bytes can be of this kind.
    pub(crate) fn fits(&self, head: &[u8]) -> bool {
        let found = infer::get(head);
        match self.is_text {
            true => found.is_none_or(|found| found.matcher_type() == infer::MatcherType::Text),
            false => found.is_some_and(|found| found.mime_type() == self.media_type),
        }
    }

    /// True if these bytes can occur in this kind.
    pub(crate) fn can_contain(&self, bytes: &[u8]) -> bool {
        let is_text = |byte: &u8| *byte >= b' ' || b"\t\n\x0c\r\x1b".contains(byte);
        !self.is_text || bytes.iter().all(is_text)
    }
}

/// What a client declares about a file.
#[derive(Debug)]
pub(crate) enum Declared {
    /// This kind.
    Kind(FileKind),
    /// Nothing: the content decides.
    Unknown,
}

/// Finds the kind that a client declares; `None` if it is not accepted.
pub(crate) fn declared(kinds: &[FileKind], media_type: Option<&str>) -> Option<Declared> {
    let essence = media_type.unwrap_or_default().split(';').next();
    match essence.unwrap_or_default().trim() {
        "" | "application/octet-stream" => Some(Declared::Unknown),
        given => {
            let kind = kinds.iter().find(|kind| kind.is_declared(given));
            kind.copied().map(Declared::Kind)
        }
    }
}

/// Returns the kind of a file whose client declares none: by its first bytes, for text by its
/// extension.
pub(crate) fn detect(kinds: &[FileKind], head: &[u8], name: &str) -> Option<FileKind> {
    let extension = crate::name::extension(name);
    let fitting = || kinds.iter().filter(|kind| kind.fits(head));
    let by_name = fitting().find(|kind| {
        let known = kind.extensions.iter();
        known
            .into_iter()
            .any(|known| Some(*known) == extension.as_deref())
    });
    by_name.or_else(|| fitting().next()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[FileKind] = &[
        FileKind::PNG,
        FileKind::PDF,
        FileKind::ZIP,
        FileKind::TEXT,
        FileKind::CSV,
    ];
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";

    fn detected(head: &[u8], name: &str) -> Option<&'static str> {
        detect(ALL, head, name).map(|kind| kind.media_type)
    }

    #[test]
    fn content_decides_the_kind() {
        assert_eq!(detected(PNG, "a.txt"), Some("image/png"));
        assert_eq!(detected(b"%PDF-1.7", "a"), Some("application/pdf"));
        assert_eq!(detected(b"a,b\n1,2\n", "a.csv"), Some("text/csv"));
        assert_eq!(detected(b"a,b\n1,2\n", "a.unknown"), Some("text/plain"));
        assert_eq!(detected(b"MZ\x90\0", "a.txt"), None);
        assert!(FileKind::TEXT.fits(b"<html>"));
        assert!(!FileKind::TEXT.fits(b"%PDF-1.4"));
        assert!(!FileKind::PNG.fits(b"%PDF-1.4"));
        assert!(!FileKind::TEXT.can_contain(b"a\0b"));
        assert!(FileKind::TEXT.can_contain("Gr\u{fc}\u{df}e\r\n".as_bytes()));
    }

    #[test]
    fn a_declared_type_is_one_of_the_accepted_kinds() {
        let kind = |media_type| match declared(ALL, Some(media_type)) {
            Some(Declared::Kind(kind)) => kind.media_type,
            Some(Declared::Unknown) => "unknown",
            None => "refused",
        };
        assert_eq!(kind("IMAGE/PNG"), "image/png");
        assert_eq!(kind("text/plain; charset=utf-8"), "text/plain");
        assert_eq!(kind("application/x-zip-compressed"), "application/zip");
        assert_eq!(kind("application/octet-stream"), "unknown");
        assert_eq!(kind("application/x-msdownload"), "refused");
        assert_eq!(kind("image/"), "refused");
    }
}
