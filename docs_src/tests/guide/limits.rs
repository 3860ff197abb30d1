//! `docs/guide/limits.md`

use super::subject;

subject!(Library, docs_src::limits::app());

#[doyen_test::test(sqlite)]
async fn a_burst_passes_and_then_the_route_refuses(library: Library) {
    for left in (0..5).rev() {
        let answer = library.post("/messages").send().await.expect(204);
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"client\";q=20;w=60")
        );
        let state = answer.header("ratelimit").unwrap().to_owned();
        assert!(
            state.starts_with(&format!("\"client\";r={left};")),
            "{state}"
        );
    }
    let refused = library
        .post("/messages")
        .send()
        .await
        .expect_problem(429, "quota_exceeded");
    assert_eq!(refused.header("retry-after"), Some("3"));
    library.clock().advance(std::time::Duration::from_secs(3));
    library.post("/messages").send().await.expect(204);
}

#[doyen_test::test(sqlite)]
async fn a_route_can_be_without_a_limit(library: Library) {
    for _ in 0..50 {
        let answer = library.get("/ping").send().await.expect(204);
        assert_eq!(answer.header("ratelimit"), None);
    }
    let limits: Vec<&str> = library
        .operations()
        .iter()
        .filter(|one| one.path == "/export")
        .flat_map(|one| one.limits.iter().map(String::as_str))
        .collect();
    assert_eq!(limits, ["search: 30/1m per user", "route: 20/1h per route"]);
}
