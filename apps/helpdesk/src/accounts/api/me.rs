//! The profile of the caller.

use doyen::prelude::*;

use super::shapes::{ProfileChanges, UserView};
use crate::access::{Scope, User};
use crate::accounts::domain::{Account, Accounts, Edit, EditAccount, FindAccount};

/// Get the caller's profile
#[get("/", allow = Scope::Profile, id = "accounts_show_me")]
pub(crate) async fn profile(
    me: User,
    accounts: Accounts,
    links: Links,
) -> Result<Json<UserView>, FindAccount> {
    Ok(Json(view(accounts.find(me.id).await?, &links)))
}

/// Update the caller's profile
///
/// Send the last known `ETag` as `If-Match`. A request that changes nothing does not increment the
/// version.
#[patch("/", allow = Scope::Profile, id = "accounts_edit_me")]
pub(crate) async fn edit_profile(
    me: User,
    accounts: Accounts,
    links: Links,
    seen: IfMatch,
    MergePatch(changes): MergePatch<ProfileChanges>,
) -> Result<Json<UserView>, EditAccount> {
    let edit = Edit {
        name: changes.name,
        ..Edit::default()
    };
    Ok(Json(view(
        accounts.edit(me, me.id, seen.version(), edit).await?,
        &links,
    )))
}

fn view(account: Account, links: &Links) -> UserView {
    let place = links.path::<profile>(&[]);
    let links = links
        .map()
        .to::<profile>("self", &[])
        .to::<edit_profile>("edit", &[])
        .done();
    UserView::new(account, links, place)
}
