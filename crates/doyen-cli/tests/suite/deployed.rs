//! The last steps of the first hour: a load run, and the service as in its container.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::dev::get;
use crate::first_hour::health_check;
use crate::sandbox::run;
use crate::variants::program;

/// The load test that the application writes for itself, with locust.
pub(crate) fn passes_a_load_run(application: &Path, address: SocketAddr, token: &str) {
    let mut load = Command::new(program("first-hour"));
    load.args(["load", "run", "--url", &format!("http://{address}")])
        .args(["--tag", "products", "--rate", "10", "--seconds", "3"])
        .args(["--think", "0.02", "--writes", "30"])
        // The machine is busy, and the program is not optimised.
        .args(["--p99", "20000", "--errors", "0"])
        .env("LOAD_TOKEN", token)
        .current_dir(application);
    // `cargo xtask test` installs it. Otherwise it has to be in the `PATH`.
    if let Some(locust) = std::env::var_os("DOYEN_TEST_LOCUST") {
        let folder = Path::new(&locust).parent().unwrap().to_path_buf();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        load.env("PATH", std::env::join_paths(folders).unwrap());
    }
    let report = run(&mut load).success().stdout;
    for route in ["GET /v1/products ", "POST /v1/products "] {
        assert!(report.contains(route), "no {route} in\n{report}");
    }
}

/// The service runs in production with the files that the container recipe copies, and with the
/// variables that `config/prod.toml` asks for.
pub(crate) fn runs_as_in_its_container(application: &Path) {
    let recipe = std::fs::read_to_string(application.join("Containerfile")).unwrap();
    let words = |start: &str| {
        let line = recipe.lines().find_map(|line| line.strip_prefix(start));
        line.unwrap_or_else(|| panic!("no line begins with {start}"))
    };
    assert_eq!(words("ENV "), "APP_ENV=prod");
    assert_eq!(words("COPY config "), "config");
    let command: Vec<String> = serde_json::from_str(words("CMD ")).unwrap();

    // The working directory of the image.
    let folder = application.with_file_name("container");
    std::fs::create_dir_all(folder.join("config")).unwrap();
    std::fs::create_dir(folder.join("data")).unwrap();
    for entry in std::fs::read_dir(application.join("config")).unwrap() {
        let entry = entry.unwrap();
        let copy = folder.join("config").join(entry.file_name());
        std::fs::copy(entry.path(), copy).unwrap();
    }
    let mut variables = vec![
        ("APP_ENV", "prod".to_owned()),
        ("APP_MAIL__URL", "smtps://user:secret@127.0.0.1".to_owned()),
        ("DATABASE_URL", "sqlite://data/app.db".to_owned()),
    ];
    let doing = |arguments: &[&str], variables: &[(&str, String)]| {
        let mut doing = Command::new(program(&command[0]));
        let variables = variables.iter().map(|(name, value)| (name, value));
        doing.args(arguments).current_dir(&folder).envs(variables);
        doing
    };
    let keys = run(&mut doing(&["keys", "generate"], &[])).success();
    let secret = keys.stdout.trim().to_owned();
    variables.push(("APP_AUTH__SIGNING_KEY", secret));
    run(&mut doing(&["migrate", "up"], &variables)).success();

    // Connections wait in the listener until the program serves.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listen = [
        ("APP_SERVER__BIND", address.to_string()),
        ("APP_ADMIN__ENABLED", "false".to_owned()),
        ("LISTEN_FDS", "1".to_owned()),
        ("LISTEN_FDS_FIRST_FD", "0".to_owned()),
    ];
    variables.extend(listen);
    let mut service = doing(&[], &variables)
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let response = get(address, "/livez").unwrap_or_default();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    health_check(application, address);
    let id = service.id().to_string();
    run(Command::new("kill").args(["-TERM", &id])).success();
    assert!(service.wait().unwrap().success());
}
