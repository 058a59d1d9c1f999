//! A load of mail of every kind over many sessions, with a ledger: what was answered to each mail, and what
//! arrived at the sinks. Clients come back when the gateway goes away, as mail servers do.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::case::Mailbox;
use crate::cast::{ALICE, CAROL, Cast};
use crate::client::Session;
use crate::gateway::{Gateway, Options, head, mailbox, tail};
use crate::judge::{Passage, judge};
use crate::mime::{entity, field, find, with_entity};
use crate::openssl::{self, Writing};
use crate::place::PATIENCE;
use crate::scene::correspondent;
use crate::sink::{Behaviour, Received, Sink};
use crate::{case::Delivered, scene::Scene};

/// What a mail is, and so what must come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Out, as it is.
    PlainOut,
    /// Out, signed.
    SignedOut,
    /// Out, signed and encrypted.
    EncryptedOut,
    /// In, as it is.
    PlainIn,
    /// In, signed by the sender.
    SignedIn,
    /// In, encrypted to a managed mailbox: decrypted.
    EncryptedIn,
    /// Out, refused by the next hop: the sender gets a report.
    ReportedOut,
    /// In, refused by the organisation's server, from a sender who is not proven: held.
    HeldIn,
}

/// The six kinds that are delivered; the load has the other two now and then.
pub const DELIVERED: [Kind; 6] = [
    Kind::PlainOut,
    Kind::PlainIn,
    Kind::SignedOut,
    Kind::SignedIn,
    Kind::EncryptedOut,
    Kind::EncryptedIn,
];

/// Whose mail leaves in clear.
const DAVE: &str = "dave@plain.example";
/// Whose mail leaves signed.
const ERIN: &str = "erin@signed.example";
/// Whom the internet's sink refuses.
const NOBODY: &str = "nobody@plain.example";
/// Whom the organisation's sink refuses.
const BOB: &str = "bob@example.com";

impl Kind {
    /// Of the mail with this number.
    fn of(number: u32) -> Self {
        match number % 25 {
            7 => Self::ReportedOut,
            16 => Self::HeldIn,
            _ => DELIVERED[number as usize % DELIVERED.len()],
        }
    }

    fn is_outbound(self) -> bool {
        matches!(
            self,
            Self::PlainOut | Self::SignedOut | Self::EncryptedOut | Self::ReportedOut
        )
    }

    /// Envelope sender and recipient.
    pub fn way(self) -> (&'static str, &'static str) {
        match self {
            Self::PlainOut => (ALICE, DAVE),
            Self::SignedOut => (ALICE, ERIN),
            Self::EncryptedOut => (ALICE, CAROL),
            Self::ReportedOut => (ALICE, NOBODY),
            Self::PlainIn | Self::SignedIn | Self::EncryptedIn => (CAROL, ALICE),
            Self::HeldIn => (CAROL, BOB),
        }
    }

    fn delivered(self) -> Delivered {
        match self {
            Self::PlainOut | Self::PlainIn | Self::SignedIn => Delivered::Unchanged,
            Self::SignedOut => Delivered::Signed,
            Self::EncryptedOut => Delivered::SignedEncrypted,
            Self::EncryptedIn => Delivered::Decrypted,
            Self::ReportedOut | Self::HeldIn => Delivered::Nothing,
        }
    }
}

/// The description that makes the kinds what they are, and the sinks that refuse whom they must.
pub fn scene(name: &str, options: &Options, cast: &Cast) -> Option<Scene> {
    let rules = [
        ("plain.example", "neither"),
        ("signed.example", "sign-only"),
    ]
    .map(|(external, outbound)| {
        format!("[[rules]]\nmanaged = \"all\"\nexternal = {external:?}\noutbound = {outbound:?}\n")
    })
    .concat();
    let (office, internet) = (Sink::start(), Sink::start());
    let description = [
        head(office.address),
        mailbox(ALICE, Mailbox::Active, cast),
        mailbox(BOB, Mailbox::Inactive, cast),
        rules,
        crate::scene::rule("optional", "enforce"),
        correspondent(cast, CAROL),
        tail(cast, internet.address),
    ]
    .concat();
    let scene = Scene {
        gateway: Gateway::running(name, options, cast, &description)?,
        office,
        internet,
    };
    behave(&scene, Duration::ZERO);
    Some(scene)
}

/// Makes the sinks answer so slowly, and refuse whom they must.
pub fn behave(scene: &Scene, data_delay: Duration) {
    for (sink, refused) in [(&scene.office, BOB), (&scene.internet, NOBODY)] {
        sink.behave(Behaviour {
            recipients: vec![(refused.to_owned(), "550 5.1.1 nobody here".to_owned())],
            data_delay,
            ..Behaviour::default()
        });
    }
}

/// The contents that need a foreign program to make: one signed, one encrypted.
#[derive(Debug)]
pub struct Prepared {
    signed: Vec<u8>,
    encrypted: Vec<u8>,
}

impl Prepared {
    /// With `text` in each body.
    pub fn new(cast: &Cast, text: &str) -> Self {
        let plain = entity(plain(CAROL, ALICE, "<prepared>", text).as_bytes());
        let to = [cast.alice.certificate.as_path()];
        let issuer = Some(&cast.partner_authority);
        Self {
            signed: openssl::sign(&plain, &cast.carol, issuer, false, Writing::Der),
            encrypted: openssl::encrypt(&plain, &to, "aes-256-cbc", Writing::Stream),
        }
    }

    /// The mail of this kind: before anything encrypted it, and as it is handed in.
    pub fn message(&self, kind: Kind, id: &str, text: &str) -> (Vec<u8>, Vec<u8>) {
        let (from, to) = kind.way();
        let original = plain(from, to, id, text).into_bytes();
        let handed_in = match kind {
            Kind::SignedIn => with_entity(&original, &self.signed),
            Kind::EncryptedIn => with_entity(&original, &self.encrypted),
            _ => original.clone(),
        };
        (original, handed_in)
    }
}

fn plain(from: &str, to: &str, id: &str, text: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: load\r\nMessage-ID: {id}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\n{text}\r\n"
    )
}

/// What a client knows of one mail it handed in.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its Message-ID, which no other mail has.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// What was answered.
    pub answer: Answer,
}

/// What was answered at the end of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `250`, with the queue id.
    Accepted(String),
    /// Another reply.
    Refused(String),
    /// Nothing: the connection broke in the middle.
    Nothing,
}

/// Text in every body.
pub const TEXT: &str = "the quick load of many kinds of mail";

/// Sends `total` mails until each has got a `250`.
#[derive(Debug)]
pub struct Load {
    prepared: Prepared,
    inbound: SocketAddr,
    outbound: SocketAddr,
    total: u32,
    next: AtomicU32,
    accepted: AtomicU32,
    /// Connections that clients have open.
    open: AtomicU32,
    over: AtomicBool,
    entries: Mutex<Vec<Entry>>,
}

/// How long a client waits before it connects again.
const PAUSE: Duration = Duration::from_millis(20);

impl Load {
    /// Nothing is sent yet.
    pub fn new(scene: &Scene, cast: &Cast, total: u32) -> Self {
        Self {
            prepared: Prepared::new(cast, TEXT),
            inbound: scene.gateway.inbound,
            outbound: scene.gateway.outbound,
            total,
            next: AtomicU32::new(0),
            accepted: AtomicU32::new(0),
            open: AtomicU32::new(0),
            over: AtomicBool::new(false),
            entries: Mutex::default(),
        }
    }

    /// Sends with `clients` clients, each with up to two sessions, while `meanwhile` runs.
    pub fn run<T>(&self, clients: u32, meanwhile: impl FnOnce() -> T) -> T {
        /// Ends the clients when the test itself fails, so that it does not wait for them.
        struct EndOnPanic<'a>(&'a AtomicBool);
        impl Drop for EndOnPanic<'_> {
            fn drop(&mut self) {
                self.0.store(std::thread::panicking(), Ordering::Relaxed);
            }
        }
        std::thread::scope(|scope| {
            let _guard = EndOnPanic(&self.over);
            for _ in 0..clients {
                scope.spawn(|| Client::new(self).send_all());
            }
            meanwhile()
        })
    }

    /// How many mails have got their `250`.
    pub fn accepted(&self) -> u32 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// How many sessions are open.
    pub fn open(&self) -> u32 {
        self.open.load(Ordering::Relaxed)
    }

    /// Waits until so many have got their `250`.
    pub fn wait_for(&self, accepted: u32) {
        self.wait(|| self.accepted() >= accepted, "mails do not get in");
    }

    /// Waits until at least so many sessions are open.
    pub fn wait_for_open(&self, sessions: u32) {
        self.wait(|| self.open() >= sessions, "sessions do not open");
    }

    fn wait(&self, done: impl Fn() -> bool, what: &str) {
        let end = Instant::now() + PATIENCE;
        while !done() {
            let (accepted, open) = (self.accepted(), self.open());
            assert!(
                Instant::now() < end,
                "{what}: {accepted} in, {open} sessions"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What the clients know of all mails.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().clone()
    }

    /// The next mail, if there is one.
    fn take(&self) -> Option<u32> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.total && !self.over.load(Ordering::Relaxed)).then_some(number)
    }

    fn enter(&self, entry: Entry) {
        if matches!(entry.answer, Answer::Accepted(_)) {
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
        self.entries.lock().unwrap().push(entry);
    }
}

/// One client: a session to each listener, opened when needed.
struct Client<'a> {
    load: &'a Load,
    sessions: HashMap<SocketAddr, Session>,
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        let open = u32::try_from(self.sessions.len()).unwrap();
        self.load.open.fetch_sub(open, Ordering::Relaxed);
    }
}

impl<'a> Client<'a> {
    fn new(load: &'a Load) -> Self {
        let sessions = HashMap::new();
        Self { load, sessions }
    }

    fn send_all(&mut self) {
        while let Some(number) = self.load.take() {
            self.send(number);
        }
    }

    /// Hands one mail in, again and again with a new Message-ID, until it gets its `250`.
    fn send(&mut self, number: u32) {
        let kind = Kind::of(number);
        let listener = if kind.is_outbound() {
            self.load.outbound
        } else {
            self.load.inbound
        };
        let end = Instant::now() + PATIENCE;
        for attempt in 0.. {
            if self.load.over.load(Ordering::Relaxed) {
                return;
            }
            assert!(Instant::now() < end, "mail {number} does not get in");
            // Until it greets, nothing was begun that could be lost.
            if !self.connected(listener) {
                std::thread::sleep(PAUSE);
                continue;
            }
            let id = format!("<{number}.{attempt}@load.example>");
            let answer = self.hand_in(listener, kind, &id);
            let done = matches!(answer, Answer::Accepted(_));
            self.load.enter(Entry { id, kind, answer });
            if done {
                return;
            }
            self.forget(listener);
        }
    }

    fn connected(&mut self, listener: SocketAddr) -> bool {
        if self.sessions.contains_key(&listener) {
            return true;
        }
        let session = Session::connect(listener).and_then(|mut session| {
            let hello = session.command("EHLO client.example")?;
            if hello.code == 250 {
                Ok(session)
            } else {
                Err(io::Error::other(hello.text))
            }
        });
        if let Ok(session) = session {
            self.load.open.fetch_add(1, Ordering::Relaxed);
            self.sessions.insert(listener, session);
            return true;
        }
        false
    }

    fn forget(&mut self, listener: SocketAddr) {
        if self.sessions.remove(&listener).is_some() {
            self.load.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn hand_in(&mut self, listener: SocketAddr, kind: Kind, id: &str) -> Answer {
        let (from, to) = kind.way();
        let (_, message) = self.load.prepared.message(kind, id, TEXT);
        let session = self.sessions.get_mut(&listener).unwrap();
        match session.mail(from, &[to], &message) {
            Ok(reply) if reply.code == 250 => {
                let queue_id = reply.text.rsplit(' ').next().unwrap_or_default();
                Answer::Accepted(queue_id.to_owned())
            }
            Ok(reply) => Answer::Refused(format!("{} {}", reply.code, reply.text)),
            Err(_) => Answer::Nothing,
        }
    }
}

/// One arrival at a sink.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// The message.
    pub content: Vec<u8>,
}

/// What arrived, by the Message-ID of the mail it belongs to.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// The mails themselves.
    pub mails: BTreeMap<String, Vec<Arrival>>,
    /// Reports on them.
    pub reports: BTreeMap<String, Vec<Arrival>>,
}

impl Arrivals {
    /// All that both sinks have.
    pub fn at(scene: &Scene) -> Self {
        let mut all = Self::default();
        for received in [scene.office.received(), scene.internet.received()].concat() {
            all.add(received);
        }
        all
    }

    fn add(&mut self, received: Received) {
        let content = received.content;
        let (book, id) = if received.from.is_empty() {
            (&mut self.reports, id_within(&content))
        } else {
            (
                &mut self.mails,
                field(&content, "Message-ID").unwrap_or_default(),
            )
        };
        assert!(
            id.ends_with(ID_END),
            "what is this: {}",
            String::from_utf8_lossy(&content)
        );
        let at = received.at;
        book.entry(id).or_default().push(Arrival { at, content });
    }
}

/// The end of every Message-ID of a load.
const ID_END: &str = "@load.example>";

/// The Message-ID of the mail that a report is about.
fn id_within(report: &[u8]) -> String {
    let end = find(report, ID_END.as_bytes()).map_or(0, |at| at + ID_END.len());
    let start = report[..end].iter().rposition(|&octet| octet == b'<');
    String::from_utf8_lossy(&report[start.unwrap_or(0)..end]).into_owned()
}

/// Waits until every mail answered with `250` is delivered, reported or held, and nothing else is in the queue; gives
/// what arrived. Fails with the list of the lost if `limit` is over.
pub fn all_accounted_for(scene: &Scene, load: &Load, limit: Duration) -> Arrivals {
    let end = Instant::now() + limit;
    let entries = load.entries();
    loop {
        let arrivals = Arrivals::at(scene);
        let (held, moving) = queue(scene);
        let lost: Vec<&Entry> = entries
            .iter()
            .filter(|entry| !is_accounted_for(entry, &arrivals, &held))
            .collect();
        if lost.is_empty() && moving == 0 {
            check_refused(&entries, &arrivals);
            return arrivals;
        }
        assert!(
            Instant::now() < end,
            "{} lost, {moving} still in the queue: {lost:?}",
            lost.len()
        );
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn is_accounted_for(entry: &Entry, arrivals: &Arrivals, held: &Held) -> bool {
    let Answer::Accepted(queue_id) = &entry.answer else {
        return true;
    };
    match entry.kind {
        Kind::HeldIn => held.contains_key(queue_id),
        Kind::ReportedOut => arrivals.reports.contains_key(&entry.id),
        _ if arrivals.mails.contains_key(&entry.id) => true,
        _ => held.get(queue_id).is_some_and(|why| why == SET_ASIDE),
    }
}

/// Why a mail is held that was being opened each time the gateway was killed: it may have been the cause.
const SET_ASIDE: &str = "could-not-process";

/// Lets the mails be opened again that were set aside, as an administrator would; gives how many there were.
pub fn retry_set_aside(scene: &Scene) -> usize {
    let (held, _) = queue(scene);
    let set_aside: Vec<_> = held.iter().filter(|(_, why)| *why == SET_ASIDE).collect();
    for (queue_id, _) in &set_aside {
        scene.gateway.json(&["queue", "retry", queue_id]);
    }
    set_aside.len()
}

/// Queue ids of held mails, and why they are.
type Held = HashMap<String, String>;

/// What is held, and how many recipients wait or are to be opened.
fn queue(scene: &Scene) -> (Held, usize) {
    let list = scene.gateway.json(&["queue", "list", "--limit", "10000"]);
    let rows = list.as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let held: Held = rows
        .iter()
        .filter(|row| row["state"] == "held")
        .map(|row| (text(&row["queue_id"]), text(&row["note"])))
        .collect();
    let moving = rows.len() - held.len();
    (held, moving)
}

/// A mail that was refused stays with its sender: it must not arrive as well.
fn check_refused(entries: &[Entry], arrivals: &Arrivals) {
    for entry in entries {
        if let Answer::Refused(reply) = &entry.answer {
            let arrived = arrivals.mails.contains_key(&entry.id);
            assert!(!arrived, "{} was answered {reply}, and arrived", entry.id);
        }
    }
}

/// Judges the octets of what arrived: every mail by its form and text, the first `closely` of each kind by `openssl`, too.
pub fn judge_all(load: &Load, arrivals: &Arrivals, cast: &Cast, closely: usize) {
    let mut judged: HashMap<Kind, usize> = HashMap::new();
    for entry in load.entries() {
        let Some(all) = arrivals.mails.get(&entry.id) else {
            continue;
        };
        let count = judged.entry(entry.kind).or_default();
        *count += 1;
        for arrival in all {
            let clear = find(&arrival.content, TEXT.as_bytes()).is_some();
            let encrypted = entry.kind.delivered() == Delivered::SignedEncrypted;
            assert_eq!(clear, !encrypted, "{entry:?}");
            if *count <= closely {
                let (original, handed_in) = load.prepared.message(entry.kind, &entry.id, TEXT);
                let (from, to) = entry.kind.way();
                let passage = Passage {
                    original: &original,
                    handed_in: &handed_in,
                    came_out: &arrival.content,
                    from,
                    to,
                };
                let verdict = judge(passage, entry.kind.delivered(), cast);
                assert_eq!(verdict, Ok(()), "{entry:?}");
            }
        }
    }
    for kind in DELIVERED {
        assert!(judged.contains_key(&kind), "{kind:?} never arrived");
    }
}
