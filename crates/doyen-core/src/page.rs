//! Pages: one envelope for every list.

use crate::{Kind, ProblemInfo};

/// The problem for an invalid cursor. The data layer returns it, and the OpenAPI document lists it.
pub static INVALID_CURSOR: ProblemInfo = ProblemInfo {
    code: "invalid_cursor",
    kind: Kind::Malformed,
    title: "Invalid Cursor",
    description: "The cursor was modified, or belongs to another list, filter or sort order. Start again without a cursor.",
};

/// Which part of a list is asked for: `?limit=` and `?cursor=`, or `?page=` and `?per_page=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    /// How many items at most: 1 to 100, 20 by default.
    pub limit: u32,
    /// Where.
    pub from: From,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// At the beginning of the list.
    Start,
    /// Where this opaque, signed cursor points.
    Cursor(String),
    /// At this page, counted from 1. Answers carry the total.
    Number(u32),
}

impl Paging {
    /// The number of items when the request does not say.
    pub const DEFAULT_LIMIT: u32 = 20;
    /// The most items a page may have.
    pub const MAX_LIMIT: u32 = 100;
    /// The highest page number; further on, use a cursor: the cost of an offset grows with it.
    pub const MAX_NUMBER: u32 = 1_000;

    /// The first page of this size.
    pub const fn first(limit: u32) -> Self {
        Self {
            limit,
            from: From::Start,
        }
    }
}

impl Default for Paging {
    fn default() -> Self {
        Self::first(Self::DEFAULT_LIMIT)
    }
}

/// Some items of a list and the way to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// How many were asked for at most.
    pub limit: u32,
    /// Where the next page begins; `None` on the last.
    pub next: Option<From>,
    /// Where the page before begins; `None` on the first.
    pub prev: Option<From>,
    /// How many items the whole list has, when it was counted.
    pub total: Option<Total>,
}

/// The number of items of a whole list. Counting ends at [`Total::MAX`], because its cost grows
/// with the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// Number of items.
    pub count: u64,
    /// True if the list has more items.
    pub exceeded: bool,
}

impl Total {
    /// Maximum number of items that are counted.
    pub const MAX: u64 = 10_000;

    /// Creates the total of a list of which at least this many items were counted.
    pub const fn counted(items: u64) -> Self {
        if items > Self::MAX {
            Self {
                count: Self::MAX,
                exceeded: true,
            }
        } else {
            Self {
                count: items,
                exceeded: false,
            }
        }
    }
}

impl<T> Page<T> {
    /// Turns each item into another thing.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(each).collect(),
            limit: self.limit,
            next: self.next,
            prev: self.prev,
            total: self.total,
        }
    }

    /// Turns each item into another thing, or gives the first error.
    ///
    /// # Errors
    ///
    /// The first one that `each` gives.
    pub fn try_map<U, E>(self, each: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let items = self.items.into_iter().map(each).collect::<Result<_, E>>()?;
        Ok(Page {
            items,
            limit: self.limit,
            next: self.next,
            prev: self.prev,
            total: self.total,
        })
    }

    /// Turns each item into what it shows on the wire.
    pub fn map_into<U: std::convert::From<T>>(self) -> Page<U> {
        self.map(U::from)
    }
}
