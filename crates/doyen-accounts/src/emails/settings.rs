//! The settings of account mails.

use std::time::Duration;

use doyen_settings::Settings;

/// Account mails.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct EmailSettings {
    /// Requires new users to follow a link in a mail before they can log in. If not set, `true` in
    /// `prod` and `false` otherwise. Without mail (`mail.transport = none`), `prod` requires an
    /// explicit `false`.
    pub verify: Option<bool>,
    /// Base URL of the links in mails: the address of your pages, such as
    /// `https://app.example.com`. Required in `prod`. It is never derived from a request.
    pub link_base: Option<String>,
    /// Name of the service in mails. If not set, the name of the application.
    pub service_name: Option<String>,
    /// Lifetime of the link that verifies a new account.
    #[setting(default = "24h", min = "5m", max = "30d")]
    pub verify_lifetime: Duration,
    /// Lifetime of the link that resets a password.
    #[setting(default = "30m", min = "5m", max = "24h")]
    pub reset_lifetime: Duration,
    /// Lifetime of the link that confirms a new email address.
    #[setting(default = "24h", min = "5m", max = "7d")]
    pub change_lifetime: Duration,
    /// Minimum time between two mails of the same kind to one account.
    #[setting(default = "1m", min = "1s", max = "24h")]
    pub pause: Duration,
}

impl EmailSettings {
    /// Returns true if new users must follow a link before they can log in.
    pub fn must_verify(&self) -> bool {
        self.verify.unwrap_or(false)
    }

    /// Fills in the defaults that depend on the environment and the name of the application.
    /// `silent` is true if the application sends no mail.
    ///
    /// # Errors
    ///
    /// Returns an error if `link_base` is missing in `prod` or invalid, or if no mail is sent and
    /// `verify` is enabled, or not set in `prod`. The text says what to do.
    pub fn settle(
        &mut self,
        prod: bool,
        silent: bool,
        name: &str,
        local: &str,
    ) -> Result<(), String> {
        if silent && self.verify == Some(true) {
            return Err("`verify` is on and `mail.transport` is `none`: no user could log in. Change one of them".to_owned());
        }
        if silent && prod && self.verify.is_none() {
            return Err(
                "in `prod` new users must verify their e-mail address, and `mail.transport` is `none`. Configure mail, or set \
                 APP_AUTH__EMAIL__VERIFY=false to accept addresses that may belong to others"
                    .to_owned(),
            );
        }
        self.verify.get_or_insert(prod);
        self.service_name.get_or_insert_with(|| name.to_owned());
        match &mut self.link_base {
            None if prod && !silent => Err(
                "`link_base` is not set, and accounts send mails with links. In `prod` set APP_AUTH__EMAIL__LINK_BASE to the address of your \
                 pages, such as `https://app.example.com`"
                    .to_owned(),
            ),
            None => {
                self.link_base = Some(local.to_owned());
                Ok(())
            }
            Some(base) => {
                let rest = base
                    .strip_prefix("https://")
                    .or_else(|| base.strip_prefix("http://"));
                let fits = rest.is_some_and(|rest| {
                    !rest.is_empty()
                        && !rest.starts_with('/')
                        && rest.chars().all(|c| c.is_ascii_graphic() && !"?#<>\"\\".contains(c))
                });
                if !fits {
                    return Err("`link_base` must be the address of your pages, such as `https://app.example.com`, without `?` and `#`".to_owned());
                }
                base.truncate(base.trim_end_matches('/').len());
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(base: Option<&str>) -> EmailSettings {
        EmailSettings {
            verify: None,
            link_base: base.map(str::to_owned),
            service_name: None,
            verify_lifetime: Duration::from_secs(1),
            reset_lifetime: Duration::from_secs(1),
            change_lifetime: Duration::from_secs(1),
            pause: Duration::from_secs(1),
        }
    }

    #[test]
    fn production_needs_an_address_and_verifies() {
        assert!(
            settings(None)
                .settle(true, false, "shop", "http://x")
                .is_err()
        );
        let mut prod = settings(Some("https://shop.example.com/app/"));
        prod.settle(true, false, "shop", "http://x").unwrap();
        assert_eq!(
            prod.link_base.as_deref(),
            Some("https://shop.example.com/app")
        );
        assert!(prod.must_verify());
        let mut dev = settings(None);
        dev.settle(false, false, "shop", "http://localhost:8000")
            .unwrap();
        assert_eq!(dev.link_base.as_deref(), Some("http://localhost:8000"));
        assert!(!dev.must_verify());
    }

    #[test]
    fn without_mail_no_link_is_required() {
        let mut silent = settings(None);
        assert!(silent.settle(true, true, "shop", "http://x").is_err());
        silent.verify = Some(false);
        silent.settle(true, true, "shop", "http://x").unwrap();
        assert!(!silent.must_verify());
        let mut dev = settings(None);
        dev.settle(false, true, "shop", "http://x").unwrap();
        assert!(!dev.must_verify());
        let mut both = settings(None);
        both.verify = Some(true);
        assert!(both.settle(false, true, "shop", "http://x").is_err());
    }

    #[test]
    fn a_base_is_an_address() {
        for bad in [
            "shop.example.com",
            "https://",
            "https:///x",
            "javascript:alert(1)",
            "https://a b",
            "https://a\r\nb",
            "https://a/#x",
            "https://a/?x",
        ] {
            assert!(
                settings(Some(bad))
                    .settle(false, false, "shop", "")
                    .is_err(),
                "{bad}"
            );
        }
    }
}
