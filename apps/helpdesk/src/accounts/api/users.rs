//! Users: agents can read them, administrators can change them.

use doyen::prelude::*;

use super::shapes::{AccountLinks, UserChanges, UserView};
use crate::access::{Scope, User, UserId};
use crate::accounts::domain::{Account, AccountFilter, Accounts, EditAccount, FindAccount};

/// List users
///
/// Users are sorted by creation time, newest first.
#[get("/", allow = Scope::UsersRead, sparse)]
pub(crate) async fn list(
    accounts: Accounts,
    links: Links,
    Query(filter): Query<AccountFilter>,
    paging: Paging,
) -> Result<Page<UserView>, Unexpected> {
    Ok(accounts
        .list(&filter, &paging)
        .await?
        .map(|account| view(account, &links)))
}

/// Get a user
#[get("/{id}", allow = Scope::UsersRead)]
pub(crate) async fn show(
    accounts: Accounts,
    links: Links,
    /// User id.
    #[path]
    id: UserId,
) -> Result<Json<UserView>, FindAccount> {
    Ok(Json(view(accounts.find(id).await?, &links)))
}

/// Update a user
///
/// Changes the name or the role, or disables the account. Send the last known `ETag` as `If-Match`.
/// A new role takes effect within seconds, also for users who are logged in. Administrators cannot
/// change their own role or disable their own account.
#[patch("/{id}", allow = Scope::UsersWrite, returns = "The updated user.")]
pub(crate) async fn edit(
    me: User,
    accounts: Accounts,
    links: Links,
    /// User id.
    #[path]
    id: UserId,
    seen: IfMatch,
    MergePatch(changes): MergePatch<UserChanges>,
) -> Result<Json<UserView>, EditAccount> {
    let account = accounts
        .edit(me, id, seen.version(), changes.into())
        .await?;
    Ok(Json(view(account, &links)))
}

/// Returns the view of an account for the caller.
pub(super) fn view(account: Account, links: &Links) -> UserView {
    let path = links.path::<show>(&[&account.id]).unwrap_or_default();
    let map = links
        .map()
        .to::<show>("self", &[&account.id])
        .to::<edit>("edit", &[&account.id])
        .done();
    (account, AccountLinks { path, map }).into()
}
