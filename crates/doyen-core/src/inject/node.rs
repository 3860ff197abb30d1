//! A type in the graph and its dependencies.

use std::any::{TypeId, type_name};
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Inject, Lifetime};
use crate::ProblemInfo;

/// An injectable type in the graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// The type.
    pub id: TypeId,
    /// Its name, for messages.
    pub name: &'static str,
    /// Lifetime of its values; `None` if a binding decides.
    pub lifetime: Option<Lifetime>,
    /// Its dependencies.
    pub needs: Vec<Need>,
    /// The problems that creating a value can cause: they become part of the contract of each route
    /// that depends on it.
    pub problems: Vec<&'static ProblemInfo>,
}

/// A dependency, described only when the graph is walked, so that a cycle of types does not recurse
/// forever.
pub type Need = fn() -> Node;

/// The dependencies of a route, a job or a command.
#[derive(Clone, Debug, Default)]
pub struct Needs(pub Vec<Need>);

impl Needs {
    /// Adds a dependency.
    pub fn add<T: Inject>(&mut self) {
        self.0.push(T::node);
    }
}

impl Node {
    /// Creates the node of a type with these dependencies.
    pub fn of<T: Inject>(needs: Vec<Need>) -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
            lifetime: Some(T::LIFETIME),
            needs,
            problems: Vec::new(),
        }
    }

    /// Creates the node of a type with a binding.
    pub fn port<T: ?Sized + 'static>() -> Self {
        Self {
            id: TypeId::of::<Arc<T>>(),
            name: type_name::<T>(),
            lifetime: None,
            needs: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Creates the node of an extractor, which a test can replace.
    pub fn extractor<T: 'static>(needs: Needs) -> Self {
        Self {
            id: TypeId::of::<Extracted<T>>(),
            name: type_name::<T>(),
            lifetime: Some(Lifetime::Call),
            needs: needs.0,
            problems: Vec::new(),
        }
    }

    /// Adds the problems that creating a value can cause.
    #[must_use]
    pub fn fails(mut self, problems: Vec<&'static ProblemInfo>) -> Self {
        self.problems = problems;
        self
    }
}

/// Stands for a value of an extractor, which is not injected.
pub(super) struct Extracted<T>(PhantomData<fn() -> T>);
