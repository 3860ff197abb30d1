//! The profile of the caller.

use doyen::prelude::*;

use super::shapes::{AccountLinks, ProfileChanges, UserView};
use crate::access::{Scope, User};
use crate::accounts::domain::{Account, Accounts, EditOwnAccount, FindOwnAccount};

/// Get your profile
#[get("/", allow = Scope::Profile, id = "accounts_show_me")]
pub(crate) async fn profile(
    me: User,
    accounts: Accounts,
    links: Links,
) -> Result<Json<UserView>, FindOwnAccount> {
    Ok(Json(view(accounts.find(me.id).await?, &links)))
}

/// Update your profile
///
/// Send the last known `ETag` as `If-Match`. A request that changes nothing does not increment the
/// version.
#[patch("/", allow = Scope::Profile, id = "accounts_edit_me", returns = "The updated user.")]
pub(crate) async fn edit_profile(
    me: User,
    accounts: Accounts,
    links: Links,
    seen: IfMatch,
    MergePatch(changes): MergePatch<ProfileChanges>,
) -> Result<Json<UserView>, EditOwnAccount> {
    let account = accounts
        .edit(me, me.id, seen.version(), changes.into())
        .await?;
    Ok(Json(view(account, &links)))
}

fn view(account: Account, links: &Links) -> UserView {
    let path = links.path::<profile>(&[]).unwrap_or_default();
    let map = links
        .map()
        .to::<profile>("self", &[])
        .to::<edit_profile>("edit", &[])
        .done();
    (account, AccountLinks { path, map }).into()
}
