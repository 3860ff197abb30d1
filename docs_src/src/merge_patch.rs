//! A partial update distinguishes an omitted field, null and a value.

use doyen::prelude::*;

/// Changes to a task. Omitted fields keep their value.
#[derive(Input)]
struct Changes {
    /// Title. Cannot be removed.
    #[validate(length(min = 1, max = 80))]
    title: Patch<String>,
    /// Due date. Null removes it.
    due: Patch<Option<Timestamp>>,
    /// Labels. Null resets them to the default, an empty list.
    #[input(default)]
    labels: Patch<Vec<String>>,
}

/// A task.
#[derive(Output)]
#[output(etag = version)]
struct Task {
    title: String,
    due: Option<Timestamp>,
    labels: Vec<String>,
    version: i64,
}

/// The task has changed since it was read. Read it again, and repeat the change with the new
/// `ETag`.
#[derive(Debug, Problem)]
#[problem(precondition_failed, code = "precondition_failed")]
struct Stale;

/// Change a task
#[patch("/task", allow = anyone)]
async fn edit(
    seen: IfMatch,
    MergePatch(changes): MergePatch<Changes>,
) -> Result<Json<Task>, Stale> {
    let mut task = Task {
        title: "Water the plants".to_owned(),
        due: Some(Timestamp::from_micros(0)),
        labels: vec!["garden".to_owned()],
        version: 7,
    };
    if !seen.fits(task.version) {
        return Err(Stale);
    }
    changes.title.apply(&mut task.title);
    changes.due.apply(&mut task.due);
    changes.labels.apply(&mut task.labels);
    task.version += 1;
    Ok(Json(task))
}

/// The module with tasks.
pub fn module() -> Module {
    Module::new("tasks").routes(routes![edit])
}
