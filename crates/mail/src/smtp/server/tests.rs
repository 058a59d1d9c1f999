//! Dialogues as data (`e2e/dialogues`), the fakes of smuggling, and pipelining at every split.

use super::*;
use crate::{Address, Domain};

struct Id(usize);

impl Receipt for Id {
    fn queue_id(&self) -> String {
        format!("id{}", self.0)
    }
}

/// A mail the scripted driver took: sender, recipients, content.
type Taken = (String, Vec<String>, Vec<u8>);

/// Plays the driver: answers by the local part of the address, keeps what was accepted.
struct Script {
    server: Server,
    content: Vec<u8>,
    taken: Vec<Taken>,
    transcript: Vec<u8>,
    closed: bool,
    discarded: usize,
    most_output: usize,
    accepted: usize,
}

impl Script {
    fn new(config: ServerConfig) -> Self {
        let mut server = Server::new(config);
        server.greet(Ok(()));
        let transcript = server.take_output();
        Self {
            server,
            content: Vec::new(),
            taken: Vec::new(),
            transcript,
            closed: false,
            discarded: 0,
            most_output: 0,
            accepted: 0,
        }
    }

    fn send(&mut self, mut input: &[u8]) {
        while !self.closed {
            let (used, action) = self.server.advance(input);
            input = &input[used..];
            let waits = matches!(action, Action::Continue);
            self.act(action);
            let output = self.server.take_output();
            self.most_output = self.most_output.max(output.len());
            self.transcript.extend(output);
            if waits && input.is_empty() {
                return;
            }
        }
    }

    fn act(&mut self, action: Action<'_>) {
        match action {
            Action::Continue => {}
            Action::Authenticate { user, password } => {
                let good = user == "mua" && password.as_str() == "secret";
                self.server.answer(if good {
                    Ok(())
                } else {
                    Err(Reply::new(535, EnhancedStatus(5, 7, 8), "wrong"))
                });
            }
            Action::Mail(from, _) => self.server.answer(verdict(from.address())),
            Action::Rcpt(recipient) => self.server.answer(verdict(Some(&recipient.address))),
            Action::BeginData => {
                self.content.clear();
                self.server.answer(Ok(()));
            }
            Action::Content(octets) => self.content.extend_from_slice(octets),
            Action::DropContent => self.content.clear(),
            Action::EndOfData(envelope) => self.end_of_data(envelope),
            Action::StartTls { discarded } => {
                self.discarded += discarded;
                self.server.tls_started();
            }
            Action::Close => self.closed = true,
        }
    }

    fn end_of_data(&mut self, envelope: Envelope) {
        let from = envelope
            .from
            .address()
            .map(ToString::to_string)
            .unwrap_or_default();
        let recipients = envelope
            .recipients
            .iter()
            .map(|r| r.address.to_string())
            .collect();
        if self.content.starts_with(b"Subject: refuse") {
            self.server
                .refused(Reply::new(550, EnhancedStatus(5, 7, 1), "refused"));
            return;
        }
        self.taken
            .push((from, recipients, std::mem::take(&mut self.content)));
        self.accepted += 1;
        self.server.accepted(Id(self.accepted));
    }

    fn text(&self) -> String {
        String::from_utf8(self.transcript.clone()).unwrap()
    }
}

fn verdict(address: Option<&Address>) -> Result<(), Reply> {
    match address.map(Address::local) {
        Some("unknown") => Err(Reply::new(550, EnhancedStatus(5, 1, 1), "no such mailbox")),
        Some("later") => Err(Reply::new(451, EnhancedStatus(4, 3, 0), "later")),
        Some("stop") => Err(Reply::new(421, EnhancedStatus(4, 3, 2), "stop")),
        Some("mistake") => Err(Reply::new(
            250,
            EnhancedStatus(2, 0, 0),
            "no refusal at all",
        )),
        _ => Ok(()),
    }
}

fn config(words: &str) -> ServerConfig {
    let has = |word: &str| words.split(' ').any(|w| w == word);
    ServerConfig {
        hostname: Domain::parse("mx.gate.example").unwrap(),
        listener: if has("outbound") {
            Listener::Outbound
        } else {
            Listener::Inbound
        },
        size_limit: if has("small") { 100 } else { 1_000_000 },
        starttls: has("starttls"),
        auth: has("auth"),
        auth_required: has("required"),
        smtputf8: has("smtputf8"),
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let text = text
        .replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\\0", "\0");
    text.replace("\\x{f6}", "\u{f6}").into_bytes()
}

/// Runs one dialogue: `config:` words, `c:` a line with CRLF, `raw:` exact octets, `s:` how the next reply line
/// begins, `m:` a mail taken, `closed` and `open` the state of the connection. Escapes: `\r`, `\n`, `\0`.
fn dialogue(name: &str, text: &str) {
    let words = text
        .lines()
        .find_map(|line| line.strip_prefix("config:"))
        .unwrap_or("");
    let mut script = Script::new(config(words));
    let mut seen = 0;
    for (number, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        let (kind, rest) = line.split_once(':').unwrap_or((line, ""));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match kind {
            "c" | "raw" => {
                assert_eq!(
                    seen,
                    script.transcript.len(),
                    "{place}: unread: {:?}",
                    &script.text()[seen..]
                );
                script.send(&unescape(&format!(
                    "{rest}{}",
                    if kind == "c" { "\\r\\n" } else { "" }
                )));
            }
            "s" => {
                let all = script.text();
                let reply = all[seen..].split_inclusive("\r\n").next().unwrap_or("");
                assert!(
                    reply.starts_with(rest),
                    "{place}: expected {rest:?}, got {reply:?}"
                );
                seen += reply.len();
            }
            "m" => {
                let (from, recipients, content) = script.taken.remove(0);
                let mail = format!(
                    "<{from}> <{}> {}",
                    recipients.join("> <"),
                    String::from_utf8(content).unwrap()
                );
                assert_eq!(mail, String::from_utf8(unescape(rest)).unwrap(), "{place}");
            }
            "closed" | "open" => assert_eq!(script.closed, kind == "closed", "{place}"),
            _ if line.is_empty() || line.starts_with('#') || kind == "config" => {}
            _ => panic!("{place}: not understood: {line}"),
        }
    }
    assert_eq!(
        seen,
        script.transcript.len(),
        "{name}: unread: {:?}",
        &script.text()[seen..]
    );
    assert!(
        script.taken.is_empty(),
        "{name}: a mail was taken that the dialogue does not name"
    );
}

#[test]
fn dialogues() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/dialogues");
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let text = std::fs::read_to_string(&path).unwrap();
            dialogue(&path.file_name().unwrap().to_string_lossy(), &text);
            count += 1;
        }
    }
    assert!(count >= 15, "only {count} dialogues found");
}

const OPENING: &str =
    "EHLO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@gate.example>\r\nDATA\r\n";
const SECOND: &str =
    "MAIL FROM:<evil@x.example>\r\nRCPT TO:<b@gate.example>\r\nDATA\r\nsecond\r\n.\r\n";

fn m1_fakes() -> Vec<&'static str> {
    vec![
        "\n.\n",
        "\n.\r",
        "\r.\n",
        "\r.\r",
        "\n.\r\n",
        "\r.\r\n",
        "\r\n\0.\r\n",
        "\r\n.\n",
        "\r\n.\r",
        "\r\n.\r\r\n",
        "\r\r\n.\r\n",
        "\r\n.\0\r\n",
        "\r\n.\r\0\n",
    ]
}

/// Every reply after the `354`.
fn after_data(transcript: &str) -> Vec<&str> {
    transcript
        .lines()
        .skip_while(|line| !line.starts_with("354"))
        .skip(1)
        .collect()
}

#[test]
fn m1_smuggling_fakes_give_no_second_mail() {
    for fake in m1_fakes() {
        for end in ["\r\n.\r\n", ""] {
            let session = format!("{OPENING}Subject: x\r\n\r\nfirst{fake}{SECOND}{end}");
            for split in 0..session.len() {
                let mut script = Script::new(config(""));
                let (head, tail) = session.as_bytes().split_at(split);
                script.send(head);
                script.send(tail);
                assert!(script.taken.is_empty(), "{fake:?} at {split}");
                let text = script.text();
                let replies = after_data(&text);
                assert!(replies[0].starts_with("550 5.6.0"), "{fake:?}: {replies:?}");
                assert!(
                    !replies.iter().any(|reply| reply.starts_with('2')),
                    "{fake:?}: {replies:?}"
                );
            }
        }
    }
}

#[test]
fn a_lone_dot_between_wrong_line_ends_is_answered_at_once() {
    for fake in [
        "\n.\n",
        "\n.\r",
        "\r.\n",
        "\r.\r",
        "\n.\r\n",
        "\r.\r\n",
        "\r\n\0.\r\n",
        "\r\n.\n",
    ] {
        let mut script = Script::new(config(""));
        script.send(format!("{OPENING}first{fake} ").as_bytes());
        let text = script.text();
        assert_eq!(after_data(&text).len(), 1, "{fake:?}");
        assert!(script.closed, "{fake:?}");
    }
}

#[test]
fn pipelining_gives_the_same_at_every_split() {
    let sessions = [
        format!("{OPENING}Subject: x\r\n\r\n..dot\r\n.\r\n{SECOND}RSET\r\nNOOP\r\nQUIT\r\n"),
        format!("{OPENING}Subject: refuse\r\n\r\n.\r\n{SECOND}QUIT\r\n"),
        format!("{OPENING}a\nb\r\n.\r\n{SECOND}QUIT\r\n"),
        "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<unknown@b.example>\r\nDATA\r\nRCPT TO:<b@b.example>\r\nDATA\r\n.\r\nwhat\r\nQUIT\r\n".to_owned(),
        "EHLO c\r\nMAIL FROM:<stop@x.example>\r\nRCPT TO:<b@b.example>\r\n".to_owned(),
        "NOOP\nNOOP\r\n".to_owned(),
    ];
    for session in sessions {
        let mut whole = Script::new(config("smtputf8"));
        whole.send(session.as_bytes());
        for split in 0..session.len() {
            let mut parts = Script::new(config("smtputf8"));
            let (head, tail) = session.as_bytes().split_at(split);
            parts.send(head);
            parts.send(tail);
            assert_eq!(
                (parts.text(), &parts.taken),
                (whole.text(), &whole.taken),
                "{session:?} at {split}"
            );
        }
        let mut octets = Script::new(config("smtputf8"));
        session
            .as_bytes()
            .iter()
            .for_each(|octet| octets.send(&[*octet]));
        assert_eq!(
            (octets.text(), &octets.taken),
            (whole.text(), &whole.taken),
            "{session:?}"
        );
    }
}

#[test]
fn m4_starttls_injection_is_thrown_away() {
    let mut script = Script::new(config("starttls auth"));
    script.send(b"EHLO c\r\nSTARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<b@b.example>\r\n");
    assert!(script.text().ends_with("220 2.0.0 ready to start TLS\r\n"));
    assert_eq!(
        script.discarded,
        "EHLO evil\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<b@b.example>\r\n".len()
    );
    assert_eq!(script.server.hello(), None);
    let before = script.transcript.len();
    script.send(b"RCPT TO:<b@b.example>\r\nMAIL FROM:<a@x.example>\r\n");
    let after = script.text()[before..].to_owned();
    assert_eq!(
        after,
        "503 5.5.1 send MAIL first\r\n503 5.5.1 send EHLO first\r\n"
    );
}

#[test]
fn m10_endless_sessions_end() {
    let mail = "MAIL FROM:<a@x.example>\r\n";
    let table = [
        ("RSET\r\n", "421 4.7.0 too many commands without a mail\r\n"),
        ("FOO\r\n", "421 4.7.0 too many errors\r\n"),
        (
            "EHLO c\r\n",
            "421 4.7.0 too many commands without a mail\r\n",
        ),
        (
            "RCPT TO:<b@b.example>\r\n",
            "421 4.7.0 too many commands without a mail\r\n",
        ),
        (
            "RCPT TO:<unknown@b.example>\r\n",
            "421 4.7.0 too many refused recipients\r\n",
        ),
    ];
    for (command, end) in table {
        let mut script = Script::new(config(""));
        script.send(format!("EHLO c\r\n{mail}").as_bytes());
        script.send(command.repeat(10_000).as_bytes());
        assert!(script.closed && script.text().ends_with(end), "{command}");
        assert!(script.most_output < 2 * REPLIES_OCTETS);
    }
    let mut script = Script::new(config(""));
    script.send(&vec![b'x'; 1_000_000]);
    assert!(script.closed && script.text().ends_with("500 5.5.2 line too long\r\n"));
}

#[test]
fn recipients_are_limited() {
    let mut script = Script::new(config(""));
    script.send(b"EHLO c\r\nMAIL FROM:<a@x.example>\r\n");
    let before = script.transcript.len();
    for number in 0..1005 {
        script.send(format!("RCPT TO:<r{number}@b.example>\r\n").as_bytes());
    }
    let text = script.text()[before..].to_owned();
    assert_eq!(text.matches("250 2.1.5").count(), 1000);
    assert_eq!(text.matches("452 4.5.3").count(), 5);
    assert!(!script.closed);
}

#[test]
fn an_unanswered_question_ends_the_session() {
    let mut server = Server::new(config(""));
    server.greet(Ok(()));
    let (_, action) = server.advance(b"EHLO c\r\nMAIL FROM:<a@x.example>\r\n");
    assert!(matches!(action, Action::Mail(..)));
    assert_eq!(
        server.advance(b"RCPT TO:<b@b.example>\r\n"),
        (23, Action::Close)
    );
}

#[test]
fn content_accepts_no_250_without_receipt() {
    let mut server = Server::new(config(""));
    server.greet(Ok(()));
    for (input, expected) in [
        ("EHLO c\r\nMAIL FROM:<>\r\n", "Mail"),
        ("RCPT TO:<b@b.example>\r\n", "Rcpt"),
        ("DATA\r\n", "BeginData"),
    ] {
        let (_, action) = server.advance(input.as_bytes());
        assert!(format!("{action:?}").starts_with(expected));
        server.answer(Ok(()));
    }
    let (_, action) = server.advance(b".\r\n");
    assert!(matches!(action, Action::EndOfData(_)));
    server.take_output();
    server.answer(Ok(()));
    assert_eq!(
        server.take_output(),
        b"451 4.3.0 local error, try again later\r\n"
    );
    server.accepted(Id(1));
    assert_eq!(server.take_output(), b"");
}

#[test]
fn eight_bit_content_is_marked_whatever_was_said() {
    let mut server = Server::new(config(""));
    server.greet(Ok(()));
    for input in [
        "EHLO c\r\nMAIL FROM:<>\r\n",
        "RCPT TO:<b@b.example>\r\n",
        "DATA\r\n",
    ] {
        server.advance(input.as_bytes());
        server.answer(Ok(()));
    }
    let input = "gr\u{fc}n\r\n.\r\n".as_bytes();
    let (used, action) = server.advance(input);
    assert_eq!(action, Action::Content("gr\u{fc}n\r\n".as_bytes()));
    let (_, action) = server.advance(&input[used..]);
    assert!(matches!(action, Action::EndOfData(envelope) if envelope.params.eight_bit));
}

#[test]
fn received_fields() {
    let by = Domain::parse("mx.gate.example").unwrap();
    let tls = TlsFacts {
        version: "TLSv1.3".into(),
        cipher: "TLS13_AES_256_GCM_SHA384".into(),
    };
    let to = |text: &str| EnvelopeRecipient {
        address: Address::parse(text).unwrap(),
        notify: crate::smtp::Notify::default(),
        orcpt: None,
    };
    let (one, two) = (
        vec![to("b@gate.example")],
        vec![to("b@gate.example"), to("c@gate.example")],
    );
    let facts = ReceivedFacts {
        helo: "c.example",
        peer: "203.0.113.1".parse().unwrap(),
        esmtp: true,
        tls: Some(&tls),
        authenticated: true,
        smtputf8: false,
        by: &by,
        id: "4f2a",
        recipients: &one,
    };
    let date = crate::Timestamp(0).rfc5322();
    assert_eq!(
        received(&facts, crate::Timestamp(0)),
        format!(
            "Received: from c.example ([203.0.113.1])\r\n\tby mx.gate.example with ESMTPSA (TLSv1.3 TLS13_AES_256_GCM_SHA384)\r\n\tid 4f2a\r\n\tfor <b@gate.example>;\r\n\t{date}\r\n"
        )
    );
    let facts = ReceivedFacts {
        helo: "x)\r\nBcc: y",
        peer: "2001:db8::1".parse().unwrap(),
        tls: None,
        authenticated: false,
        smtputf8: true,
        recipients: &two,
        ..facts
    };
    let text = received(&facts, crate::Timestamp(0));
    assert!(text.starts_with("Received: from xBcc:y ([IPv6:2001:db8::1])\r\n\tby mx.gate.example with UTF8SMTP\r\n\tid 4f2a;\r\n"), "{text}");
}

/// Sessions of random fragments: cut anywhere they give the same, and every whole command gets one reply.
#[test]
fn random_sessions() {
    let fragments: [&[u8]; 22] = [
        b"EHLO c\r\n",
        b"MAIL FROM:<a@x.example>\r\n",
        b"RCPT TO:<b@b.example>\r\n",
        b"DATA\r\n",
        b".\r\n",
        b"\r\n.\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b".",
        b"\0",
        b"x",
        b"Subject: y\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"QUIT\r\n",
        b"\xff",
        b"RCPT TO:<unknown@b.example>\r\n",
        b"..\r\n",
        b"AUTH PLAIN\r\n",
        b"HELO c\r\n",
        b"<\r\n",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..3000 {
        let mut session = OPENING.as_bytes()[..[0, 8, 33, OPENING.len()][random(4)]].to_vec();
        for _ in 0..random(30) {
            session.extend_from_slice(fragments[random(fragments.len())]);
        }
        let mut whole = Script::new(config("auth"));
        whole.send(&session);
        let mut parts = Script::new(config("auth"));
        let mut rest = session.as_slice();
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(1 + random(rest.len()));
            parts.send(head);
            rest = tail;
        }
        assert_eq!(
            (whole.text(), &whole.taken),
            (parts.text(), &parts.taken),
            "{session:?}"
        );
        let text = whole.text();
        let accepted = text.matches("queued as").count();
        assert_eq!(accepted, whole.accepted, "{text}");
        for (_, _, content) in &whole.taken {
            let bare = content
                .windows(2)
                .any(|pair| (pair[0] == b'\r') != (pair[1] == b'\n'));
            assert!(!bare && !content.contains(&0), "{session:?}");
        }
    }
}
