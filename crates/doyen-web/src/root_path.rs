//! The prefix that a proxy removes from the path of each request, and that local URLs in responses
//! therefore need.

use std::fmt;

use http::{HeaderMap, HeaderValue, header};

/// The prefix of the public URLs, such as `/api/v1`; empty without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootPath(String);

/// The text is not a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRootPath;

impl fmt::Display for InvalidRootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "it must be a path such as `/api/v1`: it begins with `/`, does not end with it, and has \
             letters, digits, `-`, `.`, `_` and `~` between slashes",
        )
    }
}

impl std::error::Error for InvalidRootPath {}

impl RootPath {
    /// Checks a prefix. Empty text is none.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a path of plain segments.
    pub fn new(text: &str) -> Result<Self, InvalidRootPath> {
        let is_plain = |segment: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
            !matches!(segment, "" | "." | "..") && segment.chars().all(known)
        };
        let is_path = text
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(is_plain));
        if is_path || text.is_empty() {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRootPath)
        }
    }

    /// Returns the prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if there is no prefix.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what follows the prefix in a path, or `None` if the path is outside of it.
    pub fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(&self.0)?;
        (rest.is_empty() || rest.starts_with(['/', '?', '#'])).then_some(rest)
    }

    /// Returns the public form of a local URL, with something between the prefix and the path. A
    /// URL that has the prefix keeps it, and other URLs stay as they are.
    pub(crate) fn public(&self, url: &str, inner: &str) -> Option<String> {
        if !url.starts_with('/') || url.starts_with("//") {
            return None;
        }
        let path = self.below(url).unwrap_or(url);
        Some(format!("{}{inner}{path}", self.0))
    }

    /// Rewrites the local URLs in `Location` and `Link`.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, inner: &str) {
        for name in [header::LOCATION, header::LINK] {
            if !headers.contains_key(&name) {
                continue;
            }
            let given: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
            headers.remove(&name);
            for value in given {
                let text = value.to_str().unwrap_or("");
                let own = match name == header::LINK {
                    true => Some(self.links(text, inner)),
                    false => self.public(text, inner),
                };
                let own = own.and_then(|text| HeaderValue::try_from(text).ok());
                headers.append(name.clone(), own.unwrap_or(value));
            }
        }
    }

    /// Rewrites the URLs between `<` and `>`.
    fn links(&self, text: &str, inner: &str) -> String {
        let mut parts = text.split('<');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (url, rest) = part.split_once('>').unwrap_or((part, ""));
            let public = self.public(url, inner);
            out.push('<');
            out.push_str(public.as_deref().unwrap_or(url));
            out.push('>');
            out.push_str(rest);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_path_of_plain_segments() {
        for good in ["", "/api", "/api/v1", "/a-b/c.d/_e~"] {
            assert_eq!(RootPath::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "/", "api", "/api/", "//api", "/a b", "/{x}", "/../a", "/a?b", "/é",
        ] {
            assert_eq!(RootPath::new(bad), Err(InvalidRootPath), "{bad}");
        }
    }

    #[test]
    fn local_urls_get_the_prefix_once() {
        let root = RootPath::new("/api").unwrap();
        let public = |url: &str| root.public(url, "");
        assert_eq!(public("/books/1").as_deref(), Some("/api/books/1"));
        assert_eq!(public("/api/books").as_deref(), Some("/api/books"));
        assert_eq!(public("/apiary").as_deref(), Some("/api/apiary"));
        assert_eq!(public("https://example.com/a"), None);
        assert_eq!(public("//example.com/a"), None);
        assert_eq!(public("books"), None);
        assert_eq!(
            root.public("/api/books", "/2026").as_deref(),
            Some("/api/2026/books")
        );
        assert_eq!(
            root.links("</a?x=1>; rel=\"next\", <https://b>; rel=\"c\"", ""),
            "</api/a?x=1>; rel=\"next\", <https://b>; rel=\"c\""
        );
    }
}
