//! Logging in a process of its own: real standard output, also after its reader is gone.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use doyen_core::{AccessRecord, AccessSink as _, Timestamp};
use doyen_observe::{LogOptions, init};

const CHILD: &str = "DOYEN_TEST_LOG_CHILD";

/// The child process: this test binary, run with only this test. In the parent it does nothing.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let logs = init(&LogOptions {
        filter: "info,noisy=off".to_owned(),
        ..LogOptions::default()
    })
    .unwrap();
    assert!(
        init(&LogOptions::default()).is_err(),
        "a second time is refused"
    );
    tracing::debug!("not logged");
    tracing::error!(target: "noisy", "not logged");
    tracing::info!(n = 1, "first");
    logs.access_log().write(&AccessRecord {
        method: "GET",
        path: "/",
        status: 200,
        ..AccessRecord::at(Timestamp::from_micros(0))
    });
    tracing::info!("last");
    assert!(logs.flush());

    // From here on the other end of the pipe is closed.
    std::io::stdin().read_line(&mut String::new()).unwrap();
    for n in 0..100 {
        tracing::error!(n, "not read");
    }
    assert!(logs.flush());
    drop(logs);
    #[expect(
        clippy::disallowed_methods,
        reason = "the harness would print, and panic because the pipe is closed"
    )]
    std::process::exit(42);
}

#[test]
fn lines_arrive_in_order_and_a_closed_output_stops_nothing() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // Lines that are no JSON come from the harness.
        if let Ok(line) = serde_json::from_str::<serde_json::Value>(&line.unwrap()) {
            let last = line["message"] == "last";
            lines.push(line);
            if last {
                break;
            }
        }
    }
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0]["message"], "first");
    assert_eq!(lines[0]["target"], "process");
    assert_eq!(lines[1]["target"], "access");

    child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(42));
}
