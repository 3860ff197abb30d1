//! A field of a partial update.

/// An optional field of a partial update, as `PATCH` reads it.
///
/// `Patch<T>` is absent or has a value, and refuses `null`. `Patch<Option<T>>` has three states:
/// absent (unchanged), `null` (removed), a value (set). With `#[input(default)]` or
/// `#[input(default = ..)]`, `null` sets a `Patch<T>` to that default.
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
    /// Absent.
    #[default]
    Absent,
    /// Present.
    Set(T),
}

impl<T> Patch<T> {
    /// Sets the target if there is a value. Returns true if there is one.
    pub fn apply(self, target: &mut T) -> bool {
        match self {
            Patch::Absent => false,
            Patch::Set(value) => {
                *target = value;
                true
            }
        }
    }

    /// True if there is a value.
    pub const fn is_set(&self) -> bool {
        matches!(self, Patch::Set(_))
    }

    /// Returns the value.
    pub const fn as_option(&self) -> Option<&T> {
        match self {
            Patch::Absent => None,
            Patch::Set(value) => Some(value),
        }
    }

    /// Returns the value.
    pub fn into_option(self) -> Option<T> {
        match self {
            Patch::Absent => None,
            Patch::Set(value) => Some(value),
        }
    }

    /// Maps the value.
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
