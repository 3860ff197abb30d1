//! Redis behind TLS, as managed services offer it.

use std::sync::Arc;

use doyen_test::{Program, RedisServer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use toolkit::certificates::Authority;

use crate::support::redis_is;

/// An authority, and a server certificate of it for `localhost`.
fn certificates() -> (String, ServerConfig) {
    let authority = Authority::new();
    let server = authority.server();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(server.certificate_der)],
            PrivateKeyDer::try_from(server.key_der).unwrap(),
        )
        .unwrap();
    (authority.certificate().to_owned(), config)
}

/// Ends TLS before Redis. Gives the port.
async fn tls_before(redis: String, config: ServerConfig) -> u16 {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, redis) = (acceptor.clone(), redis.clone());
            tokio::spawn(async move {
                if let Ok(mut client) = acceptor.accept(client).await {
                    let mut server = TcpStream::connect(redis).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    port
}

#[test]
fn redis_is_reached_over_tls_if_its_certificate_is_trusted() {
    let redis = RedisServer::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (root, config) = certificates();
    let address = redis.url().replace("redis://", "");
    let port = runtime.block_on(tls_before(address, config));
    let program = || {
        Program::new(env!("CARGO_BIN_EXE_helpdesk"))
            .env("APP_ENV", "test")
            .env("APP_SERVER__BIND", "127.0.0.1:0")
            .env("APP_ADMIN__BIND", "127.0.0.1:0")
            .env("REDIS_URL", &format!("rediss://localhost:{port}"))
    };
    let trusting = program();
    let file = trusting.folder().join("root.pem");
    std::fs::write(&file, root).unwrap();
    redis_is(
        &trusting
            .env("SSL_CERT_FILE", &file.display().to_string())
            .start(),
        "ok",
    );
    redis_is(&program().start(), "down");
}

#[test]
fn a_cluster_of_redis_servers_is_refused_by_name() {
    for scheme in ["redis-cluster", "redis+cluster"] {
        let ended = Program::new(env!("CARGO_BIN_EXE_helpdesk"))
            .env("APP_ENV", "test")
            .env(
                "REDIS_URL",
                &format!("{scheme}://:s3cret@a:26379,b:26379/main"),
            )
            .run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let named = ended.stderr.contains("redis.url") && ended.stderr.contains(scheme);
        assert!(named && !ended.stderr.contains("s3cret"), "{ended:?}");
    }
}
