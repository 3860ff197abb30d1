//! The permissions and roles of an application.

/// A permission such as `tickets:read`. Derive it on the enum of your application's scopes.
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
    /// Returns its name in tokens and in the document.
    fn name(self) -> &'static str;
    /// Returns the permission in words: the doc comment of the variant.
    fn description(self) -> &'static str;
    /// Returns every scope.
    fn all() -> Vec<Self>;
}

/// A role such as `admin`. Derive it like [`Scope`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a role",
    label = "not a role",
    note = "roles are the variants of an enum with `#[derive(Role)]`: write `.role(Role::Admin)`"
)]
pub trait Role: Copy {
    /// Returns its name in tokens.
    fn name(self) -> &'static str;
}
