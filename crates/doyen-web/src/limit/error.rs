//! What is wrong with the limit of a route.

use std::fmt;

use doyen_core::limit::MAX_CHARGES;

/// Why the words at a route make no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// There is no policy of this name.
    UnknownPolicy {
        /// The name.
        name: &'static str,
        /// Those there are.
        known: Vec<String>,
    },
    /// There is no quota of this name.
    UnknownQuota {
        /// The name.
        name: &'static str,
        /// Those there are.
        known: Vec<String>,
    },
    /// A policy is outside what the limiter can count.
    Wrong(String),
    /// There are too many of them.
    TooMany,
    /// `unlimited` without a reason.
    NoReason,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, known: &[String]| {
            let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            f.write_str(&known.join(", "))
        };
        match self {
            PlanError::UnknownPolicy { name, known } => {
                write!(
                    f,
                    "there is no policy `{name}`: add `{name}: 30/1m per user` to `limits.policies`, or use one of "
                )?;
                list(f, known)
            }
            PlanError::UnknownQuota { name, known } if known.is_empty() => write!(
                f,
                "there is no quota `{name}`: add `{name}: 1000/day` to `limits.quotas`"
            ),
            PlanError::UnknownQuota { name, known } => {
                write!(
                    f,
                    "there is no quota `{name}`: add `{name}: 1000/day` to `limits.quotas`, or use one of "
                )?;
                list(f, known)
            }
            PlanError::Wrong(what) => write!(f, "its limit must be {what}"),
            PlanError::TooMany => write!(
                f,
                "it has more than {MAX_CHARGES} policies, quotas counted apart: remove some"
            ),
            PlanError::NoReason => {
                f.write_str("`unlimited` needs a reason: say why no limit is needed")
            }
        }
    }
}

impl std::error::Error for PlanError {}
