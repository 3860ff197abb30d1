//! The codes of findings, with what each locks or breaks and the safe rewrite.
//!
//! Codes are stable. The table of the guide `docs/guide/migrations.md` is this list; a test
//! compares them.

/// The databases that a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Databases {
    /// Both.
    Both,
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl Databases {
    /// Returns the names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Databases::Both => "both",
            Databases::Postgres => "PostgreSQL",
            Databases::Sqlite => "SQLite",
        }
    }
}

macro_rules! codes {
    ($($name:ident $text:literal $databases:ident $why:literal $rewrite:literal)+) => {
        /// What a finding is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $why] $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// Returns the stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }

            /// Returns the databases that it is for.
            pub const fn databases(self) -> Databases {
                match self { $(Code::$name => Databases::$databases,)+ }
            }

            /// Returns what the statement locks or breaks.
            pub const fn why(self) -> &'static str {
                match self { $(Code::$name => $why,)+ }
            }

            /// Returns the safe rewrite.
            pub const fn rewrite(self) -> &'static str {
                match self { $(Code::$name => $rewrite,)+ }
            }
        }
    };
}

codes! {
    IndexNotConcurrent "index_not_concurrent" Postgres
        "Locks the table in `SHARE` mode: writes wait until the index is built."
        "`CREATE INDEX CONCURRENTLY` in a file of its own that begins with `-- no-transaction`."
    DropIndexNotConcurrent "drop_index_not_concurrent" Postgres
        "Locks the table in `ACCESS EXCLUSIVE` mode: reads and writes wait."
        "`DROP INDEX CONCURRENTLY` in a file that begins with `-- no-transaction`."
    ReindexNotConcurrent "reindex_not_concurrent" Postgres
        "Locks the table: writes wait until the index is rebuilt, and reads that use it wait too."
        "`REINDEX .. CONCURRENTLY` in a file that begins with `-- no-transaction`."
    DetachPartition "detach_partition" Postgres
        "Locks the table in `ACCESS EXCLUSIVE` mode: reads and writes wait."
        "`DETACH PARTITION .. CONCURRENTLY` in a file that begins with `-- no-transaction`."
    ConcurrentlyInTransaction "concurrently_in_transaction" Postgres
        "Fails: `CONCURRENTLY` is not allowed in a transaction, and a migration is one."
        "Put `-- no-transaction` into the first line, and nothing else into the file."
    ConstraintCheckedAtOnce "constraint_checked_at_once" Postgres
        "Checks all rows while the table is locked: writes wait, and reads too if it is a part of the same transaction as other changes. A foreign key locks both tables."
        "`ADD CONSTRAINT .. NOT VALID`, and `VALIDATE CONSTRAINT` in a later migration."
    IndexByConstraint "index_by_constraint" Postgres
        "A unique constraint or primary key builds an index with an `ACCESS EXCLUSIVE` lock: reads and writes wait."
        "`CREATE UNIQUE INDEX CONCURRENTLY`, then `ADD CONSTRAINT .. USING INDEX` in a later migration."
    NotNullScan "not_null_scan" Postgres
        "`SET NOT NULL` reads all rows with an `ACCESS EXCLUSIVE` lock: reads and writes wait."
        "`ADD CONSTRAINT .. CHECK (column IS NOT NULL) NOT VALID`; in a later migration `VALIDATE CONSTRAINT`, then `SET NOT NULL`, which uses it."
    ColumnRewritesTable "column_rewrites_table" Postgres
        "A volatile default or a stored generated column rewrites the table with an `ACCESS EXCLUSIVE` lock: reads and writes wait."
        "Add the column without the default, set the default in a second statement, and fill it in batches."
    ColumnType "column_type" Postgres
        "Most changes of a type rewrite the table and its indexes with an `ACCESS EXCLUSIVE` lock, and running code may not read the new type."
        "Add a column of the new type, write both, fill it in batches, then read it, and drop the old one later."
    TableRewrite "table_rewrite" Postgres
        "`VACUUM FULL` and `CLUSTER` rewrite the table with an `ACCESS EXCLUSIVE` lock: reads and writes wait."
        "`VACUUM`, or a tool that rewrites online, such as `pg_repack`."
    LockTable "lock_table" Postgres
        "Locks the table until the commit."
        "Leave it out: each statement takes the lock that it needs."
    Truncate "truncate" Postgres
        "Deletes all rows with an `ACCESS EXCLUSIVE` lock: running code loses its data, and reads and writes wait."
        "Delete in batches, from a job."
    TimeoutChanged "timeout_changed" Postgres
        "Replaces the limit on waiting for locks or on the duration of statements, so that the migration may block all traffic."
        "Leave it out, and change `database.migration_lock_timeout` or `database.migration_statement_timeout`."
    RequiredColumn "required_column" Both
        "A column that is `NOT NULL` without a default cannot be added to a table with rows, and inserts of running code fail."
        "Add it with a constant default; or nullable, fill it in batches, and make it `NOT NULL` in a later release."
    RenameColumn "rename_column" Both
        "Statements of running code name the old column and fail."
        "Add a column, write both, fill it in batches, read the new one, and drop the old one in a later release."
    RenameTable "rename_table" Both
        "Statements of running code name the old table and fail."
        "Create a table with the new name and move the data in steps; on PostgreSQL also: rename it, and create a view with the old name in the same migration, with a reason."
    RenameObject "rename_object" Postgres
        "Statements of running code use the old name or schema and fail."
        "Create the new object next to the old one, and drop the old one in a later release."
    DropColumn "drop_column" Both
        "Statements of running code that name the column fail. SQLite also rewrites all rows, and the writer waits."
        "First release code that does not name the column; drop it in the release after that, with a reason."
    DropTable "drop_table" Both
        "Statements of running code on the table fail, and its data is lost."
        "First release code that does not use the table; drop it in the release after that, with a reason."
    DropView "drop_view" Both
        "Statements of running code on the view fail."
        "Create it again in the same migration with all of its columns; or drop it after a release that does not use it, with a reason."
    DropObject "drop_object" Postgres
        "Running code that uses the object fails."
        "First release code that does not use it; drop it in the release after that, with a reason."
    DropNotNull "drop_not_null" Postgres
        "Running code that reads the column does not expect NULL."
        "First release code that reads NULL, then allow it, with a reason."
    IndexBlocksWriter "index_blocks_writer" Sqlite
        "Holds the only write lock of the database while all rows of the table are read."
        "None that does not block. If the table is small, or at a quiet time, give the reason."
    NonConstantDefault "non_constant_default" Sqlite
        "Fails if the table has rows: SQLite adds columns only with a constant default."
        "Add the column without the default, and fill it in batches."
    TableRebuild "table_rebuild" Sqlite
        "Copies all rows in one transaction, which holds the only write lock; the indexes and triggers of the old table are dropped with it."
        "Add a column or an index instead. If there is no other way and the table is small, create its indexes and triggers again, and give the reason."
    RebuildRenamesOld "rebuild_renames_old" Sqlite
        "Renaming the old table makes the foreign keys, triggers and views of others follow it, so that they refer to a table that is dropped."
        "Create the new table under another name, copy, drop the old table, and rename the new one last."
    ForeignKeysPragma "foreign_keys_pragma" Sqlite
        "Has no effect in a transaction, and a migration is one."
        "Leave it out: foreign keys are not enforced while a migration runs, and are checked before its commit."
    BackfillWithSchemaChange "backfill_with_schema_change" Both
        "The locks of the schema change are held until all rows are written."
        "Move the change of the rows into a migration or a job after this one, in batches."
    BackfillAtOnce "backfill_at_once" Both
        "Writes all rows in one transaction: they stay locked until the commit. On SQLite all other writers wait."
        "Write in batches from a job. On PostgreSQL also: a `-- no-transaction` file with a `DO` block that commits after each batch with a `LIMIT`."
    TransactionControl "transaction_control" Both
        "The migration is refused: it is one transaction already, or with `-- no-transaction` one for each statement."
        "Leave out `BEGIN`, `COMMIT` and `ROLLBACK`."
    MissingDown "missing_down" Both
        "The file that reverts the migration has no statement, so that `migrate down` changes nothing and the next `up` fails."
        "Write the statements that revert it."
    NotParsed "not_parsed" Postgres
        "The linter cannot read the statement, so that no rule was applied to it."
        "Correct the syntax. If PostgreSQL accepts it, give the reason."
    AllowUnused "allow_unused" Both
        "The comment allows a code that the migration does not have."
        "Remove the comment."
    AllowMalformed "allow_malformed" Both
        "The comment is not of the form `-- doyen: allow <code> because <reason>`, or names an unknown code."
        "Write the code and the reason."
}

impl Code {
    /// Returns the code with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// Returns true for a code about the comments, which no comment allows.
    pub(crate) fn is_about_comments(self) -> bool {
        matches!(self, Code::AllowUnused | Code::AllowMalformed)
    }

    /// Returns the table of all codes, as Markdown.
    pub fn table() -> String {
        let head = "| code | database | locks or breaks | instead |\n| --- | --- | --- | --- |\n";
        Self::ALL.iter().fold(head.to_owned(), |table, code| {
            let (name, database) = (code.as_str(), code.databases().as_str());
            let (why, rewrite) = (code.why(), code.rewrite());
            table + &format!("| `{name}` | {database} | {why} | {rewrite} |\n")
        })
    }
}
