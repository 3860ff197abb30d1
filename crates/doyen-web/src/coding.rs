//! Content codings (RFC 9110 sections 8.4.1 and 12.5.3): what the server produces, and what a
//! client accepts.

mod encoded_body;
mod encoder;

use http::{HeaderValue, header};

pub(crate) use encoded_body::EncodedBody;
pub(crate) use encoder::{Encoder, encode};

/// A content coding that the server can produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    #[cfg(feature = "zstd")]
    Zstd,
    #[cfg(feature = "brotli")]
    Brotli,
    Gzip,
}

impl Coding {
    /// All that are built in, in the order of preference.
    const ALL: &[Self] = &[
        #[cfg(feature = "zstd")]
        Self::Zstd,
        #[cfg(feature = "brotli")]
        Self::Brotli,
        Self::Gzip,
    ];

    /// The name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
            #[cfg(feature = "brotli")]
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    pub(crate) const fn value(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }
}

/// The codings that a client accepts, with their weights in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Accepted {
    weights: [u16; Coding::ALL.len()],
    identity: Option<u16>,
}

/// Returns the codings that the client accepts. One lookup if it states nothing.
pub(crate) fn accepted(head: &http::request::Parts) -> Accepted {
    let mut fields = head.headers.get_all(header::ACCEPT_ENCODING).iter();
    let Some(first) = fields.next() else {
        return Accepted::default();
    };
    let mut weights = Weights::default();
    for field in std::iter::once(first).chain(fields) {
        weights.read(field.to_str().unwrap_or_default());
    }
    // `*` covers the codings that are not listed.
    let weight = |stated: Option<u16>| stated.or(weights.any).unwrap_or(0);
    Accepted {
        weights: weights.codings.map(weight),
        identity: weights.identity,
    }
}

impl Accepted {
    /// Returns the coding with the highest weight. A client can prefer identity by a higher one.
    pub(crate) fn best(self) -> Option<Coding> {
        let mut best: Option<(Coding, u16)> = None;
        for (coding, weight) in Coding::ALL.iter().copied().zip(self.weights) {
            let fits = weight > 0 && self.identity.is_none_or(|identity| weight >= identity);
            if fits && best.is_none_or(|(_, other)| weight > other) {
                best = Some((coding, weight));
            }
        }
        best.map(|(coding, _)| coding)
    }

    /// True if the client accepts the coding of this name.
    pub(crate) fn allows(self, name: &str) -> bool {
        let mut all = Coding::ALL.iter().zip(self.weights);
        all.any(|(coding, weight)| coding.name() == name && weight > 0)
    }
}

/// The weights as the client states them.
#[derive(Default)]
struct Weights {
    codings: [Option<u16>; Coding::ALL.len()],
    any: Option<u16>,
    identity: Option<u16>,
}

impl Weights {
    fn read(&mut self, field: &str) {
        for item in field.split(',') {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            // An invalid weight counts as a refusal.
            let weight = Some(weight(parameters).unwrap_or(0));
            let name = name.trim();
            // RFC 9110 section 8.4.1.3: an old name.
            let name = if name.eq_ignore_ascii_case("x-gzip") {
                "gzip"
            } else {
                name
            };
            let mut all = Coding::ALL.iter().zip(&mut self.codings);
            if let Some((_, known)) = all.find(|(one, _)| one.name().eq_ignore_ascii_case(name)) {
                *known = (*known).max(weight);
            } else if name.eq_ignore_ascii_case("identity") {
                self.identity = weight;
            } else if name == "*" {
                self.any = weight;
            }
        }
    }
}

/// Parses the weight in `q=0.5`. It is 1 if missing, and `None` if malformed.
fn weight(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1000);
    }
    let (name, value) = parameters.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, rest) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(fields: &[&str]) -> Option<&'static str> {
        let mut request = http::Request::get("/");
        for field in fields {
            request = request.header(header::ACCEPT_ENCODING, *field);
        }
        let head = request.body(()).unwrap().into_parts().0;
        super::accepted(&head).best().map(Coding::name)
    }

    #[cfg(all(feature = "zstd", feature = "brotli"))]
    #[test]
    fn the_highest_weight_wins_and_then_the_preference_of_the_server() {
        for (field, expected) in [
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("gzip, br", Some("br")),
            ("*", Some("zstd")),
            ("zstd;q=0, *", Some("br")),
            ("zstd;q=0, br;q=0, *", Some("gzip")),
            ("zstd;q=0.2, br;q=0.3, gzip;q=0.1", Some("br")),
            ("zstd;q=0.999, gzip", Some("gzip")),
            ("BR;q=0.5, zstd;q=0.5", Some("zstd")),
            ("zstd;q=0.5, identity;q=0.6", None),
            ("zstd;q=0.5, identity;q=0.6, br", Some("br")),
            ("identity;q=0, *;q=0", None),
            ("identity;q=0, br;q=0.001", Some("br")),
            ("zstd;q=1.1, br;q=x", None),
            ("x-zstd, brotli", None),
        ] {
            assert_eq!(best(&[field]), expected, "{field}");
        }
        assert_eq!(best(&["gzip", "br"]), Some("br"));
    }

    #[test]
    fn gzip_is_used_if_the_client_accepts_it() {
        for fields in [
            &["gzip"][..],
            &["GZip"],
            &["x-gzip"],
            &["deflate, gzip"],
            &["compress;q=1.0, gzip;q=0.8"],
            &["gzip;q=0.001"],
            &["gzip;q=1.000"],
            &["gzip ; Q=0.5"],
            &["gzip;q=0.5, identity;q=0.5"],
            &["identity;q=0, gzip"],
            &["*;q=0, gzip;q=0.1"],
            &["deflate", "gzip"],
            &[",, gzip,,"],
        ] {
            assert_eq!(best(fields), Some("gzip"), "{fields:?}");
        }
    }

    #[test]
    fn gzip_is_not_used_otherwise() {
        for fields in [
            &[][..],
            &[""],
            &["identity"],
            &["compress, deflate"],
            &["gzip;q=0"],
            &["gzip;q=0."],
            &["gzip;q=0.000"],
            &["gzip;q=0, deflate"],
            &["*;q=0"],
            &["identity;q=0"],
            &["identity;q=0, *;q=0"],
            &["gzip;q=0.5, identity"],
            &["*;q=0.5, identity;q=0.6"],
            &["gzip;q=1.001"],
            &["gzip;q=2"],
            &["gzip;q=-1"],
            &["gzip;q=0.5000"],
            &["gzip;q="],
            &["gzip;q"],
            &["gzip;q=0,5"],
            &["gzip;level=9"],
            &["gzipped"],
            &["not-gzip"],
            &["gzip\u{e9}"],
        ] {
            assert_eq!(best(fields), None, "{fields:?}");
        }
    }
}
