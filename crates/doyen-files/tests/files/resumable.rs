//! Resumable uploads: the protocol, limits, cuts and kills.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doyen_test::{Answer, Call, ClamdServer, Live, TestApp};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::agreed::sweep;
use crate::kit::{PNG, Unscanned, age, folder, new_folder, objects, setup_in, until_objects};
use crate::process::Process;

const OCTETS: &str = "application/offset+octet-stream";

fn metadata(name: &str, media_type: &str) -> String {
    let (name, media_type) = (STANDARD.encode(name), STANDARD.encode(media_type));
    format!("filename {name},filetype {media_type}")
}

/// A request of a user, with the version of the protocol.
fn call(app: &TestApp, method: &str, who: &str, target: &str) -> Call {
    app.request(method, target)
        .header("authorization", format!("Name {who}"))
        .header("tus-resumable", "1.0.0")
}

async fn create(app: &TestApp, who: &str, at: &str, size: usize, metadata: &str) -> Answer {
    let call = call(app, "POST", who, at).header("upload-length", size.to_string());
    call.header("upload-metadata", metadata).send().await
}

/// Creates an upload, and returns its path.
async fn created(app: &TestApp, size: usize, name: &str, media_type: &str) -> String {
    let answer = create(app, "ada", "/uploads", size, &metadata(name, media_type)).await;
    answer.expect(201).location()
}

fn patch(app: &TestApp, path: &str, offset: usize, bytes: &[u8]) -> Call {
    call(app, "PATCH", "ada", path)
        .header("upload-offset", offset.to_string())
        .body(OCTETS, bytes)
}

async fn append(app: &TestApp, path: &str, offset: usize, bytes: &[u8]) -> Answer {
    patch(app, path, offset, bytes).send().await
}

async fn offset(app: &TestApp, path: &str) -> usize {
    let answer = call(app, "HEAD", "ada", path).send().await.expect(200);
    let offset = answer.header("upload-offset").expect("an offset");
    offset.parse().expect("a number")
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

async fn attach(app: &TestApp, who: &str, paths: &[&str], note: &str) -> Answer {
    let ids: Vec<&str> = paths.iter().map(|path| id(path)).collect();
    let body = json!({"uploads": ids, "note": note});
    call(app, "POST", who, "/files").json(&body).send().await
}

#[doyen_test::test]
async fn a_file_arrives_in_several_requests(app: Unscanned) {
    let options = call(&app, "OPTIONS", "ada", "/uploads").send().await;
    let options = options.expect(204);
    assert_eq!(options.header("tus-version"), Some("1.0.0"));
    assert_eq!(options.header("tus-resumable"), Some("1.0.0"));
    assert_eq!(options.header("tus-max-size"), Some("1048576"));
    assert_eq!(
        options.header("tus-checksum-algorithm"),
        Some("sha256,sha1")
    );
    let extensions = options.header("tus-extension").unwrap_or_default();
    assert!(extensions.contains("creation-with-upload"), "{extensions}");
    let content = [PNG, &[7; 20_000]].concat();
    let given = metadata("../shot.png", "image/png");
    let answer = create(&app, "ada", "/uploads", content.len(), &given).await;
    let answer = answer.expect(201);
    let path = answer.location();
    assert_eq!(answer.header("tus-resumable"), Some("1.0.0"));
    assert!(
        answer
            .header("upload-expires")
            .is_some_and(|at| at.ends_with(" GMT"))
    );
    assert_eq!(path, format!("/uploads/{}", answer.text_at("/id")));
    let half = append(&app, &path, 0, &content[..10_000]).await.expect(204);
    assert_eq!(half.header("upload-offset"), Some("10000"));
    let state = call(&app, "HEAD", "ada", &path).send().await.expect(200);
    assert_eq!(state.header("upload-offset"), Some("10000"));
    let length = content.len().to_string();
    assert_eq!(state.header("upload-length"), Some(&*length));
    assert_eq!(state.header("upload-metadata"), Some(&*given));
    assert_eq!(state.header("cache-control"), Some("no-store"));
    attach(&app, "ada", &[&path], "early")
        .await
        .expect_problem(409, "upload_incomplete");
    append(&app, &path, 10_000, &content[10_000..])
        .await
        .expect(204);
    let shown = call(&app, "GET", "ada", &path).send().await.expect(200);
    assert_eq!(shown.at("/received"), json!(content.len()));
    let kept = attach(&app, "ada", &[&path], "done").await.expect(201);
    assert_eq!(kept.at("/files/0/name"), json!("shot.png"));
    assert_eq!(kept.at("/files/0/media_type"), json!("image/png"));
    assert_eq!(kept.at("/note"), json!("done"));
    let sent = app.get(format!("/files/{}/content", kept.text_at("/files/0/id")));
    assert_eq!(sent.send().await.expect(200).bytes(), content);
    // It was used.
    attach(&app, "ada", &[&path], "again")
        .await
        .expect_problem(422, "upload_unknown");
    let gone = call(&app, "HEAD", "ada", &path).send().await;
    gone.expect(404);
    until_objects(&folder(&app).await, 1).await;
    assert_eq!(app.count("files_upload_parts").await, 0);
}

#[doyen_test::test]
async fn requests_that_break_the_protocol_are_refused(app: Unscanned) {
    let path = created(&app, 10, "a.txt", "text/plain").await;
    // The version.
    for version in ["", "0.2.2", "2.0.0"] {
        let patch = app
            .request("PATCH", &path)
            .header("authorization", "Name ada");
        let patch = match version {
            "" => patch,
            version => patch.header("tus-resumable", version),
        };
        let answer = patch
            .header("upload-offset", "0")
            .body(OCTETS, "x")
            .send()
            .await;
        let answer = answer.expect_problem(412, "tus_version_unsupported");
        assert_eq!(answer.header("tus-version"), Some("1.0.0"));
    }
    // The media type.
    for media_type in ["text/plain", "application/octet-stream"] {
        let patch = call(&app, "PATCH", "ada", &path).header("upload-offset", "0");
        let answer = patch.body(media_type, "x").send().await;
        let answer = answer.expect_problem(415, "unsupported_media_type");
        assert_eq!(answer.header("tus-resumable"), Some("1.0.0"));
    }
    // The offset.
    append(&app, &path, 1, b"x")
        .await
        .expect_problem(409, "upload_offset_conflict");
    append(&app, &path, 0, b"hello").await.expect(204);
    append(&app, &path, 0, b"hello")
        .await
        .expect_problem(409, "upload_offset_conflict");
    let missing = call(&app, "PATCH", "ada", &path)
        .body(OCTETS, "x")
        .send()
        .await;
    missing.expect_problem(422, "invalid");
    // More than the announced length.
    append(&app, &path, 5, b"world!")
        .await
        .expect_problem(413, "file_too_large");
    assert_eq!(offset(&app, &path).await, 5);
    // Uploads of others, and unknown ones.
    for method in ["GET", "PATCH", "DELETE"] {
        let other = call(&app, method, "bob", &path).header("upload-offset", "5");
        let other = match method {
            "PATCH" => other.body(OCTETS, "world"),
            _ => other,
        };
        other.send().await.expect_problem(404, "upload_not_found");
    }
    let anonymous = app.request("PATCH", &path).header("tus-resumable", "1.0.0");
    let anonymous = anonymous.header("upload-offset", "5").body(OCTETS, "world");
    anonymous.send().await.expect(401);
    let unknown = "/uploads/upl_01jd9m3z6veqjsk4dy2hjcg8x4";
    append(&app, unknown, 0, b"x")
        .await
        .expect_problem(404, "upload_not_found");
    attach(&app, "ada", &[unknown], "n")
        .await
        .expect_problem(422, "upload_unknown");
    // The creation.
    let png = metadata("a.png", "image/png");
    let large = create(&app, "ada", "/uploads", (1 << 20) + 1, &png).await;
    large.expect_problem(413, "file_too_large");
    let exe = metadata("a.exe", "application/x-msdownload");
    let exe = create(&app, "ada", "/uploads", 10, &exe).await;
    exe.expect_problem(415, "file_type_not_allowed");
    let wrong = create(&app, "ada", "/uploads", 10, "filename %%%").await;
    wrong.expect_problem(400, "malformed_upload");
    let endless = call(&app, "POST", "ada", "/uploads").send().await;
    endless.expect_problem(422, "invalid");
    // Others cannot use a finished upload.
    append(&app, &path, 5, b"world").await.expect(204);
    attach(&app, "bob", &[&path], "n")
        .await
        .expect_problem(422, "upload_unknown");
    // The owner can remove it.
    call(&app, "DELETE", "ada", &path).send().await.expect(204);
    append(&app, &path, 10, b"")
        .await
        .expect_problem(404, "upload_not_found");
    until_objects(&folder(&app).await, 0).await;
}

#[doyen_test::test]
async fn the_content_is_checked_as_in_any_upload(app: Unscanned) {
    // The first bytes refuse the upload at once.
    let path = created(&app, 10_000, "a.png", "image/png").await;
    let refused = append(&app, &path, 0, &[b'a'; 5000]).await;
    refused.expect_problem(422, "file_type_mismatch");
    append(&app, &path, 0, PNG)
        .await
        .expect_problem(404, "upload_not_found");
    // Later bytes are found when it is used.
    let path = created(&app, 8, "a.txt", "text/plain").await;
    append(&app, &path, 0, b"text").await.expect(204);
    append(&app, &path, 4, b"\0\0\0\0").await.expect(204);
    attach(&app, "ada", &[&path], "n")
        .await
        .expect_problem(422, "file_type_mismatch");
    let archive = crate::kinds::zip_of("../../etc/passwd", b"x");
    let path = created(&app, archive.len(), "a.zip", "application/zip").await;
    append(&app, &path, 0, &archive).await.expect(204);
    attach(&app, "ada", &[&path], "n")
        .await
        .expect_problem(422, "archive_refused");
    // A body that names several uploads is refused as a whole, and all failures are reported.
    let good = created(&app, 2, "a.txt", "text/plain").await;
    append(&app, &good, 0, b"ok").await.expect(204);
    let body = json!({"uploads": ["no"], "note": "", "more": 1});
    let answer = call(&app, "POST", "ada", "/files").json(&body).send().await;
    let failures = answer.expect(422).failures().join(" ");
    assert!(
        failures.contains("/uploads/0") && failures.contains("/note"),
        "{failures}"
    );
    let none = call(&app, "POST", "ada", "/files")
        .json(&json!({}))
        .send()
        .await;
    assert!(none.expect(422).failures().join(" ").contains("/uploads"));
    let four = attach(&app, "ada", &[&good, &good, &good, &good], "n").await;
    four.expect_problem(422, "invalid");
    // The same upload twice is one too many.
    attach(&app, "ada", &[&good, &good], "n")
        .await
        .expect_problem(422, "upload_unknown");
    // A handler that fails leaves it.
    attach(&app, "ada", &[&good], "fail")
        .await
        .expect_problem(409, "on_purpose");
    let mut three = vec![good];
    for text in [b"b", b"c"] {
        let path = created(&app, 1, "a.txt", "text/plain").await;
        append(&app, &path, 0, text).await.expect(204);
        three.push(path);
    }
    let three: Vec<&str> = three.iter().map(String::as_str).collect();
    let kept = attach(&app, "ada", &three, "n").await.expect(201);
    assert_eq!(kept.at("/files/2/size"), json!(1));
    assert_eq!(app.count("files").await, 3);
}

#[doyen_test::test]
async fn a_checksum_guards_the_bytes_of_a_request(app: Unscanned) {
    let path = created(&app, 10, "a.txt", "text/plain").await;
    let sent = async |offset: usize, checksum: &str| {
        let call = patch(&app, &path, offset, b"hello");
        call.header("upload-checksum", checksum).send().await
    };
    let wrong = sent(0, "sha256 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").await;
    let wrong = wrong.expect_problem(460, "checksum_mismatch");
    assert_eq!(wrong.header("tus-resumable"), Some("1.0.0"));
    assert_eq!(offset(&app, &path).await, 0);
    sent(0, "md5 XUFAKrxLKna5cZ2REBfFkg==")
        .await
        .expect_problem(400, "malformed_upload");
    sent(0, "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=")
        .await
        .expect(204);
    sent(5, "sha256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=")
        .await
        .expect(204);
    let kept = attach(&app, "ada", &[&path], "n").await.expect(201);
    assert_eq!(kept.at("/files/0/size"), json!(10));
    until_objects(&folder(&app).await, 1).await;
}

#[doyen_test::test]
async fn the_creation_can_have_the_first_bytes(app: Unscanned) {
    let create = |bytes: &'static [u8]| {
        let call = call(&app, "POST", "ada", "/uploads").header("upload-length", "10");
        call.body(OCTETS, bytes).send()
    };
    let half = create(b"hello").await.expect(201);
    assert_eq!(half.header("upload-offset"), Some("5"));
    append(&app, &half.location(), 5, b"world")
        .await
        .expect(204);
    attach(&app, "ada", &[&half.location()], "n")
        .await
        .expect(201);
    let wrong = create(b"\0\0\0\0\0\0\0\0\0\0").await;
    wrong.expect_problem(422, "file_type_mismatch");
    assert_eq!(app.count("files_uploads").await, 0);
    // An empty file needs no bytes.
    let empty = created(&app, 0, "a.txt", "text/plain").await;
    attach(&app, "ada", &[&empty], "n").await.expect(201);
}

#[doyen_test::test]
async fn uploads_are_bounded_and_expire(app: Unscanned) {
    let settings = [
        ("files.max_user_uploads", "3"),
        ("files.max_user_upload_bytes", "4 KiB"),
        ("files.max_uploads", "5"),
        ("files.max_upload_bytes", "5 KiB"),
    ];
    let setup = settings
        .iter()
        .fold(setup_in(new_folder()), |setup, (name, value)| {
            setup.set(name, value)
        });
    let app = app.another(setup).await;
    let text = metadata("a.txt", "text/plain");
    // Ten at once: exactly three are admitted.
    let all = (0..10).map(|_| create(&app, "ada", "/uploads", 1024, &text));
    let all = futures_util::future::join_all(all).await;
    let (admitted, refused): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|answer| answer.status() == 201);
    assert_eq!((admitted.len(), refused.len()), (3, 7));
    for answer in refused {
        answer.expect_problem(429, "too_many_uploads");
    }
    // The bytes of a user, and those of all.
    let first = admitted[0].location();
    call(&app, "DELETE", "ada", &first).send().await.expect(204);
    let large = create(&app, "ada", "/uploads", 2049, &text).await;
    large.expect_problem(429, "too_many_uploads");
    create(&app, "bob", "/uploads", 1024, &text)
        .await
        .expect(201);
    let full = create(&app, "bob", "/uploads", 2049, &text).await;
    let full = full.expect_problem(503, "uploads_full");
    assert!(full.header("retry-after").is_some());
    // Forms that arrive have the same bound.
    let form = crate::kit::send_file(&app, "a.txt", "text/plain", &[b'a'; 6000]).await;
    form.expect_problem(503, "uploads_full");
    // Bytes extend the lifetime.
    let path = admitted[1].location();
    app.clock().advance(Duration::from_secs(23 * 3600));
    append(&app, &path, 0, b"hello").await.expect(204);
    app.clock().advance(Duration::from_secs(2 * 3600));
    append(&app, &path, 5, b"world").await.expect(204);
    let other = admitted[2].location();
    append(&app, &other, 0, b"late")
        .await
        .expect_problem(410, "upload_expired");
    attach(&app, "ada", &[&other], "n")
        .await
        .expect_problem(422, "upload_unknown");
    // The sweeper removes what has expired, and keeps the parts of what has not.
    let folder = folder(&app).await;
    age(&folder);
    sweep(&app).await;
    append(&app, &other, 0, b"late")
        .await
        .expect_problem(404, "upload_not_found");
    assert_eq!(objects(&folder).len(), 2);
    app.clock().advance(Duration::from_secs(25 * 3600));
    sweep(&app).await;
    until_objects(&folder, 0).await;
    assert_eq!(app.count("files_uploads").await, 0);
}

/// Sends the head of a `PATCH` and some bytes.
async fn begin(server: &Live, path: &str, offset: usize, length: usize, sent: &[u8]) -> TcpStream {
    let mut stream = server.connect().await;
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Name ada\r\n\
         Tus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\nContent-Type: {OCTETS}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream
}

#[doyen_test::test]
async fn a_request_that_is_cut_is_continued(app: Unscanned) {
    let server = app.serve().await;
    let path = created(&app, 100_000, "a.txt", "text/plain").await;
    let mut at = 0;
    for end in [30_000, 31_000, 90_000] {
        let stream = begin(&server, &path, at, 100_000 - at, &vec![b'a'; end - at]).await;
        drop(stream);
        // What has arrived is kept, a moment later.
        let kept = async {
            while offset(&app, &path).await == at {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), kept)
            .await
            .expect("it is kept");
        at = offset(&app, &path).await;
        assert!(at <= end, "{at} of {end}");
    }
    append(&app, &path, at, &vec![b'a'; 100_000 - at])
        .await
        .expect(204);
    let kept = attach(&app, "ada", &[&path], "n").await.expect(201);
    assert_eq!(kept.at("/files/0/size"), json!(100_000));
    until_objects(&folder(&app).await, 1).await;
}

#[doyen_test::test]
async fn the_last_of_two_requests_takes_over(app: Unscanned) {
    let server = app.serve().await;
    let path = created(&app, 50_000, "a.txt", "text/plain").await;
    let mut first = begin(&server, &path, 0, 50_000, &[b'a'; 20_000]).await;
    // The first one has begun once its part exists.
    until_objects(&folder(&app).await, 1).await;
    append(&app, &path, 0, &[b'b'; 50_000]).await.expect(204);
    first.write_all(&[b'a'; 30_000]).await.unwrap();
    let mut answer = String::new();
    let _ = first.read_to_string(&mut answer).await;
    assert!(
        answer.contains(" 409 ") && answer.contains("upload_offset_conflict"),
        "{answer}"
    );
    let kept = attach(&app, "ada", &[&path], "n").await.expect(201);
    let content = app.get(format!("/files/{}/content", kept.text_at("/files/0/id")));
    assert_eq!(content.send().await.expect(200).bytes(), [b'b'; 50_000]);
    until_objects(&folder(&app).await, 1).await;
    // Many at once: the bytes are those of one of them.
    let path = created(&app, 50_000, "a.txt", "text/plain").await;
    let bodies: Vec<Vec<u8>> = (b'a'..=b'h').map(|byte| vec![byte; 50_000]).collect();
    let all = bodies.iter().map(|body| append(&app, &path, 0, body));
    let all = futures_util::future::join_all(all).await;
    let done = all.iter().filter(|answer| answer.status() == 204).count();
    assert_eq!(done, 1);
    assert_eq!(offset(&app, &path).await, 50_000);
    // Two requests use it: one of them succeeds.
    let paths = [&*path];
    let use_it = || attach(&app, "ada", &paths, "n");
    let (one, two) = tokio::join!(use_it(), use_it());
    let mut statuses = [one.status(), two.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    until_objects(&folder(&app).await, 2).await;
}

#[doyen_test::test]
async fn an_infected_upload_is_refused(app: Unscanned) {
    let clamd = ClamdServer::start();
    let setup = setup_in(new_folder()).set("files.scanner", "clamd");
    let app = app.another(setup.set("files.clamd", &clamd.unix())).await;
    let eicar = ClamdServer::eicar();
    let path = created(&app, eicar.len(), "a.txt", "text/plain").await;
    let (start, end) = eicar.split_at(30);
    append(&app, &path, 0, start).await.expect(204);
    append(&app, &path, start.len(), end).await.expect(204);
    attach(&app, "ada", &[&path], "n")
        .await
        .expect_problem(422, "file_infected");
    assert_eq!(app.count("files").await, 0);
}

/// Sends a request with these headers, and returns the response; an incomplete one if the server is
/// killed.
fn exchange(address: &str, line: &str, headers: &str, body: &[u8]) -> String {
    use std::io::{Read as _, Write as _};
    let mut answer = String::new();
    let Ok(mut stream) = std::net::TcpStream::connect(address) else {
        return answer;
    };
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Name ada\r\n\
         Tus-Resumable: 1.0.0\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    if stream.write_all(head.as_bytes()).is_ok() && stream.write_all(body).is_ok() {
        let _ = stream.read_to_string(&mut answer);
    }
    answer
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let lines = answer.lines().filter_map(|line| line.split_once(": "));
    let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value)
}

/// The process is killed in the middle of a request, and another one continues.
#[doyen_test::test]
async fn an_upload_survives_kills(app: Unscanned) {
    let folder = folder(&app).await;
    let url = app.database_url().to_owned();
    let content: Vec<u8> = (0..60_u32 << 20).map(|at| b'a' + (at % 23) as u8).collect();
    let size = content.len();
    let settings = [
        ("APP_FILES__MAX_BYTES", "100 MiB"),
        ("APP_JOBS__WORK", "false"),
    ];
    let at = folder.clone();
    let (path, parts) = tokio::task::spawn_blocking(move || {
        let mut process = Process::start(&url, &at, &settings);
        let create = exchange(
            &process.address,
            "POST /large",
            &format!("Upload-Length: {size}\r\n"),
            b"",
        );
        let path = header(&create, "location").expect("a location").to_owned();
        let state = |process: &Process| {
            let answer = exchange(&process.address, &format!("HEAD {path}"), "", b"");
            let offset = header(&answer, "upload-offset").expect("an offset");
            offset.parse::<usize>().expect("a number")
        };
        let (mut offset, mut parts) = (0, 0);
        while offset < size {
            let line = format!("PATCH {path}");
            let head = format!("Upload-Offset: {offset}\r\nContent-Type: {OCTETS}\r\n");
            let (address, rest) = (process.address.clone(), content[offset..].to_vec());
            let sending = std::thread::spawn(move || exchange(&address, &line, &head, &rest));
            let before = offset;
            while offset == before && !sending.is_finished() {
                offset = state(&process);
            }
            process.kill();
            sending.join().expect("it ends");
            process = Process::start(&url, &at, &settings);
            // Never less than what a `HEAD` has said.
            let now = state(&process);
            assert!(now >= offset, "{now} bytes of {offset}");
            offset = now;
            parts += 1;
        }
        let body = format!("{{\"upload\": \"{}\"}}", id(&path));
        let head = "Content-Type: application/json\r\n";
        let kept = exchange(&process.address, "POST /texts", head, body.as_bytes());
        assert!(kept.contains(" 201 "), "{kept}");
        let file = kept
            .split("\"id\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let file = file.expect("an id");
        let sent = exchange(
            &process.address,
            &format!("GET /files/{file}/content"),
            "",
            b"",
        );
        let sent = sent.split_once("\r\n\r\n").expect("a body").1;
        assert!(sent.as_bytes() == content, "the content differs");
        (path, parts)
    })
    .await
    .unwrap();
    assert!(parts > 1, "{path} was not interrupted");
    age(&folder);
    sweep(&app).await;
    until_objects(&folder, 1).await;
}
