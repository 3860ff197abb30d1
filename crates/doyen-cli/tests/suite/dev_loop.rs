//! `doyen dev` decides when to build, and what to do when a build or an application fails. Scripts
//! stand in for cargo and for the application; `first_hour` has the real ones.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dev::Dev;
use crate::sandbox::Sandbox;

/// Takes a line of `builds` for each build, and waits for the file `go`.
const CARGO: &str = r#"#!/bin/sh
echo build >> builds
while [ ! -e go ]; do sleep 0.02; done
[ -e program ] && printf '{"reason":"compiler-artifact","manifest_path":"%s/Cargo.toml","executable":"%s/program"}\n' "$PWD" "$PWD"
exit "$(cat exit_code)"
"#;

struct Loop {
    sandbox: Sandbox,
    dev: Dev,
}

impl Loop {
    /// Starts `doyen dev`. Its first build waits for `go`.
    fn start() -> Self {
        let sandbox = Sandbox::new();
        let folder = sandbox.folder.clone();
        std::fs::create_dir(folder.join("src")).unwrap();
        let manifest = "[package]\nname = \"shop\"\n[dependencies]\ndoyen = \"1\"\n";
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.join("src/main.rs"), "fn main() {}").unwrap();
        std::fs::write(folder.join("exit_code"), "0").unwrap();
        script(&folder.join("cargo"), CARGO);
        let mut command = Command::new(env!("CARGO_BIN_EXE_doyen"));
        command.env("CARGO", folder.join("cargo"));
        let dev = Dev::spawn(command, &folder, "127.0.0.1:0");
        Self { sandbox, dev }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Sets the program of the next build.
    fn program(&self, script_text: &str) {
        // A running script cannot be overwritten.
        let _ = std::fs::remove_file(self.path("program"));
        script(&self.path("program"), script_text);
    }

    /// Waits until this many builds have begun.
    fn builds(&self, count: usize) {
        let begun = || std::fs::read_to_string(self.path("builds")).unwrap_or_default();
        wait_until(|| begun().lines().count() >= count);
    }
}

/// Waits for another process, which cannot notify us. The runner ends a test that hangs.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing else runs on the thread of such a test"
)]
fn wait_until(is_done: impl Fn() -> bool) {
    while !is_done() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn script(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, executable).unwrap();
}

#[test]
fn what_is_saved_during_a_build_is_built_by_the_next() {
    let mut dev = Loop::start();
    dev.program("#!/bin/sh\nexit 3\n");
    dev.builds(1);
    dev.write("src/main.rs", "fn main() { }");
    dev.write("src/added.rs", "");
    dev.write("go", "");
    dev.builds(2);
    dev.dev.says("exit code 3");
    // A file that is deleted is a change too.
    std::fs::remove_file(dev.path("src/added.rs")).unwrap();
    dev.builds(3);
    dev.dev.says("exit code 3");
}

#[test]
fn each_failure_waits_for_the_next_change() {
    let mut dev = Loop::start();
    dev.write("exit_code", "101");
    dev.write("go", "");
    dev.dev.says("the build failed; waiting for a change");

    // A panic at the start.
    dev.write("exit_code", "0");
    dev.program("#!/bin/sh\nexit 101\n");
    dev.write("src/main.rs", "fn main() { panic!() }");
    dev.dev
        .says("the application ended (exit code 101); waiting for a change");

    // A start that never ends is replaced.
    dev.program("#!/bin/sh\ntouch started\nexec sleep 1000\n");
    dev.write("src/main.rs", "fn main() { loop {} }");
    wait_until(|| dev.path("started").exists());
    dev.program("#!/bin/sh\nexit 4\n");
    dev.write("src/main.rs", "fn main() { exit(4) }");
    dev.dev.says("exit code 4");

    // The program is gone.
    std::fs::remove_file(dev.path("program")).unwrap();
    std::fs::remove_file(dev.path("src/main.rs")).unwrap();
    dev.dev.says("has no program");
    dev.dev.says("waiting for a change");
    dev.program("#!/bin/sh\nexit 5\n");
    dev.write("src/main.rs", "fn main() { exit(5) }");
    dev.dev.says("exit code 5");
}
