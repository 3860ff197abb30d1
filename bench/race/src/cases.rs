//! The six cases, and the databases they run on.

/// A case. `bench/README.md` has the requests and responses.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) number: u8,
    pub(crate) title: &'static str,
    /// File in `bench/wrk`.
    pub(crate) script: &'static str,
    /// True if the case needs a database.
    pub(crate) data: bool,
}

pub(crate) const CASES: [Case; 6] = [
    Case {
        number: 1,
        title: "Constant response",
        script: "json.lua",
        data: false,
    },
    Case {
        number: 2,
        title: "Echo of a validated body",
        script: "echo.lua",
        data: false,
    },
    Case {
        number: 3,
        title: "One row by primary key",
        script: "row.lua",
        data: true,
    },
    Case {
        number: 4,
        title: "Twenty rows, one statement each",
        script: "many.lua",
        data: true,
    },
    Case {
        number: 5,
        title: "Page of fifty rows with names and counts",
        script: "page.lua",
        data: true,
    },
    Case {
        number: INSERT,
        title: "Row inserted in a transaction",
        script: "insert.lua",
        data: true,
    },
];

/// Number of the case that inserts rows.
pub(crate) const INSERT: u8 = 6;

/// Database of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Store {
    /// No database, for the cases that need none.
    None,
    Postgres,
    Sqlite,
}

impl Store {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Postgres, Self::Sqlite];

    /// Returns the name in arguments and file names.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    /// Returns the display name.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::None => "no database",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }

    /// Returns true if the case runs on this database.
    pub(crate) fn has(self, case: &Case) -> bool {
        case.data == (self != Self::None)
    }
}
