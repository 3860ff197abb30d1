//! The lifecycle of a process: start, stop and exit code.

#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use doyen_test::{Program, Running};

pub(crate) fn program(lab: &str) -> Program {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(|deps| deps.parent()).unwrap();
    let path = folder.join("examples/lifecycle");
    Program::new(path.to_str().unwrap())
        .env("LAB", lab)
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
}

/// The output of the plugins, one line for each step.
fn steps(output: &str) -> Vec<&str> {
    let words = ["starts", "stops", "stopped", "drains", "ended"];
    let step = |line: &&str| words.iter().any(|word| line.ends_with(word)) && line.len() < 20;
    output.lines().filter(step).collect()
}

#[test]
fn a_service_that_fails_or_panics_stops_earlier_services_and_the_process() {
    for (lab, reason) in [
        (
            "c fails",
            "service `c` failed (the upstream is not reachable)",
        ),
        ("c panics", "service `c` panicked"),
    ] {
        let ended = program(lab).run();
        assert_eq!(ended.code, Some(1), "{lab}: {}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{lab}: {}", ended.stderr);
        assert_eq!(
            steps(&ended.stdout),
            [
                "a starts",
                "b starts",
                "c starts",
                "b stops",
                "b stopped",
                "a stops",
                "a stopped"
            ],
            "{lab}"
        );
    }
}

#[test]
fn a_signal_while_a_service_starts_stops_earlier_services() {
    let mut running = program("c hangs").start();
    running
        .wait_for(|| running.output().contains("c starts").then_some(()))
        .expect("c starts");
    running.ask_to_stop();
    assert_eq!(running.wait().code(), Some(1));
    let output = running.output();
    let expected = [
        "a starts",
        "b starts",
        "c starts",
        "b stops",
        "b stopped",
        "a stops",
        "a stopped",
    ];
    assert_eq!(steps(&output), expected);
}

#[test]
fn a_task_that_fails_permanently_exits_with_an_error() {
    let mut running = program("task ends").start();
    assert_eq!(running.wait().code(), Some(1));
    assert!(steps(&running.output()).ends_with(&["a stops", "a stopped"]));
}

/// Sends a request and leaves the connection open.
fn send(running: &Running, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(running.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    // A connection that is cut ends with an error; bytes received before count.
    let _ = stream.read_to_string(&mut text);
    text
}

#[test]
fn a_drain_finishes_requests_ends_streams_and_stops_in_reverse() {
    let mut running = program("b hangs")
        .env("APP_SERVER__DRAIN_DEADLINE", "3s")
        .start();
    let slow = send(
        &running,
        "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    );
    let stream = send(&running, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    for began in ["slow began", "stream began"] {
        running
            .wait_for(|| running.output().contains(began).then_some(()))
            .expect(began);
    }
    let asked = Instant::now();
    running.ask_to_stop();
    let slow = rest(slow);
    assert!(
        slow.starts_with("HTTP/1.1 200") && slow.ends_with("written"),
        "{slow}"
    );
    assert!(rest(stream).contains("tick"));
    // The stream never ends, so the deadline cuts it.
    assert_eq!(running.wait().code(), Some(1));
    // 3 s for requests and 10 s for plugins.
    assert!(
        asked.elapsed() < Duration::from_secs(16),
        "{:?}",
        asked.elapsed()
    );
    let output = running.output();
    let mut drained: Vec<&str> = steps(&output);
    let stopped = drained.split_off(
        drained
            .iter()
            .position(|step| step.contains("ended"))
            .unwrap(),
    );
    assert_eq!(
        drained,
        [
            "a starts", "b starts", "c starts", "a drains", "b drains", "c drains"
        ]
    );
    // `b` hangs, and `a` is stopped all the same.
    assert_eq!(
        stopped,
        [
            "worker ended",
            "c stops",
            "c stopped",
            "b stops",
            "a stops",
            "a stopped"
        ]
    );
}

#[test]
fn a_second_signal_ends_the_drain_and_a_stop_that_hangs() {
    for (delay, step) in [("60s", "a starts"), ("0s", "b stops")] {
        let mut running = program("b hangs")
            .env("APP_SERVER__DRAIN_DELAY", delay)
            .start();
        let _serving = running.address();
        running.ask_to_stop();
        running
            .wait_for(|| running.output().contains("draining").then_some(()))
            .expect("the drain begins");
        running
            .wait_for(|| running.output().contains(step).then_some(()))
            .expect(step);
        let asked = Instant::now();
        running.ask_to_stop();
        running.wait();
        // Without the second signal: 60 s of delay, or 3 s and more of a stop that hangs.
        assert!(
            asked.elapsed() < Duration::from_millis(2_900),
            "{delay}: {:?}",
            asked.elapsed()
        );
    }
}

/// The watchdog of systemd restarts a process whose workers are all blocked: its messages stay away
/// for as long as they are.
#[test]
fn a_blocked_runtime_does_not_report_that_it_is_alive() {
    const WORKERS: usize = 2;
    let program = program("")
        .env("TOKIO_WORKER_THREADS", &WORKERS.to_string())
        .env("WATCHDOG_USEC", "100000");
    let release = program.folder().join("release");
    let path = program.folder().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let running = program
        .env("NOTIFY_SOCKET", &path.display().to_string())
        .start();
    let next = |timeout: Duration| {
        manager.set_read_timeout(Some(timeout)).unwrap();
        let mut bytes = [0; 64];
        let length = manager.recv(&mut bytes).ok()?;
        Some(
            String::from_utf8_lossy(&bytes[..length])
                .trim_end()
                .to_owned(),
        )
    };
    let soon = Duration::from_secs(20);
    let alive = Some("WATCHDOG=1".to_owned());
    assert_eq!(next(soon).as_deref(), Some("READY=1"));
    assert_eq!(next(soon), alive);

    let block = "POST /block HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let blocked: Vec<TcpStream> = (0..WORKERS).map(|_| send(&running, block)).collect();
    running
        .wait_for(|| (running.output().matches("block began").count() == WORKERS).then_some(()))
        .expect("all workers are blocked");
    // What was sent before.
    manager.set_nonblocking(true).unwrap();
    while manager.recv(&mut [0; 64]).is_ok() {}
    manager.set_nonblocking(false).unwrap();
    // Ten times the limit of the watchdog.
    assert_eq!(next(Duration::from_secs(1)), None);
    assert_eq!(running.output().matches("block began").count(), WORKERS);

    std::fs::write(release, "").unwrap();
    for stream in blocked {
        assert!(rest(stream).ends_with("released"));
    }
    assert_eq!(next(soon), alive);
    assert_eq!(next(soon), alive);
}

#[test]
fn an_application_checks_the_layers_of_its_source() {
    let helpdesk = concat!(env!("CARGO_MANIFEST_DIR"), "/../../apps/helpdesk");
    let ended = program("").arg("layers").arg(helpdesk).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("tickets"), "{}", ended.stdout);
    let program = program("").arg("layers");
    let domain = program.folder().join("src/orders");
    std::fs::create_dir_all(&domain).unwrap();
    let write = |path: &str, text: &str| std::fs::write(program.folder().join(path), text).unwrap();
    write("Cargo.toml", "[package]\nname = \"shop\"\n");
    write("src/lib.rs", "mod orders;\n");
    write("src/orders/mod.rs", "mod domain;\n");
    write("src/orders/domain.rs", "use doyen::web::Json;\n");
    let ended = program.run();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("src/orders/domain.rs:1"),
        "{}",
        ended.stderr
    );
}

#[test]
fn descriptions_need_no_file_and_no_setting() {
    use std::os::unix::fs::PermissionsExt as _;
    for command in ["openapi", "routes", "plugins", "config"] {
        let program = program("").arg(command).env("APP_ENV", "dev");
        let folder = program.folder().to_owned();
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&folder, mode(0o555)).unwrap();
        let ended = program.run();
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.stderr);
        assert!(!ended.stdout.is_empty(), "{command}");
    }
    let ended = program("").arg("plugins").arg("--json").run();
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let names: Vec<&str> = json["plugins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|plugin| plugin["name"].as_str().unwrap())
        .collect();
    assert!(names.ends_with(&["a", "b", "c"]), "{names:?}");
}
