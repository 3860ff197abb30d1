//! `docs/guide/live.md`

use doyen::domain::Caller;

use super::subject;

subject!(Auctions, super::of(docs_src::live::module()));

#[doyen_test::test(sqlite)]
async fn auctions_are_documented_and_tokens_are_for_callers(auctions: Auctions) {
    let content = &auctions.document()["paths"]["/auctions/{lot}/events"]["get"]["responses"]["200"]
        ["content"]["text/event-stream"]["schema"]["contentSchema"];
    assert_eq!(content["$ref"], "#/components/schemas/BidView");
    let answer = auctions.get("/asyncapi.json").send().await.expect(200);
    assert!(answer.text().contains("auctions.v1"), "{answer}");
    auctions.post("/live/tokens").send().await.expect(401);
    let ada = auctions.as_user(Caller::new("ada"));
    ada.post("/live/tokens").send().await.expect(201);
    // In process there is no connection to take over.
    ada.get("/auctions/socket")
        .send()
        .await
        .expect_problem(426, "upgrade_required");
}
