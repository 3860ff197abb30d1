//! The permissions and roles of an application.

/// A permission word such as `tickets:read`. Derive it on the enum of your application's scopes.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::Scope as _;
///
/// #[derive(Clone, Copy, Debug, doyen_core::Scope)]
/// enum Scope {
///     /// Read your tickets.
///     #[scope("tickets:read")]
///     TicketsRead,
/// }
///
/// assert_eq!(Scope::TicketsRead.name(), "tickets:read");
/// ```
pub trait Scope: Copy {
    /// The word, as it stands in tokens and in the document.
    fn name(self) -> &'static str;
    /// What it permits: the doc comment of the variant.
    fn description(self) -> &'static str;
    /// Every scope there is.
    fn all() -> Vec<Self>;
}

/// A role such as `admin`. Derive it like [`Scope`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a role",
    label = "not a role",
    note = "roles are the variants of an enum with `#[derive(Role)]`: write `.role(Role::Admin)`"
)]
pub trait Role: Copy {
    /// The word, as it stands in tokens.
    fn name(self) -> &'static str;
}
