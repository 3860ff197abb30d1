//! Opens pipelined connections with the settings of the pool's connections.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls_tokio_postgres::MakeRustlsConnect;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Client, Config, NoTls, SimpleQueryMessage, Socket};

use super::pipeline::{CLEANUP_TIMEOUT, PipelinedConnection};
use super::tls;
use crate::Pooler;
use crate::connection::{POOLER_FOUND, ServerSettings};

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Opens pipelined connections.
pub(crate) struct PipelineConnector {
    config: Config,
    settings: ServerSettings,
    /// TLS mode and root certificate, if TLS is used.
    secure: Option<(PgSslMode, Option<String>)>,
}

/// Cancels the query that runs on a connection.
pub(super) struct Canceller {
    token: CancelToken,
    tls: Option<MakeRustlsConnect>,
}

impl PipelineConnector {
    /// Returns `None` if the settings need a client certificate, which is not supported.
    pub(crate) fn new(
        options: &PgConnectOptions,
        settings: ServerSettings,
        timeout: Duration,
    ) -> Option<Self> {
        let url = UrlParts::of(options);
        let host = options.get_host().trim_matches(['[', ']']);
        let socket = options.get_socket();
        let mode = options.get_ssl_mode();
        let (ssl, secure) = match mode {
            PgSslMode::Disable | PgSslMode::Allow => (SslMode::Disable, None),
            PgSslMode::Prefer if socket.is_some() => (SslMode::Disable, None),
            PgSslMode::Prefer => (SslMode::Prefer, Some((mode, url.root))),
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => {
                if socket.is_some() {
                    return None;
                }
                (SslMode::Require, Some((mode, url.root)))
            }
        };
        if secure.is_some() && url.own_certificate {
            return None;
        }
        let mut config = Config::new();
        match socket {
            Some(folder) => config.host_path(folder),
            None => config.host(host),
        };
        config
            .port(options.get_port())
            .user(options.get_username())
            .ssl_mode(ssl)
            .connect_timeout(timeout)
            .application_name(format!(
                "{} reads",
                options.get_application_name().unwrap_or("doyen")
            ));
        let own = options.get_options().unwrap_or_default();
        match settings.pooler {
            // The startup parameters of sqlx. They follow those of the URL, as in sqlx.
            Pooler::None => {
                config.options(format!("{own} -c DateStyle=ISO,MDY -c TimeZone=UTC"));
            }
            _ if own.is_empty() => {}
            _ => {
                config.options(own);
            }
        }
        if let Some(database) = options.get_database() {
            config.dbname(database);
        }
        if let Some(password) = url.password {
            config.password(password);
        }
        Some(Self {
            config,
            settings,
            secure,
        })
    }

    pub(super) async fn open(
        &self,
        permit: OwnedSemaphorePermit,
    ) -> Result<Arc<PipelinedConnection>, Fault> {
        let Some((mode, root)) = self.secure.clone() else {
            return self.open_with(NoTls, None, permit).await;
        };
        // May read the file of the root certificate.
        let tls =
            tokio::task::spawn_blocking(move || tls::connector(mode, root.as_deref())).await??;
        self.open_with(tls.clone(), Some(tls), permit).await
    }

    async fn open_with<T>(
        &self,
        with: T,
        tls: Option<MakeRustlsConnect>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Arc<PipelinedConnection>, Fault>
    where
        T: MakeTlsConnect<Socket, Stream: Send + 'static>,
    {
        let connecting = self.config.connect(with);
        let (client, connection) = tokio::time::timeout(CLEANUP_TIMEOUT, connecting).await??;
        let canceller = Canceller {
            token: client.cancel_token(),
            tls,
        };
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection for reads was lost");
            }
            drop(permit);
        });
        if let Err(fault) = self.apply_settings(&client).await {
            task.abort();
            return Err(fault);
        }
        Ok(Arc::new(PipelinedConnection::new(
            client,
            canceller,
            task.abort_handle(),
        )))
    }
}

impl PipelineConnector {
    async fn apply_settings(&self, client: &Client) -> Result<(), Fault> {
        if let Some(sql) = self.settings.on_connect() {
            let sql = format!("{sql}; SET DateStyle = ISO, MDY; SET TimeZone = 'UTC'");
            client.batch_execute(&sql).await?;
        }
        if let Some(sql) = self.settings.check() {
            let answers = client.simple_query(&sql).await?;
            let is_set = answers.iter().any(
                |answer| matches!(answer, SimpleQueryMessage::Row(row) if row.get(0) == Some("t")),
            );
            if !is_set {
                return Err(POOLER_FOUND.into());
            }
        }
        Ok(())
    }
}

impl Canceller {
    pub(super) async fn cancel(&self) {
        let cancel = async {
            match &self.tls {
                Some(tls) => self.token.cancel_query(tls.clone()).await,
                None => self.token.cancel_query(NoTls).await,
            }
        };
        let failed = match tokio::time::timeout(CLEANUP_TIMEOUT, cancel).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(silence) => silence.to_string(),
        };
        tracing::warn!(
            error = failed,
            "an abandoned statement could not be cancelled; it runs until its timeout"
        );
    }
}

/// Settings that sqlx reads from the URL, the environment or the password file, and exposes only as
/// a URL.
struct UrlParts {
    password: Option<Vec<u8>>,
    root: Option<String>,
    own_certificate: bool,
}

impl UrlParts {
    fn of(options: &PgConnectOptions) -> Self {
        // User and host are replaced, because unusual ones make the URL invalid.
        let url = options.clone().username("user").host("host").to_url_lossy();
        let asked = |name: &str| {
            url.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        Self {
            password: url
                .password()
                .map(|encoded| percent_decode_str(encoded).collect()),
            root: asked("sslrootcert"),
            own_certificate: asked("sslcert").is_some() || asked("sslkey").is_some(),
        }
    }
}
