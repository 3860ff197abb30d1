//! The keys of accounts, derived from the root secret.

use std::fmt;

use doyen_app::Registrar;

/// Keys for single purposes. They never print.
#[derive(Clone)]
pub(crate) struct AccountKeys {
    /// Hashes what failed logins are counted by.
    pub(crate) throttle: [u8; 32],
    /// Encrypts the secrets of second factors.
    pub(crate) factor: [u8; 32],
    /// Hashes recovery codes.
    pub(crate) recovery: [u8; 32],
    /// Makes the secrets of sessions.
    pub(crate) session: [u8; 32],
    /// Makes CSRF tokens.
    pub(crate) csrf: [u8; 32],
    /// Signs the state of a login by OpenID.
    #[cfg(feature = "oidc")]
    pub(crate) openid: [u8; 32],
}

impl AccountKeys {
    pub(crate) fn derive(app: &Registrar<'_>) -> Self {
        Self::with(|purpose| app.derive_key(purpose))
    }

    /// The purposes must not change: stored data depends on them.
    pub(crate) fn with(derive: impl Fn(&str) -> [u8; 32]) -> Self {
        Self {
            throttle: derive("throttle"),
            factor: derive("second factor"),
            recovery: derive("recovery codes"),
            session: derive("session"),
            csrf: derive("csrf"),
            #[cfg(feature = "oidc")]
            openid: derive("openid"),
        }
    }
}

impl fmt::Debug for AccountKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKeys(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::AccountKeys;

    /// Stored hashes, encrypted secrets and tokens of clients depend on these labels.
    #[test]
    fn the_labels_never_change() {
        let label = |purpose: &str| {
            let mut key = [0; 32];
            key[..purpose.len()].copy_from_slice(purpose.as_bytes());
            key
        };
        let keys = AccountKeys::with(label);
        assert_eq!(keys.throttle, label("throttle"));
        assert_eq!(keys.factor, label("second factor"));
        assert_eq!(keys.recovery, label("recovery codes"));
        assert_eq!(keys.session, label("session"));
        assert_eq!(keys.csrf, label("csrf"));
        #[cfg(feature = "oidc")]
        assert_eq!(keys.openid, label("openid"));
    }
}
