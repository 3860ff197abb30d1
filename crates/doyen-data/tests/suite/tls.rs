//! Typed reads on a server that requires TLS.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen_core::Access;
use doyen_data::{Database, DatabaseOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use toolkit::certificates::Authority;

use crate::harness::Fresh;
use crate::reads::fast_session;

/// The first bytes of a client that requests TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A proxy in front of the server that accepts TLS only.
struct Door {
    port: u16,
    /// The authority of its certificate, which is for `localhost`.
    root: String,
    entered: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
}

impl Door {
    async fn before(server: String) -> Self {
        let authority = Authority::new();
        let pair = authority.server();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(pair.certificate_der)],
                PrivateKeyDer::try_from(pair.key_der).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Self {
            port: listener.local_addr().unwrap().port(),
            root: authority.certificate().to_owned(),
            entered: Arc::default(),
            refused: Arc::default(),
        };
        let (entered, refused) = (Arc::clone(&door.entered), Arc::clone(&door.refused));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, acceptor) = (server.clone(), acceptor.clone());
                let (entered, refused) = (Arc::clone(&entered), Arc::clone(&refused));
                tokio::spawn(async move {
                    let mut first = [0; 8];
                    client.read_exact(&mut first).await?;
                    if first != SSL_REQUEST {
                        refused.fetch_add(1, Ordering::SeqCst);
                        return Ok(());
                    }
                    client.write_all(b"S").await?;
                    let mut client = acceptor.accept(client).await?;
                    entered.fetch_add(1, Ordering::SeqCst);
                    let mut server = TcpStream::connect(server).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut server)
                        .await
                        .map(drop)
                });
            }
        });
        door
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_as_secure_as_the_pool() {
    let fresh = Fresh::postgres().await;
    let (server, name) = fresh.url.rsplit_once('/').unwrap();
    let (user, host) = server.rsplit_once('@').unwrap();
    let door = Door::before(host.to_owned()).await;
    let file = std::env::temp_dir().join(format!("doyen-root-{}.pem", std::process::id()));
    std::fs::write(&file, &door.root).unwrap();
    let root = file.display();
    for (host, words) in [
        ("localhost", "sslmode=require".to_owned()),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={root}")),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={root}"),
        ),
    ] {
        let url = format!("{user}@{host}:{}/{name}?{words}", door.port);
        let before = door.entered.load(Ordering::SeqCst);
        let database = Database::connect(&DatabaseOptions::new(url)).await.unwrap();
        let alone = door.entered.load(Ordering::SeqCst);
        assert_eq!(
            alone,
            before + 2,
            "{words}: one for the pool, one for the readiness check"
        );
        fast_session(&database).await;
        assert!(door.entered.load(Ordering::SeqCst) > alone, "{words}");
        // The cancellation of an abandoned statement uses TLS as well.
        let session = database.session(Access::Read);
        let endless = session.query_as::<crate::pipelines::Number>(
            "SELECT 1::bigint AS number FROM pg_sleep(600)",
            [],
        );
        let given_up = tokio::time::timeout(std::time::Duration::from_millis(20), endless);
        assert!(given_up.await.is_err());
        crate::pipelines::until("it is cancelled", async || {
            crate::pipelines::sleeping(&fresh).await == 0
        })
        .await;
        database.close().await;
    }
    assert_eq!(door.refused.load(Ordering::SeqCst), 0);
    std::fs::remove_file(file).unwrap();
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_machine_tls_is_used_if_requested() {
    let fresh = Fresh::postgres().await;
    let (server, name) = fresh.url.rsplit_once('/').unwrap();
    let (user, host) = server.rsplit_once('@').unwrap();
    let door = Door::before(host.to_owned()).await;
    let count = |which: &AtomicU32| which.load(Ordering::SeqCst);
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("{user}@{host}:{}/{name}", door.port);
        let before = count(&door.refused);
        let refused = Database::connect(&DatabaseOptions::new(&url)).await;
        assert!(refused.is_err(), "the door wants TLS");
        assert!(count(&door.refused) > before);
        assert_eq!(count(&door.entered), 0);
    }
    let url = format!("{user}@localhost:{}/{name}?sslmode=prefer", door.port);
    let database = Database::connect(&DatabaseOptions::new(url)).await.unwrap();
    fast_session(&database).await;
    assert!(
        count(&door.entered) > 2,
        "the pool's, that of the readiness check, and the pipelined one"
    );
    database.close().await;
    fresh.drop().await;
}
