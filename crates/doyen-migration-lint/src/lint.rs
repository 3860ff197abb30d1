//! Runs the rules over files.

use doyen_data::migrate::{Script, Statement};

use crate::change::Change;
use crate::known::Made;
use crate::{Code, File, Finding, allow, rules};

/// What is in the database when a file is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The tables of all other files, in use and with rows: each file is a release of its own.
    Each,
    /// Nothing of these files: they are applied together, one after the other.
    Run,
}

/// A file with its statements.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a File<'a>,
    pub(crate) script: &'a Script<'a>,
    pub(crate) steps: Vec<Step<'a>>,
}

/// A statement, and what is known before it.
pub(crate) struct Step<'a> {
    pub(crate) statement: &'a Statement<'a>,
    pub(crate) change: Change,
    /// True if it changes only what these files make: nothing uses it yet.
    pub(crate) is_on_new: bool,
    /// True if it copies rows of a table that these files do not make.
    pub(crate) copies_existing: bool,
}

/// The findings of one file.
pub(crate) struct Findings<'a> {
    file: &'a File<'a>,
    pub(crate) all: Vec<Finding>,
}

impl Findings<'_> {
    /// Adds a finding about a statement of the file that applies the migration.
    pub(crate) fn add(&mut self, code: Code, statement: &Statement<'_>) {
        let path = self.file.path("up");
        let finding = Finding::new(code, path, statement.line, statement.text);
        if !self.all.contains(&finding) {
            self.all.push(finding);
        }
    }

    /// Adds a finding about the file that reverts the migration.
    pub(crate) fn add_down(&mut self, code: Code) {
        let path = self.file.path("down");
        self.all.push(Finding::new(code, path, 1, self.file.down));
    }
}

/// Lints files, in the order in which they are applied.
///
/// ```
/// use doyen_data::sea_orm::DbBackend;
/// use doyen_migration_lint::{Code, File, Scope, lint};
///
/// let file = File {
///     up: "ALTER TABLE orders DROP COLUMN article;",
///     down: "ALTER TABLE orders ADD COLUMN article text;",
///     backend: DbBackend::Sqlite,
///     path: "migrations/sqlite/2_article".to_owned(),
/// };
/// let findings = lint(&[file], Scope::Each);
/// assert_eq!(findings[0].code, Code::DropColumn);
/// assert_eq!(findings[0].file, "migrations/sqlite/2_article.up.sql");
/// ```
pub fn lint(files: &[File<'_>], scope: Scope) -> Vec<Finding> {
    let mut made = Made::default();
    let mut all = Vec::new();
    for file in files {
        // A comment is not useless because the table is new in this database.
        let alone = lint_file(file, &mut Made::default());
        let mut findings = match scope {
            Scope::Each => alone.clone(),
            Scope::Run => lint_file(file, &mut made),
        };
        allow::apply(file, &alone, &mut findings);
        findings.sort_by_key(|finding| finding.line);
        all.extend(findings);
    }
    all
}

fn lint_file(file: &File<'_>, made: &mut Made) -> Vec<Finding> {
    let script = Script::parse(file.up, file.backend);
    let steps = script.statements.iter().map(|statement| {
        let change = Change::of(statement.text, file.backend);
        let is_on_new = made.has_all_of(&change);
        let copies_existing = match &change {
            Change::Insert { from, .. } => from.iter().any(|table| !made.has(table)),
            _ => false,
        };
        made.add(&change);
        Step {
            statement,
            change,
            is_on_new,
            copies_existing,
        }
    });
    let source = Source {
        file,
        script: &script,
        steps: steps.collect(),
    };
    let all = Vec::new();
    let mut findings = Findings { file, all };
    rules::check(&source, &mut findings);
    findings.all
}
