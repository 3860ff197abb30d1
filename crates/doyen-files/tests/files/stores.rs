//! The suite of the port of stores, and a folder that does not accept more.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use doyen::files::{Area, FileId, FolderStore, Listed, Object, Store};
use futures_util::StreamExt as _;

use crate::kit::{Unscanned, new_folder, send_file, setup_in};

/// What every store promises.
async fn conforms(store: &dyn Store) {
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
    let list = async || store.list(Duration::ZERO, None, 100).await.unwrap();

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

    // What is dropped before its end leaves nothing.
    drop(write(FileId::new(), &["x"]).await);
    assert_eq!(list().await.len(), 1);

    // An open object can be read while it is removed.
    let object = open(id, Area::Published).await.unwrap();
    store.remove(id).await.unwrap();
    assert!(open(id, Area::Published).await.is_none());
    assert_eq!(read(&object, 0..11).await, b"hello world");
    store.remove(id).await.unwrap();

    // Lists have an order and a limit, and only what is old enough.
    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = FileId::new();
        write(id, &["x"]).await.finish().await.unwrap();
        ids.push(id);
    }
    store.publish(ids[2]).await.unwrap();
    let found = store.list(Duration::ZERO, Some(ids[0]), 3).await.unwrap();
    let found: Vec<FileId> = found.iter().map(|one| one.id).collect();
    assert_eq!(found, ids[1..4]);
    let old = store
        .list(Duration::from_secs(3600), None, 100)
        .await
        .unwrap();
    assert!(old.is_empty());
    for id in ids {
        store.remove(id).await.unwrap();
    }
    store.check().await.unwrap();
    assert!(list().await.is_empty());
}

async fn read(object: &Arc<dyn Object>, range: std::ops::Range<u64>) -> Vec<u8> {
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

/// `/dev/full` is a device that is always full; a file in place of the folder refuses every name.
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
    crate::kit::until_objects(&folder.join("quarantine"), 0).await;
}
