//! What an attempt changes: the delivery, and the webhook.

use std::time::Duration;

use doyen::domain::{DAY, HOUR, MINUTE, Timestamp, secs};

use super::{Attempt, Delivery, DeliveryStatus, Webhook};

/// Pauses before the attempts after the first one: about three days in total.
const PAUSES: [Duration; 9] = [
    secs(5),
    Duration::from_secs(5 * MINUTE.as_secs()),
    Duration::from_secs(30 * MINUTE.as_secs()),
    Duration::from_secs(2 * HOUR.as_secs()),
    Duration::from_secs(5 * HOUR.as_secs()),
    Duration::from_secs(10 * HOUR.as_secs()),
    Duration::from_secs(14 * HOUR.as_secs()),
    Duration::from_secs(20 * HOUR.as_secs()),
    DAY,
];

/// Number of attempts until a delivery has failed.
pub const MAX_ATTEMPTS: usize = PAUSES.len() + 1;

/// Maximum number of attempts that a delivery shows.
const MAX_SHOWN: usize = 20;

/// The status with which a receiver says that it will never accept anything again.
const GONE: u16 = 410;

/// What came back from the receiver.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// Status, if there was a response.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// Duration of the attempt.
    pub duration: Duration,
    /// Pause that the receiver asks for.
    pub retry_after: Option<Duration>,
}

/// What changes besides the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// The webhook works again, or fails for the first time.
    Health,
    /// The webhook was disabled: its owner gets a mail.
    Disabled,
}

impl Delivery {
    /// Records an attempt. `random` is from 0 to 1: pauses are up to a tenth longer, so that the
    /// deliveries of an outage do not return together. The webhook is disabled if it has failed for
    /// `disable_after`, or the receiver is gone.
    pub fn record(
        &mut self,
        webhook: &mut Webhook,
        response: &Response,
        now: Timestamp,
        disable_after: Duration,
        random: f64,
    ) -> Change {
        self.attempts.push(Attempt {
            at: now,
            response_status: response.status,
            duration_ms: u64::try_from(response.duration.as_millis()).unwrap_or(u64::MAX),
            error: response.error.clone(),
        });
        let old = self.attempts.len().saturating_sub(MAX_SHOWN);
        self.attempts.drain(..old);
        self.tries += 1;
        if response
            .status
            .is_some_and(|status| (200..300).contains(&status))
        {
            self.status = DeliveryStatus::Delivered;
            self.next_try_at = None;
            return match webhook.failing_since.take() {
                Some(_) => Change::Health,
                None => Change::None,
            };
        }
        let first_failure = webhook.failing_since.is_none();
        let since = *webhook.failing_since.get_or_insert(now);
        let pause = PAUSES.get(self.tries as usize - 1).map(|pause| {
            let longer = pause.mul_f64(0.1 * random.clamp(0.0, 1.0));
            (*pause + longer).max(response.retry_after.unwrap_or_default().min(DAY))
        });
        let ends = response.status == Some(GONE) || now.since(since) >= disable_after;
        match pause.filter(|_| !ends) {
            Some(pause) => self.next_try_at = Some(now + pause),
            None => {
                self.status = DeliveryStatus::Failed;
                self.next_try_at = None;
            }
        }
        match (ends && webhook.enabled, first_failure) {
            (true, _) => {
                webhook.enabled = false;
                Change::Disabled
            }
            (false, true) => Change::Health,
            (false, false) => Change::None,
        }
    }

    /// Ends a delivery whose webhook was disabled meanwhile.
    pub fn give_up(&mut self) {
        self.status = DeliveryStatus::Failed;
        self.next_try_at = None;
    }
}
