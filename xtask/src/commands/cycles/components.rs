//! Strongly connected components (Tarjan's algorithm).

use std::collections::BTreeMap;

use super::imports::Graph;

/// Returns each component of more than one file, its files in order.
pub(super) fn of(graph: &Graph) -> Vec<Vec<String>> {
    let mut search = Search {
        graph,
        indices: BTreeMap::new(),
        stack: Vec::new(),
        found: Vec::new(),
    };
    for file in graph.keys() {
        if !search.indices.contains_key(file.as_str()) {
            search.visit(file);
        }
    }
    search.found
}

struct Search<'a> {
    graph: &'a Graph,
    /// The order in which files were visited.
    indices: BTreeMap<&'a str, usize>,
    /// Visited files whose component is not known yet.
    stack: Vec<&'a str>,
    found: Vec<Vec<String>>,
}

impl<'a> Search<'a> {
    /// Returns the lowest index on the stack that is reachable from this file.
    fn visit(&mut self, file: &'a str) -> usize {
        let index = self.indices.len();
        self.indices.insert(file, index);
        let depth = self.stack.len();
        self.stack.push(file);
        let mut lowest = index;
        for target in self.graph.get(file).into_iter().flatten() {
            let reached = match self.indices.get(target.as_str()) {
                None => self.visit(target),
                Some(known) if self.stack.contains(&target.as_str()) => *known,
                Some(_) => continue,
            };
            lowest = lowest.min(reached);
        }
        if lowest == index {
            let mut component: Vec<String> = self.stack.drain(depth..).map(str::to_owned).collect();
            component.sort();
            if component.len() > 1 {
                self.found.push(component);
            }
        }
        lowest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_whatever_leads_to_them() {
        let edges = ["ab", "bc", "ca", "cd", "de", "ed", "ef"];
        let mut graph = Graph::new();
        for edge in edges {
            let (from, to) = edge.split_at(1);
            graph
                .entry(from.to_owned())
                .or_default()
                .insert(to.to_owned());
        }
        graph.entry("f".to_owned()).or_default();
        assert_eq!(of(&graph), [vec!["d", "e"], vec!["a", "b", "c"]]);
    }
}
