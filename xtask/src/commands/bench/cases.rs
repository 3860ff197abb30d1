//! The six things that are asked, and the places where the data may lie.

/// One case. `bench/README.md` has the requests and the answers.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) number: u8,
    pub(super) title: &'static str,
    /// In `bench/wrk`.
    pub(super) script: &'static str,
    /// Whether it needs a database.
    pub(super) data: bool,
}

pub(super) const CASES: [Case; 6] = [
    Case {
        number: 1,
        title: "A constant",
        script: "json.lua",
        data: false,
    },
    Case {
        number: 2,
        title: "A body, checked and sent back",
        script: "echo.lua",
        data: false,
    },
    Case {
        number: 3,
        title: "One row by its key",
        script: "row.lua",
        data: true,
    },
    Case {
        number: 4,
        title: "Twenty rows, a statement each",
        script: "many.lua",
        data: true,
    },
    Case {
        number: 5,
        title: "A page of fifty with names and counts",
        script: "page.lua",
        data: true,
    },
    Case {
        number: INSERT,
        title: "A row inserted in a transaction",
        script: "insert.lua",
        data: true,
    },
];

/// The case that leaves rows behind.
pub(super) const INSERT: u8 = 6;

/// Where the data lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Store {
    /// Nowhere: the servers run without a database, for the cases that need none.
    Nowhere,
    Postgres,
    Sqlite,
}

impl Store {
    pub(super) const ALL: [Self; 3] = [Self::Nowhere, Self::Postgres, Self::Sqlite];

    /// The word on the command line and in file names.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Nowhere => "none",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    /// The name for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Nowhere => "no database",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }

    /// Whether the case is asked of servers with this store.
    pub(super) fn has(self, case: &Case) -> bool {
        case.data == (self != Self::Nowhere)
    }
}
