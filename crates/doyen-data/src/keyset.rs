//! Pages of a list.
//!
//! A cursor says *after which row* the next page begins, not how many rows to skip: a page costs the same everywhere in the list, and rows
//! that come or go meanwhile are neither shown twice nor lost.
//!
//! ```
//! # mod ticket {
//! #     use doyen_data::sea_orm::{self, entity::prelude::*};
//! #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
//! #     #[sea_orm(table_name = "tickets")]
//! #     pub struct Model { #[sea_orm(primary_key)] pub id: i64, pub created_at: i64, pub status: String }
//! #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
//! #     pub enum Relation {}
//! #     impl ActiveModelBehavior for ActiveModel {}
//! # }
//! use doyen_core::{Page, Paging, Unexpected};
//! use doyen_data::sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
//! use doyen_data::{Order, Session};
//!
//! /// Newest first; two tickets of the same moment are told apart by their id.
//! async fn open_tickets(session: &Session, paging: &Paging) -> Result<Page<ticket::Model>, Unexpected> {
//!     let open = ticket::Entity::find().filter(ticket::Column::Status.eq("open"));
//!     let order = Order::by(ticket::Column::CreatedAt).desc().then(ticket::Column::Id).desc();
//!     session.page(open, order, paging, "status=open").await
//! }
//! ```
//!
//! - The last column of the order must be unique, else rows that are equal in all of them could be lost.
//! - No column of the order may hold NULL: it has no place in the order, and the call is refused.
//! - The last argument is the values of the filter: a text, a tuple, any type that serde can write as JSON. A cursor made under one
//!   filter, order or table is refused under another.
//! - Cursors are signed with the [`CursorKey`]; a changed one is refused with `invalid_cursor` (400).

mod cursor;

use doyen_core::{INVALID_CURSOR, Page, PageFrom, Paging, Unexpected};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait as _, EntityTrait, Iden, IdenStatic as _, ModelTrait,
    Order as Direction, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QueryTrait as _,
    Select, Value,
};
use serde::Serialize;

pub use cursor::CursorKey;
use cursor::{Cursor, Scope, Way};

use crate::Session;

/// The columns a list is sorted by. See the [module](self).
#[derive(Clone, Debug)]
pub struct Order<C> {
    columns: Vec<(C, bool)>,
}

impl<C> Order<C> {
    /// First by this column, ascending.
    pub fn by(column: C) -> Self {
        Self {
            columns: vec![(column, false)],
        }
    }

    /// Then by this column, ascending.
    #[must_use]
    pub fn then(mut self, column: C) -> Self {
        self.columns.push((column, false));
        self
    }

    /// The column named last sorts descending.
    #[must_use]
    pub fn desc(self) -> Self {
        self.descending(true)
    }

    /// The column named last sorts descending if this is true: for a direction the client chose.
    #[must_use]
    pub fn descending(mut self, yes: bool) -> Self {
        if let Some((_, descending)) = self.columns.last_mut() {
            *descending = yes;
        }
        self
    }
}

impl Session {
    /// One page of the list that `select` gives, in this order. See [`keyset`](crate::keyset).
    ///
    /// `filter` is the values of the filter, such as `&(status, customer)`, or a name if the list has none. Cursors are bound to its
    /// JSON, so that a cursor of one filter is refused under another.
    ///
    /// # Errors
    ///
    /// Returns `invalid_cursor` (400) for a cursor that does not belong to this list. Returns an error if the filter cannot be written
    /// as JSON or the database fails.
    pub async fn page<E>(
        &self,
        select: Select<E>,
        order: Order<E::Column>,
        paging: &Paging,
        filter: &(impl Serialize + ?Sized),
    ) -> Result<Page<E::Model>, Unexpected>
    where
        E: EntityTrait,
        E::Column: Iden,
        E::Model: Sync,
    {
        if let Some((column, _)) = order
            .columns
            .iter()
            .find(|(column, _)| column.def().is_null())
        {
            let what = format!(
                "a list can not be sorted by `{}`: the column may hold NULL",
                column.as_str()
            );
            return Err(Unexpected::new(what));
        }
        let limit = paging.limit.clamp(1, Paging::MAX_LIMIT);
        let scope = Scope::new(
            E::default().table_name(),
            order
                .columns
                .iter()
                .map(|(column, desc)| (column.as_str(), *desc)),
            &serde_json::to_vec(filter)?,
        );
        let list = List {
            session: self,
            order: &order.columns,
            limit,
            scope,
        };
        match &paging.from {
            PageFrom::Start => list.keyset(select, None).await,
            PageFrom::Cursor(text) => {
                let cursor = Cursor::read(
                    text,
                    self.database().cursor_key(),
                    &list.scope,
                    order.columns.len(),
                )
                .ok_or_else(|| Unexpected::known(&INVALID_CURSOR, "the cursor does not fit"))?;
                list.keyset(select, Some(cursor)).await
            }
            PageFrom::Number(number) => list.numbered(select, *number).await,
        }
    }
}

struct List<'a, C> {
    session: &'a Session,
    order: &'a [(C, bool)],
    limit: u32,
    scope: Scope,
}

impl<C: ColumnTrait> List<'_, C> {
    async fn keyset<E: EntityTrait<Column = C>>(
        &self,
        select: Select<E>,
        from: Option<Cursor>,
    ) -> Result<Page<E::Model>, Unexpected>
    where
        E::Model: Sync,
    {
        let back = from.as_ref().is_some_and(|cursor| cursor.way == Way::Back);
        let mut select = self.sorted(select, back);
        if let Some(cursor) = &from {
            select = select.filter(beyond(self.order, cursor));
        }
        let mut items = self.fetch(select, u64::from(self.limit) + 1, 0).await?;
        let more = items.len() > self.limit as usize;
        items.truncate(self.limit as usize);
        if back {
            items.reverse();
        }
        // Where the other way leads to when this page came out empty: the rows it pointed past are gone, its own row may still be there.
        let turn = |way| {
            from.as_ref().map(|cursor| Cursor {
                way,
                inclusive: !cursor.inclusive,
                keys: cursor.keys.clone(),
            })
        };
        let (next, prev) = match (&from, items.first(), items.last()) {
            (None, _, None) => (None, None),
            (Some(_), _, None) if back => (turn(Way::On), None),
            (Some(_), _, None) => (None, turn(Way::Back)),
            (_, Some(first), Some(last)) => {
                let next = if back || more {
                    Some(self.at(last, Way::On)?)
                } else {
                    None
                };
                let prev = if if back { more } else { from.is_some() } {
                    Some(self.at(first, Way::Back)?)
                } else {
                    None
                };
                (next, prev)
            }
            (_, None, Some(_)) => (None, None),
        };
        let key = self.session.database().cursor_key();
        let write = |cursor: Option<Cursor>| {
            cursor.map(|cursor| PageFrom::Cursor(cursor.write(key, &self.scope)))
        };
        Ok(Page {
            items,
            limit: self.limit,
            next: write(next),
            prev: write(prev),
            total: None,
        })
    }

    async fn numbered<E: EntityTrait<Column = C>>(
        &self,
        select: Select<E>,
        number: u32,
    ) -> Result<Page<E::Model>, Unexpected>
    where
        E::Model: Sync,
    {
        if number == 0 || number > Paging::MAX_NUMBER {
            return Err(Unexpected::known(
                &INVALID_CURSOR,
                format!("there is no page {number}"),
            ));
        }
        let total = select.clone().count(self.session).await?;
        let skip = u64::from(number - 1) * u64::from(self.limit);
        let items = if skip < total {
            self.fetch(self.sorted(select, false), u64::from(self.limit), skip)
                .await?
        } else {
            Vec::new()
        };
        let more = skip + u64::from(self.limit) < total && number < Paging::MAX_NUMBER;
        Ok(Page {
            items,
            limit: self.limit,
            next: more.then(|| PageFrom::Number(number + 1)),
            prev: (number > 1).then(|| PageFrom::Number(number - 1)),
            total: Some(total),
        })
    }

    fn sorted<E: EntityTrait<Column = C>>(&self, mut select: Select<E>, back: bool) -> Select<E> {
        for (column, descending) in self.order {
            select = select.order_by(
                *column,
                if *descending == back {
                    Direction::Asc
                } else {
                    Direction::Desc
                },
            );
        }
        select
    }

    /// The limit stands in the text as a number: with a bound one PostgreSQL plans the statement anew each time.
    async fn fetch<E: EntityTrait<Column = C>>(
        &self,
        select: Select<E>,
        limit: u64,
        skip: u64,
    ) -> Result<Vec<E::Model>, Unexpected> {
        let mut statement = select.build(self.session.get_database_backend());
        statement.sql.push_str(&format!(" LIMIT {limit}"));
        if skip > 0 {
            statement.sql.push_str(&format!(" OFFSET {skip}"));
        }
        let rows = self.session.query_all_raw(statement).await?;
        Ok(rows
            .iter()
            .map(|row| <E::Model as sea_orm::FromQueryResult>::from_query_result(row, ""))
            .collect::<Result<_, _>>()?)
    }

    fn at<M: ModelTrait>(&self, row: &M, way: Way) -> Result<Cursor, Unexpected>
    where
        M::Entity: EntityTrait<Column = C>,
    {
        let keys: Vec<Value> = self
            .order
            .iter()
            .map(|(column, _)| row.get(*column))
            .collect();
        match keys.iter().position(|key| !cursor::can_hold(key)) {
            None => Ok(Cursor {
                way,
                inclusive: false,
                keys,
            }),
            Some(at) => Err(Unexpected::new(format!(
                "a list can not be sorted by `{}`: no cursor can hold such a value",
                self.order[at].0.as_str()
            ))),
        }
    }
}

/// The rows beyond the cursor's row. `a >= 1 AND (a > 1 OR (a = 1 AND b > 2))`: the first part is for the index.
fn beyond<C: ColumnTrait>(order: &[(C, bool)], cursor: &Cursor) -> Condition {
    let back = cursor.way == Way::Back;
    let mut rest: Option<Condition> = None;
    for ((column, descending), value) in order.iter().zip(&cursor.keys).rev() {
        let greater = *descending == back;
        let strict = if greater {
            column.gt(value.clone())
        } else {
            column.lt(value.clone())
        };
        let loose = if greater {
            column.gte(value.clone())
        } else {
            column.lte(value.clone())
        };
        rest = Some(match rest {
            None if cursor.inclusive => Condition::all().add(loose),
            None => Condition::all().add(strict),
            Some(rest) => {
                let same = Condition::all().add(column.eq(value.clone())).add(rest);
                Condition::all()
                    .add(loose)
                    .add(Condition::any().add(strict).add(same))
            }
        });
    }
    rest.unwrap_or_else(Condition::all)
}
