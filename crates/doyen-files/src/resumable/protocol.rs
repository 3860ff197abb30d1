//! The headers of tus 1.0.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doyen_core::problem::Plain;
use doyen_core::{Refusal, Timestamp};

use crate::problems::MALFORMED_UPLOAD;

pub(super) const VERSION: &str = "1.0.0";
pub(super) const EXTENSIONS: &str = "creation,creation-with-upload,expiration,checksum,termination";
pub(super) const ALGORITHMS: &str = "sha256,sha1";
pub(super) const MEDIA_TYPE: &str = "application/offset+octet-stream";

/// Maximum length of `Upload-Metadata`.
const MAX_METADATA_BYTES: usize = 4 << 10;

fn malformed(detail: &str) -> Refusal {
    Plain::new(&MALFORMED_UPLOAD).detail(detail).into()
}

/// What `Upload-Metadata` says about a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) media_type: Option<String>,
}

impl Metadata {
    /// Parses pairs of a key and a value in base64: `filename d29ybGQucGRm,is_draft`. The name and
    /// the type have the keys of `tus-js-client` or of Uppy.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > MAX_METADATA_BYTES {
            return Err(malformed("`Upload-Metadata` can have at most 4096 bytes"));
        }
        let mut metadata = Self::default();
        for pair in text
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = STANDARD.decode(value.trim()).map_err(|_| {
                malformed("`Upload-Metadata` must be pairs of a key and a value in base64")
            })?;
            let value = String::from_utf8_lossy(&value).into_owned();
            match key {
                "filename" | "name" => metadata.name = value,
                "filetype" | "type" => metadata.media_type = Some(value),
                _ => {}
            }
        }
        Ok(metadata)
    }
}

/// The checksum of a request, and what was hashed so far.
pub(super) struct Checksum {
    expected: Vec<u8>,
    context: Context,
}

impl Checksum {
    /// Parses `sha256 <base64>`.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let (name, value) = text.trim().split_once(' ').unwrap_or((text, ""));
        let algorithm = match name {
            "sha256" => &SHA256,
            "sha1" => &SHA1_FOR_LEGACY_USE_ONLY,
            _ => {
                return Err(malformed(
                    "`Upload-Checksum` must be `sha256` or `sha1`, a space, and the hash in base64",
                ));
            }
        };
        let expected = STANDARD.decode(value.trim());
        let expected = expected
            .ok()
            .filter(|hash| hash.len() == algorithm.output_len());
        Ok(Self {
            expected: expected
                .ok_or_else(|| malformed("the hash of `Upload-Checksum` is not base64"))?,
            context: Context::new(algorithm),
        })
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    pub(super) fn matches(self) -> bool {
        self.context.finish().as_ref() == self.expected
    }
}

/// Returns a time as HTTP has it.
pub(super) fn http_date(time: Timestamp) -> String {
    let seconds = u64::try_from(time.micros() / 1_000_000).unwrap_or_default();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    httpdate::fmt_http_date(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_has_a_name_and_a_type() {
        let parsed = Metadata::parse("filename d29ybGQucGRm, filetype YXBwbGljYXRpb24vcGRm,draft");
        let parsed = parsed.unwrap();
        assert_eq!(parsed.name, "world.pdf");
        assert_eq!(parsed.media_type.as_deref(), Some("application/pdf"));
        assert_eq!(Metadata::parse("").unwrap(), Metadata::default());
        for wrong in ["filename not-base64!", "a b c", &"a,".repeat(4096)] {
            assert!(Metadata::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_checksum_is_sha1_or_sha256() {
        let mut right = Checksum::parse("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=").unwrap();
        right.update(b"hel");
        right.update(b"lo");
        assert!(right.matches());
        let mut wrong = Checksum::parse("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=").unwrap();
        wrong.update(b"Hello");
        assert!(!wrong.matches());
        for wrong in [
            "md5 XUFAKrxLKna5cZ2REBfFkg==",
            "sha256",
            "sha256 YQ==",
            "sha1 ?",
        ] {
            assert!(Checksum::parse(wrong).is_err(), "{wrong}");
        }
    }
}
