//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::field::Field;

const EXAMPLES: &str = "\
Examples:
  doyen new shop
  doyen generate domain orders sku:text quantity:u32 'status:enum(open,paid)' 'buyer:ref(users)' notes:text?
  doyen generate field orders 'priority:enum(low,high)'
  doyen generate migration order_notes
  doyen dev
  doyen client typescript
  doyen openapi diff --against main
  doyen doctor";

/// Creates and extends web APIs with Doyen
#[derive(Parser)]
#[command(name = "doyen", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    New(New),
    #[command(subcommand, visible_alias = "g")]
    Generate(Generate),
    Dev(Dev),
    Client(Client),
    #[command(subcommand)]
    Openapi(Openapi),
    Doctor(Doctor),
    Completions(Completions),
}

const NEW_EXAMPLES: &str = "\
Examples:
  doyen new shop                         domains, SQLite, accounts
  doyen new shop --postgres              SQLite and PostgreSQL
  doyen new shop --flat --no-accounts    the smallest service: one file
  doyen new shop --path ../doyen         with a checkout of Doyen";

/// Creates an application: code, tests, configuration, migrations, CI and a container recipe
#[derive(clap::Args)]
#[command(after_help = NEW_EXAMPLES)]
pub(crate) struct New {
    /// Folder of the application. Its last part is the name of the crate: `shop`, `work/my-api`
    pub(crate) folder: PathBuf,
    /// One file with the example resource instead of a folder with three layers
    #[arg(long)]
    pub(crate) flat: bool,
    /// PostgreSQL in addition to SQLite: migrations and tests for both
    #[arg(long)]
    pub(crate) postgres: bool,
    /// Without users, login and access tokens: anyone may call every route
    #[arg(long)]
    pub(crate) no_accounts: bool,
    /// Checkout of Doyen to depend on, instead of the published crates
    #[arg(long, value_name = "CHECKOUT")]
    pub(crate) path: Option<PathBuf>,
}

/// Generates code in the application of the current folder
#[derive(Subcommand)]
pub(crate) enum Generate {
    Domain(Domain),
    Field(AddField),
    Migration(Migration),
}

const FIELDS: &str = "\
Fields: name:type, with ? at the end if the value may be missing, and :unique if no two are the same

  text                 String, 1 to 1,000 characters
  u32, i64, f64, bool  numbers and booleans
  decimal              Decimal, an exact number: text in JSON
  date                 NaiveDate, a day
  timestamp            Timestamp
  enum(open,paid)      an enum with these variants, the first one for examples
  ref(products)        the id of a row of another domain; ref(users) is the id of a user

With accounts, the first required ref(users) is the owner: the caller who creates the row, and the
only one who can see it. Values are then unique among the rows of each owner.

";

const DOMAIN_EXAMPLES: &str = "\
Examples:
  doyen generate domain orders sku:text quantity:u32 'status:enum(open,paid)'
  doyen generate domain tasks 'owner:ref(users)' title:text due:date?
  doyen generate domain invoices number:text:unique due:date total:decimal
  doyen generate domain people --singular person name:text";

/// Generates a domain: routes, rules, storage, migrations and tests
#[derive(clap::Args)]
#[command(after_help = const_format(FIELDS, DOMAIN_EXAMPLES))]
pub(crate) struct Domain {
    /// Name of the domain, in the plural: `orders`
    pub(crate) name: String,
    /// Fields: `sku:text:unique`, `'status:enum(open,paid)'`, `notes:text?`
    #[arg(required = true, value_name = "FIELD")]
    pub(crate) fields: Vec<Field>,
    /// Name of one item, if it is not the plural without `s`
    #[arg(long, value_name = "WORD")]
    pub(crate) singular: Option<String>,
    /// Overwrites files that differ
    #[arg(long)]
    pub(crate) force: bool,
}

const FIELD_EXAMPLES: &str = "\
Examples:
  doyen generate field orders 'priority:enum(low,high)'
  doyen generate field orders gift:bool notes:text?";

/// Adds fields to a generated domain, in every layer, with a migration
#[derive(clap::Args)]
#[command(after_help = const_format(FIELDS, FIELD_EXAMPLES))]
pub(crate) struct AddField {
    /// Name of the domain: `orders`
    pub(crate) domain: String,
    /// Fields: `'priority:enum(low,high)'`, `notes:text?`
    #[arg(required = true, value_name = "FIELD")]
    pub(crate) fields: Vec<Field>,
}

const MIGRATION_EXAMPLES: &str = "\
Examples:
  doyen generate migration order_notes                 what the entities have and the tables do not
  doyen generate migration titles --rename orders.name=title
  doyen generate migration gifts --default orders.gift=false
  doyen generate migration no_notes --drop orders.notes
  doyen generate migration backfill --empty            for SQL of your own

Exit code: 0 if migrations were written or nothing differs, 1 if something has to be answered first";

/// Generates the migrations that the entities need, up and down, for each database
///
/// Runs the application, which applies all migrations to a new database and compares its tables
/// with those that the entities of the modules declare.
#[derive(clap::Args)]
#[command(after_help = MIGRATION_EXAMPLES)]
pub(crate) struct Migration {
    /// Name, in snake case: `order_notes`
    pub(crate) name: String,
    /// Writes an empty migration, without comparing anything
    #[arg(long, conflicts_with_all = ["rename", "drop", "keep", "default"])]
    pub(crate) empty: bool,
    /// A column that has a new name
    #[arg(long, value_name = "TABLE.OLD=NEW")]
    pub(crate) rename: Vec<String>,
    /// A column to drop
    #[arg(long, value_name = "TABLE.COLUMN")]
    pub(crate) drop: Vec<String>,
    /// A column that stays without a field
    #[arg(long, value_name = "TABLE.COLUMN")]
    pub(crate) keep: Vec<String>,
    /// The value of a new column in the rows that exist
    #[arg(long, value_name = "TABLE.COLUMN=VALUE")]
    pub(crate) default: Vec<String>,
    /// A PostgreSQL server where a database may be created, to apply the migrations; the one of
    /// `DOYEN_TEST_POSTGRES_URL` if not given
    ///
    /// Without one, the SQL for PostgreSQL is derived from the difference on SQLite.
    #[arg(long, value_name = "URL")]
    pub(crate) postgres_url: Option<String>,
}

const DEV_EXAMPLES: &str = "\
Examples:
  doyen dev
  doyen dev --open
  doyen dev --bind 127.0.0.1:8080";

/// Runs the application, and builds and restarts it after each change
///
/// The address stays open while the application restarts: requests wait. If a build fails, the
/// former one goes on. Builds are incremental unless `CARGO_INCREMENTAL` is set.
#[derive(clap::Args)]
#[command(after_help = DEV_EXAMPLES)]
pub(crate) struct Dev {
    /// Address of the application
    #[arg(long, default_value = "127.0.0.1:8000", env = "APP_SERVER__BIND")]
    pub(crate) bind: SocketAddr,
    /// Opens the page of the API in the browser after the first start
    #[arg(long)]
    pub(crate) open: bool,
}

const CLIENT_EXAMPLES: &str = "\
Examples:
  doyen client typescript                              clients/typescript, for openapi-fetch
  doyen client python --out shop_client                a package, on httpx
  doyen client typescript --document openapi.json      without the application";

/// Generates a client of the API in another language
///
/// The code is written by `openapi-typescript` (npm) or `openapi-python-client` (PyPI), which are
/// fetched if they are not installed.
#[derive(clap::Args)]
#[command(after_help = CLIENT_EXAMPLES)]
pub(crate) struct Client {
    /// The language
    pub(crate) language: Language,
    /// Folder to write; for Python the folder of the package
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// OpenAPI document, instead of that of the application
    #[arg(long, value_name = "FILE")]
    pub(crate) document: Option<PathBuf>,
}

/// A language that clients are generated for.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Language {
    Typescript,
    Python,
}

/// Works with OpenAPI documents
#[derive(Subcommand)]
pub(crate) enum Openapi {
    Diff(OpenapiDiff),
}

const DIFF_EXAMPLES: &str = "\
Examples:
  doyen openapi diff old.json new.json
  doyen openapi diff --against main              openapi.json, before and after the work
  doyen openapi diff --against v1.2 api/v1.json --json

Exit code: 0 if no change breaks clients, 1 if one does, 2 if a document cannot be read";

/// Lists the changes between two OpenAPI documents, those that break clients first
#[derive(clap::Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct OpenapiDiff {
    /// The older and the newer document. With `--against` only the newer one, `openapi.json` if it
    /// is left out
    #[arg(value_name = "DOCUMENT", num_args = 0..=2)]
    pub(crate) documents: Vec<PathBuf>,
    /// Branch, tag or commit whose document is the older one
    #[arg(long, value_name = "REVISION")]
    pub(crate) against: Option<String>,
    /// Prints the changes as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Checks the toolchain, the database, the ports, the disk and the settings
#[derive(clap::Args)]
#[command(after_help = "Exit code: 0 if everything is usable, 1 if something is not")]
pub(crate) struct Doctor {}

/// Prints the completions of a shell
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  doyen completions bash > ~/.local/share/bash-completion/completions/doyen"
)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Joins the description of fields and the examples of a command.
fn const_format(fields: &str, examples: &str) -> String {
    format!("{fields}{examples}")
}
