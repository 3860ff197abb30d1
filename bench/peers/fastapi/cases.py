"""The six cases: what comes in, what goes out, and the routes."""

import time
from typing import Annotated

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from sqlalchemy import func, select

from database import DATABASE_URL, Comment, ReadSession, Ticket, User, WriteSession

Subject = Annotated[str, Field(min_length=1, max_length=200)]
Body = Annotated[str, Field(min_length=1, max_length=5000)]
# Strict: neither "2" nor 2.0 is an integer.
Priority = Annotated[int, Field(ge=1, le=4, strict=True)]
Tag = Annotated[str, Field(min_length=1, max_length=30)]


class Message(BaseModel):
    message: str


class Echo(BaseModel):
    subject: Subject
    body: Body
    priority: Priority
    email: EmailStr
    tags: Annotated[list[Tag], Field(max_length=10)]


class Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    subject: str
    status: str
    priority: int
    reporter_id: int
    assignee_id: int | None
    created_ms: int


class Person(BaseModel):
    id: int
    name: str


class Item(BaseModel):
    id: int
    subject: str
    status: str
    priority: int
    created_ms: int
    assignee: Person | None
    comments: int


class Page(BaseModel):
    items: list[Item]
    next: int | None


class NewTicket(BaseModel):
    subject: Subject
    body: Body
    priority: Priority


class Created(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    subject: str
    status: str
    priority: int


async def hello() -> Message:
    return Message(message="Hello, World!")


async def echo(body: Echo) -> Echo:
    return body


async def row(id: int, session: ReadSession) -> Ticket:
    ticket = await session.get(Ticket, id)
    if ticket is None:
        raise HTTPException(404)
    return ticket


async def many(start: int, session: ReadSession) -> list[Ticket]:
    tickets = []
    for i in range(20):
        id = (start * 7919 + i * 104729) % 10000 + 1
        # A select, not `session.get`: that one asks the session first, and this case is twenty statements.
        tickets.append(await session.scalar(select(Ticket).where(Ticket.id == id)))
    if None in tickets:
        raise HTTPException(404)
    return tickets


comments_of_ticket = select(func.count()).where(Comment.ticket_id == Ticket.id).scalar_subquery()


async def page(before: int, session: ReadSession) -> Page:
    rows = await session.execute(
        select(
            Ticket.id,
            Ticket.subject,
            Ticket.status,
            Ticket.priority,
            Ticket.created_ms,
            User.id.label("assignee_id"),
            User.name.label("assignee_name"),
            comments_of_ticket.label("comments"),
        )
        .outerjoin(User, User.id == Ticket.assignee_id)
        .where(Ticket.id < before)
        .order_by(Ticket.id.desc())
        .limit(50)
    )
    items = [
        Item(
            id=row.id,
            subject=row.subject,
            status=row.status,
            priority=row.priority,
            created_ms=row.created_ms,
            assignee=None if row.assignee_id is None else Person(id=row.assignee_id, name=row.assignee_name),
            comments=row.comments,
        )
        for row in rows
    ]
    return Page(items=items, next=items[-1].id if len(items) == 50 else None)


async def create(body: NewTicket, session: WriteSession) -> Ticket:
    ticket = Ticket(
        subject=body.subject,
        body=body.body,
        status="open",
        priority=body.priority,
        reporter_id=1,
        assignee_id=None,
        created_ms=time.time_ns() // 1_000_000,
    )
    async with session.begin():
        session.add(ticket)
    return ticket


def register(app: FastAPI) -> None:
    # Straight on the application: SlowAPI does not see the routes of an included router.
    app.add_api_route("/json", hello, methods=["GET"])
    app.add_api_route("/echo", echo, methods=["POST"])
    if DATABASE_URL:
        app.add_api_route("/rows/{id}", row, methods=["GET"], response_model=Row)
        app.add_api_route("/many/{start}", many, methods=["GET"], response_model=list[Row])
        app.add_api_route("/page", page, methods=["GET"])
        app.add_api_route("/tickets", create, methods=["POST"], response_model=Created, status_code=201)
