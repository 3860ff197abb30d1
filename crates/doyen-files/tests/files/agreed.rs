//! Row, object and event agree, however a request ends.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use doyen::domain::JobStatus;
use doyen::files::{FileId, Sweep};
use doyen::jobs::Worker;
use doyen::prelude::*;
use doyen_test::{ClamdServer, TestApp, scale};

use crate::kit::{
    PNG, Unscanned, age, events, file, folder, form, kept, objects, send, text, until_objects,
};
use crate::process::Process;

/// Runs the sweeper.
pub(crate) async fn sweep(app: &TestApp) -> u64 {
    let jobs = app.inject::<Jobs>().await;
    let id = jobs
        .enqueue_now(Sweep {})
        .await
        .unwrap_or_else(|error| panic!("{}", error.error()));
    let worker = app.inject::<Worker>().await;
    worker
        .run_due()
        .await
        .unwrap_or_else(|error| panic!("{}", error.error()));
    let job = jobs
        .find(id)
        .await
        .unwrap_or_else(|error| panic!("{}", error.error()));
    let job = job.expect("the job exists");
    assert_eq!(job.status, JobStatus::Done, "{:?}", job.error);
    job.result.expect("a result")["removed"]
        .as_u64()
        .expect("a number")
}

#[doyen_test::test]
async fn a_file_exists_if_its_request_committed(app: Unscanned) {
    let folder = folder(&app).await;
    let one = || file("name=\"file\"; filename=\"a.txt\"", "text/plain", b"hello");
    // The handler fails after it has kept both files.
    send(&app, &[one(), one(), text("name=\"note\"", "fail")])
        .await
        .expect_problem(409, "on_purpose");
    until_objects(&folder, 0).await;
    assert_eq!(app.count("files").await, 0);
    assert!(events(&app).await.is_empty());
    // The handler drops the file.
    let media_type = format!("multipart/form-data; boundary={}", crate::kit::BOUNDARY);
    let body = form(&[one()]);
    app.post("/dropped")
        .body(&media_type, body)
        .send()
        .await
        .expect(204);
    until_objects(&folder, 0).await;
    // The second file is refused: the first one is gone too.
    let bad = file(
        "name=\"file\"; filename=\"b.png\"",
        "image/png",
        b"not a PNG",
    );
    send(&app, &[one(), bad])
        .await
        .expect_problem(422, "file_type_mismatch");
    until_objects(&folder, 0).await;
    let good = kept(&app, "a.png", "image/png", PNG).await;
    app.delete(format!("/files/{good}"))
        .send()
        .await
        .expect(204);
    assert_eq!(events(&app).await, ["file.stored", "file.removed"]);
    until_objects(&folder, 0).await;
}

#[doyen_test::test]
async fn the_sweeper_removes_only_what_no_row_needs(app: Unscanned) {
    let folder = folder(&app).await;
    let id = kept(&app, "a.txt", "text/plain", b"hello").await;
    let quarantine = folder.join("quarantine");
    let orphans = [
        quarantine.join(format!("{}.part", FileId::new())),
        quarantine.join(FileId::new().to_string()),
        folder.join("published").join(FileId::new().to_string()),
        // A second copy of a file that can be read.
        quarantine.join(&id),
    ];
    let shard = |id: &str| folder.join("published").join(&id[id.len() - 2..]);
    for orphan in &orphans {
        let name = orphan.file_name().unwrap().to_str().unwrap();
        let path = match orphan.starts_with(folder.join("published")) {
            true => shard(name).join(name),
            false => orphan.clone(),
        };
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "orphan").unwrap();
    }
    std::fs::write(quarantine.join("note.txt"), "of another program").unwrap();
    // They are too young.
    assert_eq!(sweep(&app).await, 0);
    assert_eq!(objects(&folder).len(), 6);
    age(&folder);
    assert_eq!(sweep(&app).await, 4);
    let left = objects(&folder);
    assert_eq!(left.len(), 2, "{left:?}");
    let sent = app
        .get(format!("/files/{id}/content"))
        .send()
        .await
        .expect(200);
    assert_eq!(sent.bytes(), b"hello");
}

fn start(url: &str, folder: &std::path::Path, clamd: &str, scan: &str) -> Process {
    let settings = [
        ("APP_JOBS__POLL_INTERVAL", "20ms"),
        ("APP_JOBS__LEASE", "600ms"),
        ("APP_FILES__SCANNER", "clamd"),
        ("APP_FILES__CLAMD", clamd),
        ("APP_FILES__SCAN", scan),
    ];
    Process::start(url, folder, &settings)
}

/// Uploads until the process is killed, this long after its first response. Returns the ids that
/// were acknowledged.
pub(crate) fn upload_until_killed(process: &mut Process, kill_after: Duration) -> Vec<String> {
    let body = form(&[file(
        "name=\"file\"; filename=\"a.txt\"",
        "text/plain",
        &[b'a'; 30_000],
    )]);
    let head = format!(
        "POST /files HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary={}\r\n\r\n",
        body.len(),
        crate::kit::BOUNDARY
    );
    let request = [head.as_bytes(), &body].concat();
    let (sender, ids) = mpsc::channel();
    let uploading: Vec<_> = (0..3)
        .map(|_| {
            let (address, request) = (process.address.clone(), request.clone());
            let sender = sender.clone();
            std::thread::spawn(move || {
                loop {
                    let Ok(mut stream) = TcpStream::connect(&address) else {
                        return;
                    };
                    let mut answer = String::new();
                    if stream.write_all(&request).is_err()
                        || stream.read_to_string(&mut answer).is_err()
                        || !answer.contains(" 201 ")
                    {
                        return;
                    }
                    let id = answer
                        .split("\"id\":\"")
                        .nth(1)
                        .and_then(|rest| rest.split('"').next());
                    let _ = sender.send(id.expect("an id").to_owned());
                }
            })
        })
        .collect();
    drop(sender);
    let first = ids.recv().expect("one upload succeeds");
    wait(kill_after);
    process.kill();
    for thread in uploading {
        thread.join().unwrap();
    }
    std::iter::once(first).chain(ids).collect()
}

#[allow(
    clippy::disallowed_methods,
    reason = "nothing else runs on the thread of such a test"
)]
fn wait(time: Duration) {
    std::thread::sleep(time);
}

/// Every acknowledged file is there, every row has its object and its event, and the sweeper
/// removes the rest.
#[doyen_test::test]
async fn nothing_is_lost_or_left_after_kills(app: Unscanned) {
    let clamd = ClamdServer::start();
    let folder = folder(&app).await;
    let (url, address) = (app.database_url().to_owned(), clamd.unix());
    let kills = scale(5, 200);
    let killing = {
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || {
            let mut acknowledged = Vec::new();
            for round in 0..kills {
                let scan = if round % 2 == 0 { "later" } else { "before" };
                let mut process = start(&url, &folder, &address, scan);
                // Each round at another point.
                let time = Duration::from_millis(7 * (round as u64 % 29));
                acknowledged.extend(upload_until_killed(&mut process, time));
            }
            acknowledged
        })
    };
    let acknowledged: BTreeSet<String> = killing.await.unwrap().into_iter().collect();
    // Another process finishes what waits: the scans.
    let (url, address, at) = (app.database_url().to_owned(), clamd.unix(), folder.clone());
    let last = tokio::task::spawn_blocking(move || start(&url, &at, &address, "later"))
        .await
        .unwrap();
    let scanned = async {
        while app.count("files WHERE status = 'scanning'").await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let scanned = tokio::time::timeout(Duration::from_secs(60), scanned).await;
    drop(last);
    assert!(scanned.is_ok(), "some files were not scanned");
    age(&folder);
    sweep(&app).await;
    // The ids in the database are UUIDs.
    let rows = app.count("files").await;
    let found = objects(&folder)
        .into_iter()
        .filter(|path| path.contains("/published/"));
    let found: BTreeSet<String> = found
        .map(|path| path.rsplit('/').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        found.len(),
        usize::try_from(rows).unwrap(),
        "rows and objects differ"
    );
    assert_eq!(
        objects(&folder).len(),
        found.len(),
        "something was left in quarantine"
    );
    assert!(
        acknowledged.is_subset(&found),
        "an acknowledged file was lost"
    );
    for id in &found {
        let shown = app.get(format!("/files/{id}")).send().await.expect(200);
        assert_eq!(shown.text_at("/status"), "clean");
    }
    let topics = events(&app).await;
    let count = |topic: &str| topics.iter().filter(|one| *one == topic).count();
    let scanned_later = count("file.quarantined");
    assert!(scanned_later > 0 && scanned_later < found.len());
    assert_eq!(count("file.cleared"), scanned_later);
    assert_eq!(count("file.stored"), found.len() - scanned_later);
}
