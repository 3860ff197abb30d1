//! NATS behind TLS, with a certificate that the system trusts or does not.

use std::process::Command;

use doyen::nats::Nats;
use doyen_test::NatsServer;
use toolkit::certificates::Authority;

const URL: &str = "DOYEN_NATS_TEST_CHILD";

/// The process that connects: this program, because the trusted certificates are read once in each
/// process. Without the variable the test is empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let nats = Nats::open(&url, None).unwrap();
    nats.ping().await.unwrap();
}

/// Connects in a process of its own. Returns whether it succeeded, and its output.
fn connect(url: &str, trusted: Option<&str>) -> (bool, String) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "tls::child", "--nocapture"]);
    child
        .env(URL, url)
        .envs(trusted.map(|file| ("SSL_CERT_FILE", file)));
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), text)
}

#[test]
fn nats_is_reached_over_tls_if_its_certificate_is_trusted() {
    let authority = Authority::new();
    let pair = authority.server();

    let folder = std::env::temp_dir().join(format!("doyen-nats-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (certificate, key) = (
        file("leaf.pem", &pair.certificate),
        file("key.pem", &pair.key),
    );
    let server = NatsServer::start_with(&format!(
        "tls {{ cert_file: \"{certificate}\", key_file: \"{key}\" }}\n"
    ));
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let root = file("root.pem", authority.certificate());
    let (connected, output) = connect(&format!("tls://localhost:{port}"), Some(&root));
    assert!(connected, "{output}");
    let (connected, output) = connect(&format!("tls://localhost:{port}"), None);
    assert!(!connected && output.contains("certificate"), "{output}");
    std::fs::remove_dir_all(&folder).unwrap();
}
