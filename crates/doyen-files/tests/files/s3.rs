//! Files in a bucket of a real S3 server (`s3s-fs`).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use doyen::files::{Area, FileId, S3Settings, S3Store, Store, StoreError};
use doyen::settings::Loader;
use doyen_test::{Setup, TestApp, scale};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::agreed::{sweep, upload_until_killed};
use crate::kit::{Unscanned, age, kept, new_folder, objects, send_file, setup_in};
use crate::process::Process;
use crate::stores::{conforms, read};

/// How the server fails.
#[derive(Default)]
struct Faults {
    /// Requests that it still accepts, if it fails.
    left: AtomicI64,
    /// True if the first request that fails has its effect.
    loses_response: bool,
}

struct S3Server {
    address: SocketAddr,
    folder: PathBuf,
    faults: Arc<Faults>,
    accepting: tokio::task::AbortHandle,
}

impl S3Server {
    async fn start() -> Self {
        Self::failing_after(i64::MAX, false).await
    }

    /// Starts a server that accepts this many requests.
    async fn failing_after(requests: i64, loses_response: bool) -> Self {
        let folder = new_folder();
        std::fs::create_dir_all(folder.join("bucket")).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(&folder).unwrap());
        service.set_auth(SimpleAuth::from_single("ada", "hunter2"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let faults = Arc::new(Faults {
            left: AtomicI64::new(requests),
            loses_response,
        });
        let accepting = tokio::spawn(accept(listener, service.build(), Arc::clone(&faults)));
        Self {
            address,
            folder,
            faults,
            accepting: accepting.abort_handle(),
        }
    }

    /// Accepts every request from now on.
    fn heal(&self) {
        self.faults.left.store(i64::MAX, Ordering::SeqCst);
    }

    fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("store", "s3".to_owned()),
            ("s3.bucket", "bucket".to_owned()),
            ("s3.endpoint", format!("http://{}", self.address)),
            ("s3.access_key", "ada".to_owned()),
            ("s3.secret_key", "hunter2".to_owned()),
        ]
    }

    fn store(&self) -> S3Store {
        let own = self.settings();
        let own = own
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix("s3.")?, value.as_str())));
        let loader = own.fold(Loader::new("S3"), |loader, (name, value)| {
            loader.set(name, value)
        });
        let settings = loader.load::<S3Settings>().unwrap().value;
        S3Store::new(&settings, &std::env::temp_dir(), 1 << 30).unwrap()
    }

    /// Returns the settings of an application with this store.
    fn setup(&self) -> Setup {
        let own = self.settings();
        own.iter()
            .fold(setup_in(new_folder()), |setup, (name, value)| {
                setup.set(&format!("files.{name}"), value)
            })
    }

    fn bucket(&self) -> PathBuf {
        self.folder.join("bucket")
    }

    /// Returns the ids in a folder of the bucket.
    fn ids(&self, folder: &str) -> BTreeSet<String> {
        let paths = objects(&self.bucket().join("files").join(folder));
        let name = |path: String| path.rsplit('/').next().unwrap_or_default().to_owned();
        paths.into_iter().map(name).collect()
    }

    /// True if nothing of any object is left.
    fn is_empty(&self) -> bool {
        let parts = std::fs::read_dir(&self.folder).unwrap();
        let mut names = parts.map(|entry| entry.unwrap().file_name());
        let has_parts = names.any(|name| name.to_string_lossy().contains(".part-"));
        !has_parts && objects(&self.bucket()).is_empty()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.accepting.abort();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn accept(listener: TcpListener, service: S3Service, faults: Arc<Faults>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (service, faults) = (service.clone(), Arc::clone(&faults));
        let service =
            hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let (service, faults) = (service.clone(), Arc::clone(&faults));
                async move {
                    let request = request.map(s3s::Body::from);
                    let left = faults.left.fetch_sub(1, Ordering::SeqCst);
                    if left > 0 {
                        return service.call(request).await;
                    }
                    if left == 0 && faults.loses_response {
                        service.call(request).await?;
                    }
                    let mut failed = hyper::Response::new(s3s::Body::empty());
                    // The client does not repeat a request that gets this.
                    *failed.status_mut() = hyper::StatusCode::BAD_REQUEST;
                    Ok(failed)
                }
            });
        let stream = hyper_util::rt::TokioIo::new(stream);
        let connection = hyper::server::conn::http1::Builder::new();
        tokio::spawn(connection.serve_connection(stream, service));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_a_store() {
    let server = S3Server::start().await;
    conforms(&server.store()).await;
    // What a health check has written.
    assert_eq!(objects(&server.bucket()).len(), 1);
}

fn content(length: u32) -> Vec<u8> {
    (0..length)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

async fn write(store: &dyn Store, id: FileId, content: &[u8]) -> Result<(), StoreError> {
    let mut writer = store.create(id).await?;
    for chunk in content.chunks(700_000) {
        writer.write(Bytes::copy_from_slice(chunk)).await?;
    }
    writer.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_has_parts_and_is_read_in_windows() {
    let server = S3Server::start().await;
    let store = server.store();
    let content = content(11 << 20);
    let id = FileId::new();
    write(&store, id, &content).await.unwrap();
    store.publish(id).await.unwrap();
    let object = store.open(id, Area::Published).await.unwrap().unwrap();
    assert_eq!(object.length(), 11 << 20);
    assert!(read(&object, 0..11 << 20).await == content);
    let middle = (5 << 20) - 7..(7 << 20) + 7;
    assert!(read(&object, middle.clone()).await == content[5_242_873..7_340_039]);
    // An empty object, too.
    let id = FileId::new();
    write(&store, id, b"").await.unwrap();
    let object = store.open(id, Area::Quarantine).await.unwrap().unwrap();
    assert_eq!(object.length(), 0);
}

/// A process that ends between any two requests leaves nothing that is not complete, and what it
/// leaves is found and removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_any_two_requests_leaves_what_a_sweep_removes() {
    let content = Arc::new(content(6 << 20));
    for loses_response in [false, true] {
        let mut requests = 0;
        loop {
            let server = S3Server::failing_after(requests, loses_response).await;
            let (store, id) = (server.store(), FileId::new());
            let crashing = (store.clone(), Arc::clone(&content));
            let done = tokio::task::spawn_blocking(move || {
                // What it does in the background ends with it.
                let process = tokio::runtime::Runtime::new().unwrap();
                let (store, content) = crashing;
                let done = process.block_on(async {
                    write(&store, id, &content).await?;
                    store.publish(id).await
                });
                process.shutdown_background();
                done.is_ok()
            });
            let done = done.await.unwrap();
            server.heal();
            let published = store.open(id, Area::Published).await.unwrap();
            assert!(published.is_some() || !done, "after {requests} requests");
            let quarantined = store.open(id, Area::Quarantine).await.unwrap();
            for object in [published, quarantined].into_iter().flatten() {
                assert!(read(&object, 0..object.length()).await == *content);
            }
            let mut after = None;
            loop {
                let listing = store.list(Duration::ZERO, after).await.unwrap();
                for listed in listing.objects {
                    store.remove_listed(listed).await.unwrap();
                }
                after = listing.next;
                if after.is_none() {
                    break;
                }
            }
            assert!(server.is_empty(), "after {requests} requests");
            if done {
                break;
            }
            requests += 1;
        }
        assert!(requests >= 8, "{requests}");
    }
}

/// Sends a `GET` and returns the whole response.
async fn get(url: &str) -> Vec<u8> {
    let (host, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .expect("a URL");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    response
}

#[doyen_test::test(sqlite)]
async fn files_are_kept_in_a_bucket_and_read_from_it(app: Unscanned) {
    let server = S3Server::start().await;
    let here = app.another(server.setup()).await;
    let text: Vec<u8> = (0..900_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
    let id = kept(&here, "\u{e4}.txt", "text/plain", &text).await;
    assert_eq!(server.ids("published"), BTreeSet::from([id.clone()]));
    assert!(server.ids("partial").is_empty());
    for path in ["content", "download"] {
        let path = format!("/files/{id}/{path}");
        assert!(here.get(&path).send().await.expect(200).bytes() == text);
        let part = here
            .get(&path)
            .header("range", "bytes=700000-700009")
            .send()
            .await;
        assert_eq!(part.expect(206).bytes(), &text[700_000..700_010]);
    }

    let linked = app
        .another(server.setup().set("files.s3.presigned", "1m"))
        .await;
    let answer = linked
        .get(format!("/files/{id}/download"))
        .send()
        .await
        .expect(307);
    // The link is for `GET`: a `HEAD` gets the headers of the file, with those of a range.
    let download = format!("/files/{id}/download");
    let head = linked.head(&download).send().await.expect(200);
    let length = text.len().to_string();
    assert_eq!(head.header("content-length"), Some(&*length));
    assert!(head.header("location").is_none());
    let opened = here.head(&download).send().await.expect(200);
    for name in [
        "etag",
        "content-type",
        "content-disposition",
        "content-length",
    ] {
        assert_eq!(head.header(name), opened.header(name), "{name}");
    }
    let url = answer.header("location").expect("a location").to_owned();
    assert!(
        url.contains("response-content-disposition=attachment"),
        "{url}"
    );
    assert!(url.contains("X-Amz-Expires=60"), "{url}");
    let sent = get(&url).await;
    assert!(sent.starts_with(b"HTTP/1.1 200") && sent.ends_with(&text));
    for forged in [
        url.replace("attachment", "inline"),
        url.replace(&id, &FileId::new().to_string()),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
    ] {
        assert!(get(&forged).await.starts_with(b"HTTP/1.1 403"), "{forged}");
    }

    here.delete(format!("/files/{id}")).send().await.expect(204);
    let removed = async {
        while !server.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let removed = tokio::time::timeout(Duration::from_secs(60), removed).await;
    assert!(removed.is_ok(), "{:?}", objects(&server.bucket()));
}

/// Two nodes share a bucket: each continues the upload of the other.
#[doyen_test::test(sqlite)]
async fn a_resumable_upload_moves_between_nodes(app: Unscanned) {
    let server = S3Server::start().await;
    let nodes = [
        app.another(server.setup()).await,
        app.another(server.setup()).await,
    ];
    let ada = |node: &TestApp, method: &str, path: &str| {
        let call = node.request(method, path).header("tus-resumable", "1.0.0");
        call.header("authorization", "Name ada")
    };
    let created = ada(&nodes[0], "POST", "/large").header("upload-length", "12");
    let path = created.send().await.expect(201).location();
    for (at, part) in ["one ", "two ", "tre "].into_iter().enumerate() {
        let patch = ada(&nodes[at % 2], "PATCH", &path);
        let patch = patch.header("upload-offset", (at * 4).to_string());
        let patch = patch.body("application/offset+octet-stream", part);
        patch.send().await.expect(204);
    }
    let id = path.rsplit('/').next().unwrap_or_default();
    let body = serde_json::json!({"upload": id});
    let kept = ada(&nodes[1], "POST", "/texts").json(&body).send().await;
    let kept = kept.expect(201).text_at("/id");
    let sent = nodes[0].get(format!("/files/{kept}/content")).send().await;
    assert_eq!(sent.expect(200).text(), "one two tre ");
    let deleted = nodes[0].delete(format!("/files/{kept}")).send().await;
    deleted.expect(204);
    let removed = async {
        while !server.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let removed = tokio::time::timeout(Duration::from_secs(60), removed).await;
    assert!(removed.is_ok(), "{:?}", objects(&server.bucket()));
}

#[doyen_test::test(sqlite)]
async fn a_store_that_is_away_is_a_503(app: Unscanned) {
    let server = S3Server::start().await;
    let here = app.another(server.setup()).await;
    server.accepting.abort();
    let answer = send_file(&here, "a.txt", "text/plain", b"hello").await;
    let answer = answer.expect_problem(503, "storage_unavailable");
    assert_eq!(answer.header("retry-after"), Some("10"));
    assert_eq!(here.count("files").await, 0);
}

/// Kills a process while it uploads. Every acknowledged file is there, every row has its object,
/// and a sweep removes the rest.
#[doyen_test::test(sqlite)]
async fn kills_lose_no_file_of_a_bucket_and_leave_nothing(app: Unscanned) {
    let server = S3Server::start().await;
    let settings = server.settings();
    let settings = settings.map(|(name, value)| {
        let name = name.to_uppercase().replace('.', "__");
        (format!("APP_FILES__{name}"), value)
    });
    let (url, scratch) = (app.database_url().to_owned(), new_folder());
    let kills = scale(4, 100);
    let killing = tokio::task::spawn_blocking(move || {
        let mut acknowledged = BTreeSet::new();
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        for round in 0..kills {
            let mut process = Process::start(&url, &scratch, &settings);
            let time = Duration::from_millis(7 * (round as u64 % 29));
            acknowledged.extend(upload_until_killed(&mut process, time));
        }
        let _ = std::fs::remove_dir_all(scratch);
        acknowledged
    });
    let acknowledged = killing.await.unwrap();
    age(&server.bucket());
    let here: TestApp = app.another(server.setup()).await;
    sweep(&here).await;
    let kept = server.ids("published");
    let rows = usize::try_from(here.count("files").await).unwrap();
    assert_eq!(kept.len(), rows, "rows and objects differ");
    assert_eq!(server.ids("objects"), kept);
    assert!(server.ids("partial").is_empty());
    assert!(
        acknowledged.is_subset(&kept),
        "an acknowledged file was lost"
    );
}
