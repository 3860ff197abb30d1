//! The exchange of a certificate while clients send requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::support::{Files, connect, get, run, soon};

/// The certificate that the server has shown.
fn shown(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_exchanged_under_traffic_without_a_failed_request() {
    let files = Arc::new(Files::new());
    let server = run(&files, |_| {}).await;
    let (address, stop, served) = (
        server.address,
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let mut clients = Vec::new();
    for number in 0..4 {
        let (files, stop) = (Arc::clone(&files), Arc::clone(&stop));
        let served = Arc::clone(&served);
        clients.push(tokio::spawn(async move {
            // Half of them resume their sessions.
            let kept = files.client(&["http/1.1"]);
            while !stop.load(Ordering::Relaxed) {
                let client = match number % 2 {
                    0 => kept.clone(),
                    _ => files.client(&["http/1.1"]),
                };
                let mut stream = connect(address, &client).await?;
                for _ in 0..3 {
                    get(&mut stream, "/hello").await?;
                    served.fetch_add(1, Ordering::Relaxed);
                }
            }
            std::io::Result::Ok(())
        }));
    }
    let more = |count: usize| {
        let (served, goal) = (Arc::clone(&served), served.load(Ordering::Relaxed) + count);
        soon(async move {
            while served.load(Ordering::Relaxed) < goal {
                tokio::task::yield_now().await;
            }
        })
    };
    let mut old = connect(address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    let mut former = shown(&old);
    for _ in 0..5 {
        more(20).await;
        let pair = files.authority.server();
        files.write(&pair);
        server.tls.reload().unwrap();
        let mut new = connect(address, &files.client(&["http/1.1"]))
            .await
            .unwrap();
        assert_eq!(shown(&new), pair.certificate_der);
        assert_ne!(shown(&new), former);
        former = shown(&new);
        for stream in [&mut old, &mut new] {
            assert_eq!(get(stream, "/hello").await.unwrap().1, "hello");
        }
    }
    more(20).await;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        soon(client).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_broken_file_keeps_the_former_certificate() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    let first = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    let pair = files.authority.server();
    // The new certificate is there before its key, half of it, or not at all.
    std::fs::write(files.certificate(), &pair.certificate).unwrap();
    let error = server.tls.reload().unwrap_err().to_string();
    assert!(
        error.contains("key.pem") && error.contains("does not belong"),
        "{error}"
    );
    std::fs::write(files.certificate(), &pair.certificate[..200]).unwrap();
    let error = server.tls.reload().unwrap_err().to_string();
    assert!(error.contains("certificate.pem"), "{error}");
    std::fs::remove_file(files.certificate()).unwrap();
    server.tls.reload().unwrap_err();
    let mut second = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    assert_eq!(shown(&first), shown(&second));
    assert_eq!(get(&mut second, "/hello").await.unwrap().1, "hello");
    files.write(&pair);
    server.tls.reload().unwrap();
    let third = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    assert_eq!(shown(&third), pair.certificate_der);
}

#[tokio::test]
async fn a_session_is_resumed_until_the_certificate_is_exchanged() {
    use tokio_rustls::rustls::HandshakeKind::{Full, Resumed};
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    let client = files.client(&["http/1.1"]);
    let mut kinds = Vec::new();
    for number in 0..4 {
        if number == 2 {
            files.write(&files.authority.server());
            server.tls.reload().unwrap();
        }
        let mut stream = connect(server.address, &client).await.unwrap();
        kinds.push(stream.get_ref().1.handshake_kind());
        // The tickets come with the response.
        get(&mut stream, "/hello").await.unwrap();
    }
    assert_eq!(kinds, [Full, Resumed, Full, Resumed].map(Some));
}
