//! Tests the plugin as an application has it, on SQLite and on PostgreSQL.

#![allow(missing_docs, reason = "a test")]

mod mistakes;
mod plugin;
mod program;

use doyen::App;
use doyen::web::Body;
use doyen_test::{Setup, Subject, TestApp};
use http_body_util::BodyExt as _;
use nodes::Nodes;

/// An application with the plugin.
struct Cluster(TestApp);

impl Subject for Cluster {
    fn app() -> App {
        App::new("cluster").plugin(Nodes)
    }
    /// Heartbeats so rare that none is written during a test.
    fn setup() -> Setup {
        Setup::new()
            .set("nodes.heartbeat", "1h")
            .set("nodes.timeout", "2h")
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

/// An application without the plugin.
struct Empty(TestApp);

impl Subject for Empty {
    fn app() -> App {
        App::new("empty")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}
