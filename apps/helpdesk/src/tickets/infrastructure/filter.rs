//! Translates filters to queries. Every query for tickets is restricted to a viewer.

use doyen::data::Order;
use doyen::data::sea_orm::sea_query::{Expr, ExprTrait as _, SelectStatement};
use doyen::data::sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect as _, QueryTrait as _, Select,
};

use super::rows::{ticket, ticket_card};
use super::search::Search;
use crate::tickets::domain::{AssigneeFilter, Sort, Status, TicketFilter, Viewer};

/// Selects the tickets that the viewer can see.
pub(super) fn visible(viewer: Viewer) -> Select<ticket_card::Entity> {
    ticket_card::Entity::find().filter(own(viewer, ticket_card::Column::ReporterId))
}

/// Restricts a query to the viewer's own tickets, unless the viewer can see all tickets.
pub(super) fn own(viewer: Viewer, reporter: impl ColumnTrait) -> Condition {
    Condition::all().add_option(viewer.only().map(|only| reporter.eq(only.uuid())))
}

/// Selects the visible tickets that match the filter.
pub(super) fn matching(
    viewer: Viewer,
    filter: &TicketFilter,
    search: &Search<'_>,
) -> Select<ticket_card::Entity> {
    visible(viewer).filter(search.conditions().fold(columns(filter), Condition::add))
}

/// Selects the ids of the same tickets from the table, if that is the best way to count them.
pub(super) fn matching_ids(
    viewer: Viewer,
    filter: &TicketFilter,
    search: &Search<'_>,
) -> Option<SelectStatement> {
    let of_one_reporter = viewer.only().is_some() || filter.reporter.is_some();
    if !search.is_counted_from_matches(of_one_reporter) {
        return None;
    }
    let columns = columns(filter);
    if viewer.only().is_none()
        && columns.is_empty()
        && let Some(tagged) = search.with_tag_alone()
    {
        return Some(tagged);
    }
    let mut ids = ticket::Entity::find()
        .select_only()
        .column(ticket::Column::Id)
        .filter(own(viewer, ticket::Column::ReporterId))
        .filter(columns)
        .into_query();
    search.join_matches(&mut ids);
    Some(ids)
}

/// Returns the part of the filter that compares columns, of the view or of the table.
fn columns(filter: &TicketFilter) -> Condition {
    use ticket_card::Column;
    let column = |column: Column| Expr::col(column);
    let assignee = filter.assignee.map(|assignee| match assignee {
        AssigneeFilter::Unassigned => column(Column::AssigneeId).is_null(),
        AssigneeFilter::User(id) => column(Column::AssigneeId).eq(id.uuid()),
    });
    let status = filter.status.map(Status::as_str);
    let priority = filter.priority.map(|priority| priority as i16);
    let reporter = filter.reporter.map(|id| id.uuid());
    Condition::all()
        .add_option(status.map(|status| column(Column::Status).eq(status)))
        .add_option(priority.map(|priority| column(Column::Priority).eq(priority)))
        .add_option(reporter.map(|id| column(Column::ReporterId).eq(id)))
        .add_option(assignee)
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
