//! Helpers of this crate's tests: directories that go away, mails, copies, key pairs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sealgate_core::journal::{Direction, Line, MailRecord, MailStatus, Trace};
use sealgate_core::outcome::{AsIs, ClientContent, InboundContent, OutboundOutcome};
use sealgate_core::ports::StoredContent;
use sealgate_core::process::{OutboundRecipient, OutboundWork, Received, outbound};
use sealgate_core::queue::{NextHop, Outgoing, Reach, TlsRequirement};
use sealgate_core::tenant::{OrganisationId, Settings};
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams, Notify};
use sealgate_mail::{Address, Domain, ReversePath, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::PrivateKey;

use crate::{Acceptance, MasterKey, Store};

/// When these tests take place.
pub const NOW: Timestamp = Timestamp(1_795_320_000);

/// A directory that is removed with its content.
pub struct Directory(PathBuf);

pub fn directory() -> Directory {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("sealgate-store-{}-{count}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir(&path).unwrap();
    Directory(path)
}

impl Directory {
    pub fn path(&self) -> &Path {
        &self.0
    }
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }
    /// Every octet of every file in it.
    pub fn octets(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut waiting = vec![self.0.clone()];
        let mut found = Vec::new();
        while let Some(directory) = waiting.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    waiting.push(path);
                } else {
                    found.push((path.clone(), std::fs::read(path).unwrap()));
                }
            }
        }
        found
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A store in a directory of its own, with one organisation.
pub struct World {
    pub directory: Directory,
    pub master: MasterKey,
    pub store: Store,
    pub organisation: OrganisationId,
}

pub async fn world() -> World {
    let directory = directory();
    let master = MasterKey::generate().unwrap();
    let store = Store::open(&directory.data(), &master).await.unwrap();
    let organisation = store
        .create_organisation("example", Settings::default(), "test", NOW)
        .await
        .unwrap();
    World {
        directory,
        master,
        store,
        organisation,
    }
}

impl World {
    /// A second process on the same data.
    pub async fn second(&self) -> Store {
        Store::open(&self.directory.data(), &self.master)
            .await
            .unwrap()
    }

    /// The process ends without a word and starts again.
    pub async fn crash(&mut self) {
        let store = self.second().await;
        self.store = store;
    }

    pub async fn accept(&self, acceptance: Acceptance) -> sealgate_core::queue::MailId {
        self.store.accept(acceptance).await.unwrap().mail()
    }

    /// A plain outbound mail for `recipients`, in one copy.
    pub async fn mail(&self, text: &[u8], recipients: &[&str]) -> Acceptance {
        let content = content(&self.store, text).await;
        let copies = copies(&self.store, &content, recipients).await;
        Acceptance {
            copies,
            ..acceptance(self.organisation, recipients)
        }
    }
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

pub fn host(name: &str) -> NextHop {
    NextHop::Host {
        host: name.into(),
        port: 25,
        tls: TlsRequirement::Opportunistic,
        credentials: None,
        reach: Reach::Everywhere,
    }
}

pub fn recipient(text: &str) -> EnvelopeRecipient {
    EnvelopeRecipient {
        address: address(text),
        notify: Notify::default(),
        orcpt: None,
    }
}

pub fn record(organisation: OrganisationId) -> MailRecord {
    MailRecord {
        organisation,
        direction: Direction::Outbound,
        at: NOW,
        envelope_from: ReversePath::Address(address("alice@example.com")),
        header_from: Some(address("Alice@example.com")),
        message_id: Some("<1@example.com>".into()),
        size: 100,
        handed_in_by: "mail server".into(),
        sender_proven: true,
        version: 1,
    }
}

pub fn line(recipient: &str, status: MailStatus) -> Line {
    let trace = Trace::Inbound {
        managed: address("alice@example.com"),
        external: None,
        choice: None,
        content: InboundContent::Plain,
        outcome: None,
        exemption: None,
    };
    Line {
        recipient: address(recipient),
        status,
        signature: None,
        encryption: None,
        trace,
        refusal: None,
    }
}

pub fn acceptance(organisation: OrganisationId, recipients: &[&str]) -> Acceptance {
    Acceptance {
        id: None,
        record: record(organisation),
        lines: recipients
            .iter()
            .map(|recipient| line(recipient, MailStatus::Plain))
            .collect(),
        copies: Vec::new(),
        held: Vec::new(),
        to_open: None,
        reports: Vec::new(),
        harvested: Vec::new(),
        sent_message_id: None,
    }
}

pub async fn content(store: &Store, octets: &[u8]) -> Arc<dyn StoredContent> {
    let mut writer = store.content_writer().unwrap();
    for piece in octets.chunks(60_000) {
        writer.write(piece).await.unwrap();
    }
    writer.finish().await.unwrap()
}

struct NoChance;

impl rand_core::RngCore for NoChance {
    fn next_u32(&mut self) -> u32 {
        0
    }
    fn next_u64(&mut self) -> u64 {
        0
    }
    fn fill_bytes(&mut self, octets: &mut [u8]) {
        octets.fill(0);
    }
}
impl rand_core::CryptoRng for NoChance {}

/// The mail as it came for all `recipients`, which must stand in its header to share one copy.
pub async fn copies(
    store: &Store,
    content: &Arc<dyn StoredContent>,
    recipients: &[&str],
) -> Vec<Outgoing> {
    let one = |text: &&str| OutboundRecipient {
        recipient: recipient(text),
        outcome: OutboundOutcome::AsIs(AsIs::NothingAsked),
        content: ClientContent::Plain,
        exemption: None,
        certificates: Vec::new(),
        suite: Default::default(),
    };
    let recipients: Vec<_> = recipients.iter().map(one).collect();
    let (shelf, content) = (store.shelf(), Arc::clone(content));
    let make = move || {
        let from = ReversePath::Address(address("alice@example.com"));
        let params = MailParams::default();
        let received = Received {
            content: &content,
            from: &from,
            params: &params,
            prepend: "X-Marker: head\r\n",
        };
        let work = OutboundWork {
            received,
            recipients: &recipients,
            signer: None,
            own: None,
            now: NOW,
            protect_header: false,
        };
        outbound(&work, &shelf, &mut NoChance).unwrap()
    };
    tokio::task::spawn_blocking(make).await.unwrap()
}

fn read(name: &str) -> Vec<u8> {
    let own = format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"));
    let of_core = format!("{}/../core/testdata/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(own)
        .or_else(|_| std::fs::read(of_core))
        .unwrap()
}

pub fn certificate(name: &str) -> Certificate {
    Certificate::from_der(&read(&format!("{name}.der"))).unwrap()
}

pub fn pkcs8(name: &str) -> Vec<u8> {
    read(&format!("{name}.p8"))
}

pub fn key(name: &str) -> PrivateKey {
    PrivateKey::from_pkcs8(&pkcs8(name)).unwrap()
}

/// Reads a whole content on a thread that may block.
pub async fn read_all<C: sealgate_mail::Content + 'static>(
    content: Arc<C>,
    from: u64,
) -> std::io::Result<Vec<u8>> {
    let read = move || {
        let mut octets = Vec::new();
        std::io::Read::read_to_end(&mut content.reader(from)?, &mut octets)?;
        Ok(octets)
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}
