//! Where a server listens: a TCP address, or a Unix socket.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use doyen_settings::{Raw, Setting, Wrong};

const UNIX: &str = "unix:";

/// A TCP address, `127.0.0.1:8000`, or a Unix socket, `unix:/run/shop/shop.sock`.
///
/// ```
/// use doyen_web::ListenAddress;
///
/// let unix = ListenAddress::parse("unix:/run/shop/shop.sock").unwrap();
/// assert_eq!(unix.to_string(), "unix:/run/shop/shop.sock");
/// assert_eq!(unix.tcp(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// Address and port. Port 0 chooses a free port.
    Tcp(SocketAddr),
    /// Absolute path of the file of a Unix socket.
    Unix(PathBuf),
}

impl ListenAddress {
    /// Parses `127.0.0.1:8000`, `[::1]:8000` or `unix:/run/shop/shop.sock`. Returns `None` if the
    /// text is neither.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(UNIX) {
            // `unix:///run/shop.sock`, as in a URL.
            Some(path) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                let is_file = path.starts_with('/') && !path.ends_with('/');
                (is_file && !path.contains('\0')).then(|| Self::Unix(path.into()))
            }
            None => text.parse().ok().map(Self::Tcp),
        }
    }

    /// Returns the TCP address; `None` for a Unix socket.
    pub const fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    /// Returns the path of a Unix socket; `None` for a TCP address.
    pub fn unix(&self) -> Option<&Path> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(path) => Some(path),
        }
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl Setting for ListenAddress {
    fn kind() -> String {
        "address and port, or `unix:` and a path".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        raw.text().and_then(Self::parse).ok_or_else(|| {
            Wrong::must_be(
                "an address with a port such as `127.0.0.1:8000` or `[::1]:8000`, or an absolute \
                 path such as `unix:/run/app/app.sock`",
            )
        })
    }
}

/// The permissions of the file of a Unix socket, such as `0660`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketMode(u32);

impl SocketMode {
    /// The owner and the group may connect.
    pub const GROUP: Self = Self(0o660);

    /// Parses octal digits. Returns `None` if they are no permissions, or if the owner may not
    /// connect.
    pub fn parse(text: &str) -> Option<Self> {
        let is_octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let mode = u32::from_str_radix(text, 8).ok().filter(|_| is_octal)?;
        (mode <= 0o777 && mode & 0o600 == 0o600).then_some(Self(mode))
    }

    /// Returns the bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// True if every user of the machine may connect.
    pub const fn is_open_to_all(self) -> bool {
        self.0 & 0o002 != 0
    }
}

impl Default for SocketMode {
    fn default() -> Self {
        Self::GROUP
    }
}

impl Setting for SocketMode {
    fn kind() -> String {
        "octal file mode".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        raw.text().and_then(Self::parse).ok_or_else(|| {
            Wrong::must_be(
                "an octal file mode in quotes, such as \"0660\", with which the owner may read and \
                 write",
            )
        })
    }
}

/// Returns the folder of a socket.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_tcp_or_an_absolute_path() {
        for (text, shown) in [
            ("127.0.0.1:8000", "127.0.0.1:8000"),
            ("[::1]:0", "[::1]:0"),
            ("unix:/run/shop.sock", "unix:/run/shop.sock"),
            ("unix:///run/shop.sock", "unix:/run/shop.sock"),
        ] {
            let address = ListenAddress::parse(text).unwrap();
            assert_eq!(address.to_string(), shown);
        }
        for text in [
            "",
            "8000",
            "localhost:8000",
            "/run/shop.sock",
            "unix:",
            "unix:/",
            "unix:shop.sock",
            "unix://shop.sock",
            "unix:/run/",
            "unix:@shop",
            "unix:/run/\0",
        ] {
            assert_eq!(ListenAddress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_mode_is_octal_and_lets_the_owner_connect() {
        for (text, bits) in [("0660", 0o660), ("600", 0o600), ("0777", 0o777)] {
            assert_eq!(SocketMode::parse(text).map(SocketMode::bits), Some(bits));
        }
        for text in ["", "0", "0060", "0680", "1660", "+660", "0o660", "rw"] {
            assert_eq!(SocketMode::parse(text), None, "{text}");
        }
        assert!(SocketMode::parse("0666").unwrap().is_open_to_all());
        assert!(!SocketMode::GROUP.is_open_to_all());
    }
}
