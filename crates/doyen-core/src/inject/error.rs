//! Errors of the injection graph.

use std::fmt;

use super::Lifetime;

/// An error of the injection graph. The chain starts at the route, job or command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphError {
    /// A port or value without a provider.
    Missing {
        /// The dependents in order, the missing one last.
        chain: Vec<String>,
    },
    /// A type that depends on itself.
    Circular {
        /// The cycle, with its first member repeated at the end.
        chain: Vec<String>,
    },
    /// A value with a long lifetime would hold one with a short lifetime.
    Captive {
        /// From the holder to the held value.
        chain: Vec<String>,
        /// Lifetime of the holder.
        holder: Lifetime,
        /// Lifetime of the held value.
        held: Lifetime,
    },
    /// Two modules bind one port.
    Twice {
        /// The port.
        name: String,
    },
    /// A test replaces a type that is not used.
    Unused {
        /// The replaced type.
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
                "a dependency cycle: {}. Break it with an event or a third type",
                chain.join(" -> ")
            ),
            GraphError::Captive {
                chain,
                holder,
                held,
            } => write!(
                f,
                "a value with the lifetime {holder:?} would hold one with the lifetime {held:?}: {}. Give the holder the shorter lifetime",
                chain.join(" -> "),
            ),
            GraphError::Twice { name } => write!(f, "`{name}` is bound twice. Keep one binding"),
            GraphError::Unused { name } => write!(
                f,
                "`{name}` is replaced, but nothing injects it. Remove the override or correct its type"
            ),
        }
    }
}

impl std::error::Error for GraphError {}
