//! The first hour of a user, as `docs/guide/own-project.md` tells it: from nothing to a service
//! that runs, with a domain, a reference and two more columns: one generated, one by hand.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::by_hand::{self, PostgresDatabase, run_sql};
use crate::deployed::{passes_a_load_run, runs_as_in_its_container};
use crate::dev::follows_changes;
use crate::sandbox::{Ended, Sandbox, checkout, run, run_with};
use crate::variants::{cargo, gate, generate_migration, lock, program};

/// A running application.
struct Service {
    child: Child,
    address: SocketAddr,
    token: String,
}

impl Service {
    /// Starts the program of an application, on a free port.
    fn start(application: &Path) -> Self {
        Self::on(application, None)
    }

    /// Starts it on a database, or on that of its settings.
    fn on(application: &Path, database: Option<&str>) -> Self {
        let mut command = Command::new(program("first-hour"));
        command
            .current_dir(application)
            .envs(database.map(|url| ("DATABASE_URL", url)))
            .env("APP_SERVER__BIND", "127.0.0.1:0")
            .env("APP_ADMIN__ENABLED", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok);
        let mut seen = Vec::new();
        let address = lines.by_ref().find_map(|line| {
            let words = line.split(|c: char| c.is_whitespace() || c == '/' || c == '"');
            let found = words.filter_map(|word| word.parse().ok()).next();
            seen.push(line.clone());
            found
        });
        let address = address.unwrap_or_else(|| panic!("no address in {seen:#?}"));
        // The program must not wait for a reader of its log.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            token: String::new(),
        }
    }

    /// Sends a request. Returns status and body.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(self.address).unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        if !body.is_empty() {
            head.push_str("Content-Type: application/json\r\n");
        }
        if !self.token.is_empty() {
            head.push_str(&format!("Authorization: Bearer {}\r\n", self.token));
        }
        write!(stream, "{head}\r\n{body}").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let status = response.split(' ').nth(1).unwrap().parse().unwrap();
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        let (got, answer) = self.send("POST", path, Some(body));
        assert_eq!(got, status, "{path}: {answer}");
        answer
    }

    /// Registers a user, once, and logs in.
    fn log_in(&mut self) {
        let password = "correct horse battery staple";
        let new = json!({"email": "ann@example.com", "name": "Ann", "password": password});
        self.post("/v1/auth/register", &new, 202);
        let login = json!({"email": "ann@example.com", "password": password});
        let answer = self.post("/v1/auth/login", &login, 200);
        self.token = answer["access_token"].as_str().unwrap().to_owned();
    }

    /// Sends SIGTERM and waits for the end.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        run(Command::new("kill").args(["-TERM", &pid])).success();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // After a failed test. It may have ended already.
        let _ = self.child.kill();
    }
}

/// The commands of a user, counted and timed.
struct Session {
    sandbox: Sandbox,
    commands: u32,
    started: Instant,
}

impl Session {
    fn doyen(&mut self, folder: &str, arguments: &[&str]) {
        self.commands += 1;
        self.sandbox.doyen(folder, arguments).success();
        self.done(&format!("doyen {}", arguments.join(" ")));
    }

    fn gate(&mut self, folder: &Path) {
        gate(folder);
        self.commands += 3;
        self.done("cargo fmt --check, cargo clippy, cargo test");
    }

    fn done(&self, what: &str) {
        let seconds = self.started.elapsed().as_secs_f32();
        println!("{:>3}. {seconds:>6.1} s  {what}", self.commands);
    }
}

/// The command of `HEALTHCHECK` succeeds if the service responds, and fails otherwise.
pub(crate) fn health_check(application: &Path, address: SocketAddr) {
    let recipe = std::fs::read_to_string(application.join("Containerfile")).unwrap();
    let line = recipe.lines().find(|line| line.starts_with("HEALTHCHECK"));
    let (_, command) = line.unwrap().split_once(" CMD ").unwrap();
    let words: Vec<String> = serde_json::from_str(command).unwrap();
    let check = |port: u16| {
        let script = words[2].replace("/8000", &format!("/{port}"));
        run(Command::new(&words[0]).args([&words[1], &script])).code
    };
    assert_eq!(check(address.port()), 0);
    assert_ne!(check(1), 0);
}

#[test]
fn from_nothing_to_a_service_with_one_more_column() {
    let mut session = Session {
        sandbox: Sandbox::named("first-hour"),
        commands: 0,
        started: Instant::now(),
    };
    let path = checkout();
    let new = [
        "new",
        "first-hour",
        "--postgres",
        "--path",
        path.to_str().unwrap(),
    ];
    session.doyen(".", &new);
    let home = session.sandbox.folder.join("first-hour");
    lock(&home);
    let products = ["generate", "domain", "products", "title:text", "cents:u32"];
    session.doyen("first-hour", &products);
    session.doyen("first-hour", &ORDERS);
    session.gate(&home);

    let mut service = Service::start(&home);
    session.done("the service runs");
    let (status, document) = service.send("GET", "/openapi.json", None);
    assert_eq!(status, 200);
    let committed = std::fs::read_to_string(home.join("openapi.json")).unwrap();
    assert_eq!(document, serde_json::from_str::<Value>(&committed).unwrap());
    service.log_in();
    let placed = place_an_order(&service);
    session.done("an order is placed");
    health_check(&home, service.address);
    service.stop();

    // Two more columns, with the rows that exist.
    let field = [
        "generate",
        "field",
        "orders",
        "priority:enum(low,high)",
        "helper:ref(users)?",
    ];
    session.doyen("first-hour", &field);
    let changed = cargo(&home, &["test", "--quiet", "--test", "suite", "contract::"]);
    assert_ne!(changed.code, 0, "the contract with clients has changed");
    let message = "run `cargo run -- openapi > openapi.json`";
    assert!(changed.stdout.contains(message), "{}", changed.stdout);
    add_remark_by_hand(&mut session, &home);
    let document = first_hour(&home, None, &["openapi"]).success().stdout;
    std::fs::write(home.join("openapi.json"), document).unwrap();
    session.commands += 1;
    session.done("cargo run -- openapi > openapi.json");
    session.gate(&home);

    let url = format!("sqlite://{}", home.join("data/app.db").display());
    applied_and_reverted(&home, &url);
    let database = PostgresDatabase::new();
    applied_and_reverted(&home, &database.url());
    session.commands += 4;
    session.done("cargo run -- migrate lint, up, status, down; on both databases");

    let mut service = Service::start(&home);
    service.log_in();
    let path = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
    let (status, found) = service.send("GET", &path, None);
    assert_eq!(
        (status, &found["priority"]),
        (200, &json!("low")),
        "{found}"
    );
    assert_eq!(found["sku"], "TE-100");
    session.done("the old order has the new column");
    passes_a_load_run(&home, service.address, &service.token);
    session.commands += 1;
    session.done("cargo run -- load run");
    service.stop();

    follows_changes(&home);
    session.commands += 1;
    session.done("doyen dev, with three changes");
    runs_as_in_its_container(&home);
    session.commands += 3;
    session.done("as in the container: keys generate, migrate up, serve");
    let seconds = session.started.elapsed().as_secs();
    println!("the first hour: {} commands, {seconds} s", session.commands);
}

/// Runs the program of the application, on a database or on that of its settings.
fn first_hour(application: &Path, database: Option<&str>, arguments: &[&str]) -> Ended {
    let mut command = Command::new(program("first-hour"));
    command.args(arguments).current_dir(application);
    // `run` removes the variable of this process.
    run_with(&mut command, database.map(|url| ("DATABASE_URL", url)))
}

/// Writes a field into every layer. The migration comes from the entity, for both databases.
fn add_remark_by_hand(session: &mut Session, home: &Path) {
    let edits = by_hand::add_field(&home.join("src/orders"), "notes", "remark");
    assert_eq!(edits, (12, 4), "(edits, files)");
    let server = by_hand::postgres_server();
    let arguments = ["order_remark", "--postgres-url", &server];
    let generated = generate_migration(&session.sandbox, "first-hour", &arguments).success();
    session.commands += 1;
    session.done("doyen generate migration order_remark");
    let stdout = generated.stdout;
    assert!(
        stdout.contains("missing column `orders.remark`"),
        "{stdout}"
    );
    for database in ["sqlite", "postgres"] {
        let sql = |way| by_hand::migration(home, database, "order_remark", way);
        assert_eq!(sql("up"), "ALTER TABLE orders ADD COLUMN remark text;\n");
        assert_eq!(sql("down"), "ALTER TABLE orders DROP COLUMN remark;\n");
    }
}

/// Applies the migrations that a database lacks, uses the new column, and reverts it.
fn applied_and_reverted(home: &Path, url: &str) {
    let migrate = |words: &[&str]| first_hour(home, Some(url), &[&["migrate"], words].concat());
    let linted = migrate(&["lint"]).success().stdout;
    assert!(linted.contains(", 0 findings"), "{linted}");
    let applied = migrate(&["up"]).success().stdout;
    assert_ne!(applied.trim(), "0 applied");

    let mut service = Service::on(home, Some(url));
    service.log_in();
    let tea = service.post("/v1/products", &json!({"title": "Tea", "cents": 450}), 201);
    let mut order = order(&tea, "A-3");
    order["remark"] = json!("Ring twice.");
    order["priority"] = json!("high");
    let placed = service.post("/v1/orders", &order, 201);
    let path = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
    let (_, found) = service.send("GET", &path, None);
    assert_eq!(found["remark"], "Ring twice.", "{found}");

    // The running database is changed past the application, and back.
    let check = ["status", "--check"];
    let status = migrate(&check).success().stdout;
    assert!(status.contains("no drift"), "{status}");
    run_sql(url, "ALTER TABLE orders ADD COLUMN mood text");
    let status = migrate(&check).failure(1, &[]).stdout;
    let drift = "extra column `orders.mood` (text)";
    assert!(status.contains(drift), "{status}");
    run_sql(url, "ALTER TABLE orders DROP COLUMN mood");
    service.stop();

    let reverted = migrate(&["down"]).success().stdout;
    assert_eq!(reverted.trim(), "1 reverted");
    let status = migrate(&check).failure(1, &[]).stdout;
    assert!(
        status.contains("missing column `orders.remark`"),
        "{status}"
    );
    migrate(&["up"]).success();
}

/// A domain with every type of field.
const ORDERS: [&str; 15] = [
    "generate",
    "domain",
    "orders",
    "buyer:ref(users)",
    "product:ref(products)",
    "number:text:unique",
    "sku:text",
    "quantity:u32",
    "status:enum(open,paid)",
    "due:timestamp?",
    "day:date",
    "total:decimal",
    "weight:f64?",
    "gift:bool",
    "notes:text?",
];

/// A body that places an order of a product.
fn order(product: &Value, number: &str) -> Value {
    json!({
        "product": product["id"], "number": number, "sku": "TE-100", "quantity": 2,
        "status": "open", "day": "2028-02-29", "total": "12.50", "gift": false
    })
}

/// Places an order, and checks references in both directions, a value that may occur once, and one
/// that is exact.
fn place_an_order(service: &Service) -> Value {
    let tea = service.post("/v1/products", &json!({"title": "Tea", "cents": 450}), 201);
    let placed = service.post("/v1/orders", &order(&tea, "A-1"), 201);
    assert_eq!(placed["_links"]["edit"]["method"], "PATCH", "{placed}");
    let read = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
    assert_eq!(service.send("GET", &read, None), (200, placed.clone()));
    assert_eq!(
        (&placed["total"], &placed["day"]),
        (&json!("12.5"), &json!("2028-02-29"))
    );
    let taken = service.post("/v1/orders", &order(&tea, "A-1"), 409);
    assert_eq!(taken["code"], "order_number_taken", "{taken}");
    assert!(
        taken["detail"].as_str().unwrap().contains("number"),
        "{taken}"
    );
    let mut order = order(&tea, "A-2");
    for (field, value) in [("total", json!(12.5)), ("day", json!("2027-02-29"))] {
        let mut wrong = order.clone();
        wrong[field] = value;
        service.post("/v1/orders", &wrong, 422);
    }
    order["product"] = json!("pro_01jd9m3z6veqjsk4dy2hjcg8x4");
    let refused = service.post("/v1/orders", &order, 409);
    assert_eq!(refused["code"], "order_reference_not_found");
    let product = format!("/v1/products/{}", tea["id"].as_str().unwrap());
    let (status, refused) = service.send("DELETE", &product, None);
    assert_eq!((status, &refused["code"]), (409, &json!("product_in_use")));
    placed
}
