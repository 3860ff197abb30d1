//! The order of plugins.

use crate::fault::Fault;

/// A plugin as the sort sees it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: &'static str,
    /// Defaults come before the plugins of the user.
    pub(crate) group: u8,
    /// Where it was added.
    pub(crate) place: String,
    /// Names of plugins that must come before it.
    pub(crate) before: Vec<&'static str>,
}

/// Sorts plugins so that each comes after those it depends on; otherwise by group, then by name.
/// The order in which the plugins were added does not matter.
///
/// Returns the indices in order, and a fault for each cycle. The members of a cycle are left out.
pub(crate) fn sort(items: &[Item]) -> (Vec<usize>, Vec<Fault>) {
    let mut rest: Vec<usize> = (0..items.len()).collect();
    rest.sort_by_key(|&index| (items[index].group, items[index].name));
    let mut sorted: Vec<usize> = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let ready = rest.iter().position(|&index| {
            let waits = |name: &&str| rest.iter().any(|&other| items[other].name == *name);
            !items[index].before.iter().any(waits)
        });
        match ready {
            Some(position) => sorted.push(rest.remove(position)),
            None => return (sorted, vec![cycle(items, &rest)]),
        }
    }
    (sorted, Vec::new())
}

/// Describes a cycle among the plugins that are left.
fn cycle(items: &[Item], rest: &[usize]) -> Fault {
    let find = |name: &str| {
        rest.iter()
            .copied()
            .find(|&other| items[other].name == name)
    };
    let next = |index: usize| items[index].before.iter().find_map(|name| find(name));
    let mut path = vec![rest[0]];
    loop {
        let last = path[path.len() - 1];
        // Each of those that are left waits for another one.
        let Some(next) = next(last) else { break };
        if let Some(start) = path.iter().position(|&seen| seen == next) {
            path.drain(..start);
            path.push(next);
            break;
        }
        path.push(next);
    }
    let chain: Vec<String> = path
        .iter()
        .map(|&index| format!("`{}` ({})", items[index].name, items[index].place))
        .collect();
    Fault::new(format!(
        "plugins depend on each other in a circle: {}. Remove one of these dependencies",
        chain.join(" -> ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &'static str, before: &[&'static str]) -> Item {
        Item {
            name,
            group: 1,
            place: "src/lib.rs:1:1".to_owned(),
            before: before.to_vec(),
        }
    }

    fn names(items: &[Item]) -> Vec<&'static str> {
        let (sorted, faults) = sort(items);
        assert!(faults.is_empty(), "{faults:?}");
        sorted.into_iter().map(|index| items[index].name).collect()
    }

    #[test]
    fn every_permutation_of_a_diamond_has_the_same_order() {
        let diamond = [
            item("top", &["left", "right"]),
            item("left", &["base"]),
            item("right", &["base"]),
            item("base", &[]),
        ];
        let mut permutations = 0;
        for a in 0..4 {
            for b in (0..4).filter(|b| *b != a) {
                for c in (0..4).filter(|c| *c != a && *c != b) {
                    let d = 6 - a - b - c;
                    let added = [a, b, c, d].map(|index| diamond[index].clone());
                    assert_eq!(names(&added), ["base", "left", "right", "top"]);
                    permutations += 1;
                }
            }
        }
        assert_eq!(permutations, 24);
    }

    #[test]
    fn a_default_plugin_comes_before_those_of_the_user_unless_it_depends_on_one() {
        let mut a = item("zulu", &[]);
        a.group = 0;
        assert_eq!(names(&[item("alpha", &[]), a.clone()]), ["zulu", "alpha"]);
        a.before.push("alpha");
        assert_eq!(names(&[item("alpha", &[]), a]), ["alpha", "zulu"]);
    }

    #[test]
    fn a_cycle_is_reported_with_its_chain_and_locations() {
        let items = [
            item("free", &[]),
            item("a", &["b"]),
            item("b", &["c", "free"]),
            item("c", &["b"]),
        ];
        let (sorted, faults) = sort(&items);
        assert_eq!(sorted, [0]);
        let text = faults[0].to_string();
        assert!(
            text.contains("`b` (src/lib.rs:1:1) -> `c` (src/lib.rs:1:1) -> `b`"),
            "{text}"
        );
        assert!(!text.contains("`a`"), "{text}");
    }
}
