//! The store: what a core persists comes back as it was, and a directory that is not as it should be is refused.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broker::config::Permission;
use broker::core::{
    Action, ConnectionId, Core, Delivery, Event, Message, Persist, SessionChange, Terms,
};
use broker::store::{OpenError, Store};
use broker::{Broker, Config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const FILE: &str = "mqtt-assay.redb";

fn config() -> Config {
    Config {
        persistent: true,
        ..Config::default()
    }
}

/// A core that persists to a store by itself.
struct Driver {
    core: Core,
    store: Store,
    opened: u64,
}

impl Driver {
    fn open(directory: &Path) -> Self {
        Self::configured(directory, config())
    }

    fn configured(directory: &Path, config: Config) -> Self {
        let mut store = Store::open(directory).unwrap();
        let (changes, age) = store.take_restored();
        Self {
            core: Core::restore(config, changes, age),
            store,
            opened: 0,
        }
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        self.core.handle(event, now, &mut actions);
        let mut changes = Vec::new();
        actions.retain(|action| match action {
            Action::Persist(change) => {
                changes.push(change.clone());
                false
            }
            _ => true,
        });
        self.store.commit(&changes).unwrap();
        actions
    }

    fn send(&mut self, bytes: &[&[u8]]) -> (ConnectionId, Vec<Action>) {
        let connection = ConnectionId(self.opened);
        self.opened += 1;
        self.handle(Event::Opened { connection }, Duration::ZERO);
        let bytes = bytes.concat();
        let received = Event::Received {
            connection,
            bytes: &bytes,
        };
        (connection, self.handle(received, Duration::ZERO))
    }
}

/// 5.0 as client `a` with Clean Start 0, Session Expiry 100 and a Will of Delay 7 on topic `w`; User Name `u`.
const CONNECT_A: &[u8] = b"\x10\x22\x00\x04MQTT\x05\x84\x00\x00\x05\x11\x00\x00\x00\x64\x00\x01a\
                           \x05\x18\x00\x00\x00\x07\x00\x01w\x00\x01x\x00\x01u";
const CONNECT_P: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p";
/// `t` with QoS 2, and `$share/g/t` with QoS 1.
const SUBSCRIBE: &[u8] = b"\x82\x07\x00\x01\x00\x00\x01t\x02";
const SHARE: &[u8] = b"\x82\x10\x00\x01\x00\x00\x0a$share/g/t\x01";
/// QoS 2 with Packet Identifiers 7 and 8, the second retained.
const PUBLISH_7: &[u8] = b"\x34\x06\x00\x01t\x00\x07x";
const PUBLISH_8: &[u8] = b"\x35\x06\x00\x01t\x00\x08y";
const PUBREC_1: &[u8] = b"\x50\x02\x00\x01";

#[test]
fn what_was_persisted_comes_back_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let mut driver = Driver::open(directory.path());
    let (connection, answers) = driver.send(&[CONNECT_A, SUBSCRIBE, SHARE]);
    assert_eq!(answers.len(), 3, "{answers:?}");
    driver.send(&[CONNECT_P, PUBLISH_7, PUBLISH_8]);
    // One is released, the others are in flight; of the client itself one is received.
    let received = Event::Received {
        connection,
        bytes: &[PUBREC_1, b"\x34\x07\x00\x01t\x00\x09\x00x"].concat(),
    };
    driver.handle(received, Duration::from_secs(1));
    driver.handle(Event::Ended { connection }, Duration::from_secs(2));
    driver.send(&[CONNECT_P, PUBLISH_7]);
    let kept = driver.core.snapshot();
    assert!(kept.len() > 10, "{kept:#?}");
    drop(driver);

    let mut store = Store::open(directory.path()).unwrap();
    let (changes, age) = store.take_restored();
    assert!(age >= Duration::from_secs(2));
    assert_eq!(changes, kept);
    // Nothing of it is left once the Session has expired but what does not belong to it: what it published, its
    // Will among that, is not retained.
    let mut core = Core::restore(config(), changes, age);
    let mut actions = Vec::new();
    core.handle(Event::TimePassed, Duration::from_secs(102), &mut actions);
    let changes: Vec<_> = actions
        .into_iter()
        .map(|action| match action {
            Action::Persist(change) => change,
            other => panic!("{other:?}"),
        })
        .collect();
    store.commit(&changes).unwrap();
    drop(store);
    let (changes, _) = Store::open(directory.path()).unwrap().take_restored();
    assert!(
        matches!(&changes[..], [Persist::Retained(message)] if *message.payload == *b"y"),
        "{changes:#?}"
    );
}

fn change(persist: &Persist) -> &SessionChange {
    match persist {
        Persist::Session { change, .. } => change,
        other => panic!("{other:?}"),
    }
}

/// Of two messages one is in flight and one waits, when their topic is forbidden and the broker starts again.
#[test]
fn what_is_withheld_is_not_kept_either() {
    let directory = tempfile::tempdir().unwrap();
    let mut driver = Driver::open(directory.path());
    let connect =
        b"\x10\x16\x00\x04MQTT\x05\x00\x00\x00\x08\x11\x00\x00\x00\x64\x21\x00\x01\x00\x01a";
    driver.send(&[connect, SUBSCRIBE]);
    driver.send(&[CONNECT_P, PUBLISH_7, b"\x34\x06\x00\x01t\x00\x08y"]);
    drop(driver);

    let mut config = config();
    config.access.permissions.push(Permission {
        user: None,
        filter: "t".into(),
        publish: true,
        subscribe: false,
    });
    let mut driver = Driver::configured(directory.path(), config);
    let (_, answers) = driver.send(&[connect]);
    assert!(
        matches!(&answers[..], [Action::Send { bytes, .. }] if bytes[0] == 0x20),
        "{answers:?}"
    );
    let kept = driver.core.snapshot();
    let left: Vec<_> = kept.iter().map(change).collect();
    assert!(
        matches!(
            left[..],
            [SessionChange::Begun(_), SessionChange::Subscribed { .. }]
        ),
        "{left:#?}"
    );
    drop(driver);
    let (restored, _) = Store::open(directory.path()).unwrap().take_restored();
    assert_eq!(restored, kept);
}

#[test]
fn a_will_is_published_after_the_broker_has_failed() {
    let directory = tempfile::tempdir().unwrap();
    let mut driver = Driver::open(directory.path());
    // `w` is to receive the Will; its own Session ends with the broker's failure, so it comes back.
    driver.send(&[CONNECT_A]);
    drop(driver);
    let mut driver = Driver::open(directory.path());
    let (witness, _) = driver.send(&[CONNECT_P, b"\x82\x06\x00\x01\x00\x01w\x00"]);
    let now = driver.core.next_deadline().unwrap();
    let actions = driver.handle(Event::TimePassed, now);
    let expected = Action::Send {
        connection: witness,
        bytes: b"\x30\x04\x00\x01wx".to_vec(),
    };
    assert_eq!(actions, [expected]);
}

fn refused(directory: &Path) -> OpenError {
    Store::open(directory).unwrap_err()
}

#[test]
fn a_directory_that_is_not_the_stores_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    fs::write(place("file"), "text").unwrap();
    assert!(matches!(
        refused(&place("file")),
        OpenError::Directory { .. }
    ));
    assert!(matches!(refused(directory.path()), OpenError::Foreign(_)));
    fs::write(place(FILE), "text").unwrap();
    assert!(matches!(refused(directory.path()), OpenError::NotAStore(_)));
    fs::write(place(FILE), [0; 10_000]).unwrap();
    assert!(matches!(refused(directory.path()), OpenError::NotAStore(_)));
    assert_eq!(fs::read(place(FILE)).unwrap(), [0; 10_000]);
    fs::remove_file(place(FILE)).unwrap();
    fs::create_dir(place(FILE)).unwrap();
    assert!(matches!(refused(directory.path()), OpenError::File { .. }));
}

#[test]
fn a_database_of_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let database = redb::Database::create(directory.path().join(FILE)).unwrap();
    drop(database);
    assert!(matches!(refused(directory.path()), OpenError::NotAStore(_)));
}

#[test]
fn a_later_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path()).unwrap());
    let database = redb::Database::open(directory.path().join(FILE)).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(redb::TableDefinition::<&str, u64>::new("meta"))
        .unwrap()
        .insert("format", 2)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(
        refused(directory.path()),
        OpenError::Later { found: 2, .. }
    ));
}

#[test]
fn a_store_is_one_brokers_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    assert!(matches!(refused(directory.path()), OpenError::InUse(_)));
    drop(store);
    Store::open(directory.path()).unwrap();
}

/// Whatever is done to the file, it is refused or holds what it held; nothing panics.
#[test]
fn a_damaged_store_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    let mut driver = Driver::open(directory.path());
    driver.send(&[CONNECT_A, SUBSCRIBE, SHARE]);
    driver.send(&[CONNECT_P, PUBLISH_7, PUBLISH_8]);
    drop(driver);
    let sound = fs::read(&path).unwrap();
    let (held, _) = Store::open(directory.path()).unwrap().take_restored();
    let mut refusals = 0;
    let mut open = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        match Store::open(directory.path()) {
            Ok(mut store) => assert_eq!(store.take_restored().0, held),
            Err(_) => refusals += 1,
        }
    };
    for length in [
        0,
        1,
        63,
        100,
        512,
        4096,
        5000,
        sound.len() / 2,
        sound.len() - 1,
    ] {
        open(&sound[..length]);
    }
    // Every part of the file that holds something, a bit here and there.
    let used: Vec<_> = (0..sound.len()).filter(|&at| sound[at] != 0).collect();
    for at in used.iter().step_by(used.len() / 100) {
        let mut bytes = sound.clone();
        bytes[*at] ^= 0x41;
        open(&bytes);
    }
    // What is not refused is in pages that hold nothing any more.
    assert!(refusals > 10, "{refusals}");
}

#[tokio::test]
async fn a_broker_goes_on_with_its_store() {
    let directory = tempfile::tempdir().unwrap();
    let play = async |bytes: Vec<u8>, answer: usize| {
        let store = Store::open(directory.path()).unwrap();
        let broker = Broker::start_on(Config::default(), store).unwrap();
        let (mut client, end) = tokio::io::duplex(4096);
        broker.attach(end);
        client.write_all(&bytes).await.unwrap();
        let mut answers = vec![0; answer];
        client.read_exact(&mut answers).await.unwrap();
        broker.stop().await;
        answers
    };
    let connect = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01s";
    let subscribe = b"\x82\x06\x00\x01\x00\x01t\x01";
    let answers = play([&connect[..], subscribe].concat(), 9).await;
    assert_eq!(answers, b"\x20\x02\x00\x00\x90\x03\x00\x01\x01");
    let answers = play([CONNECT_P, b"\x32\x06\x00\x01t\x00\x07x"].concat(), 8).await;
    assert_eq!(answers, b"\x20\x02\x00\x00\x40\x02\x00\x07");
    let answers = play(connect.to_vec(), 12).await;
    assert_eq!(answers, b"\x20\x02\x01\x00\x32\x06\x00\x01t\x00\x01x");
}

/// A message that waits for client `a`, who is away.
fn queued(payload: &[u8], number: u32) -> Persist {
    let payload = [payload, &number.to_be_bytes()].concat();
    let message = Message {
        topic: b"t".as_slice().into(),
        payload: payload.into(),
        qos: codec::QoS::AT_LEAST_ONCE,
        retain: false,
        properties: Box::default(),
        expiry_interval: None,
        received: Duration::ZERO,
        publisher: None,
    };
    of_a(SessionChange::Queued(Delivery {
        message: Arc::new(message),
        qos: codec::QoS::AT_LEAST_ONCE,
        retain: false,
        identifiers: Vec::new(),
        share: None,
    }))
}

fn of_a(change: SessionChange) -> Persist {
    Persist::Session {
        client_id: b"a".as_slice().into(),
        change,
    }
}

fn begun() -> Persist {
    of_a(SessionChange::Begun(Terms {
        expiry_interval: u32::MAX,
        version: codec::Version::V5_0,
        user: None,
    }))
}

/// 100,000 messages come and go, 500 at a time: the file stays as large as it is after the first of them.
#[test]
fn what_comes_and_goes_does_not_make_the_file_grow() {
    let directory = tempfile::tempdir().unwrap();
    let size = || fs::metadata(directory.path().join(FILE)).unwrap().len();
    let mut store = Store::open(directory.path()).unwrap();
    store.commit(&[begun()]).unwrap();
    let payload = [b'x'; 1000];
    let mut after_a_tenth = 0;
    for batch in 0..200 {
        let numbers = (0..500).map(|number| batch * 500 + number);
        let mut changes: Vec<_> = numbers.map(|number| queued(&payload, number)).collect();
        changes.resize(1000, of_a(SessionChange::Dropped));
        let (come, gone) = changes.split_at(500);
        store.commit(come).unwrap();
        store.commit(gone).unwrap();
        if batch == 20 {
            after_a_tenth = size();
        }
    }
    assert!(after_a_tenth < 16 << 20, "{after_a_tenth}");
    assert_eq!(size(), after_a_tenth);
}

#[test]
fn a_file_that_is_mostly_free_shrinks_when_it_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let size = || fs::metadata(directory.path().join(FILE)).unwrap().len();
    let mut store = Store::open(directory.path()).unwrap();
    store.commit(&[begun()]).unwrap();
    let payload = [b'x'; 10_000];
    let changes: Vec<_> = (0..5000).map(|number| queued(&payload, number)).collect();
    store.commit(&changes).unwrap();
    let dropped = vec![of_a(SessionChange::Dropped); 4990];
    store.commit(&dropped).unwrap();
    drop(store);
    let large = size();
    assert!(large > 50_000_000, "{large}");
    let mut store = Store::open(directory.path()).unwrap();
    let (restored, _) = store.take_restored();
    // Nothing that is still there is lost.
    assert_eq!(restored[1..], changes[4990..]);
    store.commit(&[queued(&payload, 5000)]).unwrap();
    drop(store);
    assert!(size() < 2_000_000, "{}", size());
    let (restored, _) = Store::open(directory.path()).unwrap().take_restored();
    assert_eq!(restored.len(), 12);
}

#[test]
fn what_a_broker_left_that_was_killed_while_it_made_its_store_is_in_nobodys_way() {
    let directory = tempfile::tempdir().unwrap();
    for process in [1, std::process::id()] {
        let begun = format!("mqtt-assay.begun.{process}");
        fs::write(directory.path().join(begun), "half").unwrap();
    }
    let mut store = Store::open(directory.path()).unwrap();
    store.commit(&[begun()]).unwrap();
    drop(store);
    let (restored, _) = Store::open(directory.path()).unwrap().take_restored();
    assert_eq!(restored, [begun()]);
}
