//! The real program on a Unix socket: killed and started again, handed over by systemd, and behind
//! nginx.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use doyen_test::{Program, Running};
use tokio::task::spawn_blocking;

use crate::live::{self, log_in, watching};
use crate::support::proxies::{Proxy, nginx_with};
use crate::support::{Helpdesk, Join as _};

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("doyen-socket-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("helpdesk.sock")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn on(program: Program, path: &Path) -> Program {
    program
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", &format!("unix:{}", path.display()))
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
}

fn program(path: &Path) -> Program {
    on(Program::new(env!("CARGO_BIN_EXE_helpdesk")), path)
}

/// Waits until the program listens.
fn start(program: Program, path: &Path) -> Running {
    let running = program.start();
    let serves = running.wait_for(|| UnixStream::connect(path).ok());
    assert!(serves.is_some(), "{}", running.output());
    // A socket that is inherited accepts before the program does.
    assert!(get(path, "/livez", "").starts_with("HTTP/1.1 200"));
    running
}

/// Sends a request on a new connection. Fails the test if it is refused or cut.
fn get(path: &Path, target: &str, headers: &str) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn kill(running: &Running) {
    let killed = Command::new("kill")
        .args(["-9", &running.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
}

#[test]
fn the_socket_of_a_killed_program_is_taken_over_and_that_of_a_running_one_is_not() {
    let folder = Folder::new();
    let path = folder.socket();
    let mut running = start(program(&path), &path);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let log = running.output();
    assert!(log.contains(&format!("unix:{}", path.display())), "{log}");
    // No peer is trusted: the log says what that means.
    assert!(log.contains("server.trusted_proxies"), "{log}");
    for _ in 0..2 {
        assert!(get(&path, "/livez", "").starts_with("HTTP/1.1 200"));
        kill(&running);
        assert_eq!(running.wait().code(), None);
        assert!(path.exists(), "a killed program cannot remove it");
        running = start(program(&path), &path);
    }
    let second = program(&path).run();
    assert_eq!(second.code, Some(1), "{second:?}");
    for words in ["server.bind", "in use", "Stop the process"] {
        assert!(second.stderr.contains(words), "{second:?}");
    }
    assert!(get(&path, "/livez", "").starts_with("HTTP/1.1 200"));
    running.ask_to_stop();
    assert_eq!(running.wait().code(), Some(0), "{}", running.output());
    assert!(!path.exists());
}

#[test]
fn a_socket_that_cannot_be_used_fails_the_start() {
    let folder = Folder::new();
    let path = folder.socket();
    let missing = folder.0.join("none/helpdesk.sock");
    let cases: [(Program, &[&str]); 5] = [
        (program(&missing), &["server.bind", "none does not exist"]),
        (
            program(&folder.0.join("x".repeat(200))),
            &["server.bind", "shorter"],
        ),
        (
            program(&path).env("APP_SERVER__BIND", "unix:helpdesk.sock"),
            &["server.bind", "unix:/run/"],
        ),
        (
            program(&path).env("APP_SERVER__SOCKET_MODE", "0020"),
            &["server.socket_mode", "0660"],
        ),
        (
            program(&path)
                .env("APP_SERVER__TLS__CERTIFICATE", "tls.crt")
                .env("APP_SERVER__TLS__KEY", "tls.key"),
            &["server.tls.certificate", "Unix socket"],
        ),
    ];
    for (program, words) in cases {
        let ended = program.run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for word in words {
            assert!(ended.stderr.contains(word), "{word} in {ended:?}");
        }
    }
}

/// The program with a Unix socket that it inherits, as systemd passes it.
fn inheriting(listener: &UnixListener, path: &Path) -> Program {
    let helpdesk = env!("CARGO_BIN_EXE_helpdesk");
    let passed = OwnedFd::from(listener.try_clone().unwrap());
    let shell = Program::new("/bin/sh").arg("-c").arg(&format!(
        "LISTEN_PID=$$ LISTEN_FDS=1 exec {helpdesk} 3<&0 </dev/null"
    ));
    on(shell.stdin(Stdio::from(passed)), path)
}

#[test]
fn no_connection_is_refused_while_a_program_with_an_inherited_socket_restarts() {
    let folder = Folder::new();
    let path = folder.socket();
    let listener = UnixListener::bind(&path).unwrap();
    let mut server = start(inheriting(&listener, &path), &path);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let client = || {
            let mut answered = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = get(&path, "/v1/stats", "");
                assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
                answered += 1;
            }
            answered
        };
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        for _ in 0..3 {
            server.ask_to_stop();
            assert_eq!(server.wait().code(), Some(0), "{}", server.output());
            server = start(inheriting(&listener, &path), &path);
        }
        done.store(true, Ordering::Relaxed);
        for client in clients {
            assert!(client.join().unwrap() > 0);
        }
    });
    assert!(path.exists());
    // Another path: the socket that was passed is not silently left alone.
    let ended = inheriting(&listener, &folder.0.join("other.sock")).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let shown = format!("unix:{}", path.display());
    assert!(ended.stderr.contains("LISTEN_FDS") && ended.stderr.contains(&shown));
}

/// nginx on a TCP port, with the configuration of the guide.
#[doyen_test::test]
async fn nginx_reaches_the_program_and_reports_its_clients(app: Helpdesk) {
    let folder = Folder::new();
    let path = folder.socket();
    let program = live::program(&app, ([127, 0, 0, 1], 0).into());
    let program = on(program, &path)
        .env("APP_SERVER__TRUSTED_PROXIES", "unix")
        .env("APP_LOG__FORMAT", "json");
    let started = {
        let path = path.clone();
        spawn_blocking(move || start(program, &path)).await.unwrap()
    };
    assert!(!started.output().contains("server.trusted_proxies"));
    let upstream = format!("server unix:{};", path.display());
    let config = |folder: &Path, address| nginx_with(folder, address, &upstream);
    let proxy = Proxy::start("nginx", &["-c"], config).await;
    let address = proxy.address;

    // What the client writes itself does not count.
    let request = "GET /v1/stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
        X-Request-Id: through-nginx\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n";
    let answered = spawn_blocking(move || {
        let answer = started.try_exchange(address, request).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        let line = started.wait_for(|| {
            let output = started.output();
            let line = output.lines().find(|line| line.contains("through-nginx"))?;
            serde_json::from_str::<serde_json::Value>(line).ok()
        });
        (started, line)
    });
    let (started, line) = answered.await.unwrap();
    let line = line.unwrap_or_else(|| panic!("{}", started.output()));
    assert_eq!(line["client"], "127.0.0.1", "{line}");

    // A WebSocket gets the event of a request that nginx forwards too.
    let ada = app.as_customer().await;
    let ticket = ada.opens("it burns").await.text_at("/id");
    let ada = log_in(address, &ada).await;
    let mut socket = watching(address, &ada, &ticket).await;
    assert!(live::post(address, &ada, &ticket, "through a Unix socket").await);
    loop {
        let event = socket.message_of("event").await;
        if event["event"] == "ticket.commented" {
            assert!(
                event.to_string().contains("through a Unix socket"),
                "{event}"
            );
            break;
        }
    }
}
