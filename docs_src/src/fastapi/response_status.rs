//! A status that the handler chooses.

use doyen::prelude::*;

/// Get or create a task
#[put("/get-or-create-task/{task_id}", allow = anyone)]
async fn task(task_id: String) -> Either<Json<&'static str>, Created<&'static str>> {
    match &*task_id {
        "foo" => Either::Left(Json("Listen to the Bar Fighters")),
        _ => Either::Right(Created("This didn't exist before")),
    }
}

pub fn module() -> Module {
    Module::new("tasks").routes(routes![task])
}
