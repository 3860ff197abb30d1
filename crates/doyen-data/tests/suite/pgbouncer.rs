//! A PgBouncer of a test's own, in front of the server of the tests.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::server_url;

const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Killed when it is dropped.
pub(crate) struct PgBouncer {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl PgBouncer {
    /// Starts one in this mode, with these startup parameters that it drops. It has fewer server
    /// connections than the pool of an application.
    pub(crate) async fn start(mode: &str, dropped: &str) -> Self {
        let server = server_url();
        let server = server.split_once("://").unwrap().1;
        let (user, address) = server.rsplit_once('@').unwrap();
        let (address, _) = address.split_once('/').unwrap();
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "5432"));
        let login = match user.split_once(':') {
            Some((user, password)) => format!("user={user} password='{password}'"),
            None => format!("user={user}"),
        };
        // A port that nothing listened on a moment ago: another process may take it meanwhile.
        for _ in 0..5 {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let own = listener.local_addr().unwrap().port();
            drop(listener);
            let name = format!("doyen-pgbouncer-{}-{own}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join("pgbouncer.ini");
            let settings = format!(
                "[databases]\n* = host={host} port={port} {login}\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {own}\nunix_socket_dir =\n\
                 auth_type = any\npool_mode = {mode}\ndefault_pool_size = 8\nmax_client_conn = 500\n\
                 ignore_startup_parameters = {dropped}\n"
            );
            std::fs::write(&file, settings).unwrap();
            let mut command = Command::new(program());
            // It does not run as root, and does not mind the user otherwise.
            if is_root() {
                command.args(["-u", "daemon"]);
            }
            let child = command
                .arg(&file)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap_or_else(|error| {
                    panic!("`pgbouncer` cannot be started ({error}): run `cargo xtask setup`")
                });
            let mut bouncer = Self {
                child,
                port: own,
                folder,
            };
            if bouncer.is_ready().await {
                return bouncer;
            }
        }
        panic!("pgbouncer does not start");
    }

    /// URL of a database through it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    async fn is_ready(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return false;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Debian puts it where not every user looks for programs.
fn program() -> &'static str {
    let debian = "/usr/sbin/pgbouncer";
    if std::path::Path::new(debian).is_file() {
        debian
    } else {
        "pgbouncer"
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}
