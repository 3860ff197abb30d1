//! The memory that a route takes.

#![cfg(target_os = "linux")]

use doyen_test::Program;

/// What a trivial route may add to the resident memory, in KiB.
const LIMIT: usize = 20;

/// Resident memory of an application with this many trivial routes, in KiB: after its start, and
/// after its document was read. Without the pages of the program: the system drops and reads them
/// as it likes.
fn resident(routes: usize) -> [usize; 2] {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(|deps| deps.parent()).unwrap();
    let server = Program::new(folder.join("examples/many_routes").to_str().unwrap())
        .env("ROUTES", &routes.to_string())
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .start();
    let get = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        server.exchange(&request)
    };
    let memory = || {
        let status = get("/memory");
        let kib = status.lines().find_map(|line| {
            let size = line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?;
            size.parse().ok()
        });
        kib.unwrap_or_else(|| panic!("{status}"))
    };
    let started = memory();
    let document = get("/openapi.json");
    assert_eq!(document.matches("\"/numbers/").count(), routes);
    [started, memory()]
}

#[test]
fn a_trivial_route_takes_little_memory() {
    let (few, many) = (resident(1), resident(200));
    for (few, many) in few.into_iter().zip(many) {
        let each = many.saturating_sub(few) / 199;
        assert!(each <= LIMIT, "{each} KiB for each route");
    }
}
