//! The settings of the plugin.

use std::path::PathBuf;
use std::time::Duration;

use doyen_settings::{ByteSize, Settings};

/// Evidence of anti-patterns in requests.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct EvidenceSettings {
    /// Share of the requests that are observed, from 0 to 1. If not set, 0 in `prod` and 1
    /// otherwise. With 0, nothing is measured.
    #[setting(min = 0, max = 1)]
    pub sample: Option<f64>,
    /// Runs of one query in one request from which it is a `repeated_statement`.
    #[setting(default = 5, min = 2)]
    pub repeated_statements: u32,
    /// Time that a request may use or block its thread without an `await`; then it is a
    /// `blocking_poll`. Linux only.
    #[setting(default = "10ms", min = "1ms")]
    pub blocking: Duration,
    /// Time that an open transaction may wait for something other than a statement; then it is a
    /// `connection_held`.
    #[setting(default = "100ms", min = "1ms")]
    pub idle_transaction: Duration,
    /// Duration of a transaction from which it is a `long_transaction`.
    #[setting(default = "1s", min = "1ms")]
    pub long_transaction: Duration,
    /// Rows that a query without a limit may return; then it is an `unbounded_list`.
    #[setting(default = 1000, min = 1)]
    pub list_rows: u32,
    /// Size of a JSON response, before compression, above which it is a `large_response`.
    #[setting(default = "1 MiB")]
    pub response_size: ByteSize,
    /// Loads of one cached value that run at the same time in a process, from which they are a
    /// `cache_stampede`.
    #[setting(default = 5, min = 2)]
    pub concurrent_loads: u32,
    /// Findings that are expected: a code, or a code, a method and the template of a route, such as
    /// `repeated_statement GET /reports/{year}`. They are neither logged nor counted.
    #[setting(default = [])]
    pub allow: Vec<String>,
    /// File for the statements of observed requests, which the command `explain` reads. It has no
    /// values of parameters. If not set, `data/statements.json` in `dev`, and none otherwise.
    pub record: Option<PathBuf>,
    /// Rows of a table from which the command `explain` reports that all are read.
    #[setting(default = 1000, min = 1)]
    pub scan_rows: u32,
}
