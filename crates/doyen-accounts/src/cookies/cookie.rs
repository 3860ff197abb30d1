//! The cookie as it stands in a header field.
//!
//! The prefix `__Host-` makes a browser take it only with `Secure`, `Path=/` and without `Domain`: no other host of the same site, and no
//! page without TLS, can set it.

/// Its name.
const NAME: &str = "__Host-session";

/// What takes it away again.
pub(crate) const REMOVED: &str =
    "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";

/// The value for `Set-Cookie`.
pub(crate) fn set(value: &str, seconds: u64) -> String {
    format!("{NAME}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

/// The value in a `Cookie` field: of several the first. Somebody who could put another one beside it can not put it before it, and two are
/// never tried in turn.
pub(crate) fn find(field: &str) -> Option<&str> {
    field
        .split(';')
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
        .find(|(name, _)| *name == NAME)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a5_the_first_of_its_name_counts() {
        for (field, value) in [
            ("__Host-session=a", Some("a")),
            ("x=1; __Host-session=a; y=2", Some("a")),
            ("__Host-session=a; __Host-session=b", Some("a")),
            ("__Host-session=; __Host-session=b", Some("")),
            ("session=b; __Host-session=a", Some("a")),
            ("__host-session=b", None),
            ("__Host-session2=b", None),
            ("__Host-session", None),
            ("", None),
        ] {
            assert_eq!(find(field), value, "{field}");
        }
    }

    #[test]
    fn s1_the_attributes() {
        assert_eq!(
            set("v", 60),
            "__Host-session=v; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
        );
    }
}
