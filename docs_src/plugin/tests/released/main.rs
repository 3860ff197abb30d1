//! Plugins that were written for an earlier version compile and run with this one.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "a copy of a library"
)]

mod v0_1;

use doyen::App;
use doyen_test::{Subject, TestApp};

struct Cluster(TestApp);

impl Subject for Cluster {
    fn app() -> App {
        App::new("cluster").plugin(v0_1::Nodes)
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn the_example_of_version_0_1_runs(cluster: Cluster) {
    let nodes = cluster.0.get("/nodes").send().await.expect(200).json();
    assert_eq!(nodes[0]["state"], "running", "{nodes}");
}
