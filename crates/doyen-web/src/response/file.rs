//! Files as responses of handlers.

use std::borrow::Cow;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use doyen_core::{Place, Problem as _, Refusal, Unexpected};
use doyen_schema::Schema;
use doyen_schema::contract::{Answer, Contract, Parameter};
use http::{HeaderValue, header};

use super::{IntoResponse, MediaType, OctetStream};
use crate::Response;
use crate::content::{Content, RangeNotSatisfiable, ReadPart, media_type, send};
use crate::request::Parts;

/// A file: 200, 206 for a part of it, or 304, with `ETag`, `Last-Modified` and `Accept-Ranges`. A
/// file larger than 64 KiB is read while it is sent.
///
/// Its media type is that of the extension, or `M` if the handler returns `File<M>`, which is what
/// the document says. The document of a plain `File` says any media type.
///
/// ```
/// use doyen_core::Unexpected;
/// use doyen_web::File;
///
/// async fn terms() -> Result<File, Unexpected> {
///     Ok(File::open("terms.pdf").await?.attachment("Terms 2026.pdf"))
/// }
/// # let _ = terms;
/// ```
#[derive(Debug)]
pub struct File<M = AnyMedia> {
    content: Content,
    media_type: Cow<'static, str>,
    disposition: Option<String>,
    is_sandboxed: bool,
    kind: PhantomData<fn() -> M>,
}

/// Any media type: that of the extension.
#[derive(Clone, Copy, Debug)]
pub enum AnyMedia {}

impl MediaType for AnyMedia {
    const NAME: &'static str = "*/*";
    const CONTENT_TYPE: &'static str = "";
}

impl<M: MediaType> File<M> {
    /// Opens a file. Never build the path from what a client sends: open such a file with
    /// [`Files::open`](crate::Files::open), which does not leave its folder.
    ///
    /// # Errors
    ///
    /// Returns an error if the file does not exist or cannot be read.
    pub async fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let opened = tokio::task::spawn_blocking(move || (Content::open(&path), path)).await;
        let (content, path) = opened.map_err(io::Error::other)?;
        Ok(Self::of(content?, &path))
    }

    /// Creates a file from bytes. The name is for the media type.
    pub fn bytes(name: &str, bytes: impl Into<Bytes>) -> Self {
        Self::of(Content::whole(bytes.into()), Path::new(name))
    }

    pub(crate) fn of(content: Content, path: &Path) -> Self {
        let media_type = match M::CONTENT_TYPE {
            "" => media_type(path),
            media_type => media_type,
        };
        Self {
            content,
            media_type: media_type.into(),
            disposition: None,
            is_sandboxed: false,
            kind: PhantomData,
        }
    }

    /// Lets browsers save the file under this name and not show it.
    #[must_use]
    pub fn attachment(mut self, name: &str) -> Self {
        self.disposition = Some(disposition("attachment", name));
        self
    }

    /// Lets browsers show the file, and save it under this name.
    #[must_use]
    pub fn inline(mut self, name: &str) -> Self {
        self.disposition = Some(disposition("inline", name));
        self
    }

    /// Forbids scripts, forms and requests to a page that shows the file: for content that other
    /// people have uploaded.
    #[must_use]
    pub const fn sandboxed(mut self) -> Self {
        self.is_sandboxed = true;
        self
    }
}

impl File {
    /// Creates a file of content that is stored elsewhere. The tag is the opaque part of a strong
    /// `ETag`, such as a hash of the content. `read` returns the bytes of a range; it is called
    /// when the response is built, once for each part.
    pub fn stored(length: u64, tag: impl Into<String>, media_type: &str, read: ReadPart) -> Self {
        Self {
            content: Content::stored(length, tag.into(), read),
            media_type: media_type.to_owned().into(),
            disposition: None,
            is_sandboxed: false,
            kind: PhantomData,
        }
    }
}

/// What a page that shows the file may do: nothing.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
);

/// Returns the `Content-Disposition` with which browsers save a response under this name.
pub fn attachment(name: &str) -> String {
    disposition("attachment", name)
}

/// Returns the `Content-Disposition` (RFC 6266): the name in ASCII for old clients, and in UTF-8.
fn disposition(kind: &str, name: &str) -> String {
    let is_plain = |one: &char| one.is_ascii_graphic() || *one == ' ';
    let ascii: String = name
        .chars()
        .map(|one| {
            if is_plain(&one) && !"\"\\%".contains(one) {
                one
            } else {
                '_'
            }
        })
        .collect();
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

impl<M: MediaType> IntoResponse for File<M> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let media_type = HeaderValue::try_from(&*self.media_type).map_err(Unexpected::from)?;
        let mut response = send(self.content, &parts.head, media_type)?;
        if let Some(disposition) = self.disposition {
            let disposition = HeaderValue::try_from(disposition).map_err(Unexpected::from)?;
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
        if self.is_sandboxed {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
        }
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let tag = Schema::of("string").with("maxLength", 200);
        let schema = || Schema::of("string").with("contentMediaType", OctetStream::NAME);
        let whole = Answer::with_body(200, "The file.", M::NAME, schema());
        let whole = whole.header("ETag", "Version of the file.", tag);
        // Several parts are `multipart/byteranges`.
        let part = "The requested part or parts of the file.";
        let part = Answer::with_body(206, part, AnyMedia::NAME, schema());
        contract.operation.answers.extend([whole, part]);
        contract.operation.parameter(Parameter {
            place: Place::Header,
            name: "Range".to_owned(),
            required: false,
            schema: Schema::of("string").with("maxLength", 200),
            description: "The bytes to send: `bytes=0-499`, or several ranges. If omitted, the whole file is sent."
                .to_owned(),
            deprecated: false,
            commas: false,
        });
        contract.operation.fails(RangeNotSatisfiable::catalogue());
        contract.operation.fails_with(RangeNotSatisfiable::extras());
    }
}
