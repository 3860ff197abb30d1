//! A PostgreSQL that lets the tests make databases: the one named, the one that listens here, or one of our own.
//!
//! Our own cluster listens on 127.0.0.1 only, trusts whoever can reach it, and gives up durability for speed: it holds
//! nothing but test databases. It is left running, so that the next run starts at once.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::system;
use crate::failure::{Context, Failure, Result};
use crate::helpdesk::free_port;
use crate::process::{find, output, run};
use crate::workspace;

/// The variable that names a server for the tests, for us and for them.
pub(crate) const URL: &str = "DOYEN_TEST_POSTGRES_URL";

const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5432);
const PATIENCE: Duration = Duration::from_secs(3);

/// A server, and how we came to it.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) from: &'static str,
}

impl Server {
    fn at(address: SocketAddr, from: &'static str) -> Self {
        Self {
            // With a database: who makes others replaces its name.
            url: format!("postgres://postgres@{address}/postgres"),
            from,
        }
    }

    /// For the log.
    pub(crate) fn url_without_password(&self) -> String {
        match (self.url.split_once("://"), self.url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
            _ => self.url.clone(),
        }
    }
}

pub(crate) fn find_or_start() -> Result<Server> {
    if let Ok(url) = std::env::var(URL) {
        reachable(&url).context(|| {
            format!("{URL} names a server that does not answer; start it, or unset the variable")
        })?;
        return Ok(Server {
            url,
            from: "from DOYEN_TEST_POSTGRES_URL",
        });
    }
    if lets_us_in(USUAL) {
        return Ok(Server::at(USUAL, "listens already"));
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

/// A cluster of our own.
struct Cluster {
    programs: PathBuf,
    data: PathBuf,
    as_root: bool,
}

impl Cluster {
    /// PostgreSQL refuses to run as root. Root therefore uses the `postgres` account that the package made, and that
    /// account's home, because it may not look into root's.
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
        const FROM: &str = "our own cluster";
        if let Some(address) = self.address().filter(|&address| lets_us_in(address)) {
            return Ok(Server::at(address, FROM));
        }
        if !self.data.join("PG_VERSION").is_file() {
            println!("making a PostgreSQL cluster in {}", self.data.display());
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
        .context(|| format!("starting PostgreSQL (see {}; the folder holds nothing but tests and may be removed)", log.display()))?;
        if lets_us_in(address) {
            return Ok(Server::at(address, FROM));
        }
        Err(Failure::new(format!(
            "our PostgreSQL was started on {address} but does not let us in (see {})",
            log.display()
        )))
    }

    /// Where the cluster last listened: the fourth line of its `postmaster.pid`.
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
        command.current_dir("/"); // The account may not read the folder we stand in.
        command
    }
}

/// The folder of `initdb` and `pg_ctl`: the newest one Debian has, else the one on the `PATH`.
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

/// Whether the server takes `postgres` without a password: its answer to a start-up message is `AuthenticationOk`.
///
/// Spoken by hand, because no client needs to be installed.
fn lets_us_in(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<[u8; 9]> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&startup_message())?;
        let mut answer = [0; 9];
        stream.read_exact(&mut answer)?;
        stream.write_all(b"X\0\0\0\x04")?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer == *b"R\0\0\0\x08\0\0\0\0")
}

/// Length, protocol 3.0, and the two parameters.
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

/// Whether something listens where the URL points.
fn reachable(url: &str) -> Result {
    let (host, port) = host_and_port(url)
        .ok_or_else(|| Failure::new("it is not of the form postgres://user:password@host:port"))?;
    let mut refused = Failure::new(format!("{host} has no address"));
    for address in (host.as_str(), port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
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
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?))
        }
        _ if place.is_empty() => None,
        _ => Some((place.trim_matches(['[', ']']).to_owned(), 5432)),
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

    /// A server that asks for a password, and one that does not speak the protocol at all.
    #[test]
    fn only_a_server_that_trusts_us_counts() {
        for (answer, trusted) in [
            (&b"R\0\0\0\x08\0\0\0\0"[..], true),
            (b"R\0\0\0\x17\0\0\0\x0a", false),
            (b"HTTP/1.1 400", false),
            (b"", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut heard = vec![0; startup_message().len()];
                stream.read_exact(&mut heard).unwrap();
                stream.write_all(answer).unwrap();
                heard
            });
            assert_eq!(lets_us_in(address), trusted, "{answer:?}");
            assert_eq!(server.join().unwrap(), startup_message());
        }
    }
}
