//! The dependency graph, and its check before the first request.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};

use super::{Binding, GraphError, Lifetime, Needs, Node};
use crate::ProblemInfo;

/// All bindings.
#[derive(Debug)]
pub struct Graph<'a> {
    bindings: &'a HashMap<TypeId, Binding>,
    given: HashSet<TypeId>,
}

impl<'a> Graph<'a> {
    /// Creates a graph over these bindings.
    pub fn new(bindings: &'a HashMap<TypeId, Binding>) -> Self {
        Self {
            bindings,
            given: HashSet::new(),
        }
    }

    /// A test provides values of these types, so their own dependencies are not needed.
    #[must_use]
    pub fn given(mut self, types: impl IntoIterator<Item = TypeId>) -> Self {
        self.given.extend(types);
        self
    }

    /// Checks everything below one root (a route, a job, a command), and reports all errors.
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

    /// Returns every problem that creating these can cause.
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

    /// Returns the node with its binding resolved, and whether it has a provider.
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
        // A value with lifetime `call` lives as long as its holder: check its own dependencies.
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

/// Shortens `shop::orders::domain::Orders` to `Orders`.
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
