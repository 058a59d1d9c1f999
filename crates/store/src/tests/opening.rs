//! Making, opening and locking a data directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use sealgate_core::tenant::Settings;

use crate::testing::{NOW, directory, world};
use crate::{MasterKey, Store, StoreError};

#[tokio::test]
async fn is_made_private_and_opens_again() {
    let mut world = world().await;
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(world.directory.data()), 0o700);
    for (path, _) in world.directory.octets() {
        assert_eq!(mode(path.clone()), 0o600, "{}", path.display());
    }
    world.crash().await;
    assert_eq!(
        world.store.organisation("example").await.unwrap(),
        world.organisation
    );
    assert!(matches!(
        world.store.organisation("other").await,
        Err(StoreError::NotFound(_))
    ));
}

#[tokio::test]
async fn a_wrong_master_key_is_one_clear_line_and_changes_nothing() {
    let world = world().await;
    let other = MasterKey::generate().unwrap();
    let error = Store::open(&world.directory.data(), &other)
        .await
        .unwrap_err();
    let StoreError::WrongMasterKey { directory, hint } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*directory, world.directory.data());
    assert!(hint.starts_with("give the master key"), "{hint}");
    assert!(!error.to_string().contains('\n'));
    assert!(world.second().await.organisation("example").await.is_ok());
}

#[tokio::test]
async fn unusable_directories_are_named_and_nothing_is_left() {
    let directory = directory();
    let master = MasterKey::generate().unwrap();
    let no_parent = directory.path().join("missing").join("data");
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let not_a_database = directory.path().join("foreign");
    fs::create_dir(&not_a_database).unwrap();
    fs::write(not_a_database.join("sealgate.db"), [b'x'; 8192]).unwrap();
    for (path, hint) in [
        (no_parent.clone(), "make the directory above"),
        (file, "name a directory"),
        (not_a_database, ""),
    ] {
        let error = Store::open(&path, &master).await.unwrap_err();
        let StoreError::Directory { path: named, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(named.starts_with(&path), "{error}");
        assert!(error.to_string().contains(hint), "{error}");
    }
    assert!(!no_parent.parent().unwrap().exists());
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let world = world().await;
    world
        .store
        .raw("INSERT INTO schema_versions (version) VALUES (1000)")
        .await
        .unwrap();
    let error = Store::open(&world.directory.data(), &world.master)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::NewerSchema { found: 1000, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn one_gateway_serves_others_may_work() {
    let world = world().await;
    let second = world.second().await;
    let serving = world.store.lock_for_serving(NOW).await.unwrap();
    assert!(matches!(
        second.lock_for_serving(NOW).await,
        Err(StoreError::AlreadyServed(_))
    ));
    second
        .create_organisation("second", Settings::default(), "test", NOW)
        .await
        .unwrap();
    assert!(world.store.organisation("second").await.is_ok());
    drop(serving);
    second.lock_for_serving(NOW).await.unwrap();
}

#[tokio::test]
async fn many_open_a_new_directory_at_once() {
    let directory = directory();
    let master = MasterKey::generate().unwrap();
    let data = directory.data();
    let (one, two, three) = tokio::join!(
        Store::open(&data, &master),
        Store::open(&data, &master),
        Store::open(&data, &master)
    );
    one.unwrap()
        .create_organisation("one", Settings::default(), "test", NOW)
        .await
        .unwrap();
    two.unwrap().organisation("one").await.unwrap();
    three.unwrap().organisation("one").await.unwrap();
}
