//! The program with a certificate: both protocols, sockets, the exchange of the certificate, and
//! files that cannot be used.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use doyen_test::{Program, Running};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use toolkit::certificates::{Authority, ServerCertificate};

use crate::server::{field, request};

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// The program, and the files of its certificate in its folder.
struct Site {
    authority: Authority,
    folder: std::path::PathBuf,
    server: Running,
}

fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_LOG__FORMAT", "json")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
}

fn encrypted() -> Program {
    program()
        .env("APP_SERVER__TLS__CERTIFICATE", "tls.crt")
        .env("APP_SERVER__TLS__KEY", "tls.key")
}

fn write(folder: &std::path::Path, pair: &ServerCertificate) {
    std::fs::write(folder.join("tls.crt"), &pair.certificate).unwrap();
    std::fs::write(folder.join("tls.key"), &pair.key).unwrap();
}

impl Site {
    fn start() -> Self {
        let (authority, program) = (Authority::new(), encrypted());
        let folder = program.folder().to_owned();
        write(&folder, &authority.server());
        std::fs::write(folder.join("root.pem"), authority.certificate()).unwrap();
        Self {
            authority,
            folder,
            server: program.start(),
        }
    }

    fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let root = self.authority.certificate_der().to_vec();
        roots.add(CertificateDer::from(root)).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }

    fn connect(&self) -> Stream {
        connect(self.server.address(), self.client()).unwrap()
    }

    fn exchange(&self, request: &str) -> String {
        exchange(&mut self.connect(), request).unwrap()
    }

    /// The certificate that a new connection gets.
    fn shown(&self) -> Vec<u8> {
        let mut stream = self.connect();
        let ready = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        assert!(
            exchange(&mut stream, ready)
                .unwrap()
                .starts_with("HTTP/1.1 200")
        );
        stream.conn.peer_certificates().unwrap()[0].to_vec()
    }

    fn hang_up(&self) {
        let sent = Command::new("kill")
            .args(["-HUP", &self.server.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// Waits for this number of lines of the log with these words.
    fn wait_for_lines(&self, words: &str, count: usize) {
        let found = self.server.wait_for(|| {
            let output = self.server.output();
            (output.matches(words).count() >= count).then_some(())
        });
        found.unwrap_or_else(|| panic!("no `{words}` in\n{}", self.server.output()));
    }
}

fn connect(address: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<Stream> {
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let name = "localhost".try_into().unwrap();
    let session = ClientConnection::new(config, name).map_err(std::io::Error::other)?;
    Ok(StreamOwned::new(session, socket))
}

/// Sends a request and reads until the server closes, which it must announce.
fn exchange(stream: &mut Stream, request: &str) -> std::io::Result<String> {
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn the_program_speaks_both_protocols_over_tls() {
    let site = Site::start();
    let address = site.server.address();
    for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", option, "--include"])
            .arg("--cacert")
            .arg(site.folder.join("root.pem"))
            .args(["--write-out", "\nversion %{http_version} %{scheme}"])
            .arg(format!("https://localhost:{}/readyz", address.port()))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.contains(&format!("version {version} https")),
            "{text}{error}"
        );
        assert!(
            text.contains("strict-transport-security: max-age=31536000"),
            "{text}"
        );
    }
    assert!(
        site.server.output().contains(r#""scheme":"https""#),
        "{}",
        site.server.output()
    );
    let plain = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let refused = site.server.try_exchange(address, plain).unwrap();
    assert!(
        refused.starts_with("HTTP/1.1 400") && refused.contains("`https`"),
        "{refused}"
    );
    let Site { server, .. } = site;
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn a_web_socket_works_over_tls() {
    let site = Site::start();
    let person = r#"{"email": "ada@example.com", "password": "correct horse battery staple""#;
    let register = format!("{person}, \"name\": \"Ada\"}}");
    site.exchange(&request("POST", "/v1/auth/register", "", &register));
    let login = site.exchange(&request(
        "POST",
        "/v1/auth/login",
        "",
        &format!("{person}}}"),
    ));
    let token = field(&login, "access_token");
    let mut stream = site.connect();
    let open = format!(
        "GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: helpdesk.v1\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(open.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    // A text with the mask 0.
    let message = br#"{"type":"ping"}"#;
    let mut frame = vec![
        0x81,
        0x80 | u8::try_from(message.len()).unwrap(),
        0,
        0,
        0,
        0,
    ];
    frame.extend(message);
    for _ in 0..3 {
        stream.write_all(&frame).unwrap();
        let mut answer = [0; 2 + 15];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer[2..], br#"{"type":"pong"}"#);
    }
    // The drain closes it: a close frame, then `close_notify`.
    site.server.ask_to_stop();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.first(), Some(&0x88), "{rest:?}");
}

#[test]
fn the_certificate_is_replaced_at_sighup_under_traffic() {
    let site = Site::start();
    let (stop, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (address, client) = (site.server.address(), site.client());
    let get = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let pair = site.authority.server();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let mut stream = connect(address, Arc::clone(&client))?;
                        let answer = exchange(&mut stream, get)?;
                        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                    std::io::Result::Ok(())
                })
            })
            .collect();
        let first = site.shown();
        write(&site.folder, &pair);
        site.hang_up();
        site.wait_for_lines("certificate loaded", 2);
        assert_eq!(site.shown(), pair.certificate_der);
        assert_ne!(first, pair.certificate_der);
        // Half a file.
        std::fs::write(site.folder.join("tls.crt"), &pair.certificate[..100]).unwrap();
        site.hang_up();
        site.wait_for_lines("the certificate was not replaced", 1);
        site.wait_for_lines("tls.crt", 3);
        assert_eq!(site.shown(), pair.certificate_der);
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap().unwrap();
        }
    });
    assert!(served.load(Ordering::Relaxed) > 0);
    // The first one has expired. No client would trust it, so there is no traffic.
    write(
        &site.folder,
        &site.authority.server_between((2001, 1, 1), (2002, 1, 1)),
    );
    site.hang_up();
    site.wait_for_lines("has expired", 1);
    write(&site.folder, &pair);
    site.hang_up();
    site.wait_for_lines("certificate loaded", 4);
    let Site { server, .. } = site;
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn a_wrong_certificate_or_key_is_named_at_the_start() {
    let (one, other) = (Authority::new().server(), Authority::new().server());
    for (certificate, key, setting, words) in [
        (
            None,
            Some(&one.key),
            "server.tls.certificate",
            "tls.crt cannot be read",
        ),
        (
            Some(&one.key),
            Some(&one.key),
            "server.tls.certificate",
            "has no certificate",
        ),
        (
            Some(&one.certificate),
            None,
            "server.tls.key",
            "tls.key cannot be read",
        ),
        (
            Some(&one.certificate),
            Some(&other.key),
            "server.tls.key",
            "does not belong",
        ),
    ] {
        let program = encrypted();
        for (name, text) in [("tls.crt", certificate), ("tls.key", key)] {
            if let Some(text) = text {
                std::fs::write(program.folder().join(name), text).unwrap();
            }
        }
        let ended = program.run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let is_named = ended.stderr.contains(setting) && ended.stderr.contains(words);
        assert!(is_named, "{setting} {words}: {ended:?}");
    }
    for (variable, missing) in [
        ("APP_SERVER__TLS__CERTIFICATE", "server.tls.key"),
        ("APP_SERVER__TLS__KEY", "server.tls.certificate"),
    ] {
        let ended = program().env(variable, "tls.pem").run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(missing), "{ended:?}");
        assert!(ended.stderr.contains("Set both, or neither"), "{ended:?}");
    }
}

#[test]
fn the_expiry_of_the_certificate_is_a_metric() {
    let program = encrypted();
    let pair = Authority::new().server_between((2020, 1, 1), (2100, 1, 1));
    write(program.folder(), &pair);
    let server = program.start();
    let admin = server.wait_for(|| {
        let output = server.output();
        let after = output.split(r#""admin":""#).nth(1)?;
        after.split('"').next()?.parse().ok()
    });
    let admin = admin.unwrap_or_else(|| panic!("no admin address:\n{}", server.output()));
    let get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let metrics = server.try_exchange(admin, get).unwrap();
    let sample = "\ntls_certificate_expiry_timestamp_seconds 4102444800\n";
    assert!(metrics.contains(sample), "{metrics}");
}
