//! The program, as its users start it.

use doyen_test::Program;

use crate::Cluster;

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
fn a_setting_of_the_framework_that_cannot_be_read_hides_no_other_mistake() {
    let ended = program("sqlite://nodes.db")
        .env("APP_NODES__TIMEOUT", "15s")
        .env("APP_SERVER__REQUEST_TIMEOUT", "soon")
        .run();
    assert!(ended.stderr.contains("server.request_timeout"), "{ended:?}");
    assert!(ended.stderr.contains("nodes.timeout"), "{ended:?}");
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
fn the_dashboards_have_the_plugins_of_the_application_and_no_others() {
    let print = |file: &str| {
        let ended = program("sqlite://nodes.db")
            .arg("dashboards")
            .arg(file)
            .run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    };
    let alerts = print("prometheus/cluster.alerts.yml");
    let dashboard = print("grafana/cluster.json");
    assert!(alerts.contains("'NodeHeartbeatsMissing'"), "{alerts}");
    assert!(
        alerts.contains(r#"nodes_heartbeats_total{job="cluster"}[5m]"#),
        "{alerts}"
    );
    assert!(dashboard.contains("Nodes heartbeats"), "{dashboard}");
    // Of a plugin that this application does not have.
    assert!(!alerts.contains("auth_logins_total"), "{alerts}");
    assert!(!dashboard.contains("auth_logins_total"), "{dashboard}");
}

#[test]
fn the_page_shows_the_report() {
    let ended = program("sqlite://nodes.db").arg("plugins").run();
    let row = ended.stdout.lines().find(|line| line.starts_with("nodes "));
    let row: Vec<&str> = row.unwrap().split_whitespace().collect();
    let page = std::fs::read_to_string("../../docs/guide/plugins.md").unwrap();
    // The width of the columns depends on the plugins that other Cargo features add.
    let is_shown = page
        .lines()
        .any(|line| line.split_whitespace().eq(row.iter().copied()));
    assert!(is_shown, "the page does not show: {row:?}");
}
