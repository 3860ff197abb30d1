//! Folders of files and files of handlers, with adversarial paths and ranges.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doyen::prelude::*;
use doyen::web::{File, Files};

use crate::kit::{Answer, App, of, request};

/// A folder of this test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("doyen-files-{name}-{}", std::process::id()));
        let folder = Self(folder);
        for (name, text) in [
            ("secret.txt", "secret"),
            ("public/index.html", "<h1>home</h1>"),
            ("public/a.txt", "0123456789"),
            ("public/a b%c.txt", "odd"),
            ("public/empty", ""),
            ("public/sub/index.html", "sub"),
            ("public/bare/x.txt", "x"),
            ("public/.env", "hidden"),
            ("public/.git/config", "hidden"),
        ] {
            folder.write(name, text.as_bytes());
        }
        folder.write("public/large.bin", &large());
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn serve(&self) -> App {
        let files = Files::new(self.path("public"));
        of(Module::new("m").files("/files", anyone, files))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// More than is read at once, and no multiple of it.
fn large() -> Vec<u8> {
    (0..200_001_u32)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

async fn get(app: &App, path: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = app.send(request("GET", path, fields, "")).await;
    app.line();
    answer
}

#[tokio::test]
async fn a_file_is_sent_with_its_type_and_validators() {
    let folder = Folder::new("types");
    let app = folder.serve();
    let answer = app.get("/files/a.txt?v=1").await;
    let line = app.has_frame(&answer, 200);
    assert_eq!(line.route.as_deref(), Some("/files"));
    assert_eq!(answer.text(), "0123456789");
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert!(answer.header("etag").unwrap().starts_with('"'), "strong");
    assert!(answer.header("last-modified").is_some());
    let answer = get(&app, "/files/large.bin", &[]).await;
    assert_eq!(answer.body, large());
    let head = app.send(request("HEAD", "/files/large.bin", &[], "")).await;
    assert_eq!(head.header("content-length"), Some("200001"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    app.line();
    assert_eq!(get(&app, "/files/empty", &[]).await.status, 200);
    assert_eq!(get(&app, "/files/a%20b%25c.txt", &[]).await.text(), "odd");
    let answer = app.send(request("POST", "/files/a.txt", &[], "")).await;
    app.is_problem(&answer, 405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn a_folder_is_its_index_and_never_a_list() {
    let folder = Folder::new("index");
    let app = folder.serve();
    for path in ["/files/", "/files/index.html"] {
        let answer = get(&app, path, &[]).await;
        assert_eq!(answer.text(), "<h1>home</h1>", "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self'"), "{policy}");
    }
    // The relative links of a page begin at its folder.
    for (path, to) in [
        ("/files", "/files/"),
        ("/files/sub?a=1", "/files/sub/?a=1"),
        ("/files/bare", "/files/bare/"),
    ] {
        let answer = get(&app, path, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (308, Some(to)));
    }
    assert_eq!(get(&app, "/files/sub/", &[]).await.text(), "sub");
    for path in ["/files/bare/", "/files/a.txt/", "/files/sub/index.html/"] {
        let answer = app.get(path).await;
        app.is_problem(&answer, 404, "not_found");
    }
}

#[tokio::test]
async fn nothing_outside_of_the_folder_and_nothing_hidden_exists() {
    let folder = Folder::new("outside");
    let app = folder.serve();
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(folder.path("secret.txt"), folder.path("public/out.txt")).unwrap();
        symlink(&folder.0, folder.path("public/outside")).unwrap();
        symlink(folder.path("public/.env"), folder.path("public/env.txt")).unwrap();
        symlink("loop", folder.path("public/loop")).unwrap();
        symlink("a.txt", folder.path("public/inside.txt")).unwrap();
        // A link that stays inside is followed.
        assert_eq!(
            get(&app, "/files/inside.txt", &[]).await.text(),
            "0123456789"
        );
    }
    let long = format!("/files/{}", "a".repeat(300));
    for path in [
        "/files/../secret.txt",
        "/files/%2e%2e/secret.txt",
        "/files/..%2fsecret.txt",
        "/files/sub/../../secret.txt",
        "/files/..%5csecret.txt",
        "/files/%2fetc/passwd",
        "/files//etc/passwd",
        "/files/./a.txt",
        "/files/.env",
        "/files/%2eenv",
        "/files/.git/config",
        "/files/a.txt%00.html",
        "/files/c:%5cwindows",
        "/files/out.txt",
        "/files/outside/secret.txt",
        "/files/env.txt",
        "/files/loop",
        "/files/a.txt/b",
        &long,
    ] {
        let answer = app.get(path).await;
        app.is_problem(&answer, 404, "not_found");
    }
    // A malformed path is refused before any file is looked up.
    let answer = app.get("/files/%ff").await;
    app.is_problem(&answer, 400, "malformed_path");
}

/// To open a pipe waits until something is written.
#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_not_opened() {
    let folder = Folder::new("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("public/pipe"))
        .status();
    assert!(made.unwrap().success());
    let app = folder.serve();
    let answer = app.get("/files/pipe").await;
    app.is_problem(&answer, 404, "not_found");
}

#[tokio::test]
async fn a_client_that_has_the_file_gets_a_304() {
    let folder = Folder::new("known");
    let app = folder.serve();
    let first = get(&app, "/files/a.txt", &[]).await;
    let (tag, date) = (
        first.header("etag").unwrap(),
        first.header("last-modified").unwrap(),
    );
    for fields in [
        vec![("if-none-match", tag)],
        vec![("if-modified-since", date)],
        // A 304 goes before a part.
        vec![("if-none-match", tag), ("range", "bytes=0-1")],
    ] {
        let answer = get(&app, "/files/a.txt", &fields).await;
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{fields:?}");
        assert_eq!(answer.header("etag"), Some(tag));
    }
    for fields in [
        // The tag goes before the date.
        vec![("if-none-match", "\"other\""), ("if-modified-since", date)],
        vec![("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")],
        vec![("if-modified-since", "yesterday")],
    ] {
        assert_eq!(
            get(&app, "/files/a.txt", &fields).await.status,
            200,
            "{fields:?}"
        );
    }
    // A file that is replaced by one of the same length has another tag.
    folder.write("new", b"abcdefghij");
    fs::rename(folder.path("new"), folder.path("public/a.txt")).unwrap();
    let answer = get(&app, "/files/a.txt", &[("if-none-match", tag)]).await;
    assert_eq!((answer.status, answer.text()), (200, "abcdefghij"));
}

#[tokio::test]
async fn a_range_is_sent_if_the_version_is_the_one_that_the_client_has() {
    let folder = Folder::new("ranges");
    let app = folder.serve();
    let first = get(&app, "/files/a.txt", &[]).await;
    let (tag, date) = (
        first.header("etag").unwrap(),
        first.header("last-modified").unwrap(),
    );
    let weak = format!("W/{tag}");
    for (fields, status, body, range) in [
        (
            vec![("range", "bytes=0-3")],
            206,
            "0123",
            Some("bytes 0-3/10"),
        ),
        (vec![("range", "bytes=-2")], 206, "89", Some("bytes 8-9/10")),
        (
            vec![("range", "bytes=4-")],
            206,
            "456789",
            Some("bytes 4-9/10"),
        ),
        (
            vec![("range", "bytes=4-99"), ("if-range", tag)],
            206,
            "456789",
            Some("bytes 4-9/10"),
        ),
        (
            vec![("range", "bytes=4-5"), ("if-range", date)],
            206,
            "45",
            Some("bytes 4-5/10"),
        ),
        (
            vec![("range", "bytes=4-5"), ("if-range", "\"old\"")],
            200,
            "0123456789",
            None,
        ),
        (
            vec![("range", "bytes=4-5"), ("if-range", &weak)],
            200,
            "0123456789",
            None,
        ),
        (
            vec![
                ("range", "bytes=4-5"),
                ("if-range", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ],
            200,
            "0123456789",
            None,
        ),
        (vec![("range", "bytes=0-4,3-6")], 200, "0123456789", None),
        (vec![("range", "lines=0-1")], 200, "0123456789", None),
    ] {
        let answer = get(&app, "/files/a.txt", &fields).await;
        assert_eq!((answer.status, answer.text()), (status, body), "{fields:?}");
        assert_eq!(answer.header("content-range"), range, "{fields:?}");
    }
    let answer = app
        .send(request(
            "GET",
            "/files/a.txt",
            &[("range", "bytes=10-")],
            "",
        ))
        .await;
    app.is_problem(&answer, 416, "range_not_satisfiable");
    assert_eq!(answer.header("content-range"), Some("bytes */10"));
    // Two ranges are the parts of one response.
    let answer = get(&app, "/files/a.txt", &[("range", "bytes=0-1,8-")]).await;
    let media_type = answer.header("content-type").unwrap_or_default();
    let boundary = media_type.strip_prefix("multipart/byteranges; boundary=");
    let boundary = boundary.unwrap_or_else(|| panic!("{media_type}"));
    let part = |range, text| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Range: bytes {range}/10\r\n\r\n{text}"
        )
    };
    let (first, second) = (part("0-1", "01"), part("8-9", "89"));
    let expected = format!("{first}{second}\r\n--{boundary}--\r\n");
    assert_eq!((answer.status, answer.text()), (206, expected.as_str()));
    // A range of a file that is streamed, across its chunks.
    let fields = [("range", "bytes=65530-131080")];
    let answer = get(&app, "/files/large.bin", &fields).await;
    assert_eq!(
        (answer.status, &answer.body[..]),
        (206, &large()[65530..=131_080])
    );
    let head = app
        .send(request(
            "HEAD",
            "/files/a.txt",
            &[("range", "bytes=0-1")],
            "",
        ))
        .await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("10"))
    );
}

/// Get a report
#[get("/report", allow = anyone)]
async fn report(folder: Arc<PathBuf>) -> Result<File, Unexpected> {
    let file = File::open(folder.join("public/a.txt")).await?;
    Ok(file.attachment("Bericht \"März\".txt"))
}

/// Get a file by its name
#[get("/by-name", allow = anyone)]
async fn by_name(name: Query<Name>, folder: Arc<PathBuf>) -> Result<File, NotThere> {
    let files = Files::new(folder.join("public"));
    let file = files.open(&name.into_inner().name).await?;
    file.ok_or(NotThere::Missing)
}

/// A name.
#[derive(Input)]
struct Name {
    /// The name.
    name: String,
}

/// Why there is no file.
#[derive(Debug, Problem)]
enum NotThere {
    /// It does not exist.
    #[problem(not_found, code = "file_not_found")]
    Missing,
    /// Anything else.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

#[tokio::test]
async fn a_handler_sends_a_file_with_a_name_and_ranges() {
    let folder = Folder::new("handler");
    let module = Module::new("m").routes(routes![report, by_name]);
    let app = of(module.provide(Arc::new(folder.0.clone())));
    let answer = get(&app, "/report", &[("range", "bytes=2-4")]).await;
    assert_eq!((answer.status, answer.text()), (206, "234"));
    assert_eq!(
        answer.header("content-disposition"),
        Some(
            "attachment; filename=\"Bericht _M_rz_.txt\"; filename*=UTF-8''Bericht%20%22M%C3%A4rz%22%2Etxt"
        )
    );
    assert_eq!(
        get(&app, "/by-name?name=sub/index.html", &[]).await.text(),
        "sub"
    );
    for name in ["../secret.txt", "/etc/passwd", ".env", "sub", "", "none"] {
        let answer = app.get(&format!("/by-name?name={name}")).await;
        app.is_problem(&answer, 404, "file_not_found");
    }
    let operation = &app.service.operations()[0];
    let statuses: Vec<_> = operation
        .answers
        .iter()
        .map(|answer| answer.status)
        .collect();
    assert_eq!(statuses, [Some(200), Some(206)]);
}

#[tokio::test]
async fn a_missing_folder_is_a_fault_of_the_server_that_the_log_names() {
    let app = of(Module::new("m").files("/files", anyone, Path::new("/no/such/folder")));
    let answer = app.get("/files/a.txt").await;
    let line = app.is_problem(&answer, 500, "internal");
    assert!(line.cause.unwrap().contains("/no/such/folder"));
}

#[tokio::test]
async fn a_fallback_is_for_paths_without_an_extension() {
    let folder = Folder::new("fallback");
    let files = Files::new(folder.path("public")).fallback("index.html");
    let app = of(Module::new("m").files("/", anyone, files));
    assert_eq!(get(&app, "/orders/7", &[]).await.text(), "<h1>home</h1>");
    let answer = app.get("/missing.js").await;
    app.is_problem(&answer, 404, "not_found");
    let answer = app.get("/.env").await;
    app.is_problem(&answer, 404, "not_found");
}
