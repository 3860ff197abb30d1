//! Pages of a list (keyset pagination).
//!
//! A cursor identifies the row after which the next page begins, not a number of rows to skip.
//! Every page costs the same, and rows that are inserted or deleted meanwhile cause no row to be
//! repeated or skipped.
//!
//! ```
//! # extern crate doyen_data as doyen;
//! # mod ticket {
//! #     use doyen_data::sea_orm::{self, entity::prelude::*};
//! #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, doyen_data::Entity)]
//! #     #[sea_orm(table_name = "tickets")]
//! #     pub struct Model {
//! #         #[sea_orm(primary_key)]
//! #         pub id: i64,
//! #         pub created_at: i64,
//! #         pub status: String,
//! #     }
//! # }
//! use doyen_core::{Page, Paging, Unexpected};
//! use doyen_data::sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
//! use doyen_data::{Order, Session};
//!
//! /// Newest first; tickets created at the same time are ordered by their id.
//! ```
//!
//! - The last column of the order must be unique. Otherwise rows that are equal in all columns
//!   could be skipped.
//! - No column of the order may be nullable, because NULL has no position in the order.
//! - The last argument is the values of the filter: a text, a tuple, any type that serde can write
//!   as JSON. A cursor is valid only for its own filter, order and table.
//! - A cursor has at most 1,024 characters, whatever the length of the keys. With a key of more
//!   than 256 bytes (fewer with more than two columns), it becomes invalid when its row is deleted
//!   or its key changes.
//! - Cursors are signed with the [`CursorKey`]. A modified one gets `invalid_cursor` (400).

mod cursor;
mod truncated;

use doyen_core::{INVALID_CURSOR, Page, PageFrom, Paging, Total, Unexpected};
use sea_orm::sea_query::SelectStatement;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait as _, EntityTrait, Iden, IdenStatic as _,
    Iterable as _, ModelTrait, Order as SqlOrder, PrimaryKeyToColumn as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _, Select, Value,
};
use serde::Serialize;

pub use cursor::CursorKey;
use cursor::{Cursor, CursorScope, Direction};

use crate::Session;

/// The sort order of a list. See the [module](self).
#[derive(Clone, Debug)]
pub struct Order<C> {
    columns: Vec<(C, bool)>,
}

impl<C> Order<C> {
    /// Sorts by this column first, ascending.
    pub fn by(column: C) -> Self {
        Self {
            columns: vec![(column, false)],
        }
    }

    /// Sorts by this column next, ascending.
    #[must_use]
    pub fn then(mut self, column: C) -> Self {
        self.columns.push((column, false));
        self
    }

    /// Makes the last column descending.
    #[must_use]
    pub fn desc(self) -> Self {
        self.descending(true)
    }

    /// Makes the last column descending if this is true, for a direction that the client chose.
    #[must_use]
    pub fn descending(mut self, yes: bool) -> Self {
        if let Some((_, descending)) = self.columns.last_mut() {
            *descending = yes;
        }
        self
    }
}

impl Session {
    /// Returns one page of the rows of `select`, in this order. See [`keyset`](crate::keyset).
    ///
    /// A numbered page has the total of the list, which is counted to [`Total::MAX`].
    ///
    /// `filter` is the values of the filter, such as `&(status, customer)`, or a name if the list
    /// has none. Cursors are bound to its JSON, so that a cursor is rejected under another filter.
    ///
    /// # Errors
    ///
    /// Returns `invalid_cursor` (400) for a cursor that does not belong to this list. Returns an
    /// error if the filter cannot be written as JSON or the database fails.
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
        self.page_counted(select, || None, order, paging, filter)
            .await
    }

    /// Like [`page`](Self::page), but the total of a numbered page is the number of rows of another
    /// statement, unless `counted` returns `None`.
    ///
    /// Use it if the rows are best read in their order, and best counted through another index. It
    /// selects a single column, and reads the table instead of a view if possible: PostgreSQL reads
    /// an index alone only if the query needs no other column, and the joins of a view need some.
    ///
    /// # Errors
    ///
    /// The same as for [`page`](Self::page).
    pub async fn page_counted<E>(
        &self,
        select: Select<E>,
        counted: impl FnOnce() -> Option<SelectStatement> + Send,
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
                "a list cannot be sorted by `{}`: the column may hold NULL",
                column.as_str()
            );
            return Err(Unexpected::new(what));
        }
        let limit = paging.limit.clamp(1, Paging::MAX_LIMIT);
        let scope = CursorScope::new(
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
                let cursor = Cursor::decode(
                    text,
                    self.database().cursor_key(),
                    &list.scope,
                    order.columns.len(),
                )
                .ok_or_else(|| Unexpected::known(&INVALID_CURSOR, "the cursor does not fit"))?;
                let cursor = list.complete::<E>(cursor).await?;
                list.keyset(select, Some(cursor)).await
            }
            PageFrom::Number(number) => list.numbered(select, counted(), *number).await,
        }
    }
}

struct List<'a, C> {
    session: &'a Session,
    order: &'a [(C, bool)],
    limit: u32,
    scope: CursorScope,
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
        let back = from
            .as_ref()
            .is_some_and(|cursor| cursor.direction == Direction::Backward);
        let mut select = self.sorted(select, back);
        if let Some(cursor) = &from {
            select = select.filter(after_cursor(self.order, cursor));
        }
        let mut items = self.fetch(select, u64::from(self.limit) + 1, 0).await?;
        let more = items.len() > self.limit as usize;
        items.truncate(self.limit as usize);
        if back {
            items.reverse();
        }
        // The opposite direction of an empty page: the rows beyond the cursor are gone, but its own
        // row may still exist.
        let reverse = |direction| {
            from.as_ref().map(|cursor| Cursor {
                direction,
                inclusive: !cursor.inclusive,
                keys: cursor.keys.clone(),
                truncated: Vec::new(),
            })
        };
        let (next, prev) = match (&from, items.first(), items.last()) {
            (None, _, None) => (None, None),
            (Some(_), _, None) if back => (reverse(Direction::Forward), None),
            (Some(_), _, None) => (None, reverse(Direction::Backward)),
            (_, Some(first), Some(last)) => {
                let next = if back || more {
                    Some(self.at(last, Direction::Forward)?)
                } else {
                    None
                };
                let prev = if if back { more } else { from.is_some() } {
                    Some(self.at(first, Direction::Backward)?)
                } else {
                    None
                };
                (next, prev)
            }
            (_, None, Some(_)) => (None, None),
        };
        let key = self.session.database().cursor_key();
        let write = |cursor: Option<Cursor>| {
            cursor.map(|cursor| PageFrom::Cursor(cursor.encode(key, &self.scope)))
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
        counted: Option<SelectStatement>,
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
        let counted = counted.unwrap_or_else(|| keys(select.clone()).into_query());
        let rows = self.count(&counted).await?;
        let total = Total::counted(rows);
        let skip = u64::from(number - 1) * u64::from(self.limit);
        let mut items = if total.exceeded || skip < total.count {
            self.skip(select, u64::from(self.limit) + 1, skip).await?
        } else {
            Vec::new()
        };
        let more = items.len() > self.limit as usize && number < Paging::MAX_NUMBER;
        items.truncate(self.limit as usize);
        Ok(Page {
            items,
            limit: self.limit,
            next: more.then(|| PageFrom::Number(number + 1)),
            prev: (number > 1).then(|| PageFrom::Number(number - 1)),
            total: Some(total),
        })
    }

    /// Counts the rows, but not many more than [`Total::MAX`].
    async fn count(&self, rows: &SelectStatement) -> Result<u64, Unexpected> {
        let limit = Total::MAX + 1;
        let mut statement = self.session.get_database_backend().build(rows);
        statement.sql = format!(
            "SELECT count(*) FROM ({} LIMIT {limit}) AS counted",
            statement.sql
        );
        let row = self.session.query_one_raw(statement).await?;
        let rows: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(u64::try_from(rows.unwrap_or_default())?)
    }

    /// Returns the rows of a page by number. Skipped rows are read by their key only, where an
    /// index may have both the key and the order.
    async fn skip<E: EntityTrait<Column = C>>(
        &self,
        select: Select<E>,
        limit: u64,
        skip: u64,
    ) -> Result<Vec<E::Model>, Unexpected>
    where
        E::Model: Sync,
    {
        let mut columns = E::PrimaryKey::iter().map(|key| key.into_column());
        let (Some(key), None, true) = (columns.next(), columns.next(), skip > 0) else {
            return self.fetch(self.sorted(select, false), limit, skip).await;
        };
        let skipped = keys(self.sorted(select.clone(), false))
            .limit(limit)
            .offset(skip);
        let select = select.filter(key.in_subquery(skipped.into_query()));
        self.fetch(self.sorted(select, false), limit, 0).await
    }

    fn sorted<E: EntityTrait<Column = C>>(&self, mut select: Select<E>, back: bool) -> Select<E> {
        for (column, descending) in self.order {
            select = select.order_by(*column, direction(*descending != back));
        }
        select
    }

    /// The limit is part of the text: PostgreSQL would plan a statement with a bound limit each
    /// time.
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
        #[cfg(feature = "sqlite")]
        crate::row::check_forms::<E>(&rows)?;
        Ok(rows
            .iter()
            .map(|row| <E::Model as sea_orm::FromQueryResult>::from_query_result(row, ""))
            .collect::<Result<_, _>>()?)
    }

    fn at<M: ModelTrait>(&self, row: &M, direction: Direction) -> Result<Cursor, Unexpected>
    where
        M::Entity: EntityTrait<Column = C>,
    {
        let keys: Vec<Value> = self
            .order
            .iter()
            .map(|(column, _)| row.get(*column))
            .collect();
        match keys.iter().position(|key| !cursor::is_encodable(key)) {
            None => Ok(Cursor {
                direction,
                inclusive: false,
                keys,
                truncated: Vec::new(),
            }),
            Some(at) => Err(Unexpected::new(format!(
                "a list cannot be sorted by `{}`: no cursor can hold such a value",
                self.order[at].0.as_str()
            ))),
        }
    }
}

fn direction(descending: bool) -> SqlOrder {
    if descending {
        SqlOrder::Desc
    } else {
        SqlOrder::Asc
    }
}

/// Selects the keys of the rows only.
fn keys<E: EntityTrait>(select: Select<E>) -> Select<E> {
    E::PrimaryKey::iter().fold(select.select_only(), |select, key| {
        select.column(key.into_column())
    })
}

/// Returns the condition for the rows beyond the cursor: `a >= 1 AND (a > 1 OR (a = 1 AND b > 2))`.
/// The first part is for the index.
fn after_cursor<C: ColumnTrait>(order: &[(C, bool)], cursor: &Cursor) -> Condition {
    let back = cursor.direction == Direction::Backward;
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
