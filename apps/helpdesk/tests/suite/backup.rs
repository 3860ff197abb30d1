//! The commands `backup` and `restore`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use doyen_test::{Ended, Program, Running};

use crate::server;
use crate::support::Helpdesk;

fn program(url: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_LIMITS__ENABLED", "false")
        .env("DATABASE_URL", url)
        .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY)
}

fn run(url: &str, words: &[&str]) -> Ended {
    let program = program(url);
    words.iter().fold(program, |all, word| all.arg(word)).run()
}

#[track_caller]
fn refused(ended: &Ended, why: &str) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(why), "not `{why}`: {ended:?}");
}

#[track_caller]
fn done(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Creates a ticket and returns its id, if it was acknowledged.
fn create(server: &Running, token: &str) -> Option<String> {
    let body = r#"{"subject": "Printer", "body": "It burns."}"#;
    let answer = server.exchange(&server::request("POST", "/v1/tickets", token, body));
    answer
        .starts_with("HTTP/1.1 201")
        .then(|| server::field(&answer, "id"))
}

fn status(server: &Running, token: &str, id: &str) -> String {
    let path = format!("/v1/tickets/{id}");
    let answer = server.exchange(&server::request("GET", &path, token, ""));
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// A folder of its own, deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doyen-backup-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[doyen_test::test]
async fn a_backup_has_what_was_acknowledged_before_it(app: Helpdesk) {
    let url = app.database_url().to_owned();
    // Only the program uses the database.
    app.database().close().await;
    let rounds = tokio::task::spawn_blocking(move || back_up_and_restore(&url));
    rounds.await.unwrap_or_else(|error| panic!("{error}"));
}

fn back_up_and_restore(url: &str) {
    let folder = Folder::new();
    let file = folder.file("monday.backup");
    let server = program(url).start();
    let token = server::token(&server);
    let before: Vec<String> = (0..20)
        .map(|_| create(&server, &token).expect("it is created"))
        .collect();
    // Writers go on while the backup is made.
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0;
            while !is_over.load(Ordering::Relaxed) {
                written += usize::from(create(&server, &token).is_some());
            }
            written
        });
        done(&run(url, &["backup", &file]));
        is_over.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 0, "nothing was written meanwhile");
    });
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it has hashes of passwords");
    let after = create(&server, &token).expect("it is created");

    refused(&run(url, &["backup", &file]), "exists");
    refused(&run(url, &["restore", &file]), "--replace");
    refused(
        &run(url, &["restore", &file, "--replace"]),
        "another process uses the database",
    );
    assert_eq!(status(&server, &token, &after), "200");
    assert!(server.terminate().success());

    a_damaged_backup_changes_nothing(url, &folder, &file, &token, &after);

    done(&run(url, &["restore", &file, "--replace"]));
    let server = program(url).start();
    for id in &before {
        assert_eq!(status(&server, &token, id), "200", "{id} is lost");
    }
    assert_eq!(status(&server, &token, &after), "404");
    create(&server, &token).expect("a restored database takes writes");
    // A backup of a restored database can be restored, too.
    let second = folder.file("tuesday.backup");
    done(&run(url, &["backup", &second]));
    assert!(server.terminate().success());
    done(&run(url, &["restore", &second, "--replace"]));
    let server = program(url).start();
    assert_eq!(status(&server, &token, &before[0]), "200");
    assert!(server.terminate().success());
    let left = std::fs::read_dir(&folder.0).unwrap();
    let parts = left.filter(|one| {
        let path = one.as_ref().unwrap().path();
        path.extension().is_some_and(|end| end == "part")
    });
    assert_eq!(parts.count(), 0, "a part was left");
}

fn a_damaged_backup_changes_nothing(
    url: &str,
    folder: &Folder,
    file: &str,
    token: &str,
    newest: &str,
) {
    let whole = std::fs::read(file).unwrap();
    for (name, bytes) in [
        ("cut", &whole[..whole.len() * 2 / 3]),
        ("empty", &[]),
        ("other", b"a text that is no backup at all".as_slice()),
    ] {
        let damaged = folder.file(name);
        std::fs::write(&damaged, bytes).unwrap();
        let ended = run(url, &["restore", &damaged, "--replace"]);
        assert_eq!(ended.code, Some(1), "{name}: {ended:?}");
        assert!(
            !ended.stderr.contains("panicked") && !ended.stderr.is_empty(),
            "{name}: {ended:?}"
        );
    }
    let server = program(url).start();
    assert_eq!(status(&server, token, newest), "200");
    assert!(server.terminate().success());
}

#[test]
fn a_backup_without_its_database_leaves_no_file() {
    let folder = Folder::new();
    let file = folder.file("a.backup");
    let nothing = format!("sqlite://{}", folder.file("nothing.db"));
    refused(
        &run(&nothing, &["backup", &file]),
        "cannot copy the database",
    );
    refused(&run(&nothing, &["restore", &file]), "there is no file");
    let away = "postgres://someone:s3cret@127.0.0.1:1/none";
    let ended = run(away, &["backup", &file]);
    refused(&ended, "pg_dump");
    assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
    let left: Vec<_> = std::fs::read_dir(&folder.0).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_replaced_file_is_kept() {
    let folder = Folder::new();
    let url = format!("sqlite://{}", folder.file("app.db"));
    let file = folder.file("a.backup");
    done(&run(&url, &["migrate", "up"]));
    done(&run(&url, &["backup", &file]));
    let restored = run(&url, &["restore", &file, "--replace"]);
    done(&restored);
    let former = restored.stdout.split('`').nth(1).expect("it is named");
    assert!(Path::new(former).is_file(), "{restored:?}");
    // A new place needs no permission.
    let elsewhere = format!("sqlite://{}", folder.file("new/app.db"));
    done(&run(&elsewhere, &["restore", &file]));
    done(&run(&elsewhere, &["migrate", "up"]));
}
