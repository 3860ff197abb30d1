//! Notes through HTTP.

use doyen_test::Answer;
use serde_json::{Value, json};

use crate::support::{Client, Notes};

/// Creates a note.
async fn created(client: &Client, text: &str) -> Answer {
    let new = json!({"text": text});
    client.post("/notes").json(&new).send().await.expect(201)
}

/// Lists the texts.
async fn texts(client: &Client, query: &str) -> Vec<Value> {
    let page = client
        .get(format!("/notes{query}"))
        .send()
        .await
        .expect(200);
    let items = page.at("/items");
    items
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["text"].clone())
        .collect()
}

#[doyen_test::test(postgres)]
async fn a_note_is_found_by_its_words(app: Notes) {
    let garden = app.team("Garden").await;
    for text in ["Plant the tulips", "Order tea", "Order tulips"] {
        created(&garden, text).await;
    }
    assert_eq!(
        texts(&garden, "").await,
        ["Order tulips", "Order tea", "Plant the tulips"]
    );
    assert_eq!(
        texts(&garden, "?q=tulips").await,
        ["Order tulips", "Plant the tulips"]
    );
    assert_eq!(texts(&garden, "?q=order%20-tea").await, ["Order tulips"]);
    let empty = garden.get("/notes?q=").send().await;
    assert_eq!(
        empty.expect_problem(422, "invalid").failures(),
        ["/q length"]
    );
}

#[doyen_test::test(postgres)]
async fn a_team_sees_and_deletes_only_its_own_notes(app: Notes) {
    let (garden, kitchen) = (app.team("Garden").await, app.team("Kitchen").await);
    let note = created(&garden, "Plant the tulips").await;
    assert!(texts(&kitchen, "").await.is_empty());
    assert!(texts(&kitchen, "?q=tulips").await.is_empty());
    for call in [
        kitchen.get(note.location()),
        kitchen.delete(note.location()),
    ] {
        call.send().await.expect_problem(404, "note_not_found");
    }
    garden.delete(note.location()).send().await.expect(204);
    let gone = garden.get(note.location()).send().await;
    gone.expect_problem(404, "note_not_found");
}

#[doyen_test::test(postgres)]
async fn a_cursor_of_another_team_is_refused(app: Notes) {
    let (garden, kitchen) = (app.team("Garden").await, app.team("Kitchen").await);
    for text in ["one", "two"] {
        created(&garden, text).await;
    }
    let page = garden.get("/notes?limit=1").send().await.expect(200);
    let next = format!("/notes?limit=1&cursor={}", page.text_at("/page/next"));
    garden.get(&next).send().await.expect(200);
    let refused = kitchen.get(&next).send().await;
    refused.expect_problem(400, "invalid_cursor");
}

#[doyen_test::test(postgres)]
async fn a_call_needs_the_key_of_a_team(app: Notes) {
    let garden = app.team("Garden").await;
    let note = created(&garden, "Plant the tulips").await;
    app.get(note.location()).send().await.expect(401);
    let unknown = app.get(note.location()).header("x-api-key", "key_unknown");
    unknown.send().await.expect(401);
}
