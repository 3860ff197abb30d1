//! The address guard: which URLs and addresses may be called.
//!
//! The URL is checked before each try and each redirect. A name is checked when it is resolved for
//! a connection, and the connection goes to the address that was checked: another lookup could
//! return another one (DNS rebinding).

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use doyen_core::net::is_public;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Which addresses a call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Public addresses on the permitted ports.
    Public,
    /// Every address, also private ones.
    Any,
}

/// Why an address must not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forbidden {
    /// The scheme is neither `http` nor `https`.
    Scheme,
    /// The URL contains a user name or a password.
    Credentials,
    /// The URL has no host.
    Host,
    /// The port is not permitted.
    Port,
    /// The address is private, loopback, link-local or reserved.
    Private,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Forbidden::Scheme => "the scheme must be `http` or `https`",
            Forbidden::Credentials => "the URL must not contain a user name or a password",
            Forbidden::Host => "the URL must have a host",
            Forbidden::Port => "the port is not permitted",
            Forbidden::Private => "the address is private or reserved",
        })
    }
}

impl Error for Forbidden {}

/// Checks what the URL alone shows. A literal address is resolved by no one, so it is checked here.
pub(crate) fn check_url(url: &Url, addresses: Addresses, ports: &[u16]) -> Result<(), Forbidden> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Forbidden::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Forbidden::Credentials);
    }
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or(Forbidden::Host)?;
    if addresses == Addresses::Any {
        return Ok(());
    }
    if !url
        .port_or_known_default()
        .is_some_and(|port| ports.contains(&port))
    {
        return Err(Forbidden::Port);
    }
    match literal(host) {
        Some(address) if !is_public(address) => Err(Forbidden::Private),
        _ => Ok(()),
    }
}

/// The address, if the host is one. The parser of URLs has turned `127.1` and `0x7f000001` into
/// `127.0.0.1`.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    let six = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    six.unwrap_or(host).parse().ok()
}

/// Fails if one of the addresses is not public: a name that has both kinds is an attempt.
pub(crate) fn check_resolved(found: &[IpAddr]) -> Result<(), Forbidden> {
    match found.iter().all(|address| is_public(*address)) {
        true => Ok(()),
        false => Err(Forbidden::Private),
    }
}

/// The future of a DNS lookup.
pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Resolves names to addresses.
pub trait Lookup: Send + Sync + 'static {
    /// Returns the addresses of this name.
    fn lookup<'a>(&'a self, name: &'a str) -> Found<'a>;
}

/// A resolver that is used instead of that of the system: an extension point for tests.
#[derive(Clone)]
pub struct LookupOverride(pub Arc<dyn Lookup>);

impl fmt::Debug for LookupOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookupOverride").finish_non_exhaustive()
    }
}

/// The resolver of the system.
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup<'a>(&'a self, name: &'a str) -> Found<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Resolves and checks names for connections. The connection goes to what it returns.
pub(crate) struct GuardedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) addresses: Addresses,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, addresses) = (Arc::clone(&self.lookup), self.addresses);
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            if addresses == Addresses::Public {
                check_resolved(&found)?;
            }
            // Port 0 stands for that of the URL.
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str) -> Result<(), Forbidden> {
        check_url(&Url::parse(url).unwrap(), Addresses::Public, &[80, 443])
    }

    #[test]
    fn a_url_is_checked_as_it_will_be_called() {
        for url in [
            "https://example.com/hook",
            "http://93.184.216.34/",
            "https://example.com:443/",
            "https://[2606:4700:4700::1111]/",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for (url, why) in [
            ("file:///etc/passwd", Forbidden::Scheme),
            ("gopher://example.com/", Forbidden::Scheme),
            ("ftp://example.com/", Forbidden::Scheme),
            ("https://user@example.com/", Forbidden::Credentials),
            ("https://:secret@example.com/", Forbidden::Credentials),
            ("https://example.com:22/", Forbidden::Port),
            ("https://example.com:6379/", Forbidden::Port),
            ("http://127.0.0.1/", Forbidden::Private),
            ("http://127.1/", Forbidden::Private),
            ("http://0/", Forbidden::Private),
            ("http://2130706433/", Forbidden::Private),
            ("http://0x7f.1/", Forbidden::Private),
            ("http://0177.0.0.1/", Forbidden::Private),
            ("http://169.254.169.254/latest", Forbidden::Private),
            ("http://[::]/", Forbidden::Private),
            ("http://[::1]/", Forbidden::Private),
            ("http://[::ffff:127.0.0.1]/", Forbidden::Private),
            ("http://[64:ff9b::a00:1]/", Forbidden::Private),
            ("http://１２７.0.0.1/", Forbidden::Private),
        ] {
            assert_eq!(check(url), Err(why), "{url}");
        }
    }

    #[test]
    fn one_private_address_among_others_is_enough() {
        let (public, private) = ("1.1.1.1".parse().unwrap(), "10.0.0.1".parse().unwrap());
        assert_eq!(check_resolved(&[public]), Ok(()));
        assert_eq!(check_resolved(&[public, private]), Err(Forbidden::Private));
    }
}
