//! Translates filters to queries. Every query for tickets is restricted to a viewer.

use doyen::data::Order;
use doyen::data::sea_orm::sea_query::{Expr, ExprTrait as _, LikeExpr, Query};
use doyen::data::sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Select};

use super::rows::{tag, ticket_card};
use crate::tickets::domain::{AssigneeFilter, Sort, TicketFilter, Viewer};

/// Selects the tickets that the viewer can see.
pub(super) fn visible(viewer: Viewer) -> Select<ticket_card::Entity> {
    ticket_card::Entity::find().filter(own(viewer, ticket_card::Column::ReporterId))
}

/// Restricts a query to the viewer's own tickets, unless the viewer can see all tickets.
pub(super) fn own(viewer: Viewer, reporter: impl ColumnTrait) -> Condition {
    Condition::all().add_option(viewer.only().map(|only| reporter.eq(only.uuid())))
}

/// Selects the visible tickets that match the filter.
pub(super) fn matching(viewer: Viewer, filter: &TicketFilter) -> Select<ticket_card::Entity> {
    use ticket_card::Column;
    let assignee = filter.assignee.map(|assignee| match assignee {
        AssigneeFilter::Unassigned => Column::AssigneeId.is_null(),
        AssigneeFilter::User(id) => Column::AssigneeId.eq(id.uuid()),
    });
    let tagged = filter.tag.as_ref().map(|word| {
        let tickets = Query::select()
            .column(tag::Column::TicketId)
            .from(tag::Entity)
            .and_where(tag::Column::Tag.eq(word.as_str()))
            .to_owned();
        Column::Id.in_subquery(tickets)
    });
    let found = filter
        .q
        .as_deref()
        .map(|text| Expr::col("search").like(LikeExpr::new(pattern(text)).escape('\\')));
    let all = Condition::all()
        .add_option(
            filter
                .status
                .map(|status| Column::Status.eq(status.as_str())),
        )
        .add_option(
            filter
                .priority
                .map(|priority| Column::Priority.eq(priority as i16)),
        )
        .add_option(filter.reporter.map(|id| Column::ReporterId.eq(id.uuid())))
        .add_option(assignee)
        .add_option(tagged)
        .add_option(found);
    visible(viewer).filter(all)
}

/// Returns the values that the cursors of a list are bound to, in addition to its order.
pub(super) fn cursor_values(viewer: Viewer, filter: &TicketFilter) -> [Option<String>; 8] {
    // Without `..`, so that a new filter cannot be forgotten here.
    let TicketFilter {
        status,
        priority,
        assignee,
        reporter,
        tag,
        q,
        sort: _,
    } = filter;
    [
        Some(viewer.id().to_string()),
        viewer.only().map(|id| id.to_string()),
        status.map(|status| status.as_str().to_owned()),
        priority.map(|priority| (priority as i16).to_string()),
        assignee.map(|assignee| match assignee {
            AssigneeFilter::Unassigned => "none".to_owned(),
            AssigneeFilter::User(id) => id.to_string(),
        }),
        reporter.map(|id| id.to_string()),
        tag.as_ref().map(|tag| tag.as_str().to_owned()),
        q.clone(),
    ]
}

/// Returns a `LIKE` pattern that matches the lowercase text anywhere; `%`, `_` and `\` are escaped.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Returns the columns of a sort order. Each order has an index, read in either direction.
pub(super) fn order(sort: Sort) -> Order<ticket_card::Column> {
    use ticket_card::Column;
    let down = sort.is_descending();
    let order = match sort {
        Sort::Oldest | Sort::Newest => Order::by(Column::CreatedAt),
        Sort::LongestUntouched | Sort::LastChanged => Order::by(Column::UpdatedAt),
        Sort::LeastPressing | Sort::MostPressing => Order::by(Column::Priority)
            .descending(down)
            .then(Column::CreatedAt),
    };
    order.descending(down).then(Column::Id).descending(down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_like_would_read_stands_for_itself() {
        assert_eq!(pattern("100%"), r"%100\%%");
        assert_eq!(pattern(r"A_b\C"), r"%a\_b\\c%");
        assert_eq!(pattern("ÄÖ"), "%äö%");
    }
}
