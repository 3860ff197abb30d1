//! A field of a partial update.

/// A field that may be left out: what `PATCH` reads.
///
/// `Patch<T>` is left out or has a value, and refuses `null`. `Patch<Option<T>>` knows three states: left out (leave it as it is), `null`
/// (remove it), a value (set it). With `#[input(default)]` or `#[input(default = ..)]`, `null` sets
/// a `Patch<T>` to that default.
///
/// ```
/// use doyen_core::Patch;
///
/// let mut assignee = Some("ann");
/// Patch::Absent.apply(&mut assignee);
/// assert_eq!(assignee, Some("ann"));
/// Patch::Set(None).apply(&mut assignee);
/// assert_eq!(assignee, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// Left out.
    #[default]
    Absent,
    /// Given.
    Set(T),
}

impl<T> Patch<T> {
    /// Sets the target if a value was given. Gives true when it was.
    pub fn apply(self, target: &mut T) -> bool {
        match self {
            Patch::Absent => false,
            Patch::Set(value) => {
                *target = value;
                true
            }
        }
    }

    /// True when a value was given.
    pub const fn is_set(&self) -> bool {
        matches!(self, Patch::Set(_))
    }

    /// The value that was given.
    pub const fn as_option(&self) -> Option<&T> {
        match self {
            Patch::Absent => None,
            Patch::Set(value) => Some(value),
        }
    }

    /// The value that was given.
    pub fn into_option(self) -> Option<T> {
        match self {
            Patch::Absent => None,
            Patch::Set(value) => Some(value),
        }
    }

    /// Turns the value into another.
    pub fn map<U>(self, each: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Patch::Absent => Patch::Absent,
            Patch::Set(value) => Patch::Set(each(value)),
        }
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Patch::Set(value)
    }
}
