//! Tests the plugin as an application has it, on SQLite and on PostgreSQL.

#![allow(missing_docs, reason = "a test")]

use std::time::Duration;

use doyen::app::{Plugin, Registrar, SetupError};
use doyen::data::sea_orm::prelude::{DateTimeUtc, Uuid};
use doyen::prelude::*;
use doyen::web::Body;
use doyen_test::{Program, Setup, Subject, TestApp};
use http_body_util::BodyExt as _;
use nodes::{NodeSettings, Nodes};
use serde_json::Value;

/// An application with the plugin.
struct Cluster(TestApp);

impl Subject for Cluster {
    fn app() -> App {
        App::new("cluster").plugin(Nodes)
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Cluster {
    /// The states of the nodes that the route lists.
    async fn states(&self) -> Vec<String> {
        let nodes = self.0.get("/nodes").send().await.expect(200).json();
        let states = nodes.as_array().into_iter().flatten();
        states
            .map(|node| node["state"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The response of the admin listener.
    async fn admin(&self, path: &str) -> String {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let admin = self.0.runtime().admin().unwrap();
        let response = Box::pin(admin.handle(request, None)).await;
        let body = response.into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }
}

#[doyen_test::test]
async fn a_process_is_listed_until_its_services_stop(cluster: Cluster) {
    assert_eq!(cluster.states().await, ["running"]);
    let other = cluster.0.another(Setup::new()).await;
    assert_eq!(cluster.states().await, ["running", "running"]);
    other.runtime().drain(Duration::from_secs(5)).await;
    assert_eq!(cluster.states().await, ["running", "draining"]);
    other.runtime().stop().await;
    assert_eq!(cluster.states().await, ["running"]);
}

#[doyen_test::test]
async fn the_task_writes_heartbeats(cluster: Cluster) {
    let fast = Setup::new().set("nodes.heartbeat", "100ms");
    cluster.0.another(fast).await;
    cluster.0.clock().advance(Duration::from_secs(31));
    // The first process has not written a heartbeat since, the second one does.
    while cluster.states().await != ["running"] {
        tokio::task::yield_now().await;
    }
}

#[doyen_test::test]
async fn a_missing_heartbeat_degrades_the_health(cluster: Cluster) {
    let ready = cluster.admin("/readyz?verbose").await;
    let check = |text: &str| {
        let json: Value = serde_json::from_str(text).unwrap();
        let checks = json["dependencies"].as_array().unwrap();
        let found = checks.iter().find(|check| check["name"] == "nodes");
        (json["status"].clone(), found.unwrap().clone())
    };
    assert_eq!(check(&ready).1["status"], "ok", "{ready}");
    cluster.0.clock().advance(Duration::from_secs(31));
    let ready = cluster.admin("/readyz?verbose").await;
    let (status, check) = check(&ready);
    assert_eq!(status, "degraded");
    assert_eq!(check["error"], "no heartbeat for 31 s");
    cluster.0.get("/readyz").send().await.expect(200);
}

/// Repeat a word
#[get("/echo/{word}", allow = anyone)]
async fn echo(word: String) -> Text {
    Text(word)
}

#[doyen_test::test(sqlite)]
async fn requests_are_counted_by_route_and_not_by_path(cluster: Cluster) {
    let echo = Module::new("echo").routes(routes![echo]);
    let cluster = Cluster(cluster.0.another(Setup::new().module(echo)).await);
    cluster.0.get("/echo/secret").send().await.expect(200);
    let metrics = cluster.admin("/metrics").await;
    let line = "http_server_requests_total{method=\"GET\",route=\"/echo/{word}\",status=\"200\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    assert!(!metrics.contains("secret"), "{metrics}");
}

#[doyen_test::test]
async fn heartbeats_are_counted(cluster: Cluster) {
    let metrics = cluster.admin("/metrics").await;
    assert!(
        metrics.contains("\nnodes_heartbeats_total 1\n"),
        "{metrics}"
    );
    assert!(metrics.contains("health_check_up{check=\"nodes\"} 1"));
}

#[doyen_test::test]
async fn a_killed_process_is_not_listed_and_can_be_removed(cluster: Cluster) {
    let long_ago = cluster.0.clock().now() - Duration::from_secs(3600);
    let row = [
        Uuid::max().into(),
        "running".into(),
        DateTimeUtc::from(long_ago).into(),
    ];
    let sql = "INSERT INTO nodes (id, state, seen_at) VALUES ($1, $2, $3)";
    cluster.0.execute(sql, row).await;
    assert_eq!(cluster.states().await, ["running"]);
    let runtime = cluster.0.runtime();
    let mut commands = runtime.commands().iter();
    let forget = commands.find(|command| command.name() == "nodes forget");
    let line = runtime.run(forget.unwrap(), Vec::new()).await.unwrap();
    assert_eq!(line, "1 removed");
    assert_eq!(cluster.0.count("nodes").await, 1);
}

#[doyen_test::test]
async fn without_the_plugin_there_is_no_route_and_the_table_stays(cluster: Cluster) {
    let plain = cluster.0.another(Setup::new().without("nodes")).await;
    plain
        .get("/nodes")
        .send()
        .await
        .expect_problem(404, "not_found");
    assert_eq!(plain.count("nodes").await, 1);
    let again = cluster.0.another(Setup::new()).await;
    again.get("/nodes").send().await.expect(200);
}

/// A replacement with the same settings, which registers nothing.
struct Quiet;

impl Plugin for Quiet {
    const NAME: &'static str = Nodes::NAME;
    type Settings = NodeSettings;

    fn register(self, _: NodeSettings, _: &mut Registrar<'_>) -> Result<(), SetupError> {
        Ok(())
    }
}

#[doyen_test::test]
async fn a_replacement_takes_the_name(cluster: Cluster) {
    let quiet = Setup::new().replace_plugin(Quiet);
    let quiet = cluster.0.another(quiet).await;
    quiet
        .get("/nodes")
        .send()
        .await
        .expect_problem(404, "not_found");
    let report = quiet.runtime().plugins().to_json().to_string();
    assert!(report.contains("replaced it"), "{report}");
}

#[doyen_test::test]
async fn migrations_are_reversible(cluster: Cluster) {
    let migrator = cluster.0.runtime().migrator();
    let schema = migrator.schema().await.unwrap();
    assert!(schema.contains("nodes"), "{schema}");
    migrator.down_all().await.unwrap();
    let nothing = migrator.schema().await.unwrap();
    assert!(!nothing.contains("nodes"), "{nothing}");
    migrator.up().await.unwrap();
    assert_eq!(migrator.schema().await.unwrap(), schema);
}

#[doyen_test::test]
async fn the_plugin_is_in_the_report(cluster: Cluster) {
    let plugins = cluster.0.runtime().plugins().to_json();
    let all = plugins["plugins"].as_array().unwrap();
    let nodes = all.iter().find(|plugin| plugin["name"] == "nodes").unwrap();
    assert_eq!(nodes["origin"], "added");
    let claims = nodes["claims"].as_array().unwrap();
    for claim in [
        "setting nodes.heartbeat",
        "tables nodes",
        "route GET /nodes",
        "metric nodes_heartbeats_total",
        "command nodes forget",
    ] {
        assert!(claims.iter().any(|known| known == claim), "{claims:?}");
    }
}

/// The key that `TestApp` uses.
const SIGNING_KEY: &str = "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc";

/// The program, on this database.
fn program(database: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_nodes"))
        .env("DATABASE_URL", database)
        .env("APP_AUTH__SIGNING_KEY", SIGNING_KEY)
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
}

#[doyen_test::test]
async fn a_terminated_process_leaves(cluster: Cluster) {
    let process = program(cluster.0.database_url()).start();
    process.address();
    assert_eq!(cluster.states().await.len(), 2);
    assert!(process.terminate().success());
    assert_eq!(cluster.states().await.len(), 1);
}

#[doyen_test::test]
async fn a_command_is_not_a_node(cluster: Cluster) {
    let forget = program(cluster.0.database_url()).arg("nodes").arg("forget");
    // To the real clock, the node of the test stopped long ago. The command adds none.
    let ended = forget.run();
    assert_eq!(ended.stdout, "1 removed\n", "{ended:?}");
    assert_eq!(cluster.0.count("nodes").await, 0);
}

/// The guide shows this text.
fn assert_on_the_page(text: &str) {
    let page = std::fs::read_to_string("../../docs/guide/plugins.md").unwrap();
    assert!(page.contains(text), "the page does not show:\n{text}");
}

#[test]
fn all_mistakes_are_in_one_list() {
    let ended = program("sqlite://nodes.db")
        .env("APP_NODES__TIMEOUT", "15s")
        .env("APP_NODES__HEARTBEET", "5s")
        .env("APP_LIMITS__TIERS", "partner: x5, partner: x9")
        .run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("`nodes.timeout`"), "{ended:?}");
    assert_on_the_page(&ended.stderr);
}

#[test]
fn a_value_out_of_range_names_its_key() {
    let ended = program("sqlite://nodes.db")
        .env("APP_NODES__HEARTBEAT", "1ms")
        .run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("`nodes.heartbeat`"), "{ended:?}");
}

#[test]
fn the_help_lists_the_command_although_a_setting_is_wrong() {
    let ended = program("sqlite://nodes.db")
        .env("APP_NODES__TIMEOUT", "15s")
        .arg("nodes")
        .arg("--help")
        .run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("forget"), "{ended:?}");
}

#[test]
fn the_page_shows_the_report() {
    let ended = program("sqlite://nodes.db").arg("plugins").run();
    let row = ended.stdout.lines().find(|line| line.starts_with("nodes "));
    assert_on_the_page(row.unwrap());
}
