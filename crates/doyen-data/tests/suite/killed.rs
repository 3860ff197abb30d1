//! After the process was killed, acknowledged changes exist and no change is partial.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use doyen_core::Access;
use doyen_data::{Database, DatabaseOptions};

use crate::harness::both;
use crate::session::count;

const URL: &str = "DOYEN_DATA_TEST_CHILD";

/// The process to kill: this program, with a variable that makes it write forever. Without the
/// variable the test is empty.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let database = Database::connect(&DatabaseOptions::new(url)).await.unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "\nbegin").unwrap();
    loop {
        let session = database.session(Access::Write);
        let email = uuid::Uuid::now_v7();
        for part in ["a", "b"] {
            let row = format!("{email}-{part}");
            session
                .execute_sql("INSERT INTO customers (email) VALUES ($1)", [row.into()])
                .await
                .unwrap();
        }
        session.commit().await.unwrap();
        writeln!(out, "{email}").unwrap();
        out.flush().unwrap();
    }
}

both! {
    async fn what_was_acknowledged_is_there(fresh) {
        fresh.migrated().await;
        let mut acknowledged = 0;
        for round in 0..8 {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "killed::child", "--nocapture"])
                .env(URL, &fresh.url)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
            let mut written: Vec<String> = Vec::new();
            for line in lines.skip_while(|line| line != "begin").skip(1) {
                written.push(line);
                // In the middle of the next one; its output is read to the end.
                if written.len() == 5 + round {
                    child.kill().unwrap();
                }
            }
            child.wait().unwrap();
            let written: Vec<&String> = written.iter().filter(|line| line.len() == 36).collect();
            assert!(written.len() >= 5 + round, "the child wrote too little: {written:?}");
            for email in &written {
                assert_eq!(count(&fresh.database, &format!("customers WHERE email LIKE '{email}-%'")).await, 2, "{email} was acknowledged");
            }
            acknowledged += i64::try_from(written.len()).unwrap();
            let rows = count(&fresh.database, "customers").await;
            assert!(rows % 2 == 0 && rows >= 2 * acknowledged, "{rows} rows, {acknowledged} acknowledged");
        }
    }
}
