//! Pages: one envelope for every list.

use crate::{Kind, ProblemInfo};

/// The problem for an invalid cursor. The data layer returns it, and the OpenAPI document lists it.
pub static INVALID_CURSOR: ProblemInfo = ProblemInfo {
    code: "invalid_cursor",
    kind: Kind::Malformed,
    title: "Invalid Cursor",
    description: "The cursor was modified, belongs to another list, filter or sort order, or its row was deleted or changed. \
                  Start again without a cursor.",
};

/// The requested part of a list: `?limit=` and `?cursor=`, or `?page=` and `?per_page=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Maximum number of items: 1 to 100, 20 by default.
    pub limit: u32,
    /// Position.
    pub from: From,
}

/// The start of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// The start of the list.
    Start,
    /// The position in this opaque, signed cursor.
    Cursor(String),
    /// This page, counted from 1. Responses contain the total.
    Number(u32),
}

impl Paging {
    /// Number of items by default.
    pub const DEFAULT_LIMIT: u32 = 20;
    /// Maximum number of items.
    pub const MAX_LIMIT: u32 = 100;
    /// Maximum page number. Use a cursor beyond it, because the cost of an offset grows with the
    /// page.
    pub const MAX_NUMBER: u32 = 1_000;

    /// Returns the first page of this size.
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

/// Some items of a list, and the positions of the next and the previous ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Requested maximum of items.
    pub limit: u32,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<From>,
    /// Cursor of the previous page; `None` on the first.
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
    /// Maps each item.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(each).collect(),
            limit: self.limit,
            next: self.next,
            prev: self.prev,
            total: self.total,
        }
    }

    /// Maps each item, or returns the first error.
    ///
    /// # Errors
    ///
    /// Returns the first error of `each`.
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

    /// Maps each item to its output type.
    pub fn map_into<U: std::convert::From<T>>(self) -> Page<U> {
        self.map(U::from)
    }
}
