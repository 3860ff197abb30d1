//! The plugin in process.

use std::time::Duration;

use doyen::app::{Plugin, Registrar, SetupError};
use doyen::data::sea_orm::prelude::{DateTimeUtc, Uuid};
use doyen::prelude::*;
use doyen_test::{Setup, plugin_contract};
use nodes::{NodeSettings, Nodes};
use serde_json::Value;

use crate::{Cluster, Empty};

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
    cluster.0.clock().advance(Duration::from_secs(7201));
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
    cluster.0.clock().advance(Duration::from_secs(7201));
    let ready = cluster.admin("/readyz?verbose").await;
    let (status, check) = check(&ready);
    assert_eq!(status, "degraded");
    assert_eq!(check["error"], "no heartbeat for 7201 s");
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
    let long_ago = cluster.0.clock().now() - Duration::from_secs(7201);
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
async fn the_plugin_keeps_the_contract(empty: Empty) {
    plugin_contract::<Nodes>(&empty.0, || Setup::new().plugin(Nodes)).await;
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
        "alert NodeHeartbeatsMissing",
        "command nodes forget",
    ] {
        assert!(claims.iter().any(|known| known == claim), "{claims:?}");
    }
}
