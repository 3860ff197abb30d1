//! The certificate of the public listener.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use doyen_core::Timestamp;
use doyen_web::{ServerOptions, Tls};

use crate::fault::Fault;
use crate::metrics::{Alert, Family, Samples};

/// How often the files are checked for a change. Kubernetes replaces a mounted secret without a
/// signal.
const POLL_INTERVAL: Duration = Duration::from_mins(1);

const EXPIRY: &str = "tls_certificate_expiry_timestamp_seconds";

pub(crate) const FAMILIES: &[Family] = &[Family::gauge(
    EXPIRY,
    "Time at which the certificate of the public listener expires, in seconds since 1970.",
)
.graph("tls_certificate_expiry_timestamp_seconds{$app} - time()")
.alerts(&[Alert::warning(
    "TlsCertificateExpires",
    "tls_certificate_expiry_timestamp_seconds{$app} - time() < 14 * 86400",
    "The certificate of the public listener expires in less than 14 days. Replace its files. If \
     they are new already, the log says why they were not read.",
)])];

/// The certificate of the public listener, once it is read. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct PublicTls {
    certificate: PathBuf,
    key: PathBuf,
    loaded: Arc<OnceLock<(Tls, Stamp)>>,
}

/// When the files were written, and how long they are.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl PublicTls {
    #[allow(clippy::unnecessary_wraps, reason = "the other one fails")]
    pub(super) fn new(certificate: PathBuf, key: PathBuf) -> Result<Self, Fault> {
        Ok(Self {
            certificate,
            key,
            loaded: Arc::default(),
        })
    }

    /// Collects the metric of the certificate.
    pub(crate) fn collect(&self, samples: &mut Samples) {
        if let Some((tls, _)) = self.loaded.get() {
            samples.value(EXPIRY, &[], timestamp(tls.validity().not_after).unix());
        }
    }

    /// Reads the files, and encrypts the connections of a listener.
    pub(crate) fn apply(&self, options: &mut ServerOptions) -> Result<(), Fault> {
        let stamp = self.stamp();
        let tls = Tls::load(&self.certificate, &self.key).map_err(|error| {
            let key = if error.is_about_key() {
                "server.tls.key"
            } else {
                "server.tls.certificate"
            };
            Fault::setting_error(key, error)
        })?;
        log(&tls);
        options.tls = Some(self.loaded.get_or_init(|| (tls, stamp)).0.clone());
        Ok(())
    }

    /// Reads the files again at each SIGHUP, and when they have changed.
    pub(crate) async fn keep_current(&self) -> Infallible {
        let mut hangup = Hangup::new();
        let Some((tls, mut stamp)) = self.loaded.get().cloned() else {
            return std::future::pending().await;
        };
        loop {
            let is_requested = tokio::select! {
                () = hangup.received() => true,
                () = tokio::time::sleep(POLL_INTERVAL) => false,
            };
            let now = self.stamp();
            if !is_requested && now == stamp {
                continue;
            }
            // Also after an error: it is logged once, until a file changes again.
            stamp = now;
            let tls = tls.clone();
            // A blocking task, because the files may be on a network.
            if let Err(error) = tokio::task::spawn_blocking(move || reload(&tls)).await {
                tracing::error!(%error, "the certificate was not read again");
            }
        }
    }

    fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key].map(|file| file_stamp(file))
    }
}

fn file_stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn reload(tls: &Tls) {
    match tls.reload() {
        Ok(()) => log(tls),
        Err(error) => tracing::error!(
            error = %error,
            "the certificate was not replaced: connections get the former one"
        ),
    }
}

fn log(tls: &Tls) {
    for warning in tls.warnings() {
        tracing::warn!("{warning}");
    }
    tracing::info!(
        file = %tls.certificate().display(),
        expires = %timestamp(tls.validity().not_after),
        "certificate loaded"
    );
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_micros(0) + since.unwrap_or_default()
}

/// SIGHUP, on systems that have it.
struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            signal: {
                use tokio::signal::unix::{SignalKind, signal};
                signal(SignalKind::hangup())
                    .inspect_err(|error| tracing::warn!(%error, "no reload at SIGHUP"))
                    .ok()
            },
        }
    }

    async fn received(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use toolkit::certificates::{Authority, ServerCertificate};

    use super::*;

    /// The files of a certificate, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let folder = format!("doyen-app-tls-{}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        /// Writes both files, at a time that is another one for each call.
        fn write(&self, certificate: &str, key: &str, second: u64) {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second);
            for (name, text) in [("tls.crt", certificate), ("tls.key", key)] {
                std::fs::write(self.0.join(name), text).unwrap();
                let file = std::fs::File::options()
                    .append(true)
                    .open(self.0.join(name));
                file.unwrap().set_modified(time).unwrap();
            }
        }

        fn write_pair(&self, pair: &ServerCertificate, second: u64) {
            self.write(&pair.certificate, &pair.key, second);
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn changed_files_are_noticed_without_a_signal() {
        let (folder, authority) = (Folder::new(), Authority::new());
        let until = |year| authority.server_between((2020, 1, 1), (year, 1, 1));
        folder.write_pair(&until(2100), 0);
        let public = PublicTls::new(folder.0.join("tls.crt"), folder.0.join("tls.key")).unwrap();
        let mut options = ServerOptions::new(([127, 0, 0, 1], 0).into());
        public.apply(&mut options).unwrap();
        let tls = options.tls.unwrap();
        let first = tls.validity();
        let checks = async {
            tokio::time::sleep(POLL_INTERVAL * 3).await;
            assert_eq!(tls.validity(), first);
            let second = until(2101);
            folder.write_pair(&second, 1);
            tokio::time::sleep(POLL_INTERVAL * 3).await;
            let renewed = tls.validity();
            assert!(renewed.not_after > first.not_after);
            // The new certificate is there before its key.
            let third = until(2102);
            folder.write(&third.certificate, &second.key, 2);
            tokio::time::sleep(POLL_INTERVAL * 3).await;
            assert_eq!(tls.validity(), renewed);
            folder.write_pair(&third, 3);
            tokio::time::sleep(POLL_INTERVAL * 3).await;
            assert!(tls.validity().not_after > renewed.not_after);
        };
        tokio::select! {
            () = checks => {}
            never = public.keep_current() => match never {},
        }
    }
}
