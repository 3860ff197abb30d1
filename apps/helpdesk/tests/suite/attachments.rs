//! Files of tickets: upload, download, limits and scans.

use std::sync::Arc;

use doyen::jobs::Worker;
use doyen_test::{ClamdServer, Setup, Subject, TestApp};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::people::{ATTACHMENT, attachment};
use crate::support::{Helpdesk, Join as _, Person, TestFolder, patient};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

async fn ticket(person: &Person) -> String {
    person.opens("printer").await.text_at("/id")
}

fn content(id: &str) -> String {
    format!("/v1/attachments/{id}/content")
}

async fn objects(app: &TestApp) -> usize {
    let folder = app.inject::<Arc<TestFolder>>().await;
    let shards = std::fs::read_dir(folder.0.join("published"))
        .into_iter()
        .flatten();
    let all = shards
        .flatten()
        .flat_map(|shard| std::fs::read_dir(shard.path()));
    all.flatten().count()
}

#[doyen_test::test]
async fn a_file_is_attached_and_read(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let ticket = ticket(&ann).await;
    let added = ann
        .attaches(&ticket, "../shot.png", "image/png", PNG)
        .await
        .expect(201);
    let id = added.text_at("/id");
    assert!(id.starts_with("att_"), "{added}");
    assert_eq!(added.location(), format!("/v1/attachments/{id}"));
    assert_eq!(added.at("/name"), json!("shot.png"));
    assert_eq!(added.at("/media_type"), json!("image/png"));
    assert_eq!(added.at("/size"), json!(PNG.len()));
    assert_eq!(added.at("/status"), json!("clean"));
    assert_eq!(added.at("/uploaded_by/id"), json!(ann.id));
    assert_eq!(added.text_at("/_links/content/href"), content(&id));
    let sent = agent.get(content(&id)).send().await.expect(200);
    assert_eq!(sent.bytes(), PNG);
    assert_eq!(sent.header("x-content-type-options"), Some("nosniff"));
    let part = agent
        .get(content(&id))
        .header("range", "bytes=1-3")
        .send()
        .await;
    assert_eq!(part.expect(206).bytes(), b"PNG");
    let known = agent
        .get(content(&id))
        .if_none_match(sent.etag())
        .send()
        .await;
    known.expect(304);
    let shown = agent
        .get(format!("/v1/attachments/{id}"))
        .send()
        .await
        .expect(200);
    assert_eq!(shown.at("/sha256"), added.at("/sha256"));
    let list = agent
        .get(format!("/v1/tickets/{ticket}/attachments"))
        .send()
        .await;
    assert_eq!(list.expect(200).at("/items/0/id"), json!(id));
}

#[doyen_test::test]
async fn a_note_is_kept_and_a_key_attaches_once(app: Helpdesk) {
    let ann = app.as_customer().await;
    let path = format!("/v1/tickets/{}/attachments", ticket(&ann).await);
    let file = attachment("a.txt", "text/plain", b"hello");
    let note = b"--b7x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nSee line 3\r\n";
    let form = [&note[..], &file].concat();
    let send = || {
        let call = ann.post(&path).header("idempotency-key", "k-1");
        call.body(ATTACHMENT.0, form.clone()).send()
    };
    let first = send().await.expect(201);
    assert_eq!(first.at("/note"), json!("See line 3"));
    let again = send().await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.at("/id"), first.at("/id"));
    let list = ann.get(&path).send().await.expect(200);
    assert_eq!(list.at("/items").as_array().map(Vec::len), Some(1));
}

#[doyen_test::test]
async fn wrong_files_are_refused(app: Helpdesk) {
    let ann = app.as_customer().await;
    let ticket = ticket(&ann).await;
    let large = vec![b'a'; (10 << 20) + 1];
    for (name, media_type, bytes, status, code) in [
        (
            "b.png",
            "image/png",
            &b"%PDF-1.4 not a png"[..],
            422,
            "file_type_mismatch",
        ),
        (
            "c.exe",
            "application/x-msdownload",
            b"MZ",
            415,
            "file_type_not_allowed",
        ),
        ("big.txt", "text/plain", &large, 413, "file_too_large"),
    ] {
        let answer = ann.attaches(&ticket, name, media_type, bytes).await;
        answer.expect_problem(status, code);
    }
    assert_eq!(objects(&app).await, 0);
}

#[doyen_test::test]
async fn a_ticket_has_twenty_attachments(app: Helpdesk) {
    let ann = app.as_customer().await;
    let ticket = ticket(&ann).await;
    for _ in 0..20 {
        ann.attaches(&ticket, "a.txt", "text/plain", b"x")
            .await
            .expect(201);
    }
    let answer = ann.attaches(&ticket, "a.txt", "text/plain", b"x").await;
    answer.expect_problem(409, "too_many_attachments");
    assert_eq!(objects(&app).await, 20);
}

/// The helpdesk with a small quota. Its jobs wait: those of a test are for another node.
struct Small(TestApp);

impl Subject for Small {
    fn app() -> doyen::App {
        helpdesk::app()
    }
    fn setup() -> Setup {
        patient()
            .set("attachments.customer_quota", "2 KiB")
            .set("jobs.work", "false")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn customers_have_a_quota(app: Small) {
    let (ann, bob, agent) = (
        app.0.as_customer().await,
        app.0.as_customer().await,
        app.0.as_agent().await,
    );
    let (first, second) = (ticket(&ann).await, ticket(&ann).await);
    let kilobyte = [b'a'; 1024];
    let added = ann
        .attaches(&first, "a.txt", "text/plain", &kilobyte)
        .await
        .expect(201);
    ann.attaches(&second, "a.txt", "text/plain", &kilobyte)
        .await
        .expect(201);
    let more = || ann.attaches(&second, "a.txt", "text/plain", b"x");
    more()
        .await
        .expect_problem(413, "attachment_quota_exceeded");
    // The quota is that of a customer; agents have none.
    let other = ticket(&bob).await;
    bob.attaches(&other, "a.txt", "text/plain", &kilobyte)
        .await
        .expect(201);
    agent
        .attaches(&first, "a.txt", "text/plain", &[b'a'; 4096])
        .await
        .expect(201);
    let id = added.text_at("/id");
    ann.delete(format!("/v1/attachments/{id}"))
        .send()
        .await
        .expect(204);
    more().await.expect(201);
}

#[doyen_test::test]
async fn attachments_follow_their_ticket(app: Helpdesk) {
    let (ann, bob) = (app.as_customer().await, app.as_customer().await);
    let (agent, admin) = (app.as_agent().await, app.as_admin().await);
    let ticket = ticket(&ann).await;
    let by_agent = agent
        .attaches(&ticket, "a.txt", "text/plain", b"from us")
        .await;
    let id = by_agent.expect(201).text_at("/id");
    // The customer reads it, and cannot delete it.
    assert_eq!(
        ann.get(content(&id)).send().await.expect(200).bytes(),
        b"from us"
    );
    let path = format!("/v1/attachments/{id}");
    let shown = ann.get(&path).send().await.expect(200);
    assert!(shown.at("/_links").get("delete").is_none(), "{shown}");
    ann.delete(&path)
        .send()
        .await
        .expect_problem(403, "not_the_uploader");
    // For others it does not exist, like one that never did.
    let never = "/v1/attachments/att_01jd9m3z6veqjsk4dy2hjcg8x4";
    for path in [path.as_str(), never] {
        let answer = bob.get(path).send().await;
        answer.expect_problem(404, "attachment_not_found");
        let answer = bob.get(format!("{path}/content")).send().await;
        answer.expect_problem(404, "attachment_not_found");
        let answer = bob.delete(path).send().await;
        answer.expect_problem(404, "attachment_not_found");
    }
    bob.attaches(&ticket, "a.txt", "text/plain", b"x")
        .await
        .expect_problem(404, "ticket_not_found");
    // The ticket takes its files with it.
    ann.attaches(&ticket, "b.txt", "text/plain", b"mine")
        .await
        .expect(201);
    assert_eq!(objects(&app).await, 2);
    admin
        .delete(format!("/v1/tickets/{ticket}"))
        .send()
        .await
        .expect(204);
    admin.get(content(&id)).send().await.expect(404);
    assert_eq!(app.count("files").await, 0);
    assert_eq!(objects(&app).await, 0);
}

#[doyen_test::test]
async fn a_resumable_upload_is_attached(app: Helpdesk) {
    let (ann, bob) = (app.as_customer().await, app.as_customer().await);
    let path = format!("/v1/tickets/{}/attachments", ticket(&ann).await);
    let tus = |call: doyen_test::Call| call.header("tus-resumable", "1.0.0");
    let created = tus(ann.post("/v1/uploads")).header("upload-length", PNG.len().to_string());
    // `shot.png`, `image/png`.
    let created = created.header(
        "upload-metadata",
        "filename c2hvdC5wbmc=,filetype aW1hZ2UvcG5n",
    );
    let created = created.send().await.expect(201);
    let id = created.text_at("/id");
    assert_eq!(created.location(), format!("/v1/uploads/{id}"));
    let body = json!({"upload": id, "note": "See line 3"});
    let early = ann.post(&path).json(&body).send().await;
    early.expect_problem(409, "upload_incomplete");
    let patch = tus(ann.patch(created.location())).header("upload-offset", "0");
    let patch = patch.body("application/offset+octet-stream", PNG);
    patch.send().await.expect(204);
    // It is hers, and so is the ticket.
    let theirs = ticket(&bob).await;
    let theirs = bob
        .post(format!("/v1/tickets/{theirs}/attachments"))
        .json(&body);
    theirs.send().await.expect_problem(422, "upload_unknown");
    let send = || {
        ann.post(&path)
            .header("idempotency-key", "k")
            .json(&body)
            .send()
    };
    let added = send().await.expect(201);
    assert_eq!(added.at("/name"), json!("shot.png"));
    assert_eq!(added.at("/media_type"), json!("image/png"));
    assert_eq!(added.at("/note"), json!("See line 3"));
    let sent = ann.get(content(&added.text_at("/id"))).send().await;
    assert_eq!(sent.expect(200).bytes(), PNG);
    // With its key, the same request has one effect.
    let again = send().await.expect(201);
    assert_eq!(again.at("/id"), added.at("/id"));
    let again = ann.post(&path).json(&body).send().await;
    again.expect_problem(422, "upload_unknown");
    let wrong = ann
        .post(&path)
        .json(&json!({"upload": "att_x", "more": 1}))
        .send()
        .await;
    assert_eq!(wrong.expect(422).failures().len(), 2);
}

/// A client that is refused learns it before it sends the file.
#[doyen_test::test]
async fn a_refused_upload_is_not_read(app: Small) {
    let (ann, bob) = (app.0.as_customer().await, app.0.as_customer().await);
    let ticket = ticket(&ann).await;
    let server = app.0.serve().await;
    let refused = async |person: &Person, length: u64| {
        // Only the head is sent.
        let head = format!(
            "POST /v1/tickets/{ticket}/attachments HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Bearer {}\r\nContent-Type: {}\r\nContent-Length: {length}\r\n\r\n",
            person.token, ATTACHMENT.0,
        );
        let mut stream = server.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 4096];
        let read = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    };
    let answer = refused(&bob, 4 << 30).await;
    assert!(
        answer.contains(" 404 ") && answer.contains("ticket_not_found"),
        "{answer}"
    );
    let answer = refused(&ann, 1 << 20).await;
    let is_quota = answer.contains(" 413 ") && answer.contains("attachment_quota_exceeded");
    assert!(is_quota, "{answer}");
}

/// An upload holds no transaction while it arrives: SQLite has one writer.
#[doyen_test::test]
async fn a_slow_upload_blocks_nobody(app: Helpdesk) {
    let ann = app.as_customer().await;
    let ticket = ticket(&ann).await;
    let path = format!("/v1/tickets/{ticket}/attachments");
    let form = attachment("a.txt", "text/plain", b"hello");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Idempotency-Key: slow\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        ann.token,
        ATTACHMENT.0,
        form.len()
    );
    let server = app.serve().await;
    let mut stream = server.connect().await;
    let (first, rest) = form.split_at(form.len() - 14);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(first).await.unwrap();
    let folder = app.inject::<Arc<TestFolder>>().await;
    let arrives = async {
        while std::fs::read_dir(folder.0.join("quarantine")).map_or(0, Iterator::count) == 0 {
            tokio::task::yield_now().await;
        }
    };
    arrives.await;
    ann.opens("scanner").await;
    let list = ann.get(&path).send().await.expect(200);
    assert_eq!(list.at("/items"), json!([]));
    stream.write_all(rest).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let list = ann.get(&path).send().await.expect(200);
    assert_eq!(list.at("/items/0/size"), json!(5));
}

#[doyen_test::test]
async fn a_later_scan_releases_the_content(app: Small) {
    let clamd = ClamdServer::start();
    let scanned = |scan: &str| {
        let setup = patient()
            .set("files.scanner", "clamd")
            .set("jobs.work", "false");
        setup
            .set("files.clamd", &clamd.unix())
            .set("files.scan", scan)
    };
    let before = app.0.another(scanned("before")).await;
    let ann = before.as_customer().await;
    let ticket = ticket(&ann).await;
    let eicar = ClamdServer::eicar();
    ann.attaches(&ticket, "a.txt", "text/plain", &eicar)
        .await
        .expect_problem(422, "file_infected");
    let later = app.0.another(scanned("later")).await;
    let ann = ann.at(&later);
    let clean = ann
        .attaches(&ticket, "a.txt", "text/plain", b"hello")
        .await
        .expect(202);
    let infected = ann
        .attaches(&ticket, "b.txt", "text/plain", &eicar)
        .await
        .expect(202);
    let (clean, infected) = (clean.text_at("/id"), infected.text_at("/id"));
    let shown = ann
        .get(format!("/v1/attachments/{clean}"))
        .send()
        .await
        .expect(200);
    assert_eq!(shown.at("/status"), json!("scanning"));
    assert!(shown.at("/_links").get("content").is_none(), "{shown}");
    ann.get(content(&clean))
        .send()
        .await
        .expect_problem(409, "not_scanned");
    let worker = later.inject::<Worker>().await;
    worker
        .run_due()
        .await
        .unwrap_or_else(|error| panic!("{}", error.error()));
    assert_eq!(
        ann.get(content(&clean)).send().await.expect(200).bytes(),
        b"hello"
    );
    let shown = ann
        .get(format!("/v1/attachments/{infected}"))
        .send()
        .await
        .expect(200);
    assert_eq!(shown.at("/status"), json!("infected"));
    ann.get(content(&infected))
        .send()
        .await
        .expect_problem(410, "file_removed");
}
