//! Rotation: what it must reach, where it may be cut off, and what opens what afterwards (W8).

use super::*;
use crate::testing::{NOW, World, read_all};
use crate::tests::sealing::with_keys;

/// Columns of blobs that hold nothing secret.
const PUBLIC: &[(&str, &str)] = &[
    ("api_tokens", "sha256"),
    ("audit", "hash"),
    ("authority", "issuing"),
    ("authority", "root"),
    ("blocked", "fingerprint"),
    ("correspondents", "capabilities"),
    ("correspondents", "certificate"),
    ("correspondents", "fingerprint"),
    ("correspondents", "serial"),
    ("data_keys", "former"),
    ("data_keys", "wrapped"),
    ("encrypted_keys", "hash"),
    ("evidence", "body"),
    ("evidence", "question"),
    ("invitations", "sha256"),
    ("issued", "fingerprint"),
    ("issued", "certificate"),
    ("issuers", "certificate"),
    ("issuers", "fingerprint"),
    ("issuers", "subject"),
    ("keys", "certificate"),
    ("keys", "fingerprint"),
    ("keys", "serial"),
    ("orders", "csr"),
    ("recovery_codes", "sha256"),
    ("sessions", "sha256"),
    ("source_keys", "fingerprint"),
    ("trust_roots", "certificate"),
    ("trust_roots", "fingerprint"),
];

async fn blob_columns(store: &Store) -> Vec<(String, String)> {
    let rows = sqlx::query(
        "SELECT m.name AS place, p.name AS column FROM sqlite_schema m JOIN pragma_table_info(m.name) p
         WHERE m.type = 'table' AND p.type = 'BLOB' ORDER BY 1, 2",
    )
    .fetch_all(&store.0.readers)
    .await
    .unwrap();
    let column = |row: &SqliteRow| (row.field("place").unwrap(), row.field("column").unwrap());
    rows.iter().map(column).collect()
}

/// A sealed column that no list names would be lost with its data key.
#[tokio::test]
async fn every_column_of_blobs_is_known_to_be_sealed_or_public() {
    let world = with_keys().await;
    let small: Vec<_> = SMALL.iter().map(|one| (one.table, one.column)).collect();
    let columns = blob_columns(&world.store).await;
    for (table, column) in &columns {
        let one = (table.as_str(), column.as_str());
        let lists = [&small[..], MAIL, PUBLIC];
        let known = lists.iter().filter(|list| list.contains(&one)).count();
        assert_eq!(known, 1, "{table}.{column}: put it into one of the lists");
    }
    for (table, column) in small.iter().chain(MAIL) {
        let there = columns.iter().any(|(t, c)| t == table && c == column);
        assert!(there, "{table}.{column} is not in the schema");
    }
}

fn other(world: &World) -> (MasterKey, MasterKeySource) {
    let path = world.directory.path().join("new.key");
    let master = MasterKey::create_file(&path).unwrap();
    (master, MasterKeySource::File(path))
}

fn rotation<'a>(
    from: &'a MasterKey,
    (to, source): &'a (MasterKey, MasterKeySource),
) -> Rotation<'a> {
    Rotation {
        from,
        to,
        source,
        who: "test",
        now: NOW,
    }
}

async fn open(world: &World, master: &MasterKey) -> Result<Store, StoreError> {
    Store::open(&world.directory.data(), master).await
}

async fn assert_opens(store: &Store) {
    for id in [1, 2] {
        store.key_pair(KeyId(id)).await.unwrap();
    }
    let all = store.try_all_sealed().await.unwrap();
    assert_eq!((all.good, all.broken), (4, Vec::new()));
    assert_eq!(store.described("example").await.unwrap().routes.len(), 1);
}

#[tokio::test]
async fn w8_afterwards_only_the_new_master_key_opens() {
    let world = with_keys().await;
    let new = other(&world);
    let acceptance = world
        .mail(b"To: a@x.example\r\n\r\none\r\n", &["a@x.example"])
        .await;
    world.accept(acceptance).await;
    let mut told = Vec::new();
    let store = open(&world, &world.master).await.unwrap();
    let done = store
        .rotate(rotation(&world.master, &new), |progress| {
            told.push(progress)
        })
        .await;
    let expected = Rotated::Done {
        sealed: 4,
        resumed: false,
    };
    assert_eq!(done, Ok(expected));
    let end = Progress { done: 4, total: 4 };
    assert_eq!(
        (told.first(), told.last()),
        (Some(&Progress { done: 0, ..end }), Some(&end))
    );

    let error = open(&world, &world.master).await.unwrap_err().to_string();
    assert!(
        error.contains("rotated to file") && error.contains("new.key"),
        "{error}"
    );
    let store = open(&world, &new.0).await.unwrap();
    assert_opens(&store).await;
    // Mail that waits opens, too.
    let leased = store.lease_due(NOW, 10, 60).await.unwrap().remove(0);
    assert!(
        read_all(leased.content, 0)
            .await
            .unwrap()
            .ends_with(b"one\r\n")
    );
    let again = store
        .clone()
        .rotate(rotation(&world.master, &new), |_| ())
        .await;
    assert_eq!(again, Ok(Rotated::Already));
    let audit = store.audit(0, 100).await.unwrap();
    let about = audit.iter().filter(|line| line.text.contains("new.key"));
    assert_eq!(about.count(), 2, "begun and done");
    assert_eq!(store.audit_break().await, Ok(None));
}

/// The three states that a kill can leave, and that each goes on.
#[tokio::test]
async fn w8_a_rotation_that_was_cut_off_goes_on() {
    for cut in 0..3 {
        let world = with_keys().await;
        let new = other(&world);
        let store = open(&world, &world.master).await.unwrap();
        assert_eq!(
            store.begin(rotation(&world.master, &new)).await,
            Ok(Some(false))
        );
        let former = former(&world, &store).await;
        if cut > 0 {
            let sealer = open(&world, &new.0).await.unwrap();
            let mut progress = Progress { done: 0, total: 4 };
            for place in SMALL
                .iter()
                .filter(|place| cut == 2 || place.table == "keys")
            {
                let sealed = sealer
                    .seal_anew(&sealer.0.sealer, place, 0, &mut progress)
                    .await;
                sealed.unwrap();
            }
        }
        for master in [&world.master, &new.0] {
            let store = open(&world, master).await.unwrap();
            assert_opens(&store).await;
            let under_way = store.rotation_under_way().await.unwrap().unwrap();
            assert!(under_way.contains("new.key"));
            store.drop_data_keys(NOW).await.unwrap();
            // Whatever is sealed meanwhile opens for both.
            store.maintain(NOW).await.unwrap();
        }
        let stranger = MasterKey::generate().unwrap();
        let error = open(&world, &stranger).await.unwrap_err().to_string();
        assert!(error.contains("is under way"), "{error}");
        let third = (stranger, MasterKeySource::Environment("THIRD".into()));
        let store = open(&world, &world.master).await.unwrap();
        let refused = store.rotate(rotation(&world.master, &third), |_| ()).await;
        assert!(
            matches!(refused, Err(StoreError::Refused(_))),
            "{refused:?}"
        );

        let by = [&world.master, &new.0][cut % 2];
        let store = open(&world, by).await.unwrap();
        let done = store.rotate(rotation(by, &new), |_| ()).await;
        let sealed = [4, 2, 0][cut];
        assert_eq!(
            done,
            Ok(Rotated::Done {
                sealed,
                resumed: true
            })
        );
        assert!(open(&world, &world.master).await.is_err());
        assert_opens(&open(&world, &new.0).await.unwrap()).await;
        let mut connection = world.store.0.readers.acquire().await.unwrap();
        for key in DataKeys::read(&mut connection).await.unwrap().keys {
            let clear = key.clear(&new.0).unwrap().unwrap();
            assert!(is_on_disk(&world, &key.wrapped) && !is_on_disk(&world, &clear));
        }
        // What the former master key wrapped is in no file any more: an old copy of it is of no use.
        for wrapped in former {
            assert!(!is_on_disk(&world, &wrapped));
        }
    }
}

/// The new master key may be lost before its rotation is done: the former one still opens everything, and takes it back.
#[tokio::test]
async fn a_rotation_goes_back_to_the_former_master_key() {
    let world = with_keys().await;
    let new = other(&world);
    let store = open(&world, &world.master).await.unwrap();
    store.begin(rotation(&world.master, &new)).await.unwrap();
    let back = MasterKeySource::Environment("FORMER".into());
    let back = Rotation {
        from: &world.master,
        to: &world.master,
        source: &back,
        who: "somebody",
        now: NOW,
    };
    let done = store.rotate(back, |_| ()).await.unwrap();
    assert!(
        matches!(done, Rotated::Done { resumed: true, .. }),
        "{done:?}"
    );
    let store = open(&world, &world.master).await.unwrap();
    assert_opens(&store).await;
    assert_eq!(store.rotation_under_way().await, Ok(None));
    let error = open(&world, &new.0).await.unwrap_err().to_string();
    assert!(error.contains("FORMER"), "{error}");
    // Who opened the store before that cannot rotate from a master key that is none any more.
    let third = MasterKey::generate().unwrap();
    let third = (third, MasterKeySource::Environment("THIRD".into()));
    let late = open(&world, &world.master).await.unwrap();
    let first = open(&world, &world.master).await.unwrap();
    let done = first.rotate(rotation(&world.master, &new), |_| ()).await;
    assert!(done.is_ok(), "{done:?}");
    let refused = late.rotate(rotation(&world.master, &third), |_| ()).await;
    assert!(
        matches!(refused, Err(StoreError::WrongMasterKey { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn w8_what_does_not_open_is_named() {
    let world = with_keys().await;
    world
        .store
        .raw("UPDATE keys SET sealed = (SELECT sealed FROM keys WHERE id = 1) WHERE id = 2")
        .await
        .unwrap();
    let all = world.second().await.try_all_sealed().await.unwrap();
    assert_eq!((all.good, all.former, all.broken.len()), (3, 0, 1));
    assert!(
        all.broken[0].contains("bob@example.com"),
        "{:?}",
        all.broken
    );
}

async fn former(world: &World, store: &Store) -> Vec<Vec<u8>> {
    let mut connection = store.0.readers.acquire().await.unwrap();
    let keys = DataKeys::read(&mut connection).await.unwrap().keys;
    let former: Vec<_> = keys.into_iter().filter_map(|key| key.former).collect();
    assert_eq!(former.len(), 2);
    assert!(former.iter().all(|wrapped| is_on_disk(world, wrapped)));
    former
}

fn is_on_disk(world: &World, octets: &[u8]) -> bool {
    let files = world.directory.octets();
    let holds = |file: &[u8]| file.windows(octets.len()).any(|part| part == octets);
    files.iter().any(|(_, file)| holds(file))
}

#[tokio::test]
async fn a_gateway_that_serves_is_not_disturbed() {
    let world = with_keys().await;
    let new = other(&world);
    let _serving = world.store.lock_for_serving(NOW).await.unwrap();
    let second = world.second().await;
    let refused = second.rotate(rotation(&world.master, &new), |_| ()).await;
    assert!(matches!(refused, Err(StoreError::AlreadyServed(_))));
    assert_eq!(world.store.rotation_under_way().await, Ok(None));
}

#[tokio::test]
async fn a_former_data_key_goes_when_nothing_is_sealed_by_it() {
    let world = with_keys().await;
    let new = other(&world);
    let acceptance = world
        .mail(b"To: a@x.example\r\n\r\none\r\n", &["a@x.example"])
        .await;
    world.accept(acceptance).await;
    let store = open(&world, &world.master).await.unwrap();
    store
        .rotate(rotation(&world.master, &new), |_| ())
        .await
        .unwrap();
    let store = open(&world, &new.0).await.unwrap();
    let count = "SELECT COUNT(*) FROM data_keys";
    let later = NOW.plus(FORMER_DATA_KEY_SECONDS);
    store.maintain(later).await.unwrap();
    assert_eq!(store.number(count).await, 2, "mail waits");
    store
        .raw("DELETE FROM recipients; DELETE FROM copies; DELETE FROM contents")
        .await
        .unwrap();
    store.maintain(later.plus(-1)).await.unwrap();
    assert_eq!(
        store.number(count).await,
        2,
        "a command may still seal with it"
    );
    store.maintain(later).await.unwrap();
    assert_eq!(store.number(count).await, 1);
    assert_opens(&open(&world, &new.0).await.unwrap()).await;
}
