//! The record of statements, which the command `explain` reads.
//!
//! It is a file, so that the command can run when the application does not. It has the texts of
//! statements, without the values of their parameters, and is written every few seconds.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_app::{Registrar, StatementPlans, TaskKind};
use doyen_core::sync::lock;
use doyen_data::statement_shape;
use doyen_settings::Environment;
use serde::{Deserialize, Serialize};

use crate::EvidenceSettings;
use crate::explain::Explainer;

/// Maximum number of statements. Further ones are not recorded.
const MAX_STATEMENTS: usize = 500;
const SAVE_INTERVAL: Duration = Duration::from_secs(2);
const DEV_FILE: &str = "data/statements.json";

/// The statements of one run of the application.
#[derive(Debug)]
pub(crate) struct Record {
    file: PathBuf,
    statements: Mutex<HashMap<String, Recorded>>,
    is_dirty: AtomicBool,
}

/// A statement and its runs.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Recorded {
    /// The text of one run: its shape cannot be explained.
    pub(crate) sql: String,
    pub(crate) count: u64,
    pub(crate) micros: u64,
}

/// Provides the command `explain` with the record and the console with plans, and saves the record
/// if requests are observed.
pub(crate) fn register(
    settings: &EvidenceSettings,
    is_observing: bool,
    app: &mut Registrar<'_>,
) -> Option<Arc<Record>> {
    let default = (app.info().environment == Environment::Dev).then(|| PathBuf::from(DEV_FILE));
    let file = settings.record.clone().or(default);
    let explainer = Arc::new(Explainer {
        database: app.database(),
        record: file.clone(),
        scan_rows: settings.scan_rows,
    });
    app.provide(Arc::clone(&explainer));
    app.contribute(StatementPlans::new(move |sql| {
        let explainer = Arc::clone(&explainer);
        async move { explainer.one(&sql).await }
    }));
    if !is_observing {
        return None;
    }
    let record = Arc::new(Record {
        file: file?,
        statements: Mutex::default(),
        is_dirty: AtomicBool::new(false),
    });
    app.provide(Arc::clone(&record));
    app.task(
        "evidence record",
        TaskKind::Forever,
        |record: Arc<Record>, shutdown| async move {
            while shutdown.sleep(SAVE_INTERVAL).await {
                record.save();
            }
            record.save();
            Ok(())
        },
    );
    Some(record)
}

impl Record {
    pub(crate) fn add(&self, sql: &str, count: u32, time: Duration) {
        let mut statements = lock(&self.statements);
        let is_full = statements.len() >= MAX_STATEMENTS;
        let shape = statement_shape(sql);
        let recorded = match statements.get_mut(&shape) {
            Some(recorded) => recorded,
            None if is_full => return,
            None => statements.entry(shape).or_insert(Recorded {
                sql: sql.to_owned(),
                count: 0,
                micros: 0,
            }),
        };
        recorded.count += u64::from(count);
        recorded.micros += u64::try_from(time.as_micros()).unwrap_or_default();
        self.is_dirty.store(true, Ordering::Relaxed);
    }

    /// Writes the file if anything has changed. It is small, and written in development.
    fn save(&self) {
        if !self.is_dirty.swap(false, Ordering::Relaxed) {
            return;
        }
        let statements: Vec<Recorded> = lock(&self.statements).values().cloned().collect();
        if let Err(error) = write(&self.file, &statements) {
            let file = self.file.display();
            tracing::warn!(%file, %error, "the record of statements (`evidence.record`) cannot be written");
        }
    }
}

/// Replaces the file, so that a reader never sees half of it.
fn write(file: &Path, statements: &[Recorded]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let new = file.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&new, serde_json::to_vec_pretty(statements)?)?;
    std::fs::rename(&new, file)
}

/// Reads a record, the statements with the most time first.
///
/// # Errors
///
/// Returns an error that says what to do if there is no record, or if it cannot be read.
pub(crate) fn read(file: &Path) -> Result<Vec<Recorded>, String> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!(
            "there is no record of statements at `{name}`: serve the application, send it requests, and try again, or name a statement"
        ),
        _ => format!("the record of statements `{name}` cannot be read: {error}"),
    })?;
    let mut statements: Vec<Recorded> = serde_json::from_slice(&bytes).map_err(|error| {
        format!("`{name}` is not a record of statements ({error}): remove the file")
    })?;
    statements.sort_by(|one, other| (other.micros, &one.sql).cmp(&(one.micros, &other.sql)));
    Ok(statements)
}
