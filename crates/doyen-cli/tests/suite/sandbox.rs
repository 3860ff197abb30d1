//! A folder outside of the repository, and the programs that run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// A checkout of Doyen: this one.
pub(crate) fn checkout() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// A folder for the applications of one test, removed when it succeeds.
pub(crate) struct Sandbox {
    pub(crate) folder: PathBuf,
}

/// What a program printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Sandbox {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::named(&format!("{}-{number}", std::process::id()))
    }

    /// An empty folder of this name. Cargo finds what it built there before.
    pub(crate) fn named(name: &str) -> Self {
        let checkout = checkout().display().to_string();
        let letters = checkout
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' });
        let place: String = letters.collect();
        let folder = std::env::temp_dir()
            .join(format!("doyen-cli{place}"))
            .join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    /// An application without a build: `doyen new shop` and these arguments.
    pub(crate) fn shop(arguments: &[&str]) -> (Self, PathBuf) {
        let sandbox = Self::new();
        let new = [&["new", "shop"], arguments].concat();
        sandbox.doyen(".", &new).success();
        let shop = sandbox.folder.join("shop");
        (sandbox, shop)
    }

    /// Runs `doyen` in a folder of the sandbox.
    pub(crate) fn doyen(&self, folder: &str, arguments: &[&str]) -> Ended {
        run(&mut self.doyen_command(folder, arguments))
    }

    pub(crate) fn doyen_command(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doyen"));
        command
            .args(arguments)
            .current_dir(self.folder.join(folder));
        command
    }

    /// Every file below a folder of the sandbox, with its text.
    pub(crate) fn files(&self, folder: &str) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        collect(&self.folder.join(folder), &mut found);
        found.sort();
        found
    }
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// Runs a program, without the settings and the variables of the process that runs the test.
pub(crate) fn run(command: &mut Command) -> Ended {
    run_with(command, None)
}

/// The same, with variables of its own.
pub(crate) fn run_with<'a>(
    command: &mut Command,
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Ended {
    let inherited = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "NEXTEST",
        "APP_",
    ];
    for (name, _) in std::env::vars() {
        let is_inherited = inherited.iter().any(|prefix| name.starts_with(prefix));
        if is_inherited || name == "DATABASE_URL" || name == "CARGO_TARGET_TMPDIR" {
            command.env_remove(name);
        }
    }
    command.envs(variables);
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Ended {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless it failed with this code and these words.
    #[track_caller]
    pub(crate) fn failure(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        for part in words {
            assert!(self.stderr.contains(part), "`{part}` in\n{}", self.stderr);
        }
        self
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // A folder that stays is removed by the next run or with the temporary folder.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
