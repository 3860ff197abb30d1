//! Listings: first what has not arrived completely, then the objects with their areas.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt as _, TryStreamExt as _, future::ready};
use object_store::{Error, ObjectMeta, ObjectStore as _};

use super::Bucket;
use crate::store::{Area, Listed, Listing};

/// Objects of one listing, as many as S3 returns at once.
const PAGE: usize = 1000;

/// A part of the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    Partial,
    Objects,
    Published,
}

impl Folder {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Objects => "objects",
            Self::Published => "published",
        }
    }
}

/// An object, and what says that it is published.
#[derive(Default)]
struct Found {
    content: Option<SystemTime>,
    published: Option<SystemTime>,
}

impl Bucket {
    /// The next listing begins after a name in the folder of this one: `objects/file_…`.
    pub(super) async fn list(
        &self,
        min_age: Duration,
        after: Option<&str>,
    ) -> Result<Listing, Error> {
        let before = SystemTime::now().checked_sub(min_age);
        let is_old = |at: SystemTime| before.is_some_and(|before| at <= before);
        let position = after.and_then(|after| after.split_once('/'));
        let (folder, last) = match position {
            Some((folder, last)) if folder == Folder::Objects.name() => (Folder::Objects, last),
            Some((_, last)) => (Folder::Partial, last),
            None => (Folder::Partial, ""),
        };
        let page = self.page(folder, last, None).await?;
        let next = match (page.len() < PAGE, folder) {
            (false, _) => page.last().map(|(name, _)| position_after(folder, name)),
            (true, Folder::Partial) => Some(position_after(Folder::Objects, "")),
            (true, _) => None,
        };
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        if folder == Folder::Objects {
            let until = match page.len() < PAGE {
                true => None,
                false => page.last().map(|(name, _)| name.clone()),
            };
            for (name, at) in self.page(Folder::Published, last, until.as_deref()).await? {
                found.entry(name).or_default().published = Some(at);
            }
        }
        for (name, at) in page {
            found.entry(name).or_default().content = Some(at);
        }
        let objects = found.into_iter().filter_map(|(name, found)| {
            // Other objects are not of this store.
            let id = name.parse().ok()?;
            let area = match (folder, found.published) {
                (Folder::Partial, _) => None,
                (_, Some(_)) => Some(Area::Published),
                (_, None) => Some(Area::Quarantine),
            };
            let changed = found.content.or(found.published)?;
            is_old(changed).then_some(Listed { id, area })
        });
        Ok(Listing {
            objects: objects.collect(),
            next,
        })
    }

    /// Returns the names after `last`, with their times: a page, or all up to a name.
    async fn page(
        &self,
        folder: Folder,
        last: &str,
        until: Option<&str>,
    ) -> Result<Vec<(String, SystemTime)>, Error> {
        let prefix = self.folder(folder);
        let all = match last {
            "" => self.client.list(Some(&prefix)),
            last => {
                let offset = prefix.clone().join(last);
                self.client.list_with_offset(Some(&prefix), &offset)
            }
        };
        let all = all.map_ok(|meta| (name(&meta), SystemTime::from(meta.last_modified)));
        let all = all.try_take_while(|(name, _)| {
            ready(Ok(until.is_none_or(|until| name.as_str() <= until)))
        });
        let limit = match folder {
            Folder::Published => usize::MAX,
            Folder::Partial | Folder::Objects => PAGE,
        };
        all.take(limit).try_collect().await
    }
}

fn position_after(folder: Folder, name: &str) -> String {
    format!("{}/{name}", folder.name())
}

fn name(meta: &ObjectMeta) -> String {
    meta.location.filename().unwrap_or_default().to_owned()
}
