//! The commands `jobs ..`.

use doyen::domain::{JobStatus, Unexpected};
use doyen_test::TestApp;
use serde_json::Value as Json;

use crate::kit::{Idle, effect, enqueue, status};

/// Runs a command of the plugin.
pub(crate) async fn run(
    app: &TestApp,
    name: &str,
    arguments: &[&str],
) -> Result<String, Unexpected> {
    let commands = app.runtime().commands();
    let command = commands.iter().find(|command| command.name() == name);
    let command = command.unwrap_or_else(|| panic!("there is no command `{name}`"));
    let arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
    app.runtime().run(command, arguments).await
}

#[doyen_test::test]
async fn jobs_are_listed_and_shown(app: Idle) {
    let id = enqueue(&app, effect("tea")).await.to_string();
    let table = run(
        &app,
        "jobs list",
        &["false", "false", "false", "false", "false"],
    )
    .await;
    let table = table.unwrap();
    assert!(
        table.contains(&id) && table.contains("test.effect"),
        "{table}"
    );
    let list = run(
        &app,
        "jobs list",
        &["true", "false", "false", "false", "true"],
    )
    .await;
    let list: Json = serde_json::from_str(&list.unwrap()).unwrap();
    assert_eq!(list[0]["id"], id.as_str());
    let none = run(
        &app,
        "jobs list",
        &["false", "false", "true", "false", "true"],
    )
    .await;
    assert_eq!(none.unwrap(), "[]");
    let shown: Json = serde_json::from_str(&run(&app, "jobs show", &[&id]).await.unwrap()).unwrap();
    assert_eq!(
        (&shown["status"], &shown["queue"]),
        (&"queued".into(), &"default".into())
    );
    let error = run(&app, "jobs show", &["job_x"]).await.unwrap_err();
    assert!(
        error.error().to_string().contains("must be an id"),
        "{}",
        error.error()
    );
}

#[doyen_test::test]
async fn a_paused_queue_waits_until_it_is_resumed(app: Idle) {
    let id = enqueue(&app, effect("tea")).await;
    run(&app, "jobs pause", &["default", "false"])
        .await
        .unwrap();
    assert_eq!(app.run_due().await, 0);
    assert_eq!(status(&app, id).await, JobStatus::Queued);
    run(&app, "jobs resume", &["default", "false"])
        .await
        .unwrap();
    assert_eq!(app.run_due().await, 1);
    let error = run(&app, "jobs pause", &["typo", "false"])
        .await
        .unwrap_err();
    assert!(
        error.error().to_string().contains("`default`"),
        "{}",
        error.error()
    );
    let error = run(&app, "jobs cancel", &[&id.to_string(), "false"])
        .await
        .unwrap_err();
    assert!(
        error.error().to_string().contains("is done"),
        "{}",
        error.error()
    );
}
