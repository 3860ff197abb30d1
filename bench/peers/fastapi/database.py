"""The mapped tables, and a session for each request.

PostgreSQL has one pool of 8 for everything. SQLite allows one writer at a time, so writers queue for a pool of one
and eight readers go on beside it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import URL, BigInteger, ForeignKey, Integer, Text, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DATABASE_URL = os.environ.get("DATABASE_URL")
POOL = 8


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger, str: Text}


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Ticket(Base):
    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    # No case reads the body: deferred, a SELECT leaves it out.
    body: Mapped[str] = mapped_column(deferred=True)
    status: Mapped[str]
    priority: Mapped[int] = mapped_column(Integer)
    reporter_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_ms: Mapped[int]


class Comment(Base):
    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    body: Mapped[str]


def sqlite_engine(path: str, connections: int) -> AsyncEngine:
    url = URL.create("sqlite+aiosqlite", database=path)
    engine = create_async_engine(url, pool_size=connections, max_overflow=0, connect_args={"timeout": 5})

    @event.listens_for(engine.sync_engine, "connect")
    def settings(connection, _record) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    return engine


def engines(url: str) -> tuple[AsyncEngine, AsyncEngine]:
    """The engine for reads and the one for writes."""
    if url.startswith("sqlite:"):
        # `sqlite:///abs/path.db` is an absolute path here; SQLAlchemy would want four slashes.
        path = "/" + url.removeprefix("sqlite:").partition("?")[0].lstrip("/")
        return sqlite_engine(path, POOL), sqlite_engine(path, 1)
    postgres = make_url(url).set(drivername="postgresql+asyncpg")
    # asyncpg calls libpq's `sslmode` by another name.
    tls = {"ssl": mode} if (mode := postgres.query.get("sslmode")) else {}
    postgres = postgres.difference_update_query(["sslmode"])
    engine = create_async_engine(postgres, pool_size=POOL, max_overflow=0, connect_args=tls)
    return engine, engine


if DATABASE_URL:
    read_engine, write_engine = engines(DATABASE_URL)
    # Objects stay readable after COMMIT, without another SELECT.
    Reads = async_sessionmaker(read_engine, expire_on_commit=False)
    Writes = async_sessionmaker(write_engine, expire_on_commit=False)


async def read_session() -> AsyncIterator[AsyncSession]:
    async with Reads() as session:
        yield session


async def write_session() -> AsyncIterator[AsyncSession]:
    async with Writes() as session:
        yield session


ReadSession = Annotated[AsyncSession, Depends(read_session)]
WriteSession = Annotated[AsyncSession, Depends(write_session)]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    if DATABASE_URL:
        await read_engine.dispose()
        await write_engine.dispose()
