//! What a request may deviate in from its schema.

/// How strictly requests are read: each switch of an application, or of a route, which overrides
/// that of the application.
///
/// Everything is strict unless it is switched off. The OpenAPI document describes what is accepted.
///
/// ```
/// use doyen_core::{Strictness, UnknownNames};
///
/// const PORTED: Strictness = Strictness::new()
///     .unknown_names(UnknownNames::Ignore)
///     .loose_scalars(true);
/// assert_eq!(PORTED.unknown(), UnknownNames::Ignore);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Strictness {
    unknown: Option<UnknownNames>,
    scalars: Option<bool>,
    content_type: Option<bool>,
    empty: Option<bool>,
    slashes: Option<bool>,
}

/// What happens to a name in a body, a form or the query that the route does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UnknownNames {
    /// The request gets a 422 that names it, the default. A misspelt optional name would otherwise
    /// be a silent mistake of the client.
    #[default]
    Refuse,
    /// It is ignored.
    Ignore,
    /// It is ignored, and the log has a warning with the name and the route.
    Warn,
}

impl Strictness {
    /// Creates a value that changes nothing.
    pub const fn new() -> Self {
        Self {
            unknown: None,
            scalars: None,
            content_type: None,
            empty: None,
            slashes: None,
        }
    }

    /// Sets what happens to unknown names in a JSON body, a form and the query.
    #[must_use]
    pub const fn unknown_names(mut self, what: UnknownNames) -> Self {
        self.unknown = Some(what);
        self
    }

    /// Sets whether JSON may have numbers and booleans in text (`"5"`, `"true"`) and 0 and 1 for a
    /// boolean, and whether text may have them in other spellings (`True`, `T`, `Y`, `+5`, `05`).
    #[must_use]
    pub const fn loose_scalars(mut self, loose: bool) -> Self {
        self.scalars = Some(loose);
        self
    }

    /// Sets whether a body without `Content-Type` is read as the type that the route expects.
    ///
    /// A page of another origin can then send such a body without a CORS preflight. Leave it off
    /// where browsers are identified by a cookie or by their network.
    #[must_use]
    pub const fn missing_content_type(mut self, accepted: bool) -> Self {
        self.content_type = Some(accepted);
        self
    }

    /// Sets whether any field of a form that was left empty is absent. Otherwise only an optional
    /// field that is no text is.
    #[must_use]
    pub const fn empty_as_absent(mut self, absent: bool) -> Self {
        self.empty = Some(absent);
        self
    }

    /// Sets whether a path with one slash too many or too few at its end is redirected (307) to the
    /// route without it or with it. Otherwise it gets a 404.
    #[must_use]
    pub const fn redirect_slashes(mut self, redirect: bool) -> Self {
        self.slashes = Some(redirect);
        self
    }

    /// Takes the switches that are not set here from another value.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        const fn first(one: Option<bool>, other: Option<bool>) -> Option<bool> {
            if one.is_some() { one } else { other }
        }
        Self {
            unknown: if self.unknown.is_some() {
                self.unknown
            } else {
                other.unknown
            },
            scalars: first(self.scalars, other.scalars),
            content_type: first(self.content_type, other.content_type),
            empty: first(self.empty, other.empty),
            slashes: first(self.slashes, other.slashes),
        }
    }

    /// Returns what happens to unknown names.
    pub const fn unknown(&self) -> UnknownNames {
        match self.unknown {
            Some(what) => what,
            None => UnknownNames::Refuse,
        }
    }

    /// True if scalars may have other forms.
    pub const fn has_loose_scalars(&self) -> bool {
        matches!(self.scalars, Some(true))
    }

    /// True if a body needs no `Content-Type`.
    pub const fn accepts_missing_content_type(&self) -> bool {
        matches!(self.content_type, Some(true))
    }

    /// True if any empty field of a form is absent.
    pub const fn drops_empty(&self) -> bool {
        matches!(self.empty, Some(true))
    }

    /// True if a slash at the end of a path is redirected.
    pub const fn redirects_slashes(&self) -> bool {
        matches!(self.slashes, Some(true))
    }
}
