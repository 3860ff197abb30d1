//! Schedules over two nodes, with the clock of the test.

use doyen::domain::{MissedRuns, NewJob, Schedule};
use doyen::prelude::*;
use doyen_test::{Setup, Subject, TestApp};

use crate::kit::{Idle, effect, run_due};

/// With two schedules.
struct Scheduled(TestApp);

impl Subject for Scheduled {
    fn app() -> App {
        let often = Schedule::new("often", "*/10 * * * *", || NewJob::new(effect("often")));
        let each = Schedule::new("each", "0 * * * *", || NewJob::new(effect("each")));
        let module = Module::new("schedules")
            .schedule(often)
            .schedule(each.missed(MissedRuns::Each).time_zone("Europe/Berlin"));
        Idle::app().module(module)
    }
    fn setup() -> Setup {
        Idle::setup()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

async fn effects(app: &TestApp, name: &str) -> i64 {
    app.count(&format!("effects WHERE name = '{name}'")).await
}

#[doyen_test::test]
async fn a_time_gets_one_job_over_two_nodes(app: Scheduled) {
    let app = &app.0;
    let other = app.another(Scheduled::setup()).await;
    // 08:30: the schedules begin with the next time.
    assert_eq!(run_due(app).await + run_due(&other).await, 0);
    for round in 1..=6 {
        app.clock().advance(MINUTE * 10);
        let (one, two) = tokio::join!(run_due(app), run_due(&other));
        let hourly = usize::from(round == 3);
        assert_eq!(one + two, 1 + hourly, "round {round}");
    }
    assert_eq!(
        (effects(app, "often").await, effects(app, "each").await),
        (6, 1)
    );
    // Both were away for three hours, from 09:30 to 12:30.
    app.clock().advance(HOUR * 3);
    let (one, two) = tokio::join!(run_due(app), run_due(&other));
    assert_eq!(one + two, 4);
    assert_eq!(
        (effects(app, "often").await, effects(app, "each").await),
        (7, 4)
    );
}

#[tokio::test]
async fn a_wrong_schedule_keeps_the_application_from_starting() {
    let wrong = Schedule::new("wrong", "61 * * * *", || NewJob::new(effect("x")));
    let unknown = NewJob::new(effect("x")).queue("typo");
    let typo = Schedule::new("typo", "0 3 * * *", move || unknown.clone());
    let app = Idle::app().module(Module::new("schedules").schedule(wrong).schedule(typo));
    let folder = std::env::temp_dir().join(format!("doyen-jobs-{}", std::process::id()));
    let url = format!("sqlite://{}/x.db", folder.display());
    let variables = [
        ("DATABASE_URL", &*url),
        ("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY),
    ];
    let loader = doyen::settings::Loader::new("APP").env(variables);
    let error = app
        .build(loader, doyen::Overrides::default())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("`61 * * * *`") && error.contains("`typo`"),
        "{error}"
    );
}
