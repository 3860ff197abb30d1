//! `Vary`: the request headers that a response depends on (RFC 9110 section 12.5.5).

use doyen_core::CredentialHeader;
use http::{HeaderMap, HeaderValue, header};

macro_rules! with {
    ($credentials:literal) => {
        [
            $credentials,
            concat!($credentials, ", Accept-Encoding"),
            concat!($credentials, ", Origin"),
            concat!($credentials, ", Origin, Accept-Encoding"),
        ]
    };
}

/// All values, indexed by credentials (bit 1 `Authorization`, 2 `X-API-Key`, 4 `Cookie`), then by
/// bit 1 `Accept-Encoding` and bit 2 `Origin`.
static VALUES: [[&str; 4]; 8] = [
    ["", "Accept-Encoding", "Origin", "Origin, Accept-Encoding"],
    with!("Authorization"),
    with!("X-API-Key"),
    with!("Authorization, X-API-Key"),
    with!("Cookie"),
    with!("Authorization, Cookie"),
    with!("X-API-Key, Cookie"),
    with!("Authorization, X-API-Key, Cookie"),
];

/// The values for the responses of one application.
#[derive(Clone, Copy)]
pub(super) struct Vary {
    credentials: usize,
    origin: bool,
}

impl Vary {
    /// `read` lists the headers that identify callers; `origin` is true if CORS is configured.
    pub(super) fn new(read: &[CredentialHeader], origin: bool) -> Self {
        let bit = |header: &CredentialHeader| match header {
            CredentialHeader::Authorization => 1,
            CredentialHeader::ApiKey => 2,
            CredentialHeader::Cookie => 4,
        };
        let credentials = read.iter().fold(0, |all, header| all | bit(header));
        Self {
            credentials,
            origin,
        }
    }

    /// Returns the value, or an empty text if the response depends on no header.
    pub(super) fn value(self, caller: bool, encoding: bool) -> &'static str {
        let credentials = if caller { self.credentials } else { 0 };
        VALUES[credentials][usize::from(self.origin) * 2 + usize::from(encoding)]
    }
}

/// Sets the value.
pub(super) fn set(headers: &mut HeaderMap, value: &'static str) {
    if value.is_empty() {
        headers.remove(header::VARY);
    } else {
        headers.insert(header::VARY, HeaderValue::from_static(value));
    }
}

/// Adds the names that the route did not set itself.
pub(super) fn merge(headers: &mut HeaderMap, value: &'static str) {
    let is_given = |name: &str| {
        let fields = headers.get_all(header::VARY).iter();
        let mut names = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','));
        // `*` covers all headers.
        names.any(|given| given.trim() == "*" || given.trim().eq_ignore_ascii_case(name))
    };
    let names = || value.split(", ").filter(|name| !name.is_empty());
    if !names().any(is_given) {
        if !value.is_empty() {
            headers.append(header::VARY, HeaderValue::from_static(value));
        }
        return;
    }
    let missing: Vec<&'static str> = names().filter(|name| !is_given(name)).collect();
    for name in missing {
        headers.append(header::VARY, HeaderValue::from_static(name));
    }
}
