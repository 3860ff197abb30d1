//! The graph of what needs what, and its check before the first request.

use std::any::{TypeId, type_name};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::{Binding, Inject, Lifetime};
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
    /// The problems that making one can end in: they become part of the contract of each route that asks for it.
    pub problems: Vec<&'static ProblemInfo>,
}

/// A need, described only when somebody follows it, so that a circle of types does not loop for ever.
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

/// What is wrong with the graph. The chain begins at the route, job or command that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GraphError {
    /// Nothing supplies a port or value.
    Missing {
        /// Who needs whom, the missing one last.
        chain: Vec<String>,
    },
    /// A thing is made of itself.
    Circular {
        /// The circle, its first member again at the end.
        chain: Vec<String>,
    },
    /// A long-lived thing would hold a short-lived one.
    Captive {
        /// From the holder to the one held.
        chain: Vec<String>,
        /// The holder's lifetime.
        holder: Lifetime,
        /// The lifetime of the one held.
        held: Lifetime,
    },
    /// Two modules bind one port.
    Twice {
        /// The port.
        name: String,
    },
    /// A test replaces something nobody asks for.
    Unused {
        /// What was replaced.
        name: String,
    },
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GraphError::Missing { chain } => write!(
                f,
                "nothing supplies `{}`: {}. Bind it in a module (`.bind::<dyn Port, Adapter>()`) or give a value (`.provide(value)`)",
                chain.last().map_or("", String::as_str),
                chain.join(" -> "),
            ),
            GraphError::Circular { chain } => write!(
                f,
                "a circle of needs: {}. Break it with an event or a third type",
                chain.join(" -> ")
            ),
            GraphError::Captive {
                chain,
                holder,
                held,
            } => write!(
                f,
                "a thing that lives for the whole {holder:?} would hold one that lives for one {held:?}: {}. Give the holder the shorter lifetime",
                chain.join(" -> "),
            ),
            GraphError::Twice { name } => write!(f, "`{name}` is bound twice. Keep one binding"),
            GraphError::Unused { name } => write!(
                f,
                "`{name}` is replaced, but nothing asks for it. Remove the override or correct its type"
            ),
        }
    }
}

impl std::error::Error for GraphError {}

/// All bindings, to walk along.
#[derive(Debug)]
pub struct Graph<'a> {
    bindings: &'a HashMap<TypeId, Binding>,
    given: HashSet<TypeId>,
}

impl<'a> Graph<'a> {
    /// A graph over these bindings.
    pub fn new(bindings: &'a HashMap<TypeId, Binding>) -> Self {
        Self {
            bindings,
            given: HashSet::new(),
        }
    }

    /// Values of these types are given by a test: nothing is made for them, so what they are made of is not asked for.
    #[must_use]
    pub fn given(mut self, types: impl IntoIterator<Item = TypeId>) -> Self {
        self.given.extend(types);
        self
    }

    /// Walks from one root (a route, a job, a command) and reports everything wrong on the way.
    pub fn check(&self, root: &str, needs: &Needs) -> Vec<GraphError> {
        let mut errors = Vec::new();
        let mut path = vec![Step {
            id: None,
            name: root.to_owned(),
            lifetime: Lifetime::Call,
        }];
        for need in &needs.0 {
            self.walk(need(), &mut path, &mut errors);
        }
        errors
    }

    /// Every problem that making these can end in.
    pub fn problems(&self, needs: &Needs) -> Vec<&'static ProblemInfo> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut queue: Vec<Node> = needs.0.iter().map(|need| need()).collect();
        while let Some(node) = queue.pop() {
            if seen.insert(node.id) {
                let node = self.resolved(node).0;
                found.extend(node.problems);
                queue.extend(node.needs.iter().map(|need| need()));
            }
        }
        found
    }

    /// The node with its binding followed; the second value says whether something supplies it.
    fn resolved(&self, node: Node) -> (Node, bool) {
        if self.given.contains(&node.id) {
            let lifetime = Some(Lifetime::Application);
            return (
                Node {
                    lifetime,
                    needs: Vec::new(),
                    problems: Vec::new(),
                    ..node
                },
                true,
            );
        }
        match (self.bindings.get(&node.id), node.lifetime) {
            (Some(binding), _) => (binding.node(node.name), true),
            (None, Some(_)) => (node, true),
            (None, None) => (node, false),
        }
    }

    fn walk(&self, node: Node, path: &mut Vec<Step>, errors: &mut Vec<GraphError>) {
        let id = node.id;
        if let Some(start) = path.iter().position(|step| step.id == Some(id)) {
            let mut chain: Vec<String> =
                path[start..].iter().map(|step| step.name.clone()).collect();
            chain.push(path[start].name.clone());
            push(errors, GraphError::Circular { chain });
            return;
        }
        let (node, supplied) = self.resolved(node);
        let lifetime = node.lifetime.unwrap_or(Lifetime::Call);
        path.push(Step {
            id: Some(id),
            name: short(node.name),
            lifetime,
        });
        if !supplied {
            push(
                errors,
                GraphError::Missing {
                    chain: path.iter().map(|step| step.name.clone()).collect(),
                },
            );
        }
        // A thing made anew for each call lives as long as its holder: look past it.
        let holder = path[..path.len() - 1]
            .iter()
            .rposition(|step| step.lifetime != Lifetime::Call);
        if let Some(holder) = holder
            && lifetime != Lifetime::Call
            && lifetime < path[holder].lifetime
        {
            let chain = path[holder..]
                .iter()
                .map(|step| step.name.clone())
                .collect();
            push(
                errors,
                GraphError::Captive {
                    chain,
                    holder: path[holder].lifetime,
                    held: lifetime,
                },
            );
        }
        for need in &node.needs {
            self.walk(need(), path, errors);
        }
        path.pop();
    }
}

#[derive(Debug)]
struct Step {
    id: Option<TypeId>,
    name: String,
    lifetime: Lifetime,
}

fn push(errors: &mut Vec<GraphError>, error: GraphError) {
    if !errors.contains(&error) {
        errors.push(error);
    }
}

/// `shop::orders::domain::Orders` as a person says it: `Orders`.
pub(super) fn short(name: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in name.chars() {
        match c {
            ':' => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            c => {
                out.push_str(&word);
                word.clear();
                out.push(c);
            }
        }
    }
    out + &word
}
