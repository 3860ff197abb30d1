//! `docs/guide/background.md`

use std::sync::Arc;

use docs_src::background::Outbox;
use doyen::app::Background;

use super::subject;

subject!(Guests, docs_src::background::app());

#[doyen_test::test(sqlite)]
async fn the_state_is_filled_at_the_start(guests: Guests) {
    let answer = guests.get("/greetings/de").send().await.expect(200);
    assert_eq!(answer.text(), "Guten Tag");
}

#[doyen_test::test(sqlite)]
async fn the_invitation_is_sent_after_the_response_and_the_stop_comes_last(guests: Guests) {
    guests.post("/guests/ann").send().await.expect(204);
    guests.service().settled().await;
    guests.inject::<Arc<Background>>().await.idle().await;
    let outbox = guests.inject::<Arc<Outbox>>().await;
    assert_eq!(*outbox.0.lock().unwrap(), ["Dear ann"]);
    guests.runtime().stop().await;
    assert_eq!(*outbox.0.lock().unwrap(), ["Dear ann", "Goodbye"]);
}
