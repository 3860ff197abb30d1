//! How a lane is opened: with the same words as a connection of the pool.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Config, NoTls, Socket};

use super::lane::{Lane, PATIENCE};
use super::tls::Tls;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What a lane needs to be opened.
pub(crate) struct Opener {
    config: Config,
    /// How the connection is made secure; none where it need not be.
    secure: Option<(PgSslMode, Option<String>)>,
}

/// Asks the server to end what runs on a lane.
pub(super) struct Canceller {
    token: CancelToken,
    tls: Option<Tls>,
}

impl Opener {
    /// None when a lane could not be opened as the pool opens its connections: with a certificate of its own.
    pub(crate) fn new(options: &PgConnectOptions, patience: Duration) -> Option<Self> {
        let shown = Shown::of(options);
        let host = options.get_host().trim_matches(['[', ']']);
        let socket = options.get_socket();
        let mode = options.get_ssl_mode();
        let (ssl, secure) = match mode {
            PgSslMode::Disable | PgSslMode::Allow => (SslMode::Disable, None),
            PgSslMode::Prefer if socket.is_some() => (SslMode::Disable, None),
            PgSslMode::Prefer => (SslMode::Prefer, Some((mode, shown.root))),
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => {
                if socket.is_some() {
                    return None;
                }
                (SslMode::Require, Some((mode, shown.root)))
            }
        };
        if secure.is_some() && shown.own_certificate {
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
            .connect_timeout(patience)
            .application_name(format!(
                "{} reads",
                options.get_application_name().unwrap_or("doyen")
            ))
            // What sqlx says at the start of each connection; what the URL says comes first and can not undo it there either.
            .options(format!(
                "{} -c DateStyle=ISO,MDY -c TimeZone=UTC -c extra_float_digits=2",
                options.get_options().unwrap_or_default()
            ));
        if let Some(database) = options.get_database() {
            config.dbname(database);
        }
        if let Some(password) = shown.password {
            config.password(password);
        }
        Some(Self { config, secure })
    }

    pub(super) async fn open(&self, place: OwnedSemaphorePermit) -> Result<Arc<Lane>, Fault> {
        let Some((mode, root)) = self.secure.clone() else {
            return self.open_with(NoTls, None, place).await;
        };
        // It may read a file.
        let tls = tokio::task::spawn_blocking(move || Tls::new(mode, root.as_deref())).await??;
        self.open_with(tls.clone(), Some(tls), place).await
    }

    async fn open_with<T>(
        &self,
        with: T,
        tls: Option<Tls>,
        place: OwnedSemaphorePermit,
    ) -> Result<Arc<Lane>, Fault>
    where
        T: MakeTlsConnect<Socket, Stream: Send + 'static>,
    {
        let connecting = self.config.connect(with);
        let (client, connection) = tokio::time::timeout(PATIENCE, connecting).await??;
        let canceller = Canceller {
            token: client.cancel_token(),
            tls,
        };
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection for reads was lost");
            }
            drop(place);
        });
        Ok(Arc::new(Lane::new(client, canceller, task.abort_handle())))
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
        let failed = match tokio::time::timeout(PATIENCE, cancel).await {
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

/// What sqlx has from the URL, the environment or the password file, and shows in a URL only.
struct Shown {
    password: Option<Vec<u8>>,
    root: Option<String>,
    own_certificate: bool,
}

impl Shown {
    fn of(options: &PgConnectOptions) -> Self {
        // The rest of that URL is made up: with a strange name in it, it would not be a URL.
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
