//! `Vary`: the request headers that a response depends on (RFC 9110 section 12.5.5).

use doyen_core::CredentialHeader;
use http::{HeaderMap, HeaderValue, header};

/// The values for the responses of one application, prepared for each combination.
#[derive(Clone)]
pub(super) struct Vary {
    /// Indexed by 1 for credentials and 2 for `Accept-Encoding`.
    values: [String; 4],
}

impl Vary {
    /// `read` lists the headers that identify callers; `origin` is true if CORS is configured.
    pub(super) fn new(read: &[CredentialHeader], origin: bool) -> Self {
        let value = |at: usize| {
            let credentials = read.iter().map(CredentialHeader::as_str);
            let credentials = credentials.filter(|_| at & 1 != 0);
            let origin = origin.then_some("Origin");
            let encoding = (at & 2 != 0).then_some("Accept-Encoding");
            let names: Vec<&str> = credentials.chain(origin).chain(encoding).collect();
            names.join(", ")
        };
        Self {
            values: std::array::from_fn(value),
        }
    }

    /// Returns the value, or an empty text if the response depends on no header.
    pub(super) fn value(&self, caller: bool, encoding: bool) -> &str {
        &self.values[usize::from(caller) + 2 * usize::from(encoding)]
    }
}

/// Sets the value.
pub(super) fn set(headers: &mut HeaderMap, value: &str) {
    match HeaderValue::try_from(value) {
        Ok(text) if !value.is_empty() => {
            headers.insert(header::VARY, text);
        }
        _ => {
            headers.remove(header::VARY);
        }
    }
}

/// Adds the names that the route did not set itself.
pub(super) fn merge(headers: &mut HeaderMap, value: &str) {
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
        append(headers, value);
        return;
    }
    let missing: Vec<&str> = names().filter(|name| !is_given(name)).collect();
    for name in missing {
        append(headers, name);
    }
}

/// Adds names. All are in one field, as some caches read only one.
pub(super) fn append(headers: &mut HeaderMap, value: &str) {
    if value.is_empty() {
        return;
    }
    let given = headers.get_all(header::VARY).iter();
    let given = given.filter_map(|field| field.to_str().ok());
    let all: Vec<&str> = given.chain([value]).collect();
    if let Ok(text) = HeaderValue::try_from(all.join(", ")) {
        headers.insert(header::VARY, text);
    }
}
