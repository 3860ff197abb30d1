//! In-memory implementations of the ports, for tests of the domain.

use std::sync::Mutex;

use doyen::domain::{Clock, Page, Paging, Timestamp, Unexpected, port};

use super::{
    AssigneeFilter, Comment, CommentId, Person, Stats, Ticket, TicketEvent, TicketEvents,
    TicketFilter, TicketId, TicketRepository, Viewer,
};
use crate::access::{Role, User, UserId};

/// A ticket repository in memory.
#[derive(Default)]
pub(crate) struct InMemory {
    pub(crate) tickets: Mutex<Vec<Ticket>>,
    pub(crate) comments: Mutex<Vec<Comment>>,
    pub(crate) people: Mutex<Vec<(Person, Role)>>,
    /// Number of upcoming writes that lose against a concurrent change, unless a lock holds it
    /// back.
    pub(crate) rivals: Mutex<u32>,
}

impl InMemory {
    /// Adds a user.
    pub(crate) fn user(&self, name: &str, role: Role) -> User {
        let id = UserId::new();
        self.people.lock().unwrap().push((
            Person {
                id,
                name: name.to_owned(),
            },
            role,
        ));
        User { id, role }
    }
}

#[port]
impl TicketRepository for InMemory {
    async fn insert(&self, ticket: &Ticket) -> Result<(), Unexpected> {
        self.tickets.lock().unwrap().push(ticket.clone());
        Ok(())
    }

    async fn find(&self, viewer: Viewer, id: TicketId) -> Result<Option<Ticket>, Unexpected> {
        let tickets = self.tickets.lock().unwrap();
        Ok(tickets
            .iter()
            .find(|ticket| ticket.id == id && viewer.sees(ticket.reporter.id))
            .cloned())
    }

    async fn list(
        &self,
        viewer: Viewer,
        filter: &TicketFilter,
        paging: &Paging,
    ) -> Result<Page<Ticket>, Unexpected> {
        let tickets = self.tickets.lock().unwrap();
        let fits = |ticket: &&Ticket| {
            viewer.sees(ticket.reporter.id)
                && filter.status.is_none_or(|status| ticket.status == status)
                && filter.assignee.is_none_or(|assignee| match assignee {
                    AssigneeFilter::Unassigned => ticket.assignee.is_none(),
                    AssigneeFilter::User(id) => ticket
                        .assignee
                        .as_ref()
                        .is_some_and(|person| person.id == id),
                })
        };
        let items = tickets
            .iter()
            .filter(fits)
            .take(paging.limit as usize)
            .cloned()
            .collect();
        Ok(Page {
            items,
            limit: paging.limit,
            next: None,
            prev: None,
            total: None,
        })
    }

    async fn lock(&self, _: TicketId) -> Result<(), Unexpected> {
        *self.rivals.lock().unwrap() = 0;
        Ok(())
    }

    async fn replace(
        &self,
        viewer: Viewer,
        read: &Ticket,
        changed: &Ticket,
    ) -> Result<bool, Unexpected> {
        let mut tickets = self.tickets.lock().unwrap();
        let Some(ticket) = tickets
            .iter_mut()
            .find(|ticket| ticket.id == read.id && viewer.sees(ticket.reporter.id))
        else {
            return Ok(false);
        };
        let mut rivals = self.rivals.lock().unwrap();
        if *rivals > 0 {
            *rivals -= 1;
            ticket.priority = super::Priority::Urgent;
            ticket.version += 1;
        }
        if ticket.version != read.version {
            return Ok(false);
        }
        let notes = ticket.notes;
        *ticket = changed.clone();
        ticket.notes = notes;
        Ok(true)
    }

    async fn count_note(&self, viewer: Viewer, id: TicketId) -> Result<bool, Unexpected> {
        let mut tickets = self.tickets.lock().unwrap();
        let found = tickets
            .iter_mut()
            .find(|ticket| ticket.id == id && viewer.sees(ticket.reporter.id));
        Ok(found.map(|ticket| ticket.notes += 1).is_some())
    }

    async fn remove(&self, viewer: Viewer, id: TicketId) -> Result<bool, Unexpected> {
        let mut tickets = self.tickets.lock().unwrap();
        let before = tickets.len();
        tickets.retain(|ticket| ticket.id != id || !viewer.sees(ticket.reporter.id));
        Ok(tickets.len() < before)
    }

    async fn stats(&self, viewer: Viewer) -> Result<Stats, Unexpected> {
        let mut stats = Stats::default();
        for ticket in self
            .tickets
            .lock()
            .unwrap()
            .iter()
            .filter(|ticket| viewer.sees(ticket.reporter.id))
        {
            stats.add(ticket.status, ticket.priority, 1);
        }
        Ok(stats)
    }

    async fn add_comment(&self, comment: &Comment) -> Result<(), Unexpected> {
        self.comments.lock().unwrap().push(comment.clone());
        Ok(())
    }

    async fn comments(
        &self,
        viewer: Viewer,
        id: TicketId,
        paging: &Paging,
    ) -> Result<Page<Comment>, Unexpected> {
        let comments = self.comments.lock().unwrap();
        let items = comments
            .iter()
            .filter(|comment| comment.ticket == id && (viewer.is_staff() || !comment.internal))
            .cloned()
            .collect();
        Ok(Page {
            items,
            limit: paging.limit,
            next: None,
            prev: None,
            total: None,
        })
    }

    async fn comment_of(
        &self,
        viewer: Viewer,
        ticket: TicketId,
        id: CommentId,
    ) -> Result<Option<Comment>, Unexpected> {
        let comments = self.comments.lock().unwrap();
        let mut found = comments
            .iter()
            .filter(|one| one.id == id && one.ticket == ticket);
        Ok(found
            .next()
            .filter(|one| viewer.is_staff() || !one.internal)
            .cloned())
    }

    async fn person(&self, id: UserId) -> Result<Option<Person>, Unexpected> {
        Ok(self
            .people
            .lock()
            .unwrap()
            .iter()
            .find(|(person, _)| person.id == id)
            .map(|(person, _)| person.clone()))
    }

    async fn agent(&self, id: UserId) -> Result<Option<Person>, Unexpected> {
        Ok(self
            .people
            .lock()
            .unwrap()
            .iter()
            .find(|(person, role)| person.id == id && role.is_staff())
            .map(|(person, _)| person.clone()))
    }
}

/// Records published events.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<TicketEvent>>);

#[port]
impl TicketEvents for Heard {
    async fn publish(&self, event: TicketEvent) -> Result<(), Unexpected> {
        self.0.lock().unwrap().push(event);
        Ok(())
    }
}

/// A clock that advances by one second at each reading.
pub(crate) struct Ticking(pub(crate) Mutex<Timestamp>);

impl Default for Ticking {
    fn default() -> Self {
        Self(Mutex::new(Timestamp::from_micros(1_800_000_000_000_000)))
    }
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        *now = *now + std::time::Duration::from_secs(1);
        *now
    }
}
