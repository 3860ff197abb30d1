//! The record of statements.

use crate::app::{Shop, limits};

#[doyen_test::test]
async fn statements_are_recorded_without_values(shop: Shop) {
    let shop = shop.with_items(3).await;
    let folder = std::env::temp_dir().join(format!("doyen-evidence-{}", std::process::id()));
    let name = format!("{:?}.json", shop.backend());
    let file = folder.join(name);
    let recording = limits().set("evidence.record", &file.display().to_string());
    let recording = Shop(shop.another(recording).await);
    recording.codes("GET", "/items/3/in-a-loop").await;
    recording.codes("GET", "/items/page").await;
    recording.runtime().stop().await;

    let text = std::fs::read_to_string(&file).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut counts: Vec<(&str, u64)> = record
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["sql"].as_str().unwrap(), one["count"].as_u64().unwrap()))
        .collect();
    counts.sort_unstable();
    assert_eq!(
        counts,
        [
            ("SELECT name FROM items ORDER BY id LIMIT 15", 1),
            ("SELECT name FROM items WHERE id = $1", 3),
        ]
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
