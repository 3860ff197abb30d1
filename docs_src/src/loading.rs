//! Authors with their books: read in a loop, and with a loader.

use doyen::data::sea_orm::{
    EntityTrait as _, LoaderTrait as _, ModelTrait as _, QueryOrder as _, QuerySelect as _,
};
use doyen::prelude::*;

#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
mod author {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "authors")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
        #[sea_orm(has_many)]
        pub books: HasMany<super::book::Entity>,
    }
}

#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
mod book {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "books")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub author_id: i64,
        pub title: String,
        #[sea_orm(belongs_to, from = "author_id", to = "id")]
        pub author: HasOne<super::author::Entity>,
    }
}

/// An author and the titles of the books.
#[derive(Output)]
struct AuthorView {
    name: String,
    books: Vec<String>,
}

impl AuthorView {
    fn new(author: author::Model, books: Vec<book::Model>) -> Self {
        Self {
            name: author.name,
            books: books.into_iter().map(|book| book.title).collect(),
        }
    }
}

/// List the authors, with one query for the books of each
#[get("/authors/in-a-loop", allow = anyone)]
async fn in_a_loop(session: Session) -> Result<Json<Vec<AuthorView>>, Unexpected> {
    let mut views = Vec::new();
    for author in authors(&session).await? {
        let books = author.find_related(book::Entity).all(&session).await?;
        views.push(AuthorView::new(author, books));
    }
    Ok(Json(views))
}

/// List the authors, with one query for the books of all
#[get("/authors", allow = anyone)]
async fn with_a_loader(session: Session) -> Result<Json<Vec<AuthorView>>, Unexpected> {
    let authors = authors(&session).await?;
    let books = authors.load_many(book::Entity, &session).await?;
    let views = authors.into_iter().zip(books);
    Ok(Json(
        views
            .map(|(author, books)| AuthorView::new(author, books))
            .collect(),
    ))
}

async fn authors(session: &Session) -> Result<Vec<author::Model>, Unexpected> {
    let first = author::Entity::find().order_by_asc(author::Column::Name);
    Ok(first.limit(20).all(session).await?)
}

/// The module with both lists.
pub fn module() -> Module {
    Module::new("authors").routes(routes![in_a_loop, with_a_loader])
}
