//! Tests of the rules, without storage.

use std::time::Duration;

use doyen::domain::{DAY, HOUR, Timestamp};

use super::{
    Change, Delivery, DeliveryStatus, Draft, Edit, EventName, MAX_ATTEMPTS, MessageId, Response,
    Webhook,
};
use crate::access::UserId;

const START: Timestamp = Timestamp::MIN;
const DISABLE_AFTER: Duration = Duration::from_secs(5 * DAY.as_secs());

fn webhook() -> Webhook {
    let draft = Draft {
        api_version: None,
        url: "https://example.com/".to_owned(),
        events: vec![EventName::Solved, EventName::Created, EventName::Solved],
        description: None,
    };
    Webhook::new(draft, UserId::new(), START)
}

fn delivery(webhook: &Webhook) -> Delivery {
    let payload = "{}".to_owned();
    Delivery::new(
        webhook.id,
        MessageId::new(),
        EventName::Created,
        payload,
        START,
    )
}

fn answer(status: u16) -> Response {
    Response {
        status: Some(status),
        ..Response::default()
    }
}

#[test]
fn a_webhook_wants_the_events_it_names_while_it_is_enabled() {
    let mut webhook = webhook();
    assert_eq!(webhook.events, [EventName::Created, EventName::Solved]);
    assert!(webhook.wants(EventName::Created) && webhook.wants(EventName::Test));
    assert!(!webhook.wants(EventName::Closed));
    webhook.enabled = false;
    assert!(!webhook.wants(EventName::Created) && !webhook.wants(EventName::Test));
    for event in EventName::ALL {
        assert_eq!(EventName::named(event.as_str()), Some(event));
    }
}

#[test]
fn a_delivery_is_tried_for_about_three_days_and_then_fails() {
    let (mut webhook, mut now) = (webhook(), START);
    let mut delivery = delivery(&webhook);
    for attempt in 1..=MAX_ATTEMPTS {
        assert_eq!(delivery.status, DeliveryStatus::Pending);
        let change = delivery.record(&mut webhook, &answer(500), now, DISABLE_AFTER, 1.0);
        let expected = if attempt == 1 {
            Change::Health
        } else {
            Change::None
        };
        assert_eq!(change, expected);
        let Some(next) = delivery.next_try_at else {
            break;
        };
        assert!(next > now);
        now = next;
    }
    assert_eq!(delivery.status, DeliveryStatus::Failed);
    assert_eq!(delivery.attempts.len(), MAX_ATTEMPTS);
    let total = now.since(START);
    assert!(total > 3 * DAY && total < 4 * DAY, "{total:?}");
    // A requested repetition has all attempts again, and shows the latest ones.
    delivery.repeat(now);
    for _ in 0..MAX_ATTEMPTS {
        delivery.record(&mut webhook, &answer(500), now, DISABLE_AFTER, 0.0);
    }
    assert_eq!(delivery.status, DeliveryStatus::Failed);
    assert!(webhook.enabled);
}

#[test]
fn success_ends_a_delivery_and_forgets_failures() {
    let mut webhook = webhook();
    let mut delivery = delivery(&webhook);
    let mut record = |status: u16, webhook: &mut Webhook| {
        let change = delivery.record(webhook, &answer(status), START, DISABLE_AFTER, 0.5);
        (change, delivery.status)
    };
    assert_eq!(
        record(302, &mut webhook),
        (Change::Health, DeliveryStatus::Pending)
    );
    assert_eq!(
        record(404, &mut webhook),
        (Change::None, DeliveryStatus::Pending)
    );
    assert_eq!(
        record(204, &mut webhook),
        (Change::Health, DeliveryStatus::Delivered)
    );
    assert_eq!(webhook.failing_since, None);
    assert_eq!(
        record(200, &mut webhook),
        (Change::None, DeliveryStatus::Delivered)
    );
}

#[test]
fn a_webhook_that_fails_for_days_or_is_gone_is_disabled_once() {
    let mut failing = webhook();
    let mut first = delivery(&failing);
    first.record(&mut failing, &answer(500), START, DISABLE_AFTER, 0.0);
    let almost = START + DISABLE_AFTER - HOUR;
    let mut second = delivery(&failing);
    second.record(&mut failing, &answer(500), almost, DISABLE_AFTER, 0.0);
    assert!(failing.enabled);
    let late = START + DISABLE_AFTER;
    let change = second.record(&mut failing, &answer(500), late, DISABLE_AFTER, 0.0);
    assert_eq!((change, failing.enabled), (Change::Disabled, false));
    assert_eq!(second.status, DeliveryStatus::Failed);
    let again = first.record(&mut failing, &answer(500), late, DISABLE_AFTER, 0.0);
    assert_eq!(again, Change::None);

    let mut gone = webhook();
    let mut delivery = delivery(&gone);
    let change = delivery.record(&mut gone, &answer(410), START, DISABLE_AFTER, 0.0);
    assert_eq!((change, gone.enabled), (Change::Disabled, false));

    // Enabled by hand, it has days again.
    let edit = Edit {
        enabled: doyen::domain::Patch::Set(true),
        ..Edit::default()
    };
    failing.edit(edit);
    assert_eq!((failing.enabled, failing.failing_since), (true, None));
}

#[test]
fn a_receiver_can_ask_for_a_longer_pause_of_at_most_a_day() {
    for (asked, pause) in [(1, 5), (3_600, 3_600), (1_000_000, DAY.as_secs())] {
        let mut webhook = webhook();
        let mut delivery = delivery(&webhook);
        let busy = Response {
            retry_after: Some(Duration::from_secs(asked)),
            ..answer(429)
        };
        delivery.record(&mut webhook, &busy, START, DISABLE_AFTER, 0.0);
        assert_eq!(
            delivery.next_try_at,
            Some(START + Duration::from_secs(pause))
        );
    }
}
