//! Tasks through HTTP.

use doyen_test::Answer;
use serde_json::{Value, json};

use crate::support::Todo;

/// Creates a task.
async fn created(app: &Todo, title: &str) -> Answer {
    let new = json!({"title": title, "due": "2026-12-24T18:00:00Z"});
    app.post("/tasks").json(&new).send().await.expect(201)
}

#[doyen_test::test(sqlite)]
async fn a_created_task_can_be_read(app: Todo) {
    let task = created(&app, "Buy a tree").await;
    assert_eq!(task.at("/done"), false);
    let found = app.get(task.location()).send().await.expect(200);
    assert_eq!(found.json(), task.json());
}

#[doyen_test::test(sqlite)]
async fn a_list_is_filtered_and_the_newest_comes_first(app: Todo) {
    for title in ["one", "two", "three"] {
        let task = created(&app, title).await;
        let done = json!({"done": title == "two"});
        app.patch(task.location())
            .merge_patch(&done)
            .send()
            .await
            .expect(200);
    }
    for (query, expected) in [
        ("", &["three", "two", "one"][..]),
        ("?done=true", &["two"]),
        ("?done=false&limit=1", &["three"]),
    ] {
        let page = app.get(format!("/tasks{query}")).send().await.expect(200);
        let items = page.at("/items");
        let titles: Vec<&Value> = items
            .as_array()
            .unwrap()
            .iter()
            .map(|task| &task["title"])
            .collect();
        assert_eq!(titles, expected, "{query}");
    }
}

#[doyen_test::test(sqlite)]
async fn a_change_keeps_what_it_does_not_name(app: Todo) {
    let task = created(&app, "Buy a tree").await;
    let changes = json!({"due": null});
    let changed = app
        .patch(task.location())
        .merge_patch(&changes)
        .send()
        .await
        .expect(200);
    assert_eq!(changed.at("/due"), Value::Null);
    assert_eq!(changed.at("/title"), "Buy a tree");
    let wrong = json!({"title": "", "don": true});
    let refused = app.patch(task.location()).merge_patch(&wrong).send().await;
    let refused = refused.expect_problem(422, "invalid");
    assert_eq!(refused.failures(), ["/don unknown_field", "/title length"]);
}

#[doyen_test::test(sqlite)]
async fn a_deleted_task_is_gone(app: Todo) {
    let task = created(&app, "Buy a tree").await;
    app.delete(task.location()).send().await.expect(204);
    for call in [
        app.get(task.location()),
        app.delete(task.location()),
        app.patch(task.location())
            .merge_patch(&json!({"done": true})),
    ] {
        call.send().await.expect_problem(404, "task_not_found");
    }
}
