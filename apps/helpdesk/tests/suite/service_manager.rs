//! What systemd learns of the program, over the socket that it offers (`sd_notify`), and the
//! listener that it opens for the program.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use doyen_test::Program;

struct Manager(UnixDatagram);

impl Manager {
    /// Returns the next message, without the line break.
    fn next(&self) -> String {
        let mut bytes = [0; 256];
        let length = self.0.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length])
            .trim_end()
            .to_owned()
    }
}

#[test]
fn systemd_learns_when_the_program_serves_and_stops_and_that_it_is_alive() {
    let helpdesk = env!("CARGO_BIN_EXE_helpdesk");
    let program = Program::new("/bin/sh")
        .arg("-c")
        // As systemd does: the watchdog is for this process only.
        .arg(&format!("WATCHDOG_PID=$$ exec {helpdesk}"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_SERVER__DRAIN_DELAY", "1s")
        .env("WATCHDOG_USEC", "200000");
    let path = program.folder().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let manager = Manager(socket);
    let mut server = program
        .env("NOTIFY_SOCKET", &path.display().to_string())
        .start();

    assert_eq!(manager.next(), "READY=1");
    let ready = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    // It listens already: no attempt is repeated.
    let answer = server.try_exchange(server.address(), ready).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for _ in 0..3 {
        assert_eq!(manager.next(), "WATCHDOG=1");
    }
    server.ask_to_stop();
    let mut after = Vec::new();
    while after.last().is_none_or(|last| last != "STOPPING=1") {
        after.push(manager.next());
    }
    // The drain takes longer than the limit of the watchdog, which is still served.
    assert_eq!(manager.next(), "WATCHDOG=1");
    assert_eq!(server.wait().code(), Some(0), "{}", server.output());
}

/// The program with a listener that it inherits, as systemd passes it.
fn inheriting(listener: &TcpListener, bind: SocketAddr) -> Program {
    let helpdesk = env!("CARGO_BIN_EXE_helpdesk");
    let passed = OwnedFd::from(listener.try_clone().unwrap());
    Program::new("/bin/sh")
        .arg("-c")
        .arg(&format!(
            "LISTEN_PID=$$ LISTEN_FDS=1 exec {helpdesk} 3<&0 </dev/null"
        ))
        .stdin(Stdio::from(passed))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", &bind.to_string())
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
}

/// Sends a request on a new connection. Fails the test if it is refused or cut.
fn exchange(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = b"GET /v1/stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn no_connection_is_refused_while_a_program_with_an_inherited_listener_restarts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = inheriting(&listener, address).start();
    assert_eq!(server.address(), address);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let client = || {
            let mut answered = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = exchange(address);
                assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
                answered += 1;
            }
            answered
        };
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        for _ in 0..3 {
            server.ask_to_stop();
            assert_eq!(server.wait().code(), Some(0), "{}", server.output());
            server = inheriting(&listener, address).start();
            assert_eq!(server.address(), address);
        }
        done.store(true, Ordering::Relaxed);
        for client in clients {
            assert!(client.join().unwrap() > 0);
        }
    });
}

#[test]
fn an_inherited_listener_that_no_setting_names_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ended = inheriting(&listener, "127.0.0.1:1".parse().unwrap())
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for words in [
        "LISTEN_FDS",
        &address.to_string(),
        "server.bind",
        "admin.bind",
    ] {
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
}
