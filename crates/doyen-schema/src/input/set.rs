//! Sets: lists whose repeated items are dropped.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;

use doyen_core::inject::{BoxFuture, Context};
use doyen_core::{At, Failures};

use super::{Input, Value};
use crate::{Components, Schema};

macro_rules! sets {
    ($($set:ident: $($bound:ident),*;)*) => {$(
        impl<T: Input $(+ $bound)*> Input for $set<T> {
            const ASYNC: bool = T::ASYNC;

            fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
                Vec::<T>::parse(value, at, out).map(|items| items.into_iter().collect())
            }

            /// The schema of a list: a repeated item is accepted, and counts once.
            fn schema(all: &mut Components) -> Schema {
                Vec::<T>::schema(all)
            }

            fn verify<'a>(&'a self, cx: &'a Context, at: &'a At<'a>, out: &'a mut Failures) -> BoxFuture<'a, ()> {
                Box::pin(async move {
                    // The items have lost their index in the request.
                    for item in self {
                        item.verify(cx, at, out).await;
                    }
                })
            }
        }
    )*};
}

sets! {
    BTreeSet: Ord;
    HashSet: Eq, Hash;
}
