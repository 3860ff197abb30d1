//! Health checks and metrics of plugins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use doyen::app::{Family, Impact, Plugin, Registrar, SetupError};
use doyen::web::Body;
use doyen::{App, Overrides};

use crate::{folder, loader};

const BOOKS: &[Family] = &[Family::gauge("dependencies_books", "Books in the ledger.")];

#[derive(Clone, Default)]
struct Dependencies {
    required_is_down: Arc<AtomicBool>,
    other_is_down: Arc<AtomicBool>,
}

impl Plugin for Dependencies {
    const NAME: &'static str = "dependencies";
    type Settings = ();

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        let check = |down: Arc<AtomicBool>| {
            move || {
                let down = down.load(Ordering::SeqCst);
                async move {
                    if down {
                        Err("unplugged".to_owned())
                    } else {
                        Ok(())
                    }
                }
            }
        };
        let second = Duration::from_secs(1);
        app.health(
            "ledger",
            Impact::Required,
            second,
            check(self.required_is_down),
        );
        app.health(
            "search",
            Impact::Degrades,
            second,
            check(self.other_is_down),
        );
        app.metrics(BOOKS, |samples| {
            samples.value("dependencies_books", &[("kind", "red")], 7);
        });
        Ok(())
    }
}

async fn get(service: &doyen::web::Service, path: &str) -> (u16, String) {
    let request = http::Request::get(path).body(Body::empty()).unwrap();
    let response = service.handle(request, None).await;
    let body = response.body().as_whole().map(|bytes| bytes.to_vec());
    let text = String::from_utf8(body.expect("a whole body")).unwrap();
    (response.status().as_u16(), text)
}

#[tokio::test]
async fn a_failed_required_check_makes_the_node_unready_and_a_degrading_one_does_not() {
    let plugin = Dependencies::default();
    let app = App::new("health").plugin(plugin.clone());
    let runtime = app
        .start(loader("health"), Overrides::default())
        .await
        .unwrap();
    let (public, admin) = (
        runtime.service(),
        runtime.admin().expect("an admin listener"),
    );
    assert_eq!(get(public, "/readyz").await.0, 200);
    let (status, text) = get(admin, "/readyz?verbose").await;
    assert_eq!(status, 200);
    for name in ["database", "ledger", "search"] {
        let line = format!("\"name\":\"{name}\",\"status\":\"ok\"");
        assert!(text.contains(&line), "{text}");
    }

    plugin.other_is_down.store(true, Ordering::SeqCst);
    assert_eq!(get(public, "/readyz").await.0, 200);
    let (status, text) = get(admin, "/readyz?verbose").await;
    assert_eq!(status, 200);
    assert!(
        text.contains("\"status\":\"degraded\"") && text.contains("unplugged"),
        "{text}"
    );

    plugin.required_is_down.store(true, Ordering::SeqCst);
    let (status, text) = get(public, "/readyz").await;
    assert_eq!(status, 503);
    assert!(
        text.contains("`ledger`") && !text.contains("unplugged"),
        "{text}"
    );
    assert_eq!(
        get(admin, "/readyz").await,
        (503, "{\"status\":\"down\"}".to_owned())
    );

    let (_, metrics) = get(admin, "/metrics").await;
    for line in [
        "dependencies_books{kind=\"red\"} 7\n",
        "health_check_up{check=\"database\"} 1\n",
        "health_check_up{check=\"ledger\"} 0\n",
        "http_server_requests_total{method=\"GET\",route=\"/readyz\",status=\"503\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let (status, page) = get(admin, "/console").await;
    assert_eq!(status, 200);
    // The page has no script or style of its own, and names files that exist.
    assert!(
        !page.contains("<style") && !page.contains("onclick"),
        "{page}"
    );
    for file in ["console/console.css", "console/console.js"] {
        assert!(page.contains(&format!("\"{file}\"")), "{page}");
        assert_eq!(get(admin, &format!("/{file}")).await.0, 200, "{file}");
    }
    assert_eq!(get(admin, "/console/nothing.js").await.0, 404);
    assert_eq!(get(public, "/console").await.0, 404);
    let (_, plugins) = get(admin, "/plugins").await;
    assert!(plugins.contains("\"health check ledger\""), "{plugins}");

    // A draining node is not ready, whatever its checks say.
    plugin.required_is_down.store(false, Ordering::SeqCst);
    public.drain().begin();
    let draining = (503, "{\"status\":\"draining\"}".to_owned());
    assert_eq!(get(admin, "/readyz").await, draining);
    runtime.stop().await;
    std::fs::remove_dir_all(folder("health")).unwrap();
}
