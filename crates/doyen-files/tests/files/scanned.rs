//! A real `clamd`, before and later, and what happens without it.

use std::time::Duration;

use doyen::jobs::Worker;
use doyen_test::{ClamdServer, Setup, TestApp};
use serde_json::json;

use crate::kit::{Unscanned, events, folder, kept, objects, send_file, setup_in, until_objects};

/// Starts the application with this scanner.
async fn scanned(app: &TestApp, clamd: String, more: impl FnOnce(Setup) -> Setup) -> TestApp {
    let setup = setup_in(crate::kit::new_folder())
        .set("files.scanner", "clamd")
        .set("files.clamd", &clamd);
    app.another(more(setup)).await
}

fn same(setup: Setup) -> Setup {
    setup
}

async fn run_due(app: &TestApp) -> usize {
    let worker = app.inject::<Worker>().await;
    let ran = worker.run_due().await;
    ran.unwrap_or_else(|error| panic!("{}", error.error()))
}

#[doyen_test::test]
async fn an_infected_file_is_never_kept(app: Unscanned) {
    let clamd = ClamdServer::start();
    for address in [clamd.unix(), clamd.tcp()] {
        let app = scanned(&app, address, same).await;
        let kept = send_file(&app, "a.txt", "text/plain", b"hello")
            .await
            .expect(201);
        assert_eq!(kept.at("/files/0/status"), json!("clean"));
        let eicar = ClamdServer::eicar();
        // Alone, and over the border of every chunk.
        let padded = [vec![b' '; 100_000], eicar.clone()].concat();
        for content in [&eicar, &padded] {
            send_file(&app, "eicar.txt", "text/plain", content)
                .await
                .expect_problem(422, "file_infected");
        }
        until_objects(&folder(&app).await, 1).await;
    }
    assert_eq!(app.count("files").await, 2);
}

/// The signature in two writes, at each place; and in an archive.
#[doyen_test::test]
async fn an_infected_file_is_found_in_pieces(app: Unscanned) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let clamd = ClamdServer::start();
    let app = scanned(&app, clamd.unix(), same).await;
    let server = app.serve().await;
    let eicar = ClamdServer::eicar();
    for cut in (1..eicar.len()).step_by(9) {
        let mut stream = server.connect().await;
        stream.set_nodelay(true).unwrap();
        let head = format!(
            "PUT /raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\n\
             Content-Length: {}\r\n\r\n",
            eicar.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&eicar[..cut]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
        stream.write_all(&eicar[cut..]).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert!(answer.contains("file_infected"), "{answer}");
    }
    let archive = crate::kinds::zip_of("eicar.com", &eicar);
    send_file(&app, "a.zip", "application/zip", &archive)
        .await
        .expect_problem(422, "file_infected");
    until_objects(&folder(&app).await, 0).await;
}

#[doyen_test::test]
async fn without_the_scanner_nothing_is_accepted(app: Unscanned) {
    let mut clamd = ClamdServer::start();
    let app = scanned(&app, clamd.unix(), |setup| {
        setup.set("files.scan_timeout", "300ms")
    })
    .await;
    let refused = async |content: &[u8]| {
        let answer = send_file(&app, "a.txt", "text/plain", content).await;
        let answer = answer.expect_problem(503, "scanner_unavailable");
        assert_eq!(answer.header("retry-after"), Some("10"));
    };
    clamd.pause();
    refused(b"hello").await;
    // More than the buffers of a socket.
    refused(&vec![b'a'; 1 << 20]).await;
    clamd.resume();
    send_file(&app, "a.txt", "text/plain", b"hello")
        .await
        .expect(201);
    clamd.kill();
    refused(b"hello").await;
    clamd.restart();
    send_file(&app, "a.txt", "text/plain", b"hello")
        .await
        .expect(201);
    until_objects(&folder(&app).await, 2).await;
}

/// The scanner is paused and killed while it scans: it has the file, and has not replied.
#[doyen_test::test]
async fn a_scanner_that_dies_in_the_middle_accepts_nothing(app: Unscanned) {
    let mut clamd = ClamdServer::start();
    let app = scanned(&app, clamd.unix(), same).await;
    let folder = folder(&app).await;
    for (is_killed, is_infected) in [(true, false), (false, false), (false, true)] {
        let content = match is_infected {
            true => ClamdServer::eicar(),
            false => b"hello".to_vec(),
        };
        let before = objects(&folder).len();
        clamd.pause();
        let upload = send_file(&app, "a.txt", "text/plain", &content);
        let end = async {
            // The file is complete, so its scan has begun or is about to.
            while objects(&folder.join("quarantine"))
                .first()
                .is_none_or(|name| name.ends_with(".part"))
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            match is_killed {
                true => clamd.kill(),
                false => clamd.resume(),
            }
        };
        let (answer, ()) = tokio::join!(upload, end);
        let kept = match (is_killed, is_infected) {
            (true, _) => {
                answer.expect_problem(503, "scanner_unavailable");
                clamd.restart();
                0
            }
            (_, true) => {
                answer.expect_problem(422, "file_infected");
                0
            }
            _ => {
                answer.expect(201);
                1
            }
        };
        until_objects(&folder, before + kept).await;
    }
}

#[doyen_test::test]
async fn a_file_above_the_limit_of_the_scanner_is_not_clean(app: Unscanned) {
    let clamd = ClamdServer::with_stream_limit(100_000);
    // This process knows the limit.
    let knows = scanned(&app, clamd.unix(), |setup| {
        setup.set("files.scan_max_bytes", "90 KiB")
    });
    let knows = knows.await;
    // This one does not: clamd says so.
    let learns = scanned(&app, clamd.unix(), same).await;
    for app in [knows, learns] {
        send_file(&app, "a.txt", "text/plain", &[b'a'; 50_000])
            .await
            .expect(201);
        send_file(&app, "a.txt", "text/plain", &[b'a'; 800_000])
            .await
            .expect_problem(413, "file_too_large");
        until_objects(&folder(&app).await, 1).await;
    }
}

#[doyen_test::test]
async fn a_later_scan_decides_who_can_read(app: Unscanned) {
    let mut clamd = ClamdServer::start();
    let app = scanned(&app, clamd.unix(), |setup| setup.set("files.scan", "later")).await;
    clamd.kill();
    // Accepted without the scanner, and not readable.
    let clean = kept(&app, "a.txt", "text/plain", b"hello").await;
    let infected = kept(&app, "b.txt", "text/plain", &ClamdServer::eicar()).await;
    let content = |id: &str| app.get(format!("/files/{id}/content"));
    content(&clean)
        .send()
        .await
        .expect_problem(409, "not_scanned");
    assert_eq!(run_due(&app).await, 2);
    content(&clean)
        .send()
        .await
        .expect_problem(409, "not_scanned");
    clamd.restart();
    app.clock().advance(Duration::from_secs(11));
    assert_eq!(run_due(&app).await, 2);
    assert_eq!(content(&clean).send().await.expect(200).bytes(), b"hello");
    content(&infected)
        .send()
        .await
        .expect_problem(410, "file_removed");
    let shown = app
        .get(format!("/files/{infected}"))
        .send()
        .await
        .expect(200);
    assert_eq!(shown.at("/status"), json!("infected"));
    let mut events = events(&app).await;
    events.sort();
    let expected = [
        "file.cleared",
        "file.infected",
        "file.quarantined",
        "file.quarantined",
    ];
    assert_eq!(events, expected);
    let folder = folder(&app).await;
    let objects = objects(&folder);
    assert!(
        objects.len() == 1 && objects[0].contains("published"),
        "{objects:?}"
    );
}

/// A file that the scanner refuses has an end, which is never "clean".
#[doyen_test::test]
async fn a_file_that_cannot_be_scanned_later_is_removed(app: Unscanned) {
    let clamd = ClamdServer::with_stream_limit(100_000);
    // This process does not know the limit of clamd.
    let app = scanned(&app, clamd.unix(), |setup| setup.set("files.scan", "later")).await;
    let id = kept(&app, "a.txt", "text/plain", &[b'a'; 800_000]).await;
    assert_eq!(run_due(&app).await, 1);
    let shown = app.get(format!("/files/{id}")).send().await.expect(200);
    assert_eq!(shown.at("/status"), json!("unscannable"));
    let content = app.get(format!("/files/{id}/content")).send().await;
    content.expect_problem(410, "file_removed");
    assert_eq!(events(&app).await, ["file.quarantined", "file.unscannable"]);
    until_objects(&folder(&app).await, 0).await;
}

/// A slow client does not occupy the scanner for others.
#[doyen_test::test]
async fn slow_uploads_do_not_occupy_the_scanner(app: Unscanned) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let clamd = ClamdServer::start();
    let app = scanned(&app, clamd.unix(), |setup| {
        setup.set("files.max_scans", "1")
    })
    .await;
    let (server, folder) = (app.serve().await, folder(&app).await);
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        let head = "PUT /raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                    Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nabc";
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    until_objects(&folder, 3).await;
    send_file(&app, "a.txt", "text/plain", b"hello")
        .await
        .expect(201);
    for mut stream in slow {
        stream.write_all(b"d").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("\"clean\""), "{answer}");
    }
    until_objects(&folder, 4).await;
}

/// A session that is kept is worth nothing after a restart, and its replies are those of one file.
#[doyen_test::test]
async fn a_kept_session_gives_the_verdict_of_each_file(app: Unscanned) {
    let mut clamd = ClamdServer::start();
    let app = scanned(&app, clamd.unix(), |setup| {
        setup.set("files.max_scans", "1")
    })
    .await;
    let eicar = ClamdServer::eicar();
    for is_restarted in [false, true, true] {
        if is_restarted {
            clamd.restart();
        }
        for _ in 0..3 {
            send_file(&app, "a.txt", "text/plain", b"hello")
                .await
                .expect(201);
            send_file(&app, "a.txt", "text/plain", &eicar)
                .await
                .expect_problem(422, "file_infected");
        }
    }
    until_objects(&folder(&app).await, 9).await;
}

/// While every place is taken, an upload waits as long as the settings say.
#[doyen_test::test]
async fn a_busy_scanner_is_waited_for(app: Unscanned) {
    let clamd = ClamdServer::start();
    let app = scanned(&app, clamd.unix(), |setup| {
        let setup = setup.set("files.max_scans", "1");
        setup.set("files.scan_timeout", "300ms")
    });
    let app = app.await;
    clamd.pause();
    let one = || send_file(&app, "a.txt", "text/plain", b"hello");
    for answer in <[_; 3]>::from(tokio::join!(one(), one(), one())) {
        answer.expect_problem(503, "scanner_unavailable");
    }
    clamd.resume();
    for answer in <[_; 3]>::from(tokio::join!(one(), one(), one())) {
        answer.expect(201);
    }
    until_objects(&folder(&app).await, 3).await;
}
