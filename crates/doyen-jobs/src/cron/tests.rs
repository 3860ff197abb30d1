use doyen_core::{Job, JobError, JobRun};

use super::*;

struct Nothing;

impl doyen_core::__private::serde::Serialize for Nothing {
    fn serialize<S: doyen_core::__private::serde::Serializer>(
        &self,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.serialize_unit()
    }
}

impl<'de> doyen_core::__private::serde::Deserialize<'de> for Nothing {
    fn deserialize<D: doyen_core::__private::serde::Deserializer<'de>>(
        _: D,
    ) -> Result<Self, D::Error> {
        Ok(Nothing)
    }
}

impl Job for Nothing {
    const NAME: &'static str = "nothing";
    type Needs = ();
    type Output = ();
    async fn run(self, (): (), _: JobRun) -> Result<(), JobError> {
        Ok(())
    }
}

fn calendar(cron: &'static str, zone: &'static str, missed: MissedRuns) -> Calendar {
    let schedule = Schedule::new("test", cron, || NewJob::new(Nothing)).time_zone(zone);
    Calendar::new(schedule.missed(missed)).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn next_times(calendar: &Calendar, from: &str, count: usize) -> Vec<String> {
    let mut time = at(from);
    (0..count)
        .map(|_| {
            time = calendar.after(time).unwrap();
            time.to_string().replace(":00.000000Z", "Z")
        })
        .collect()
}

#[test]
fn a_time_that_daylight_saving_skips_runs_after_the_change_and_one_that_repeats_runs_once() {
    let nightly = calendar("30 2 * * *", "Europe/Berlin", MissedRuns::Once);
    // 2027-03-28: 02:00 becomes 03:00, which is 01:00 UTC.
    assert_eq!(
        next_times(&nightly, "2027-03-27T00:00:00Z", 3),
        [
            "2027-03-27T01:30Z",
            "2027-03-28T01:00Z",
            "2027-03-29T00:30Z"
        ]
    );
    // 2026-10-25: 03:00 becomes 02:00. The first 02:30 is 00:30 UTC.
    assert_eq!(
        next_times(&nightly, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]
    );
    let hourly = calendar("0 * * * *", "Europe/Berlin", MissedRuns::Once);
    assert_eq!(
        next_times(&hourly, "2026-10-24T23:30:00Z", 3),
        [
            "2026-10-25T00:00Z",
            "2026-10-25T01:00Z",
            "2026-10-25T02:00Z"
        ]
    );
}

#[test]
fn missed_times_follow_the_policy() {
    let due = |missed, now: &str| {
        let calendar = calendar("0 * * * *", "UTC", missed);
        let (due, next) = calendar.due(at("2026-11-22T09:00:00Z"), at(now));
        (due.len(), next.to_string())
    };
    let next = "2026-11-22T13:00:00.000000Z".to_owned();
    let late = "2026-11-22T12:20:00Z";
    assert_eq!(due(MissedRuns::Once, late), (1, next.clone()));
    assert_eq!(due(MissedRuns::Each, late), (4, next.clone()));
    assert_eq!(due(MissedRuns::Skip, late), (0, next.clone()));
    assert_eq!(due(MissedRuns::Skip, "2026-11-22T12:00:30Z"), (1, next));
    let (count, _) = due(MissedRuns::Each, "2026-12-22T12:00:30Z");
    assert_eq!(count, MAX_MISSED);
}

#[test]
fn a_wrong_schedule_says_what_to_change() {
    let wrong = |cron: &'static str, zone: &'static str| {
        let schedule = Schedule::new("nightly", cron, || NewJob::new(Nothing)).time_zone(zone);
        Calendar::new(schedule).err().unwrap()
    };
    assert!(wrong("61 * * * *", "UTC").contains("`61 * * * *`"));
    assert!(wrong("0 3 * * *", "Berlin").contains("`Europe/Berlin`"));
    assert!(wrong("0 0 30 2 *", "UTC").contains("never runs"));
}
