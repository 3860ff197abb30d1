//! A small application with two domains, `orders` and `accounts`, and a shared kernel, `access`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen_layers::{Error, Report, check};

const MANIFEST: &str = "\
    [package]\nname = \"shop\"\n\
    [package.metadata.doyen]\ndomain-crates = [\"chrono\"]\nshared-kernel = [\"access\"]\n\
    [dependencies]\ndoyen = \"1\"\nchrono = \"1\"\nsea-orm = \"2\"\ntracing = \"0.1\"\n";

const FILES: [(&str, &str); 14] = [
    ("Cargo.toml", MANIFEST),
    (
        "src/lib.rs",
        "pub mod access;\npub mod accounts;\npub mod orders;\nmod settings;\n",
    ),
    ("src/settings.rs", "pub struct Settings;\n"),
    (
        "src/access.rs",
        "use doyen::domain::Id;\npub struct User(Id<u8>);\n",
    ),
    (
        "src/accounts/mod.rs",
        "mod api;\npub mod domain;\nmod infrastructure;\npub use domain::Account;\npub enum Plan { Free }\n",
    ),
    ("src/accounts/api.rs", "use super::domain::Account;\n"),
    ("src/accounts/domain.rs", "pub struct Account;\n"),
    (
        "src/accounts/infrastructure.rs",
        "use super::domain::Account;\npub struct SqlAccounts;\n",
    ),
    (
        "src/orders/mod.rs",
        "mod api;\npub mod domain;\nmod infrastructure;\nuse domain::Orders;\nuse infrastructure::SqlOrders;\n",
    ),
    (
        "src/orders/api.rs",
        "use doyen::prelude::*;\nuse super::domain::Orders;\nuse crate::accounts::{Account, Plan};\n\
         fn plan() -> Plan { crate::accounts::Plan::Free }\n",
    ),
    (
        "src/orders/domain.rs",
        "//! [`x`](crate::orders::infrastructure)\n\
         mod order;\npub use order::Order;\nuse std::{fmt, sync::Arc};\n\
         use doyen::domain::{Id, Timestamp, id::Named};\nuse crate::access::User;\n\
         pub enum Status { Open }\npub use Status::Open;\npub struct Orders(Vec<Order>, chrono::Day, u8);\n\
         const TEXT: &str = \"sea_orm::Entity\"; // use sea_orm::Entity;\n\
         #[cfg(test)]\nmod tests;\n#[cfg(test)]\nmod memory { use sea_orm::Entity; }\n",
    ),
    (
        "src/orders/domain/order.rs",
        "use super::Status;\nuse super::super::domain as own;\npub struct Order;\n",
    ),
    (
        "src/orders/domain/tests.rs",
        "use crate::orders::infrastructure::SqlOrders;\nuse sea_orm::Entity;\n",
    ),
    (
        "src/orders/infrastructure.rs",
        "use doyen::data::Session;\nuse sea_orm::Entity;\nuse super::domain::Orders;\npub struct SqlOrders;\n",
    ),
];

/// An application whose folder is removed when the value is dropped.
pub(crate) struct App {
    folder: PathBuf,
    files: BTreeMap<String, String>,
}

impl App {
    /// Creates the correct application.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doyen-layers-{}-{number}", std::process::id());
        let files = FILES.map(|(path, text)| (path.to_owned(), text.to_owned()));
        Self {
            folder: std::env::temp_dir().join(name),
            files: files.into(),
        }
    }

    /// Replaces or adds a file.
    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// Removes a file.
    pub(crate) fn without(mut self, path: &str) -> Self {
        self.files.remove(path);
        self
    }

    /// Adds a line at the start of a file, after its documentation.
    pub(crate) fn line(mut self, path: &str, line: &str) -> Self {
        let text = self.files.get_mut(path).unwrap();
        *text = format!(
            "{line}\n{}",
            text.trim_start_matches("//! [`x`](crate::orders::infrastructure)\n")
        );
        self
    }

    pub(crate) fn check(&self) -> Result<Report, Error> {
        for (path, text) in &self.files {
            let file = self.folder.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        check(&self.folder)
    }

    /// Returns the findings as `file:line rule target`.
    pub(crate) fn findings(&self) -> Vec<String> {
        let report = self.check().unwrap();
        let show = |finding: &doyen_layers::Finding| {
            format!(
                "{}:{} {:?} {}",
                finding.file.display(),
                finding.line,
                finding.rule,
                finding.target
            )
        };
        report.findings.iter().map(show).collect()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns the findings after this line was added to this file.
pub(crate) fn with(path: &str, line: &str) -> Vec<String> {
    App::new().line(path, line).findings()
}
