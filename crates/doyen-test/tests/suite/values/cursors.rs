//! Cursors of lists whose sort key is long.

use serde_json::json;

use super::Samples;

/// The documented maximum.
const MAX_CURSOR: usize = 1024;

async fn keep(samples: &Samples, id: i64, label: &str) {
    samples
        .post("/samples")
        .json(&json!({"id": id, "free": {}, "scalars": {
            "tiny": 1, "small": 1, "medium": 1, "big": 1, "byte": 1, "word": 1, "count": 1, "huge": 1, "ratio": 1.5,
            "at": "2026-11-22T08:30:00Z", "day": "2026-11-22", "flag": true, "label": label,
        }}))
        .send()
        .await
        .expect(201);
}

/// Ids of a page, and its cursors.
async fn page(
    samples: &Samples,
    cursor: Option<&str>,
) -> (Vec<i64>, Option<String>, Option<String>) {
    let mut call = samples.get("/by-label?limit=2");
    if let Some(cursor) = cursor {
        assert!(cursor.len() <= MAX_CURSOR, "{}", cursor.len());
        call = call.query("cursor", cursor);
    }
    let page = call.send().await.expect(200);
    let items = page.at("/items");
    let ids = items.as_array().unwrap().iter();
    let ids = ids.map(|item| item["id"].as_i64().unwrap()).collect();
    let cursor = |name: &str| page.at(name).as_str().map(str::to_owned);
    (ids, cursor("/page/next"), cursor("/page/prev"))
}

#[doyen_test::test]
async fn a_key_of_any_length_has_a_bounded_cursor(samples: Samples) {
    // Equal but for the last character, and longer than any cursor.
    let mut expected = Vec::new();
    for (step, length) in [
        1, 100, 255, 256, 257, 734, 735, 1_023, 1_024, 5_000, 100_000,
    ]
    .into_iter()
    .enumerate()
    {
        for (other, last) in ["a", "b", "ü"].into_iter().enumerate() {
            let id = (step * 3 + other + 1) as i64;
            let label = format!("{step:02}{}{last}", "é".repeat(length / 2));
            keep(&samples, id, &label).await;
            expected.push(id);
        }
    }
    let (mut there, mut cursor) = (Vec::new(), None);
    let mut last_prev;
    loop {
        let (ids, next, prev) = page(&samples, cursor.as_deref()).await;
        there.push(ids);
        last_prev = prev;
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(there.concat(), expected);
    let mut back = vec![there.last().unwrap().clone()];
    while let Some(prev) = last_prev {
        let (ids, _, prev) = page(&samples, Some(&prev)).await;
        back.push(ids);
        last_prev = prev;
    }
    back.reverse();
    assert_eq!(back.concat(), expected);
}

/// The position of a long key is that of its row. Without the row it is unknown, and guessing would
/// skip or repeat rows.
#[doyen_test::test]
async fn the_cursor_of_a_long_key_ends_with_its_row(samples: Samples) {
    for id in 1..=6 {
        keep(&samples, id, &format!("{}{id}", "x".repeat(2_000))).await;
    }
    let (ids, next, _) = page(&samples, None).await;
    assert_eq!(ids, [1, 2]);
    let next = next.unwrap();
    // Other rows come and go.
    samples
        .execute("DELETE FROM samples WHERE id IN (1, 3)", [])
        .await;
    assert_eq!(page(&samples, Some(&next)).await.0, [4, 5]);
    samples
        .execute("UPDATE samples SET label = label || 'y' WHERE id = 2", [])
        .await;
    let call = || samples.get("/by-label?limit=2").query("cursor", &next);
    call().send().await.expect_problem(400, "invalid_cursor");
    samples
        .execute("DELETE FROM samples WHERE id = 2", [])
        .await;
    call().send().await.expect_problem(400, "invalid_cursor");
}
