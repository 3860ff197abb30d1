//! The recent requests on the admin address.

use doyen::data::Row;
use doyen::prelude::*;
use doyen::settings::Environment;
use doyen::web::{Body, Service};
use doyen::{App, Overrides};
use serde_json::Value;

use crate::{folder, loader};

#[derive(Row)]
struct Read {
    number: i64,
}

/// Reads a number with a statement that has a parameter
#[get("/numbers/{number}", allow = anyone)]
async fn number(number: i64, session: Session) -> Result<Json<i64>, Unexpected> {
    let sql = "SELECT CAST($1 AS BIGINT) AS number";
    let read = session.query_one_as::<Read>(sql, [number.into()]).await?;
    Ok(Json(read.map_or(0, |read| read.number)))
}

struct Answer {
    status: u16,
    link: Option<String>,
    id: String,
    body: Value,
    text: String,
}

async fn get(service: &Service, path: &str) -> Answer {
    let request = http::Request::get(path).header("host", "localhost");
    let response = service
        .handle(request.body(Body::empty()).unwrap(), None)
        .await;
    let header = |name| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let (link, id) = (header("x-debug-token-link"), header("x-request-id"));
    let status = response.status().as_u16();
    let bytes = response.body().as_whole().expect("a whole body");
    Answer {
        status,
        link,
        id: id.unwrap(),
        body: serde_json::from_slice(bytes).unwrap_or_default(),
        text: String::from_utf8_lossy(bytes).into_owned(),
    }
}

async fn app(name: &str, environment: Environment, requests: Option<u32>) -> doyen::Runtime {
    let module = Module::new("numbers").routes(routes![number]);
    let mut loader = loader(name)
        .environment(environment)
        .set("admin.bind", "127.0.0.1:9753")
        .set(
            "evidence.record",
            format!("{}/statements.json", folder(name).display()),
        );
    if let Some(requests) = requests {
        loader = loader.set("admin.requests", requests.to_string());
    }
    let app = App::new("requests").module(module);
    app.start(loader, Overrides::default()).await.unwrap()
}

#[tokio::test]
async fn a_request_is_shown_with_its_phases_and_statements() {
    let runtime = app("recent-dev", Environment::Dev, None).await;
    let (public, admin) = (runtime.service(), runtime.admin().unwrap());
    let answer = get(public, "/numbers/41").await;
    assert_eq!((answer.status, &answer.body), (200, &41.into()));
    let link = format!("http://127.0.0.1:9753/console#request={}", answer.id);
    assert_eq!(answer.link, Some(link));

    let list = get(admin, &format!("/requests?request_id={}", answer.id))
        .await
        .body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    let one = &list["items"][0];
    assert_eq!(one["name"], "GET /numbers/{number}");
    assert_eq!(
        (&one["kind"], &one["status"], &one["statements"]),
        (&"request".into(), &200.into(), &1.into())
    );

    let detail = get(admin, &format!("/requests/{}", one["number"]))
        .await
        .body;
    assert_eq!(detail["facts"]["path"], "/numbers/41");
    let steps = detail["steps"].as_array().unwrap();
    let names: Vec<_> = steps
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["extract", "handler", "SELECT"]);
    let statement = &steps[2];
    assert_eq!(statement["kind"], "statement");
    assert_eq!(
        statement["attributes"]["db.query.text"],
        "SELECT CAST($1 AS BIGINT) AS number"
    );
    assert_eq!(statement["attributes"]["db.query.parameters"], "$1 = 41");
    let path = |step: &str| format!("/requests/{}/steps/{step}/plan", one["number"]);
    let plan = get(admin, &path("2")).await;
    assert_eq!(plan.status, 200);
    assert!(plan.text.contains("SELECT CAST($1 AS BIGINT) AS number"));
    for (step, code) in [("0", "not_found"), ("3", "not_found"), ("-1", "invalid")] {
        let refused = get(admin, &path(step)).await;
        assert_eq!(refused.body["code"], code, "{step}");
    }
    // A step is inside of its request.
    let end =
        |step: &Value| step["start_ms"].as_f64().unwrap() + step["duration_ms"].as_f64().unwrap();
    let whole = detail["duration_ms"].as_f64().unwrap();
    assert!(
        steps.iter().all(|step| end(step) <= whole + 0.01),
        "{detail}"
    );

    // A refusal has its problem, and a path that no route has its method only.
    get(public, "/numbers/x").await;
    get(public, "/nothing").await;
    let after = get(admin, &format!("/requests?after={}", one["number"]))
        .await
        .body;
    let shown: Vec<_> = after["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], &one["status"], &one["error"]))
        .collect();
    assert_eq!(
        serde_json::to_value(shown).unwrap(),
        serde_json::json!([
            ["GET /numbers/{number}", 422, "invalid"],
            ["GET", 404, "not_found"]
        ])
    );
    let missing = get(admin, "/requests/9999").await;
    assert_eq!(
        (missing.status, &missing.body["code"]),
        (404, &"not_found".into())
    );
    assert_eq!(get(public, "/requests").await.status, 404);
    runtime.stop().await;
    std::fs::remove_dir_all(folder("recent-dev")).unwrap();
}

#[tokio::test]
async fn outside_of_dev_nothing_is_recorded_unless_asked_for_and_values_never() {
    let runtime = app("recent-off", Environment::Test, None).await;
    let answer = get(runtime.service(), "/numbers/41").await;
    assert_eq!((answer.status, answer.link), (200, None));
    let list = get(runtime.admin().unwrap(), "/requests").await.body;
    assert_eq!(list, serde_json::json!({"max": 0, "last": 0, "items": []}));
    runtime.stop().await;

    let runtime = app("recent-off", Environment::Test, Some(2)).await;
    for number in 40..43 {
        let answer = get(runtime.service(), &format!("/numbers/{number}")).await;
        assert_eq!((answer.status, answer.link), (200, None));
    }
    let admin = runtime.admin().unwrap();
    let list = get(admin, "/requests").await.body;
    let numbers: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["number"])
        .collect();
    assert_eq!(numbers, [2, 3]);
    let detail = get(admin, "/requests/3").await.body;
    assert_eq!(detail["facts"]["path"], "/numbers/42");
    assert!(
        !detail.to_string().contains("db.query.parameters"),
        "{detail}"
    );
    runtime.stop().await;
    std::fs::remove_dir_all(folder("recent-off")).unwrap();
}
