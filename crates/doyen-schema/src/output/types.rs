//! Outputs of the standard types and of common crates.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use doyen_core::Timestamp;
use serde_json::Value as Json;
use uuid::Uuid;

use super::Output;
use crate::{Components, Input, Schema};

/// Types with equal input and output.
macro_rules! as_read {
    ($($type:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl Output for $type {
            fn schema(all: &mut Components) -> Schema {
                <$type as Input>::schema(all)
            }
        }
    )*};
}

as_read!(
    bool, i8, i16, i32, i64, u8, u16, u32, u64, isize, usize, Uuid, Timestamp, Json
);

macro_rules! texts {
    ($($type:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl Output for $type {
            fn schema(_: &mut Components) -> Schema {
                Schema::of("string")
            }
        }
    )*};
}

texts!(String, &'static str, Box<str>, Cow<'static, str>);

#[diagnostic::do_not_recommend]
impl Output for f64 {
    fn schema(all: &mut Components) -> Schema {
        <f64 as Input>::schema(all)
    }

    fn is_writable(&self) -> bool {
        self.is_finite()
    }
}

#[diagnostic::do_not_recommend]
impl Output for f32 {
    fn schema(_: &mut Components) -> Schema {
        Schema::of("number").with("format", "float")
    }

    fn is_writable(&self) -> bool {
        self.is_finite()
    }
}

impl Output for NaiveDate {
    fn schema(all: &mut Components) -> Schema {
        <NaiveDate as Input>::schema(all)
    }

    fn is_writable(&self) -> bool {
        (1..=9999).contains(&self.year())
    }
}

#[diagnostic::do_not_recommend]
impl Output for NaiveDateTime {
    fn schema(all: &mut Components) -> Schema {
        <NaiveDateTime as Input>::schema(all)
    }

    fn is_writable(&self) -> bool {
        self.date().is_writable() && self.time().is_writable()
    }
}

#[diagnostic::do_not_recommend]
impl Output for NaiveTime {
    fn schema(all: &mut Components) -> Schema {
        <NaiveTime as Input>::schema(all)
    }

    /// A leap second is none of the times in the schema.
    fn is_writable(&self) -> bool {
        self.nanosecond() < 1_000_000_000
    }
}

#[diagnostic::do_not_recommend]
impl Output for char {
    fn schema(_: &mut Components) -> Schema {
        Schema::of("string")
            .with("minLength", 1)
            .with("maxLength", 1)
    }
}

impl<T: Output> Output for Option<T> {
    const TAGGED: bool = T::TAGGED;
    const LOCATED: bool = T::LOCATED;

    fn schema(all: &mut Components) -> Schema {
        T::schema(all).nullable()
    }

    fn is_writable(&self) -> bool {
        self.as_ref().is_none_or(T::is_writable)
    }

    fn etag(&self) -> Option<String> {
        self.as_ref()?.etag()
    }

    fn location(&self) -> Option<String> {
        self.as_ref()?.location()
    }
}

impl<T: Output> Output for Box<T> {
    const TAGGED: bool = T::TAGGED;
    const LOCATED: bool = T::LOCATED;

    fn schema(all: &mut Components) -> Schema {
        T::schema(all)
    }

    fn is_writable(&self) -> bool {
        self.as_ref().is_writable()
    }

    fn etag(&self) -> Option<String> {
        self.as_ref().etag()
    }

    fn location(&self) -> Option<String> {
        self.as_ref().location()
    }
}

impl<T: Output> Output for Vec<T> {
    fn schema(all: &mut Components) -> Schema {
        Schema::of("array").with("items", T::schema(all))
    }

    fn is_writable(&self) -> bool {
        self.iter().all(T::is_writable)
    }
}

macro_rules! sets {
    ($($set:ident),*) => {$(
        impl<T: Output> Output for $set<T> {
            fn schema(all: &mut Components) -> Schema {
                Schema::of("array")
                    .with("items", T::schema(all))
                    .with("uniqueItems", true)
            }

            fn is_writable(&self) -> bool {
                self.iter().all(T::is_writable)
            }
        }
    )*};
}

sets!(BTreeSet, HashSet);

macro_rules! maps {
    ($($map:ident),*) => {$(
        impl<K: Output, T: Output> Output for $map<K, T> {
            fn schema(all: &mut Components) -> Schema {
                let schema = Schema::of("object").with("additionalProperties", T::schema(all));
                let key = K::schema(all);
                if key == Schema::of("string") {
                    schema
                } else {
                    schema.with("propertyNames", crate::input::map_names(key))
                }
            }

            fn is_writable(&self) -> bool {
                self.iter().all(|(key, value)| key.is_writable() && value.is_writable())
            }
        }
    )*};
}

maps!(BTreeMap, HashMap);
