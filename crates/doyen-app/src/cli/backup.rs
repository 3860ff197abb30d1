//! The commands `backup` and `restore`.

use std::path::Path;

use doyen_data::backup;

use super::{Failed, say};
use crate::Built;

pub(super) async fn write(built: &Built, file: &Path) -> Result<(), Failed> {
    let bytes = backup::backup(built.database.options(), file).await?;
    say(&format!("{}, {bytes} bytes, checked", file.display()));
    Ok(())
}

pub(super) async fn restore(built: &Built, file: &Path, replace: bool) -> Result<(), Failed> {
    let former = backup::restore(built.database.options(), file, replace).await?;
    say(&match former {
        Some(former) => format!("restored; the former database is `{}`", former.display()),
        None => "restored".to_owned(),
    });
    Ok(())
}
