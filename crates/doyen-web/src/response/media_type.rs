//! Media types as types, so that the document states them.

/// A media type.
///
/// ```
/// use doyen_web::response::MediaType;
///
/// /// A PDF document.
/// struct Pdf;
///
/// impl MediaType for Pdf {
///     const NAME: &'static str = "application/pdf";
/// }
/// ```
pub trait MediaType: Send + 'static {
    /// The media type without parameters, as in the document.
    const NAME: &'static str;
    /// The value of `Content-Type`. The default is [`NAME`](MediaType::NAME).
    const CONTENT_TYPE: &'static str = Self::NAME;
}

macro_rules! media_types {
    ($($(#[doc = $doc:literal])* $name:ident = $essence:literal $(, $full:literal)?;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl MediaType for $name {
            const NAME: &'static str = $essence;
            $(const CONTENT_TYPE: &'static str = $full;)?
        }
    )*};
}

media_types! {
    /// Bytes without a known format: `application/octet-stream`.
    OctetStream = "application/octet-stream";
    /// `text/plain` in UTF-8.
    PlainText = "text/plain", "text/plain; charset=utf-8";
    /// `text/csv` in UTF-8.
    Csv = "text/csv", "text/csv; charset=utf-8";
    /// A line of JSON for each item: `application/x-ndjson`.
    NdJson = "application/x-ndjson";
}
