//! A PostgreSQL server on which tests can create databases: the one in the environment, the one on
//! the default port, or a separate cluster.
//!
//! The separate cluster listens on 127.0.0.1 only, requires no password, and trades durability for
//! speed: it holds only test databases. It keeps running, so that the next run starts at once.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::system;
use crate::process::{find, free_port, output, run};
use crate::workspace;
use crate::{Context, Failure, Result};

/// Environment variable with the URL of the server.
pub const URL: &str = "DOYEN_TEST_POSTGRES_URL";

const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5432);
const TIMEOUT: Duration = Duration::from_secs(3);

/// A server and its origin.
pub struct Server {
    /// URL with the database `postgres`.
    pub url: String,
    /// Origin, for the log.
    pub from: &'static str,
}

impl Server {
    fn at(address: SocketAddr, from: &'static str) -> Self {
        Self {
            url: format!("postgres://postgres@{address}/postgres"),
            from,
        }
    }

    /// Returns the URL without credentials, for the log.
    pub fn url_without_password(&self) -> String {
        match (self.url.split_once("://"), self.url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
            _ => self.url.clone(),
        }
    }
}

/// Finds a server, or installs PostgreSQL and starts a cluster.
///
/// # Errors
///
/// Returns an error if the server in the environment does not respond, or if no server can be
/// started.
pub fn find_or_start() -> Result<Server> {
    if let Ok(url) = std::env::var(URL) {
        reachable(&url).context(|| {
            format!("{URL} names a server that does not respond; start it, or unset the variable")
        })?;
        return Ok(Server {
            url,
            from: "from DOYEN_TEST_POSTGRES_URL",
        });
    }
    if accepts_connection(DEFAULT_ADDRESS) {
        return Ok(Server::at(DEFAULT_ADDRESS, "already running"));
    }
    let programs = match programs() {
        Some(programs) => programs,
        None => {
            system::install("PostgreSQL", &["postgresql"])?;
            programs().ok_or_else(|| Failure::new("PostgreSQL is installed, but pg_ctl is not where Debian puts it nor on the PATH"))?
        }
    };
    Cluster::new(programs)?.running()
}

/// The separate cluster.
struct Cluster {
    programs: PathBuf,
    data: PathBuf,
    as_root: bool,
}

impl Cluster {
    /// PostgreSQL refuses to run as root. Root therefore uses the account `postgres` of the package
    /// and a folder that this account can read.
    fn new(programs: PathBuf) -> Result<Self> {
        let as_root = system::is_root();
        let data = if as_root {
            PathBuf::from("/var/lib/postgresql/doyen-test")
        } else {
            workspace::tools()?.join("postgres")
        };
        Ok(Self {
            programs,
            data,
            as_root,
        })
    }

    fn running(&self) -> Result<Server> {
        const FROM: &str = "separate cluster";
        if let Some(address) = self
            .address()
            .filter(|&address| accepts_connection(address))
        {
            return Ok(Server::at(address, FROM));
        }
        if !self.data.join("PG_VERSION").is_file() {
            println!("creating a PostgreSQL cluster in {}", self.data.display());
            let args = [
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ];
            output(self.command("initdb").args(args).arg(&self.data))?;
        }
        let address = free_port()?;
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200 \
             -c fsync=off -c synchronous_commit=off -c full_page_writes=off",
            address.port()
        );
        let log = self.data.join("server.log");
        let start = ["--wait", "--options", &options, "--log"];
        run(self
            .command("pg_ctl")
            .arg("start")
            .args(start)
            .arg(&log)
            .arg("-D")
            .arg(&self.data)
            .stdout(std::process::Stdio::null()))
        .context(|| {
            format!(
                "starting PostgreSQL (see {}; the folder holds only test data and can be removed)",
                log.display()
            )
        })?;
        if accepts_connection(address) {
            return Ok(Server::at(address, FROM));
        }
        Err(Failure::new(format!(
            "PostgreSQL was started on {address} but refuses the connection (see {})",
            log.display()
        )))
    }

    /// Returns the last address of the cluster, from the fourth line of `postmaster.pid`.
    fn address(&self) -> Option<SocketAddr> {
        let text = std::fs::read_to_string(self.data.join("postmaster.pid")).ok()?;
        let port = text.lines().nth(3)?.trim().parse().ok()?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if self.as_root {
            Command::new("runuser")
        } else {
            Command::new(&program)
        };
        if self.as_root {
            command.args(["-u", "postgres", "--"]).arg(&program);
        }
        command.current_dir("/"); // The account may not read the current folder.
        command
    }
}

/// Returns the folder of `initdb` and `pg_ctl`: the newest version of Debian, or the one on the
/// `PATH`.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
        .collect();
    versions.sort_unstable();
    let debian = versions.pop().map(|(_, folder)| folder);
    debian.or_else(|| {
        find(&["pg_ctl"])?
            .canonicalize()
            .ok()?
            .parent()
            .map(Path::to_path_buf)
    })
}

/// Returns true if the server accepts the user `postgres` without a password, that is, if it
/// responds to a start-up message with `AuthenticationOk`. This needs no installed client.
fn accepts_connection(address: SocketAddr) -> bool {
    let try_connect = || -> std::io::Result<[u8; 9]> {
        let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(&startup_message())?;
        let mut response = [0; 9];
        stream.read_exact(&mut response)?;
        stream.write_all(b"X\0\0\0\x04")?;
        Ok(response)
    };
    try_connect().is_ok_and(|response| response == *b"R\0\0\0\x08\0\0\0\0")
}

/// Encodes length, protocol version 3.0, and two parameters.
fn startup_message() -> Vec<u8> {
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(8 + parameters.len()).unwrap_or(u32::MAX);
    [
        &length.to_be_bytes()[..],
        &196_608_u32.to_be_bytes(),
        parameters,
    ]
    .concat()
}

/// Returns an error unless the host and port of the URL accept connections.
fn reachable(url: &str) -> Result {
    let (host, port) = host_and_port(url)
        .ok_or_else(|| Failure::new("it is not of the form postgres://user:password@host:port"))?;
    let mut refused = Failure::new(format!("{host} has no address"));
    for address in (host.as_str(), port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(_) => return Ok(()),
            Err(error) => refused = Failure::new(format!("{address}: {error}")),
        }
    }
    Err(refused)
}

fn host_and_port(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "postgres" | "postgresql") {
        return None;
    }
    let authority = rest.split(['/', '?']).next()?;
    let address = authority
        .rsplit_once('@')
        .map_or(authority, |(_, address)| address);
    match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?))
        }
        _ if address.is_empty() => None,
        _ => Some((address.trim_matches(['[', ']']).to_owned(), 5432)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn reads_host_and_port_from_a_url() {
        let at = |url| host_and_port(url).map(|(host, port)| format!("{host} {port}"));
        assert_eq!(
            at("postgres://postgres@127.0.0.1:5432").as_deref(),
            Some("127.0.0.1 5432")
        );
        assert_eq!(
            at("postgresql://me:p@ss@db.test/shop?sslmode=require").as_deref(),
            Some("db.test 5432")
        );
        assert_eq!(at("postgres://[::1]:6000/x").as_deref(), Some("::1 6000"));
        assert_eq!(at("postgres://[::1]").as_deref(), Some("::1 5432"));
        assert_eq!(at("mysql://localhost"), None);
        assert_eq!(at("postgres://u@host:port"), None);
    }

    #[test]
    fn a_password_stays_out_of_the_log() {
        let server = Server {
            url: "postgres://me:secret@db.test:1/x".into(),
            from: "",
        };
        assert_eq!(server.url_without_password(), "postgres://***@db.test:1/x");
    }

    /// A server that requires a password, and one with a different protocol, are rejected.
    #[test]
    fn only_a_server_without_a_password_is_used() {
        for (response, trusted) in [
            (&b"R\0\0\0\x08\0\0\0\0"[..], true),
            (b"R\0\0\0\x17\0\0\0\x0a", false),
            (b"HTTP/1.1 400", false),
            (b"", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut received = vec![0; startup_message().len()];
                stream.read_exact(&mut received).unwrap();
                stream.write_all(response).unwrap();
                received
            });
            assert_eq!(accepts_connection(address), trusted, "{response:?}");
            assert_eq!(server.join().unwrap(), startup_message());
        }
    }
}
