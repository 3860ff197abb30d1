//! The inbox: duplicates of one message have one effect.

use doyen::domain::Access;
use doyen::events::Inbox;
use futures_util::future::join_all;

use crate::orders::Shop;

#[doyen_test::test]
async fn fifty_duplicates_have_one_effect(shop: Shop) {
    let one = |_: i32| {
        let database = shop.database().clone();
        async move {
            let session = database.session(Access::Write);
            let is_first = Inbox::new(session.clone())
                .once("bookings", "pay_1")
                .await
                .unwrap();
            if is_first {
                let sql = "INSERT INTO effects (handler, aggregate, n, event)
                           VALUES ('inbox', '', 0, '')";
                session.execute_sql(sql, []).await.unwrap();
            }
            session.commit().await.unwrap();
            is_first
        }
    };
    let firsts = join_all((0..50).map(one)).await;
    assert_eq!(firsts.into_iter().filter(|first| *first).count(), 1);
    assert_eq!(shop.effects("inbox").await.len(), 1);
}

#[doyen_test::test]
async fn a_rollback_forgets_the_id_and_each_consumer_has_its_own(shop: Shop) {
    let database = shop.database();
    for (consumer, commits, is_first) in [
        ("a", false, true),
        ("a", true, true),
        ("a", true, false),
        ("b", true, true),
    ] {
        let session = database.session(Access::Write);
        let inbox = Inbox::new(session.clone());
        assert_eq!(inbox.once(consumer, "1").await.unwrap(), is_first);
        if commits {
            session.commit().await.unwrap();
        } else {
            session.rollback().await;
        }
    }
}
