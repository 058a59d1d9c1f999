//! Reads what `strace` wrote while the gateway took mail, and says for each `250` after the end of data whether a
//! completed fsync of the commit that holds the mail had come before it.
//!
//! The commit of a mail is found by its Message-ID, which the database keeps in clear: the first page with it that goes
//! to the write-ahead log after the final dot was read. The transaction ends with the next commit frame
//! (SQLite file format, section 4.1: octets 4 to 7 of the frame header are not 0).

use std::collections::HashMap;

use crate::mime::{field, find};

/// Arguments of `strace` that write such a transcript; `-o FILE` and the program follow. Whole strings, paths and socket
/// addresses of descriptors, all threads.
pub const STRACE: [&str; 8] = [
    "strace",
    "-f",
    "-x",
    "-yy",
    "-s",
    "40000",
    "-e",
    "trace=read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync",
];

/// One system call. `begun` and `ended` are line numbers: they order what happened in all threads.
#[derive(Debug)]
struct Call {
    name: String,
    on: String,
    data: Vec<u8>,
    result: i64,
    begun: usize,
    ended: usize,
}

impl Call {
    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    fn is_read(&self) -> bool {
        self.is(&["read", "readv", "recvfrom", "recvmsg"]) && self.on.starts_with("TCP")
    }

    fn is_reply(&self) -> bool {
        self.is(&["write", "writev", "sendto", "sendmsg"]) && self.on.starts_with("TCP")
    }

    fn is_log_write(&self) -> bool {
        self.is(&["write", "pwrite64", "pwritev"]) && self.on.ends_with("-wal") && self.result > 0
    }

    fn is_log_sync(&self) -> bool {
        self.is(&["fsync", "fdatasync"]) && self.on.ends_with("-wal") && self.result == 0
    }

    /// Whether it is the header of a frame that ends a transaction.
    fn is_commit_frame(&self) -> bool {
        self.data.len() == FRAME_HEADER && self.data[4..8] != [0; 4]
    }
}

/// Octets of a frame header in the write-ahead log.
const FRAME_HEADER: usize = 24;

/// A `250` at the end of data.
#[derive(Debug)]
pub struct Acknowledged {
    /// Message-ID of the mail.
    pub id: String,
    /// What is wrong with it; `None` if a completed fsync covered the mail before.
    pub wrong: Option<&'static str>,
}

/// Every `250` at the end of data in a transcript.
pub fn acknowledged(transcript: &str) -> Vec<Acknowledged> {
    let calls = calls(transcript);
    let (log, rest): (Vec<&Call>, _) = calls.iter().partition(|call| call.is_log_write());
    let syncs: Vec<&Call> = rest.into_iter().filter(|call| call.is_log_sync()).collect();
    let judged = |end: EndOfData| Acknowledged {
        wrong: not_covered(&end, &log, &syncs),
        id: end.id,
    };
    ends_of_data(&calls).into_iter().map(judged).collect()
}

/// When the final dot of a mail was read, and when its `250` began to be written.
struct EndOfData {
    id: String,
    dot: Option<usize>,
    reply: usize,
}

fn not_covered(end: &EndOfData, log: &[&Call], syncs: &[&Call]) -> Option<&'static str> {
    let Some(dot) = end.dot else {
        return Some("answered before the final dot was read");
    };
    let id = end.id.as_bytes();
    let page = log
        .iter()
        .position(|call| call.begun > dot && find(&call.data, id).is_some());
    let Some(page) = page else {
        return Some("never written");
    };
    // The header of a frame is written before its page.
    let from = page.saturating_sub(1);
    let commit = (from..log.len()).find(|&at| log[at].is_commit_frame());
    let Some(written) = commit.and_then(|commit| log.get(commit + 1)) else {
        return Some("never committed");
    };
    let sync = syncs.iter().find(|sync| sync.begun > written.ended);
    match sync {
        Some(sync) if sync.ended < end.reply => None,
        Some(_) => Some("answered before the fsync was complete"),
        None => Some("no fsync"),
    }
}

fn ends_of_data(calls: &[Call]) -> Vec<EndOfData> {
    let mut sessions: HashMap<&str, Session> = HashMap::new();
    let mut ends = Vec::new();
    // What was read counts when the call ended, what was written when it began.
    let mut wire: Vec<(usize, &Call)> = calls
        .iter()
        .filter_map(|call| match () {
            () if call.is_read() => Some((call.ended, call)),
            () if call.is_reply() => Some((call.begun, call)),
            () => None,
        })
        .collect();
    wire.sort_by_key(|(at, _)| *at);
    for (at, call) in wire {
        let session = sessions.entry(&call.on).or_default();
        if call.is_read() {
            session.read(at, &call.data);
        } else {
            ends.extend(session.reply(at, &call.data));
        }
    }
    ends
}

#[derive(Default)]
struct Session {
    /// Content so far, after a `354`.
    content: Option<Vec<u8>>,
    dot: Option<usize>,
}

impl Session {
    fn read(&mut self, at: usize, data: &[u8]) {
        if let Some(content) = &mut self.content {
            content.extend_from_slice(data);
            if content.ends_with(b"\r\n.\r\n") {
                self.dot = Some(at);
            }
        }
    }

    fn reply(&mut self, at: usize, data: &[u8]) -> Option<EndOfData> {
        let content = self.content.take();
        if data.starts_with(b"354") {
            *self = Self {
                content: Some(Vec::new()),
                dot: None,
            };
            return None;
        }
        let content = content.filter(|_| data.starts_with(b"250"))?;
        Some(EndOfData {
            id: field(&content, "Message-ID").unwrap_or_default(),
            dot: self.dot,
            reply: at,
        })
    }
}

fn calls(transcript: &str) -> Vec<Call> {
    let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut calls = Vec::new();
    for (at, line) in transcript.lines().enumerate() {
        let Some((thread, text)) = line.split_once(' ') else {
            continue;
        };
        let text = text.trim_start();
        if let Some(begin) = text.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread, (at, begin.trim_end()));
        } else if text.starts_with("<... ") {
            let end = text.split_once(" resumed>").map(|(_, end)| end);
            if let (Some((begun, begin)), Some(end)) = (unfinished.remove(thread), end) {
                calls.extend(call(&[begin, end].concat(), begun, at));
            }
        } else {
            calls.extend(call(text, at, at));
        }
    }
    // What never ended was still written, perhaps: a reply counts from its beginning.
    for (at, begin) in unfinished.into_values() {
        calls.extend(call(&format!("{begin}) = -1"), at, usize::MAX));
    }
    calls.sort_by_key(|call| call.begun);
    calls
}

/// `NAME(NUMBER<WHAT>, "DATA", ...) = RESULT`; an error is `-1 NAME (text)`.
fn call(text: &str, begun: usize, ended: usize) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (_, rest) = rest.split_once('<')?;
    let end = rest.find(">,").or_else(|| rest.find(">)"))?;
    let (_, result) = text.rsplit_once(" = ")?;
    let result = result.trim().split(' ').next()?.parse().unwrap_or(-1);
    Some(Call {
        name: name.to_owned(),
        on: rest[..end].to_owned(),
        data: strings(&rest[end..]),
        result,
        begun,
        ended,
    })
}

/// All quoted strings, put together, with C escapes undone.
fn strings(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut octets = text.bytes();
    let mut quoted = false;
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => quoted = !quoted,
            _ if !quoted => {}
            b'\\' => out.extend(escaped(&mut octets)),
            other => out.push(other),
        }
    }
    out
}

/// With `-x` a string that is not plain ASCII is written in hexadecimal as a whole, and no escape is octal.
fn escaped(octets: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let hex = |octet: Option<u8>| char::from(octet?).to_digit(16);
    Some(match octets.next()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'x' => {
            let (high, low) = (hex(octets.next())?, hex(octets.next())?);
            u8::try_from(high * 16 + low).ok()?
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "TCP:[127.0.0.1:25->127.0.0.1:999]";

    fn read(text: &str) -> String {
        format!(
            "7 recvfrom(5<{SESSION}>, \"{text}\", 32768, 0, NULL, NULL) = {}\n",
            text.len()
        )
    }

    fn reply(text: &str) -> String {
        format!("7 sendto(5<{SESSION}>, \"{text}\", 9, MSG_NOSIGNAL, NULL, 0) = 9\n")
    }

    fn frame(commit: u8, page: &str) -> String {
        let header = format!(
            "\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x{commit:02x}{}",
            "\\x00".repeat(16)
        );
        format!(
            "9 pwrite64(8</d/s.db-wal>, \"{header}\", 24, 32) = 24\n\
             9 pwrite64(8</d/s.db-wal>, \"{page}\", 4096, 56) = 4096\n"
        )
    }

    /// The parts of a transcript in the order of `order`; what is wrong with its only acknowledgement.
    fn wrong(order: &str) -> Option<&'static str> {
        let part = |which| match which {
            'm' => reply("354 go\\r\\n") + &read("Message-ID: <1@x>\\r\\n\\r\\nhello\\r\\n"),
            '.' => read(".\\r\\n"),
            'w' => frame(0, "\\x0d<1@x>\\x00"),
            'o' => frame(5, "\\x0d<2@x>\\x00"),
            'c' => frame(5, "\\x00"),
            's' => "9 fdatasync(8</d/s.db-wal>) = 0\n".to_owned(),
            'f' => "9 fdatasync(8</d/s.db-wal>) = -1 EIO (Input/output error)\n".to_owned(),
            'd' => "9 fsync(8</d/s.db>) = 0\n".to_owned(),
            '(' => "9 fsync(8</d/s.db-wal> <unfinished ...>\n".to_owned(),
            ')' => "9 <... fsync resumed>)              = 0\n".to_owned(),
            _ => reply("250 2.0.0 queued as 1\\r\\n"),
        };
        let transcript: String = order.chars().map(part).collect();
        let all = acknowledged(&transcript);
        assert_eq!(all.len(), 1, "{order}: {transcript}");
        assert_eq!(all[0].id, "<1@x>");
        all[0].wrong
    }

    #[test]
    fn a_sync_between_commit_and_answer_is_asked_for() {
        for good in ["m.wcs+", "m.wc()+", "m.oswcs+", "om.wocs+s", "m.w(o)cs+"] {
            assert_eq!(wrong(good), None, "{good}");
        }
        for bad in [
            "m.wc+s", "m.wc+", "m.wcd+", "m.wcf+", "m.wsc+", "m.w(c)+", "m.wc(+)", "m.os+wcs",
            "mwcs.+", "mwcs+.", "m.+",
        ] {
            assert!(wrong(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn sessions_and_threads_are_kept_apart() {
        let other = |text: String| text.replace("999", "888").replace("<1@x>", "<2@x>");
        let begin = || reply("354 go\\r\\n") + &read("Message-ID: <1@x>\\r\\n\\r\\n.\\r\\n");
        let end = || reply("250 2.0.0 queued as 1\\r\\n");
        let both = [
            begin(),
            other(begin()),
            frame(5, "<1@x>"),
            "9 fsync(8</d/s.db-wal>) = 0\n".to_owned(),
            frame(5, "<2@x>"),
            other(end()),
            end(),
        ]
        .concat();
        let all = acknowledged(&both);
        let seen: Vec<_> = all.iter().map(|one| (one.id.as_str(), one.wrong)).collect();
        assert_eq!(seen, [("<2@x>", Some("no fsync")), ("<1@x>", None)]);
    }
}
