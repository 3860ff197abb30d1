//! Notes.

use std::sync::Arc;

use doyen::data::Order;
use doyen::data::sea_orm::sea_query::Expr;
use doyen::data::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select, Set};
use doyen::domain::id::Named;
use doyen::prelude::*;

use crate::teams::Team;

pub(crate) fn module() -> Module {
    Module::new("notes")
        .describe("Notes of your team.")
        .routes(routes![create, list, show, remove].at("/notes"))
}

/// The table `notes`.
#[allow(unreachable_pub, reason = "SeaORM derives public types")]
mod row {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub team: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub text: String,
        pub created_at: DateTimeUtc,
    }
}

/// The notes of the team of the request. The handlers use nothing else.
#[derive(Clone, Inject)]
struct Notes {
    team: Team,
    session: Session,
    clock: Arc<dyn Clock>,
}

impl Notes {
    fn all(&self) -> Select<row::Entity> {
        row::Entity::find().filter(row::Column::Team.eq(self.team.id.uuid()))
    }

    async fn add(&self, text: String) -> Result<row::Model, Unexpected> {
        let row = row::ActiveModel {
            team: Set(self.team.id.uuid()),
            id: Set(Id::<Note>::new().uuid()),
            text: Set(text),
            created_at: Set(self.clock.now().into()),
        };
        let insert = row::Entity::insert(row);
        Ok(insert.exec_with_returning(&self.session).await?)
    }

    async fn page(&self, q: Option<&str>, paging: &Paging) -> Result<Page<Note>, Unexpected> {
        let mut select = self.all();
        if let Some(q) = q {
            let words = "words @@ websearch_to_tsquery('simple', $1)";
            select = select.filter(Expr::cust_with_values(words, [q]));
        }
        let newest = Order::by(row::Column::CreatedAt)
            .desc()
            .then(row::Column::Id)
            .desc();
        // A cursor is valid for this team and this search only.
        let list = format!("{} {q:?}", self.team.id);
        let page = self.session.page(select, newest, paging, &list).await?;
        Ok(page.map_into())
    }

    async fn find(&self, id: Id<Note>) -> Result<row::Model, FindNote> {
        let select = self.all().filter(row::Column::Id.eq(id.uuid()));
        let row = select.one(&self.session).await.map_err(Unexpected::new)?;
        row.ok_or(FindNote::Missing)
    }

    async fn remove(&self, id: Id<Note>) -> Result<(), FindNote> {
        let delete = row::Entity::delete_by_id((self.team.id.uuid(), id.uuid()));
        let done = delete.exec(&self.session).await.map_err(Unexpected::new)?;
        match done.rows_affected {
            0 => Err(FindNote::Missing),
            _ => Ok(()),
        }
    }
}

/// A note.
#[derive(Output)]
#[output(from = row::Model, location = path)]
struct Note {
    id: Id<Note>,
    text: String,
    created_at: Timestamp,
}

impl Named for Note {
    const PREFIX: &'static str = "not";
}

impl Note {
    fn path(&self) -> String {
        format!("/notes/{}", self.id)
    }
}

/// A note to create.
#[derive(Input)]
struct NewNote {
    #[validate(length(min = 1, max = 10_000))]
    text: String,
}

/// Errors of a note that is named in the path.
#[derive(Debug, Problem)]
enum FindNote {
    /// Your team has no such note. Check the id.
    #[problem(not_found, code = "note_not_found")]
    Missing,
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Create a note
#[post("/", allow = signed_in)]
async fn create(notes: Notes, Json(new): Json<NewNote>) -> Result<Created<Note>, Unexpected> {
    Ok(Created(notes.add(new.text).await?.into()))
}

/// List the notes of your team, newest first
#[get("/", allow = signed_in)]
async fn list(
    notes: Notes,
    paging: Paging,
    /// Words that the note contains: `tea -black`, `"green tea" or coffee`.
    #[query(length(min = 1, max = 100))]
    q: Option<String>,
) -> Result<Page<Note>, Unexpected> {
    notes.page(q.as_deref(), &paging).await
}

/// Get a note
#[get("/{id}", allow = signed_in)]
async fn show(notes: Notes, #[path] id: Id<Note>) -> Result<Json<Note>, FindNote> {
    Ok(Json(notes.find(id).await?.into()))
}

/// Delete a note
#[delete("/{id}", allow = signed_in)]
async fn remove(notes: Notes, #[path] id: Id<Note>) -> Result<NoContent, FindNote> {
    notes.remove(id).await?;
    Ok(NoContent)
}
