//! The suite of the port of stores, and a folder that does not accept more.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use doyen::files::{Area, FileId, FolderStore, Listed, Object, Store};
use futures_util::StreamExt as _;

use crate::kit::{Unscanned, folder, new_folder, send_file, setup_in, until_objects};
use crate::process::Process;

/// What every store promises.
pub(crate) async fn conforms(store: &dyn Store) {
    let write = async |id: FileId, parts: &[&str]| {
        let mut writer = store.create(id).await.unwrap();
        for part in parts {
            writer
                .write(Bytes::copy_from_slice(part.as_bytes()))
                .await
                .unwrap();
        }
        writer
    };
    let open = async |id: FileId, area: Area| store.open(id, area).await.unwrap();
    let list_older = async |age: Duration| {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let listing = store.list(age, after).await.unwrap();
            all.extend(listing.objects);
            after = listing.next;
            if after.is_none() {
                break all;
            }
        }
    };
    let list = async || list_older(Duration::ZERO).await;

    // An object is complete or absent.
    let id = FileId::new();
    let writer = write(id, &["hello ", "world"]).await;
    assert!(open(id, Area::Quarantine).await.is_none());
    assert_eq!(list().await, [Listed { id, area: None }]);
    writer.finish().await.unwrap();
    let object = open(id, Area::Quarantine).await.unwrap();
    assert_eq!(object.length(), 11);
    assert_eq!(read(&object, 0..11).await, b"hello world");
    assert_eq!(read(&object, 6..8).await, b"wo");
    assert!(read(&object, 3..3).await.is_empty());
    assert!(open(id, Area::Published).await.is_none());

    // It is in one area at a time, and to publish twice is to publish once.
    for _ in 0..2 {
        store.publish(id).await.unwrap();
        assert!(open(id, Area::Quarantine).await.is_none());
        let object = open(id, Area::Published).await.unwrap();
        assert_eq!(read(&object, 0..11).await, b"hello world");
        let area = Some(Area::Published);
        assert_eq!(list().await, [Listed { id, area }]);
    }
    assert!(store.publish(FileId::new()).await.is_err());

    // What is dropped before its end leaves nothing, at once or a moment later.
    drop(write(FileId::new(), &["x"]).await);
    let alone = async {
        while list().await.len() > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let alone = tokio::time::timeout(Duration::from_secs(60), alone).await;
    assert!(alone.is_ok(), "a dropped object is left");

    // An object that is removed while it is open is whole, or cannot be read.
    let object = open(id, Area::Published).await.unwrap();
    store.remove(id).await.unwrap();
    assert!(open(id, Area::Published).await.is_none());
    if let Some(first) = object.read(0..11).next().await
        && let Ok(bytes) = first
    {
        assert_eq!(bytes, b"hello world"[..]);
    }
    store.remove(id).await.unwrap();

    // Only the listed copy is removed: the object has been published since.
    let id = FileId::new();
    write(id, &["x"]).await.finish().await.unwrap();
    let [before] = list().await[..] else {
        panic!("not one object");
    };
    store.publish(id).await.unwrap();
    store.remove_listed(before).await.unwrap();
    let [now] = list().await[..] else {
        panic!("not one object");
    };
    assert_eq!(now.area, Some(Area::Published));
    store.remove_listed(now).await.unwrap();
    let writer = write(id, &["x"]).await;
    store.remove_listed(list().await[0]).await.unwrap();
    assert!(list().await.is_empty());
    assert!(writer.finish().await.is_err());

    // Listings have every object once, and only what is old enough.
    let mut ids = Vec::new();
    for _ in 0..50 {
        let id = FileId::new();
        write(id, &["x"]).await.finish().await.unwrap();
        ids.push(id);
    }
    for id in &ids[..40] {
        store.publish(*id).await.unwrap();
    }
    let mut found: Vec<FileId> = list().await.iter().map(|one| one.id).collect();
    found.sort();
    assert_eq!(found, ids);
    assert!(list_older(Duration::from_secs(3600)).await.is_empty());
    for id in ids {
        store.remove(id).await.unwrap();
    }
    store.check().await.unwrap();
    assert!(list().await.is_empty());
}

pub(crate) async fn read(object: &Arc<dyn Object>, range: std::ops::Range<u64>) -> Vec<u8> {
    let mut all = Vec::new();
    let mut chunks = object.read(range);
    while let Some(chunk) = chunks.next().await {
        all.extend_from_slice(&chunk.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_a_store() {
    let folder = new_folder();
    conforms(&FolderStore::new(&folder)).await;
    std::fs::remove_dir_all(folder).unwrap();
}

/// A file in place of the folder refuses every name.
#[doyen_test::test]
async fn a_store_that_fails_is_a_503(app: Unscanned) {
    let folder = new_folder();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("quarantine"), "not a folder").unwrap();
    let broken = app.another(setup_in(folder.clone())).await;
    let answer = send_file(&broken, "a.txt", "text/plain", b"hello").await;
    let answer = answer.expect_problem(503, "storage_unavailable");
    assert_eq!(answer.header("retry-after"), Some("10"));
    // It works again once the folder does.
    std::fs::remove_file(folder.join("quarantine")).unwrap();
    send_file(&broken, "a.txt", "text/plain", b"hello")
        .await
        .expect(201);
    // The publication fails after the content has arrived.
    std::fs::remove_dir_all(folder.join("published")).unwrap();
    std::fs::write(folder.join("published"), "not a folder").unwrap();
    send_file(&broken, "a.txt", "text/plain", b"hello")
        .await
        .expect_problem(503, "storage_unavailable");
    until_objects(&folder.join("quarantine"), 0).await;
}

/// The limit of the process on the size of files stands for a full disk: a write fails in the
/// middle of a file.
#[doyen_test::test(sqlite)]
async fn a_full_disk_is_a_503_and_heals(app: Unscanned) {
    let (url, folder) = (app.database_url().to_owned(), folder(&app).await);
    let at = folder.clone();
    let answers = tokio::task::spawn_blocking(move || {
        let limit = [("APP_FILES__MAX_BYTES", "1 GiB")];
        let process = Process::start_limited(&url, &at, &limit, 8 << 20);
        [7, 9, 1].map(|megabytes| process.upload(megabytes))
    });
    let [below, above, after] = answers.await.unwrap();
    assert!(below.starts_with("HTTP/1.1 200"), "{below}");
    assert!(
        above.starts_with("HTTP/1.1 503") && above.contains("storage_unavailable"),
        "{above}"
    );
    assert!(after.starts_with("HTTP/1.1 200"), "{after}");
    until_objects(&folder, 2).await;
    assert_eq!(app.count("files").await, 2);
}
