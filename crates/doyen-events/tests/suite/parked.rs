//! An event that keeps failing is parked, and does not hold back other aggregates.

use doyen_test::TestApp;

use crate::orders::{REFUSED, Shop, until};

/// Refuses the events of an order from now on, or no longer.
fn refuse(order: &str, refused: bool) {
    let mut all = REFUSED.lock().unwrap();
    if refused {
        all.insert(order.to_owned());
    } else {
        all.remove(order);
    }
}

/// A name that no other test uses: the refused orders are shared.
fn name(shop: &Shop, name: &str) -> String {
    format!("{name}-{:?}", shop.backend()).to_lowercase()
}

async fn run(app: &TestApp, name: &str, arguments: &[&str]) -> Result<String, String> {
    let runtime = app.runtime();
    let mut commands = runtime.commands().iter();
    let command = commands.find(|command| command.name() == name).unwrap();
    let arguments = arguments
        .iter()
        .map(|argument| (*argument).to_owned())
        .collect();
    let done = runtime.run(command, arguments).await;
    done.map_err(|error| doyen::domain::chain(error.error()))
}

#[doyen_test::test]
async fn a_parked_event_holds_back_its_aggregate_and_no_other(shop: Shop) {
    let poison = name(&shop, "poison");
    refuse(&poison, true);
    shop.place(&poison, 0).await;
    shop.place(&poison, 1).await;
    shop.place("fine", 0).await;
    shop.has_effects("record", 1).await;
    shop.has_parked(1).await;
    assert_eq!(
        shop.count("events_deliveries").await,
        2,
        "the later event waits"
    );
    let list = run(&shop, "events list", &[]).await.unwrap();
    let line = list.lines().nth(1).unwrap();
    for part in [
        "record",
        "order.placed",
        &poison,
        "parked",
        "2",
        "refused on purpose",
    ] {
        assert!(line.contains(part), "{part} in {list}");
    }
    let id = line.split_whitespace().next().unwrap();
    let shown = run(&shop, "events show", &[id]).await.unwrap();
    assert!(
        shown.contains(r#""n":0"#) && shown.contains("refused on purpose"),
        "{shown}"
    );

    let health = shop
        .runtime()
        .get::<std::sync::Arc<doyen::app::Health>>()
        .await
        .unwrap();
    until(async || {
        let statuses = health.run().await;
        let events = statuses.into_iter().find(|status| status.name == "events");
        events
            .unwrap()
            .error
            .filter(|error| error.contains("events list"))
    })
    .await;

    // Each failed attempt was rolled back as a whole.
    assert_eq!(shop.effects("record").await.len(), 1);
    refuse(&poison, false);
    let retried = run(&shop, "events retry", &[id]).await.unwrap();
    assert_eq!(retried, "deliveries that are tried again: 1");
    let effects = shop.has_effects("record", 3).await;
    let order: Vec<i64> = effects[1..].iter().map(|effect| effect.n).collect();
    assert_eq!(order, [0, 1], "the order is kept");
}

#[doyen_test::test]
async fn a_skipped_event_lets_the_later_ones_pass(shop: Shop) {
    let poison = name(&shop, "skipped");
    refuse(&poison, true);
    shop.place(&poison, 0).await;
    shop.has_parked(1).await;
    refuse(&poison, false);
    shop.place(&poison, 1).await;
    let list = run(&shop, "events list", &[]).await.unwrap();
    let id = list
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    run(&shop, "events skip", &[id]).await.unwrap();
    let effects = shop.has_effects("record", 1).await;
    assert_eq!(effects[0].n, 1);
    assert_eq!(
        run(&shop, "events list", &[]).await.unwrap(),
        "no delivery is parked or failing"
    );
    let error = run(&shop, "events skip", &[id]).await.unwrap_err();
    assert!(error.contains("events list"), "{error}");
    let error = run(&shop, "events retry", &["what"]).await.unwrap_err();
    assert!(error.contains("must be an id"), "{error}");
}

/// A payload that cannot be read is parked at once.
#[doyen_test::test]
async fn an_unreadable_event_is_parked_without_further_attempts(shop: Shop) {
    let row = "INSERT INTO doyen_outbox (id, topic, payload, created_at)
               VALUES ($1, 'order.paid', '{\"other\": 1}', $2)";
    let id = doyen::data::sea_orm::prelude::Uuid::now_v7();
    let at = doyen::data::sea_orm::prelude::DateTimeUtc::from_timestamp(1_700_000_000, 0);
    shop.execute(row, [id.into(), at.unwrap().into()]).await;
    // Both handlers of the topic.
    shop.has_parked(2).await;
    let list = run(&shop, "events list", &[]).await.unwrap();
    assert!(
        list.contains("the payload cannot be read") && list.contains(" 1 "),
        "{list}"
    );
}
