//! The cookie in a header.
//!
//! The prefix `__Host-` makes a browser accept it only with `Secure`, `Path=/` and without
//! `Domain`: no other host of the same site and no page without TLS can set it.

/// Name of the cookie.
const COOKIE_NAME: &str = "__Host-session";

/// `Set-Cookie` value that removes the cookie.
pub(crate) const REMOVE_COOKIE: &str =
    "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";

/// Returns the value for `Set-Cookie`.
pub(crate) fn set(value: &str, seconds: u64) -> String {
    format!("{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

/// Returns the value in a `Cookie` header. Only the first one counts: an attacker who can add a
/// cookie cannot put it first, and two values are never tried in turn.
pub(crate) fn find(field: &str) -> Option<&str> {
    field
        .split(';')
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a5_the_first_cookie_of_a_name_is_used() {
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
