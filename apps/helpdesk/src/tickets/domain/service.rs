//! Operations on tickets.

use std::sync::Arc;

use doyen::domain::{Clock, Inject, Page, Paging, Unexpected};

use super::problems::NotAnAgent;
use super::viewer::may_comment;
use super::{
    Action, AddComment, AgentsOnly, AssignTicket, Comment, CommentId, Draft, Edit, EditTicket,
    FindTicket, InvalidTransition, MoveTicket, NewComment, Person, StaleTicket, Stats, Ticket,
    TicketEvent, TicketEvents, TicketFilter, TicketId, TicketNotFound, TicketRepository, Viewer,
};
use crate::access::UserId;

/// Operations on tickets, for handlers.
#[derive(Clone, Inject)]
pub struct Tickets {
    repository: Arc<dyn TicketRepository>,
    events: Arc<dyn TicketEvents>,
    clock: Arc<dyn Clock>,
}

impl Tickets {
    /// Creates the service from its dependencies, without a container.
    pub fn new(
        repository: Arc<dyn TicketRepository>,
        events: Arc<dyn TicketEvents>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            repository,
            events,
            clock,
        }
    }

    /// Creates a ticket. The viewer becomes its reporter, even if they are an agent.
    pub async fn open(&self, viewer: Viewer, draft: Draft) -> Result<Ticket, Unexpected> {
        let reporter = self.person(viewer.id()).await?;
        let ticket = Ticket::open(draft, reporter, self.clock.now());
        self.repository.insert(&ticket).await?;
        self.events
            .publish(TicketEvent::Created {
                ticket: ticket.id,
                by: ticket.reporter.id,
            })
            .await?;
        Ok(ticket)
    }

    /// Returns a page of tickets.
    pub async fn list(
        &self,
        viewer: Viewer,
        filter: &TicketFilter,
        paging: &Paging,
    ) -> Result<Page<Ticket>, Unexpected> {
        self.repository.list(viewer, filter, paging).await
    }

    /// Returns a ticket.
    pub async fn find(&self, viewer: Viewer, id: TicketId) -> Result<Ticket, FindTicket> {
        Ok(self
            .repository
            .find(viewer, id)
            .await?
            .ok_or(TicketNotFound)?)
    }

    /// Changes the content of a ticket if it still has the version `seen`; `None` matches any
    /// version.
    ///
    /// An edit that changes nothing keeps the version.
    pub async fn edit(
        &self,
        viewer: Viewer,
        id: TicketId,
        seen: Option<i64>,
        edit: Edit,
    ) -> Result<Ticket, EditTicket> {
        // An edit of a known version loses against a concurrent one; of any version it waits.
        if seen.is_none() {
            self.repository.lock(id).await?;
        }
        let read = self
            .repository
            .find(viewer, id)
            .await?
            .ok_or(TicketNotFound)?;
        if seen.is_some_and(|seen| seen != read.version) {
            return Err(StaleTicket.into());
        }
        let mut changed = read.clone();
        changed.edit(edit);
        if changed == read {
            return Ok(read);
        }
        changed.touch(self.clock.now());
        if !self.repository.replace(viewer, &read, &changed).await? {
            return Err(StaleTicket.into());
        }
        self.updated(viewer, id).await?;
        Ok(changed)
    }

    /// Deletes a ticket with its comments.
    pub async fn remove(&self, viewer: Viewer, id: TicketId) -> Result<(), FindTicket> {
        if self.repository.remove(viewer, id).await? {
            Ok(())
        } else {
            Err(TicketNotFound.into())
        }
    }

    /// Assigns a ticket to an agent.
    pub async fn assign(
        &self,
        viewer: Viewer,
        id: TicketId,
        assignee: UserId,
    ) -> Result<Ticket, AssignTicket> {
        let agent = self
            .repository
            .agent(assignee)
            .await?
            .ok_or_else(NotAnAgent::new)?;
        let ticket = self
            .act(viewer, id, Action::Assign, |ticket| {
                ticket.assignee = Some(agent.clone())
            })
            .await?;
        let by = viewer.id();
        let event = TicketEvent::Assigned {
            ticket: id,
            assignee,
            by,
        };
        self.events.publish(event).await?;
        Ok(ticket)
    }

    /// Marks a ticket as solved.
    pub async fn solve(&self, viewer: Viewer, id: TicketId) -> Result<Ticket, MoveTicket> {
        let ticket = self.act(viewer, id, Action::Solve, |_| {}).await?;
        let by = viewer.id();
        let event = TicketEvent::Solved { ticket: id, by };
        self.events.publish(event).await?;
        Ok(ticket)
    }

    /// Closes a ticket.
    pub async fn close(&self, viewer: Viewer, id: TicketId) -> Result<Ticket, MoveTicket> {
        let ticket = self.act(viewer, id, Action::Close, |_| {}).await?;
        let by = viewer.id();
        let event = TicketEvent::Closed { ticket: id, by };
        self.events.publish(event).await?;
        Ok(ticket)
    }

    /// Reopens a ticket.
    pub async fn reopen(&self, viewer: Viewer, id: TicketId) -> Result<Ticket, MoveTicket> {
        let ticket = self.act(viewer, id, Action::Reopen, |_| {}).await?;
        let by = viewer.id();
        let event = TicketEvent::Reopened { ticket: id, by };
        self.events.publish(event).await?;
        Ok(ticket)
    }

    /// Adds a comment. A public one can change the status of the ticket: see
    /// [`Ticket::commented`]. An internal note changes nothing that a customer can see.
    pub async fn comment(
        &self,
        viewer: Viewer,
        id: TicketId,
        new: NewComment,
    ) -> Result<Comment, AddComment> {
        if let Err(reason) = may_comment(&viewer, new.internal) {
            // Check visibility first: a 403 would reveal that the ticket exists.
            self.repository
                .find(viewer, id)
                .await?
                .ok_or(TicketNotFound)?;
            return Err(AgentsOnly(reason).into());
        }
        if new.internal {
            let is_counted = self.repository.count_note(viewer, id).await?;
            is_counted.then_some(()).ok_or(TicketNotFound)?;
        } else {
            let (before, after) = self
                .change(viewer, id, |ticket| {
                    ticket.commented(viewer.is_staff());
                    Ok::<_, AddComment>(())
                })
                .await?;
            if before.status != after.status {
                self.updated(viewer, id).await?;
            }
        }
        let author = self.person(viewer.id()).await?;
        let comment = Comment {
            id: CommentId::new(),
            ticket: id,
            author,
            body: new.body,
            internal: new.internal,
            created_at: self.clock.now(),
        };
        self.repository.add_comment(&comment).await?;
        self.events
            .publish(TicketEvent::Commented {
                ticket: id,
                comment: comment.id,
                by: viewer.id(),
                internal: comment.internal,
            })
            .await?;
        Ok(comment)
    }

    /// Returns a page of the comments of a ticket.
    pub async fn comments(
        &self,
        viewer: Viewer,
        id: TicketId,
        paging: &Paging,
    ) -> Result<Page<Comment>, FindTicket> {
        self.repository
            .find(viewer, id)
            .await?
            .ok_or(TicketNotFound)?;
        Ok(self.repository.comments(viewer, id, paging).await?)
    }

    /// Counts the visible tickets by status and priority.
    pub async fn stats(&self, viewer: Viewer) -> Result<Stats, Unexpected> {
        self.repository.stats(viewer).await
    }

    /// Performs an action if the status of the ticket allows it.
    async fn act(
        &self,
        viewer: Viewer,
        id: TicketId,
        action: Action,
        also: impl Fn(&mut Ticket) + Send + Sync,
    ) -> Result<Ticket, MoveTicket> {
        let (_, ticket) = self
            .change(viewer, id, |ticket| {
                let status = ticket.status;
                ticket.status = status
                    .after(action)
                    .ok_or(InvalidTransition { status, action })?;
                also(ticket);
                Ok::<_, MoveTicket>(())
            })
            .await?;
        Ok(ticket)
    }

    async fn updated(&self, viewer: Viewer, id: TicketId) -> Result<(), Unexpected> {
        let by = viewer.id();
        let event = TicketEvent::Updated { ticket: id, by };
        self.events.publish(event).await
    }

    /// Reads, changes and writes a ticket, and returns it as it was and as it is. Concurrent
    /// changes wait for each other, so none is lost.
    async fn change<E>(
        &self,
        viewer: Viewer,
        id: TicketId,
        step: impl Fn(&mut Ticket) -> Result<(), E> + Send + Sync,
    ) -> Result<(Ticket, Ticket), E>
    where
        E: From<TicketNotFound> + From<Unexpected>,
    {
        self.repository.lock(id).await?;
        let read = self
            .repository
            .find(viewer, id)
            .await?
            .ok_or(TicketNotFound)?;
        let mut changed = read.clone();
        step(&mut changed)?;
        changed.touch(self.clock.now());
        if !self.repository.replace(viewer, &read, &changed).await? {
            return Err(Unexpected::new(format!("{id} was changed while it was locked")).into());
        }
        Ok((read, changed))
    }

    /// Returns the user with the id of the caller, who is logged in and must therefore exist.
    async fn person(&self, id: UserId) -> Result<Person, Unexpected> {
        self.repository
            .person(id)
            .await?
            .ok_or_else(|| Unexpected::new(format!("no user has the id {id} of the caller")))
    }
}
