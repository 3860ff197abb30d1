//! What one thing is made of.

use std::any::{TypeId, type_name};
use std::sync::Arc;

use super::{Inject, Lifetime};
use crate::ProblemInfo;

/// One thing that can be injected, as the graph sees it.
#[derive(Clone, Debug)]
pub struct Node {
    /// The type.
    pub id: TypeId,
    /// Its name, for messages.
    pub name: &'static str,
    /// How long a value lives; `None` when a binding decides.
    pub lifetime: Option<Lifetime>,
    /// What it is made of.
    pub needs: Vec<Need>,
    /// The problems that making one can end in: they become part of the contract of each route that
    /// asks for it.
    pub problems: Vec<&'static ProblemInfo>,
}

/// A dependency, described only when the graph is walked, so that a cycle of types does not recurse
/// forever.
pub type Need = fn() -> Node;

/// The needs of a route, a job or a command.
#[derive(Clone, Debug, Default)]
pub struct Needs(pub Vec<Need>);

impl Needs {
    /// Adds a need.
    pub fn add<T: Inject>(&mut self) {
        self.0.push(T::node);
    }
}

impl Node {
    /// The node of a type with these needs.
    pub fn of<T: Inject>(needs: Vec<Need>) -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
            lifetime: Some(T::LIFETIME),
            needs,
            problems: Vec::new(),
        }
    }

    /// The node of something that a binding supplies.
    pub fn port<T: ?Sized + 'static>() -> Self {
        Self {
            id: TypeId::of::<Arc<T>>(),
            name: type_name::<T>(),
            lifetime: None,
            needs: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Adds the problems making it can end in.
    #[must_use]
    pub fn fails(mut self, problems: Vec<&'static ProblemInfo>) -> Self {
        self.problems = problems;
        self
    }
}
