//! Names of policies and quotas.

/// Completes the sentence "it must be ...".
pub(super) const NAME: &str = "named with letters, digits, `-` and `_`, at most 40 of them, for example `search: 30/1m per user`";

/// Valid in a header and in a setting.
pub(super) fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
