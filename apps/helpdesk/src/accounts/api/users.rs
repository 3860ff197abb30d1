//! The users: agents look them up, administrators change them.

use doyen::prelude::*;

use super::shapes::{UserChanges, UserView};
use crate::access::{Scope, User, UserId};
use crate::accounts::domain::{Account, AccountFilter, Accounts, Edit, EditAccount, FindAccount};

/// List users, the newest first.
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

/// Show a user.
#[get("/{id}", allow = Scope::UsersRead)]
pub(crate) async fn show(
    accounts: Accounts,
    links: Links,
    id: UserId,
) -> Result<Json<UserView>, FindAccount> {
    Ok(Json(view(accounts.find(id).await?, &links)))
}

/// Change a user's name or role, or keep them out.
///
/// Another role takes effect within seconds, also for those who are logged in. Nobody changes their own, or keeps themselves out.
#[patch("/{id}", allow = Scope::UsersWrite)]
pub(crate) async fn edit(
    me: User,
    accounts: Accounts,
    links: Links,
    id: UserId,
    seen: IfMatch,
    MergePatch(changes): MergePatch<UserChanges>,
) -> Result<Json<UserView>, EditAccount> {
    let edit = Edit {
        name: changes.name,
        role: changes.role,
        disabled: changes.disabled,
    };
    Ok(Json(view(
        accounts.edit(me, id, seen.version(), edit).await?,
        &links,
    )))
}

/// A user as the caller sees them.
pub(super) fn view(account: Account, links: &Links) -> UserView {
    let place = links.path::<show>(&[&account.id]);
    let links = links
        .map()
        .to::<show>("self", &[&account.id])
        .to::<edit>("edit", &[&account.id])
        .done();
    UserView::new(account, links, place)
}
