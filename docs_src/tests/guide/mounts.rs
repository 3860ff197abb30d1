//! `docs/guide/mounts.md`

use super::{of, subject};

subject!(All, of(docs_src::mounts::module()));

#[doyen_test::test(sqlite)]
async fn the_mount_is_protected_and_the_route_next_to_it_is_not(all: All) {
    all.get("/version").send().await.expect(200);
    let answer = all.get("/legacy/reports/2024").send().await;
    answer.expect_problem(401, "unauthenticated");
    let document = all.document()["paths"].to_string();
    assert!(!document.contains("/legacy"), "{document}");
}
