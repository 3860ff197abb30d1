//! Mails as files, for development.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use doyen_core::{Clock, Mail, Mailer, NotDelivered, port};

/// Writes each mail to its own file, in readable form, and logs the path.
#[derive(Clone)]
pub struct FileMailer {
    path: PathBuf,
    clock: Arc<dyn Clock>,
}

impl FileMailer {
    /// Creates a mailer for this folder, which is created with the first mail.
    pub fn new(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            path: path.into(),
            clock,
        }
    }

    fn write(&self, mail: &Mail) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.path)?;
        // In order of time, with distinct names for mails of one moment.
        let time = self.clock.now().to_string().replace([':', '.'], "-");
        let path = self
            .path
            .join(format!("{time}-{}.txt", uuid::Uuid::new_v4().simple()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // A mail may contain a link that works like a password.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        write!(
            file,
            "To: {}\nSubject: {}\n\n{}\n",
            mail.to(),
            mail.subject(),
            mail.text()
        )?;
        Ok(path)
    }
}

#[port]
impl Mailer for FileMailer {
    async fn deliver(&self, mail: &Mail) -> Result<(), NotDelivered> {
        let path = self.write(mail).map_err(NotDelivered::retryable)?;
        tracing::info!(target: "mail", path = %path.display(), subject = mail.subject(), "a mail was written to a file");
        Ok(())
    }
}

impl std::fmt::Debug for FileMailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileMailer")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
