//! What is wrong with the graph.

use std::fmt;

use super::Lifetime;

/// What is wrong with the graph. The chain begins at the route, job or command that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    /// A test replaces a type that is not used.
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
