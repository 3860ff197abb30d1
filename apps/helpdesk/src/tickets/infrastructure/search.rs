//! Finds tickets by a tag or a text (`q=`).
//!
//! The indexes of tags and texts do not know the order of a list. Two plans are fast, each where
//! the other is slow:
//!
//! - Few tickets match: look them up through the index and sort them.
//! - Many tickets match: read the list in its order and check each ticket, until the page is full.
//!
//! A bounded look at the index decides, because the databases estimate the number of matches badly.

use doyen::data::sea_orm::prelude::{Expr, Uuid};
use doyen::data::sea_orm::sea_query::extension::sqlite::SqliteExpr as _;
use doyen::data::sea_orm::sea_query::{
    ExprTrait as _, Func, LikeExpr, Order, Query, SelectStatement, SimpleExpr,
};
use doyen::data::sea_orm::{
    self, ColumnTrait, ConnectionTrait as _, DbBackend, EntityTrait as _, FromQueryResult,
    QueryFilter as _, QuerySelect as _, QueryTrait as _, Statement,
};
use doyen::data::{Row, Session};
use doyen::prelude::Unexpected;

use super::rows::{tag, ticket, ticket_card};
use crate::tickets::domain::{Tag, TicketFilter};

/// Maximum number of matches that are looked up and sorted. Above it, at least one ticket of 250
/// matches in a database of 500,000, so that a page needs about 5,000 checks.
const MAX_LOOKUPS: usize = 2_000;

/// Characters after which a word begins, besides a space. The migration `search` has the same list.
const SEPARATORS: &str = "\t-_/.,:;([<\"'#@&+=";

/// The tag and the text of a filter.
pub(super) struct Search<'a> {
    backend: DbBackend,
    /// The tickets that match the tag or the text, if these are few.
    few: Option<Vec<Uuid>>,
    /// What is still to be checked.
    tag: Option<&'a Tag>,
    text: Option<Text>,
}

/// A text to find.
enum Text {
    /// Anywhere in subject or body.
    Anywhere(String),
    /// At the beginning of a word of the subject, with the space before it.
    Word(String),
}

/// A match in an index.
#[derive(FromQueryResult, Row)]
struct Match {
    ticket_id: Uuid,
}

impl<'a> Search<'a> {
    /// Looks at the indexes for the tag and the text of this filter.
    pub(super) async fn of(
        session: &Session,
        filter: &'a TicketFilter,
    ) -> Result<Self, Unexpected> {
        let mut search = Self {
            backend: session.backend(),
            few: None,
            tag: filter.tag.as_ref(),
            text: filter.q.as_deref().map(Text::new),
        };
        if search.text.as_ref().is_some_and(Text::is_blank) {
            search.few = Some(Vec::new());
            search.text = None;
            return Ok(search);
        }
        if let Some(word) = search.tag {
            let matches = ordered(tagged(word));
            let Statement { sql, values, .. } = search.backend.build(&matches);
            let sql = sql + &limit();
            let values = values.map_or_else(Vec::new, |values| values.0);
            search.few = few(session.query_as(&sql, values).await?);
            if search.few.is_some() {
                search.tag = None;
                return Ok(search);
            }
        }
        if let Some(text) = &search.text {
            let statement = bounded(search.backend, &text.matches(search.backend));
            // Not a typed read, because they run on the threads of the runtime, and one step
            // of a text index may take long.
            let rows = session.query_all_raw(statement).await?;
            let matches = rows
                .iter()
                .map(|row| Match::from_query_result(row, ""))
                .collect::<Result<_, _>>()?;
            search.few = few(matches);
            if search.few.is_some() {
                search.text = None;
            }
        }
        Ok(search)
    }

    /// Returns the conditions for reading a list in its order.
    pub(super) fn conditions(&self) -> impl Iterator<Item = SimpleExpr> {
        let few = self.few.as_ref().map(|few| {
            // Few distinct numbers of parameters, so that statements stay prepared.
            let padding = few.len().next_power_of_two() - few.len();
            let last = few.last().copied();
            let padded = few
                .iter()
                .copied()
                .chain(last.into_iter().cycle().take(padding));
            ticket_card::Column::Id.is_in(padded)
        });
        let tagged = self.tag.map(has_tag);
        let found = self.text.as_ref().map(|text| text.is_in(self.backend));
        few.into_iter().chain(tagged).chain(found)
    }

    /// Returns true if a list is best counted from the matches. The tickets of one reporter, and
    /// few matches, are better checked one by one.
    pub(super) fn is_counted_from_matches(&self, of_one_reporter: bool) -> bool {
        let is_any = self.tag.is_none() && self.text.is_none();
        self.few.is_none() && (is_any || !of_one_reporter)
    }

    /// Selects the tickets with the tag, if nothing else is searched for.
    pub(super) fn with_tag_alone(&self) -> Option<SelectStatement> {
        let word = self.tag.filter(|_| self.text.is_none())?;
        Some(ordered(tagged(word)))
    }

    /// Joins the ids of tickets with their matches. A join ends with the last row that is needed; a
    /// subquery of SQLite would find every match first.
    pub(super) fn join_matches(&self, ids: &mut SelectStatement) {
        let id = (ticket::Entity, ticket::Column::Id);
        if let Some(tag) = self.tag {
            ids.inner_join(
                tag::Entity,
                Expr::col((tag::Entity, tag::Column::TicketId)).equals(id),
            )
            .and_where(Expr::col((tag::Entity, tag::Column::Tag)).eq(tag.as_str()));
        }
        let Some(text) = &self.text else { return };
        if self.backend == DbBackend::Sqlite {
            let number = Expr::col(("ticket_numbers", "number"));
            ids.inner_join(
                "ticket_numbers",
                Expr::col(("ticket_numbers", "ticket_id")).equals(id),
            )
            .inner_join("ticket_index", number.equals(("ticket_index", "rowid")))
            .and_where(Expr::col("ticket_index").matches(text.phrase()));
        } else {
            ids.and_where(Expr::col(id).in_subquery(text.matches(self.backend)));
        }
    }
}

/// Returns the matches, or `None` if there are more than [`MAX_LOOKUPS`].
fn few(matches: Vec<Match>) -> Option<Vec<Uuid>> {
    let ids = || matches.iter().map(|found| found.ticket_id).collect();
    (matches.len() <= MAX_LOOKUPS).then(ids)
}

/// Returns a statement that ends with the first match above [`MAX_LOOKUPS`].
fn bounded(backend: DbBackend, matches: &SelectStatement) -> Statement {
    let limit = limit();
    let mut statement = backend.build(matches);
    statement.sql = match backend {
        DbBackend::Sqlite => format!("{}{limit}", statement.sql),
        // Otherwise PostgreSQL may read the table instead of the index in the hope of an early
        // match. It reads a materialized query only as far as needed.
        _ => format!(
            "WITH matches AS MATERIALIZED ({}) SELECT ticket_id FROM matches{limit}",
            statement.sql
        ),
    };
    statement
}

fn limit() -> String {
    format!(" LIMIT {}", MAX_LOOKUPS + 1)
}

/// Selects the tickets with this tag.
fn tagged(word: &Tag) -> SelectStatement {
    tag::Entity::find()
        .select_only()
        .column(tag::Column::TicketId)
        .filter(tag::Column::Tag.eq(word.as_str()))
        .into_query()
}

/// Reads matches in the order of their index, so that the first ones come at once: PostgreSQL may
/// collect all of them first otherwise.
fn ordered(mut tagged: SelectStatement) -> SelectStatement {
    tagged
        .order_by(tag::Column::TicketId, Order::Asc)
        .to_owned()
}

/// Checks one ticket for a tag. PostgreSQL does not turn it into a join that reads all tickets.
fn has_tag(word: &Tag) -> SimpleExpr {
    let ticket = (ticket_card::Entity, ticket_card::Column::Id);
    let tags = tagged(word)
        .and_where(Expr::col((tag::Entity, tag::Column::TicketId)).equals(ticket))
        .to_owned();
    SimpleExpr::SubQuery(None, Box::new(tags.into())).is_not_null()
}

impl Text {
    fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        if text.chars().count() >= 3 {
            return Self::Anywhere(lower);
        }
        let word = lower.replace(|letter| SEPARATORS.contains(letter), " ");
        Self::Word(format!(" {}", word.trim_start()))
    }

    /// Returns true for a word without letters, which nothing matches.
    fn is_blank(&self) -> bool {
        matches!(self, Self::Word(word) if word == " ")
    }

    /// Returns the column of the view that has the text, and the text.
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Anywhere(text) => ("search", text),
            Self::Word(word) => ("words", word),
        }
    }

    /// Checks one ticket for the text, without the index.
    fn is_in(&self, backend: DbBackend) -> SimpleExpr {
        let (column, text) = self.parts();
        let position = match backend {
            DbBackend::Sqlite => "instr",
            _ => "strpos",
        };
        let position = Func::cust(position).arg(Expr::col(column)).arg(text);
        Expr::expr(position).gt(0)
    }

    /// Selects the tickets with the text through the index.
    fn matches(&self, backend: DbBackend) -> SelectStatement {
        let (column, text) = self.parts();
        if backend == DbBackend::Sqlite {
            return Query::select()
                .column("ticket_id")
                .from("ticket_index")
                .inner_join(
                    "ticket_numbers",
                    Expr::col("number").eq(Expr::col(("ticket_index", "rowid"))),
                )
                .and_where(Expr::col("ticket_index").matches(self.phrase()))
                .to_owned();
        }
        Query::select()
            .expr_as(Expr::col(ticket_card::Column::Id), "ticket_id")
            .from(ticket_card::Entity)
            .and_where(Expr::col(column).like(LikeExpr::new(pattern(text)).escape('\\')))
            .to_owned()
    }

    /// Returns the text as a phrase of FTS5. Words are indexed after two spaces.
    fn phrase(&self) -> String {
        let (column, text) = self.parts();
        let quoted = text.replace('"', "\"\"");
        match self {
            Self::Word(_) if text.chars().count() < 3 => format!("{column} : \" {quoted}\""),
            _ => format!("{column} : \"{quoted}\""),
        }
    }
}

/// Returns a `LIKE` pattern that matches the text anywhere; `%`, `_` and `\` are escaped.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_like_would_read_stands_for_itself() {
        assert_eq!(pattern("100%"), r"%100\%%");
        assert_eq!(pattern(r"a_b\c"), r"%a\_b\\c%");
    }

    #[test]
    fn a_phrase_of_the_index_has_at_least_three_characters() {
        for (text, phrase) in [
            ("Printer", r#"search : "printer""#),
            ("a\"b", r#"search : "a""b""#),
            ("Pr", r#"words : " pr""#),
            ("P", r#"words : "  p""#),
            ("-Ö", r#"words : "  ö""#),
        ] {
            assert_eq!(Text::new(text).phrase(), phrase);
        }
        for blank in ["_", " -", "  "] {
            assert!(Text::new(blank).is_blank(), "{blank:?}");
        }
    }
}
