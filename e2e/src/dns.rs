//! A name server on loopback (RFC 1035) that answers from a table: MX, A, AAAA, TXT and CAA, over UDP.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a name holds.
#[derive(Debug, Clone)]
pub enum Record {
    /// Mail exchanger: preference and host.
    Mx(u16, String),
    /// Address of a host.
    Address(IpAddr),
    /// Text, such as an SPF policy or a DKIM key.
    Text(String),
    /// Who may issue certificates: flags, tag and value (RFC 8659).
    Caa(u8, &'static str, &'static str),
    /// No answer but an error: SERVFAIL.
    Broken,
    /// No answer at all.
    Silent,
}

type Table = HashMap<String, Vec<Record>>;

/// The running server; it ends when dropped.
#[derive(Debug)]
pub struct Dns {
    /// Where it answers.
    pub address: SocketAddr,
    table: Arc<Mutex<Table>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Dns {
    /// Starts one that knows no name.
    pub fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let address = socket.local_addr().unwrap();
        let table = Arc::new(Mutex::new(Table::new()));
        let end = Arc::new(AtomicBool::new(false));
        let thread = {
            let (table, end) = (Arc::clone(&table), Arc::clone(&end));
            std::thread::spawn(move || serve(&socket, &table, &end))
        };
        Self {
            address,
            table,
            end,
            thread: Some(thread),
        }
    }

    /// Adds a record.
    pub fn add(&self, name: &str, record: Record) {
        let mut table = self.table.lock().unwrap();
        table
            .entry(name.to_ascii_lowercase())
            .or_default()
            .push(record);
    }

    /// Removes all records of a name.
    pub fn remove(&self, name: &str) {
        self.table
            .lock()
            .unwrap()
            .remove(&name.to_ascii_lowercase());
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(socket: &UdpSocket, table: &Mutex<Table>, end: &AtomicBool) {
    let mut packet = [0; 2048];
    while !end.load(Ordering::Relaxed) {
        let Ok((length, peer)) = socket.recv_from(&mut packet) else {
            continue;
        };
        if let Some(answer) = answer(&packet[..length], &table.lock().unwrap()) {
            let _ = socket.send_to(&answer, peer);
        }
    }
}

const TYPE_A: u16 = 1;
const TYPE_MX: u16 = 15;
const TYPE_TXT: u16 = 16;
const TYPE_AAAA: u16 = 28;
const TYPE_CAA: u16 = 257;
/// RFC 1035 section 4.1.1: response, authoritative, recursion desired and available.
const FLAGS: u16 = 0x8580;
/// RFC 1035 section 4.1.1: the name does not exist.
const NAME_ERROR: u16 = 3;
/// RFC 1035 section 4.1.1: the server failed.
const SERVER_FAILURE: u16 = 2;

/// The answer to one query; `None` if it is no query we can read.
fn answer(query: &[u8], table: &Table) -> Option<Vec<u8>> {
    let (name, kind, question_end) = question(query)?;
    let records = table.get(&name);
    let holds = |wanted: fn(&Record) -> bool| records.is_some_and(|all| all.iter().any(wanted));
    let code = match records {
        Some(_) if holds(|one| matches!(one, Record::Silent)) => return None,
        Some(_) if holds(|one| matches!(one, Record::Broken)) => SERVER_FAILURE,
        Some(_) => 0,
        None => NAME_ERROR,
    };
    let found: Vec<(u16, Vec<u8>)> = records
        .into_iter()
        .flatten()
        .map(encoded)
        .filter(|(found, _)| *found == kind)
        .collect();
    let mut out = query.get(..2)?.to_vec();
    for number in [FLAGS | code, 1, u16::try_from(found.len()).ok()?, 0, 0] {
        out.extend(number.to_be_bytes());
    }
    out.extend_from_slice(query.get(12..question_end)?);
    for (kind, data) in found {
        // 0xC00C points to the name in the question; class IN, 60 seconds.
        for number in [0xC00C, kind, 1, 0, 60, u16::try_from(data.len()).ok()?] {
            out.extend(number.to_be_bytes());
        }
        out.extend(data);
    }
    Some(out)
}

/// Name, type and end of the first question.
fn question(query: &[u8]) -> Option<(String, u16, usize)> {
    let mut at = 12;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = query.get(at..at + length)?;
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    Some((labels.join("."), kind, at + 4))
}

fn encoded(record: &Record) -> (u16, Vec<u8>) {
    match record {
        Record::Mx(preference, host) => (
            TYPE_MX,
            [preference.to_be_bytes().to_vec(), name(host)].concat(),
        ),
        Record::Address(IpAddr::V4(address)) => (TYPE_A, address.octets().to_vec()),
        Record::Address(IpAddr::V6(address)) => (TYPE_AAAA, address.octets().to_vec()),
        Record::Text(text) => (TYPE_TXT, strings(text)),
        Record::Caa(flags, tag, value) => (
            TYPE_CAA,
            [&[*flags][..], &string(tag), value.as_bytes()].concat(),
        ),
        // Never asked for.
        Record::Broken | Record::Silent => (0, Vec::new()),
    }
}

fn name(host: &str) -> Vec<u8> {
    let labels = host.split('.').filter(|label| !label.is_empty());
    let mut out: Vec<u8> = labels.flat_map(string).collect();
    out.push(0);
    out
}

fn strings(text: &str) -> Vec<u8> {
    let chunks = text.as_bytes().chunks(255);
    chunks
        .flat_map(|chunk| string(&String::from_utf8_lossy(chunk)))
        .collect()
}

fn string(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[length], text.as_bytes()].concat()
}
