//! `doyen dev`: builds and restarts an application while clients use it.

use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sandbox::run;
use crate::variants::cargo_command;

/// `doyen dev` in the folder of an application.
pub(crate) struct Dev {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Dev {
    fn start(application: &Path, bind: &str) -> Self {
        // The environment of cargo, with another program.
        let cargo = cargo_command(application, &[]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_doyen"));
        for (name, value) in cargo.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self::spawn(command, application, bind)
    }

    pub(crate) fn spawn(mut command: Command, application: &Path, bind: &str) -> Self {
        let mut child = command
            .args(["dev", "--bind", bind])
            .current_dir(application)
            .env("APP_ADMIN__ENABLED", "false")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits for a line with these words, and returns it.
    pub(crate) fn says(&mut self, words: &str) -> String {
        let mut seen = Vec::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            if line.contains(words) {
                return line;
            }
            seen.push(line);
        }
        panic!("it ended without `{words}`: {seen:#?}");
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // After a failed test. It may have ended already.
        let _ = self.child.kill();
    }
}

/// Gets a path. `None` if no connection can be opened.
pub(crate) fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    Some(response)
}

/// The file of the application that contains this text.
fn file_with(folder: &Path, text: &str) -> Option<PathBuf> {
    std::fs::read_dir(folder).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return file_with(&path, text);
        }
        std::fs::read_to_string(&path)
            .unwrap()
            .contains(text)
            .then_some(path)
    })
}

/// Changes a built application. It is as before in the end.
pub(crate) fn follows_changes(application: &Path) {
    let mut dev = Dev::start(application, "127.0.0.1:0");
    let line = dev.says("dev: serves");
    let address = line.split("http://").nth(1).unwrap();
    let address: SocketAddr = address.split(' ').next().unwrap().parse().unwrap();
    let document = || get(address, "/openapi.json").unwrap();
    assert!(document().contains("List products"));

    // A client that never pauses gets a response each time.
    let done = Arc::new(AtomicBool::new(false));
    let client = std::thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let (mut sent, mut answered) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                sent += 1;
                let response = get(address, "/livez").unwrap_or_default();
                answered += u32::from(response.starts_with("HTTP/1.1 200"));
            }
            (sent, answered)
        }
    });
    let file = file_with(&application.join("src"), "List products").unwrap();
    let before = std::fs::read_to_string(&file).unwrap();
    let after = before.replace("List products", "List all products");
    std::fs::write(&file, &after).unwrap();
    println!("     {}", dev.says("dev: serves"));
    assert!(document().contains("List all products"));

    std::fs::write(&file, format!("{after}\nfn broken(")).unwrap();
    dev.says("dev: the build failed; the former one goes on");
    assert!(document().contains("List all products"));
    std::fs::write(&file, &before).unwrap();
    dev.says("dev: serves");
    assert!(document().contains("List products"));
    done.store(true, Ordering::Relaxed);
    let (sent, answered) = client.join().unwrap();
    assert_eq!(sent, answered);

    // The application ends with `doyen dev`, however that ends.
    dev.child.kill().unwrap();
    dev.child.wait().unwrap();
    let mut dev = Dev::start(application, &address.to_string());
    dev.says("dev: serves");
    let id = dev.child.id().to_string();
    run(Command::new("kill").args(["-TERM", &id])).success();
    assert!(dev.child.wait().unwrap().success());
    assert_eq!(get(address, "/livez"), None, "the application still runs");
}
