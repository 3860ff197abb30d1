//! A to-do list: everything in one file.

use std::sync::Arc;

use doyen::data::Order;
use doyen::data::sea_orm::prelude::DateTimeUtc;
use doyen::data::sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, Set,
};
use doyen::domain::id::Named;
use doyen::prelude::*;

/// Builds the application: its routes and migrations.
pub fn app() -> App {
    App::new("todo")
        .title("To-do list")
        .migrations(doyen::migrations!("migrations"))
        .module(tasks())
}

fn tasks() -> Module {
    Module::new("tasks")
        .describe("Things to do.")
        .routes(routes![create, list, show, change, remove].at("/tasks"))
}

/// The table `tasks`.
#[allow(unreachable_pub, reason = "SeaORM derives public types")]
mod row {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "tasks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub title: String,
        pub due: Option<DateTimeUtc>,
        pub done: bool,
        pub created_at: DateTimeUtc,
    }
}

/// A thing to do.
#[derive(Output)]
#[output(from = row::Model, location = path)]
struct Task {
    id: Id<Task>,
    title: String,
    due: Option<Timestamp>,
    done: bool,
    created_at: Timestamp,
}

impl Named for Task {
    const PREFIX: &'static str = "tsk";
}

impl Task {
    fn path(&self) -> String {
        format!("/tasks/{}", self.id)
    }
}

/// A task to create.
#[derive(Input)]
struct NewTask {
    #[validate(length(min = 1, max = 200))]
    title: String,
    due: Option<Timestamp>,
}

/// Changes to a task. Omitted fields keep their value.
#[derive(Input)]
struct Changes {
    #[validate(length(min = 1, max = 200))]
    title: Patch<String>,
    /// Null removes it.
    due: Patch<Option<Timestamp>>,
    done: Patch<bool>,
}

/// Errors of a task that is named in the path.
#[derive(Debug, Problem)]
enum FindTask {
    /// The task does not exist. Check the id.
    #[problem(not_found, code = "task_not_found")]
    Missing,
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Reads the task of the path. Handlers take it as a parameter.
#[derive(Clone)]
struct Found(row::Model);

#[extractor]
async fn found(session: Session, #[path] id: Id<Task>) -> Result<Found, FindTask> {
    let select = row::Entity::find_by_id(id.uuid());
    let row = select.one(&session).await.map_err(Unexpected::new)?;
    row.map(Found).ok_or(FindTask::Missing)
}

/// Create a task
#[post("/", allow = anyone)]
async fn create(
    session: Session,
    clock: Arc<dyn Clock>,
    Json(new): Json<NewTask>,
) -> Result<Created<Task>, Unexpected> {
    let row = row::ActiveModel {
        id: Set(Id::<Task>::new().uuid()),
        title: Set(new.title),
        due: Set(new.due.map(Into::into)),
        done: Set(false),
        created_at: Set(clock.now().into()),
    };
    let insert = row::Entity::insert(row);
    Ok(Created(insert.exec_with_returning(&session).await?.into()))
}

/// List tasks, newest first
#[get("/", allow = anyone)]
async fn list(
    session: Session,
    paging: Paging,
    /// Only tasks that are done, or only those that are not.
    #[query]
    done: Option<bool>,
) -> Result<Page<Task>, Unexpected> {
    let mut select = row::Entity::find();
    if let Some(done) = done {
        select = select.filter(row::Column::Done.eq(done));
    }
    let newest = Order::by(row::Column::CreatedAt)
        .desc()
        .then(row::Column::Id)
        .desc();
    // A cursor is valid for this filter only.
    let filter = format!("{done:?}");
    let page = session.page(select, newest, &paging, &filter).await?;
    Ok(page.map_into())
}

/// Get a task
#[get("/{id}", allow = anyone)]
async fn show(task: Found) -> Json<Task> {
    Json(task.0.into())
}

/// Change a task
#[patch("/{id}", allow = anyone)]
async fn change(
    task: Found,
    session: Session,
    MergePatch(changes): MergePatch<Changes>,
) -> Result<Json<Task>, Unexpected> {
    let mut row = task.0;
    changes.title.apply(&mut row.title);
    changes.done.apply(&mut row.done);
    let due = changes.due.map(|due| due.map(DateTimeUtc::from));
    due.apply(&mut row.due);
    let update = row.into_active_model().reset_all();
    Ok(Json(update.update(&session).await?.into()))
}

/// Delete a task
#[delete("/{id}", allow = anyone)]
async fn remove(task: Found, session: Session) -> Result<NoContent, Unexpected> {
    row::Entity::delete_by_id(task.0.id).exec(&session).await?;
    Ok(NoContent)
}
