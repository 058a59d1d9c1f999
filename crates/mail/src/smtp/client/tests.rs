//! Dialogues as a script. `s` lines are fed to the client, `c` lines are what it sends; the other words are the
//! steps of the driver, and `answers` compares one letter for each recipient.

use super::*;
use crate::smtp::{EnvelopeRecipient, MailParams, Notify, Ret};
use crate::{Address, Domain};

fn config(starttls: StartTls, with_password: bool) -> ClientConfig {
    let credentials = Credentials {
        user: "user".into(),
        password: "secret".into(),
    };
    ClientConfig {
        helo: Domain::parse("gate.example").unwrap(),
        starttls,
        credentials: with_password.then_some(credentials),
    }
}

fn envelope(recipients: &[&str]) -> Envelope {
    let recipients = recipients.iter().map(|r| EnvelopeRecipient {
        address: Address::parse(r).unwrap(),
        notify: Notify::default(),
        orcpt: None,
    });
    Envelope {
        from: ReversePath::Address(Address::parse("a@example.com").unwrap()),
        params: MailParams::default(),
        recipients: recipients.collect(),
    }
}

fn letter(answer: &Answer) -> char {
    match answer {
        Answer::Accepted(_) => 'A',
        Answer::Refused { reply, .. } if reply.is_transient() => 't',
        Answer::Refused { .. } => 'p',
        Answer::Failed(_) => 'F',
        Answer::Unknown(_) => 'U',
    }
}

/// Runs `script`; `\r\n` at the end of `c` and `s` lines is added, except to an `s` line that ends in a backslash.
fn run(name: &str, mut client: Client, mail: &Envelope, script: &str) {
    for line in script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let line = format!("{name}: {line}");
        match word {
            "s" => match rest.strip_suffix('\\') {
                Some(part) => client.feed(part.replace("\\r\\n", "\r\n").as_bytes()),
                None => {
                    assert!(matches!(client.step(), Step::Read(_)), "before {line}");
                    client.feed(format!("{}\r\n", rest.replace("\\r\\n", "\r\n")).as_bytes());
                }
            },
            "c" => {
                let expected = format!("{}\r\n", rest.replace("\\r\\n", "\r\n"));
                match client.step() {
                    Step::Send(octets) => assert_eq!(String::from_utf8(octets).unwrap(), expected),
                    other => panic!("{other:?} instead of {line}"),
                }
            }
            "tls" => {
                assert_eq!(client.step(), Step::StartTls);
                client.tls_started();
            }
            "begin" => {
                assert_eq!(client.step(), Step::Ready);
                client
                    .begin(
                        mail,
                        &MailFacts {
                            size: 5,
                            ..MailFacts::default()
                        },
                    )
                    .unwrap();
            }
            "probe" => {
                assert_eq!(client.step(), Step::Ready);
                client.probe(mail).unwrap();
            }
            "content" => {
                assert_eq!(client.step(), Step::SendContent);
                client.end_of_data();
            }
            "lost" => client.lost(SessionFailure::Connection(Lost::Broken("reset".into()))),
            "quit" => {
                assert_eq!(client.step(), Step::Ready);
                client.quit();
            }
            "ready" => assert_eq!(client.step(), Step::Ready),
            "answers" | "over" => compare(client.step(), &line, rest),
            _ => panic!("no such word: {line}"),
        }
    }
}

/// The step against what `line` wants: a letter for each answer, or a part of the failure's text.
fn compare(step: Step, line: &str, rest: &str) {
    match step {
        Step::Finished(answers) => {
            assert_eq!(
                answers.iter().map(letter).collect::<String>(),
                rest,
                "{line}"
            );
        }
        Step::Over(None) => assert_eq!(rest, "well", "{line}"),
        Step::Over(Some(failure)) => {
            let text = failure.to_string();
            assert!(!rest.is_empty() && text.contains(rest), "{text}: {line}");
        }
        other => panic!("{other:?} instead of {line}"),
    }
}

const OPEN: &str = "s 220 mx\n c EHLO gate.example\n";

/// Name, STARTTLS policy, AUTH, script after [`OPEN`]; the mail goes to two recipients.
const DIALOGUES: &[(&str, StartTls, bool, &str)] = &[
    ("plain, step by step", StartTls::IfOffered, false, "
        s 250 mx
        begin
        c MAIL FROM:<a@example.com>
        s 250 ok
        c RCPT TO:<b@example.net>
        s 250 ok
        c RCPT TO:<c@example.net>
        s 550 5.1.1 no such user
        c DATA
        s 354 go
        content
        s 250 2.0.0 taken
        answers Ap
        begin
        c MAIL FROM:<a@example.com>
        s 451 later
        answers tt
        begin
        c RSET
        s 250 ok
        c MAIL FROM:<a@example.com>
        s 250 ok
        c RCPT TO:<b@example.net>
        s 450 later
        c RCPT TO:<c@example.net>
        s 550 never
        answers tp
        quit
        c QUIT
        s 221 bye
        over well"),
    ("pipelining", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250-PIPELINING\\r\\n250 SIZE 100
        begin
        c MAIL FROM:<a@example.com> SIZE=5\\r\\nRCPT TO:<b@example.net>\\r\\nRCPT TO:<c@example.net>\\r\\nDATA
        s 250 ok\\r\\n250 ok\\
        s \\r\\n250 ok\\r\\n354 go
        content
        s 451 4.3.0 disk full
        answers tt
        begin
        c MAIL FROM:<a@example.com> SIZE=5\\r\\nRCPT TO:<b@example.net>\\r\\nRCPT TO:<c@example.net>\\r\\nDATA
        s 250 ok\\r\\n250 ok\\r\\n250 ok\\r\\n554 no
        answers pp
        ready"),
    ("pipelining, nobody taken and yet 354", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 PIPELINING
        begin
        c MAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nRCPT TO:<c@example.net>\\r\\nDATA
        s 250 ok\\r\\n550 no\\r\\n450 later\\r\\n354 go
        c .
        s 250 taken
        answers pt
        ready"),
    ("pipelining, sender refused and yet 354", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 PIPELINING
        begin
        c MAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nRCPT TO:<c@example.net>\\r\\nDATA
        s 550 no\\r\\n250 ok\\r\\n450 ok\\r\\n354 go
        c .
        s 250 taken
        answers pp
        ready"),
    ("sender refused", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 PIPELINING
        begin
        c MAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nRCPT TO:<c@example.net>\\r\\nDATA
        s 450 greylisted\\r\\n503 no\\r\\n503 no\\r\\n503 no
        answers tt
        ready"),
    ("no EHLO", StartTls::IfOffered, false, "
        s 502 what
        c HELO gate.example
        s 250 mx
        ready"),
    ("no EHLO, TLS required", StartTls::Required, false, "
        s 502 what
        c HELO gate.example
        s 250 mx
        over TLS is required"),
    ("no service for now", StartTls::IfOffered, false, "
        s 450 what
        over EHLO"),
    ("TLS", StartTls::Required, false, "
        s 250-mx\\r\\n250-SIZE 1\\r\\n250 STARTTLS
        c STARTTLS
        s 220 go
        tls
        c EHLO gate.example
        s 250-mx\\r\\n250 STARTTLS
        ready"),
    ("m4 what was offered before TLS is forgotten", StartTls::Required, false, "
        s 250-mx\\r\\n250-SIZE 100\\r\\n250-PIPELINING\\r\\n250 STARTTLS
        c STARTTLS
        s 220 go
        tls
        c EHLO gate.example
        s 502 what
        c HELO gate.example
        s 250 mx
        begin
        c MAIL FROM:<a@example.com>
        s 550 no
        answers pp"),
    ("m4 stripped", StartTls::Required, false, "
        s 250-mx\\r\\n250 SIZE 10
        over TLS is required"),
    ("m4 refused where required", StartTls::Required, false, "
        s 250-mx\\r\\n250 STARTTLS
        c STARTTLS
        s 454 not now
        over STARTTLS"),
    ("refused where not required", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 STARTTLS
        c STARTTLS
        s 454 not now
        ready"),
    ("m4 injected behind 220", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 STARTTLS
        c STARTTLS
        s 220 go\\r\\n250 mx.evil
        over without a command"),
    ("m4 half a line injected behind 220", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 STARTTLS
        c STARTTLS
        s 220 go\\r\\n2\\
        over without a command"),
    ("m4 injected behind EHLO", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 STARTTLS\\r\\n220 go\\r\\n250 mx.evil
        over without a command"),
    ("never TLS", StartTls::Never, false, "
        s 250-mx\\r\\n250 STARTTLS
        ready"),
    ("AUTH is not sent in the clear", StartTls::IfOffered, true, "
        s 250-mx\\r\\n250 AUTH PLAIN LOGIN
        over no AUTH"),
    ("AUTH PLAIN", StartTls::Required, true, "
        s 250-mx\\r\\n250 STARTTLS
        c STARTTLS
        s 220 go
        tls
        c EHLO gate.example
        s 250-mx\\r\\n250 AUTH LOGIN PLAIN
        c AUTH PLAIN AHVzZXIAc2VjcmV0
        s 235 2.7.0 ok
        ready"),
    ("AUTH LOGIN", StartTls::Required, true, "
        s 250-mx\\r\\n250 STARTTLS
        c STARTTLS
        s 220 go
        tls
        c EHLO gate.example
        s 250-mx\\r\\n250 AUTH LOGIN
        c AUTH LOGIN
        s 334 VXNlcm5hbWU6
        c dXNlcg==
        s 334 UGFzc3dvcmQ6
        c c2VjcmV0
        s 535 5.7.8 wrong
        over AUTH"),
    ("AUTH offered before TLS only", StartTls::Required, true, "
        s 250-mx\\r\\n250-AUTH PLAIN\\r\\n250 STARTTLS
        c STARTTLS
        s 220 go
        tls
        c EHLO gate.example
        s 250 mx
        over no AUTH"),
    ("lost before the final dot", StartTls::IfOffered, false, "
        s 250 mx
        begin
        c MAIL FROM:<a@example.com>
        s 250 ok
        c RCPT TO:<b@example.net>
        s 550 no
        lost
        answers pF
        over reset"),
    ("lost after the final dot", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 PIPELINING
        begin
        c MAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nRCPT TO:<c@example.net>\\r\\nDATA
        s 250 ok\\r\\n250 ok\\r\\n550 no\\r\\n354 go
        content
        lost
        answers Up
        over reset"),
    ("421 in the middle", StartTls::IfOffered, false, "
        s 250 mx
        begin
        c MAIL FROM:<a@example.com>
        s 250 ok
        c RCPT TO:<b@example.net>
        s 421 4.3.2 going down
        answers FF
        over going down"),
    ("421 to the final dot is a no", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 PIPELINING
        begin
        c MAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nRCPT TO:<c@example.net>\\r\\nDATA
        s 250 ok\\r\\n250 ok\\r\\n250 no\\r\\n354 go
        content
        s 421 going down
        answers FF
        over going down"),
    ("421 unasked", StartTls::IfOffered, false, "
        s 250 mx
        ready
        s 421 idle too long\\r\\n\\
        over idle"),
    ("a reply behind 354", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 PIPELINING
        begin
        c MAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nRCPT TO:<c@example.net>\\r\\nDATA
        s 250 ok\\r\\n250 ok\\r\\n250 ok\\r\\n354 go\\r\\n250 taken
        answers FF
        over without a command"),
    ("a code that does not fit", StartTls::IfOffered, false, "
        s 250 mx
        begin
        c MAIL FROM:<a@example.com>
        s 354 go
        answers FF
        over does not fit"),
    ("a probe", StartTls::IfOffered, false, "
        s 250-mx\\r\\n250 PIPELINING
        probe
        c MAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nRCPT TO:<c@example.net>
        s 250 ok\\r\\n250 ok\\r\\n550 no
        answers Ap
        quit"),
];

#[test]
fn dialogues() {
    for (name, starttls, with_password, script) in DIALOGUES {
        let client = Client::new(config(*starttls, *with_password));
        run(
            name,
            client,
            &envelope(&["b@example.net", "c@example.net"]),
            &format!("{OPEN}{script}"),
        );
    }
}

#[test]
fn greeting_is_no() {
    for (greeting, failure) in [
        ("554 no", "the connection"),
        ("421 busy", "busy"),
        ("hello", "broke"),
        ("220 a\\r\\n250 b", "without a command"),
    ] {
        let script = format!("s {greeting}\n over {failure}");
        run(
            greeting,
            Client::new(config(StartTls::IfOffered, false)),
            &envelope(&["b@example.net"]),
            &script,
        );
    }
}

fn ready(offers: &str) -> Client {
    let mut client = Client::new(config(StartTls::IfOffered, false));
    client.feed(b"220 mx\r\n");
    client.step();
    client.feed(format!("250-mx\r\n{offers}250 HELP\r\n").as_bytes());
    assert_eq!(client.step(), Step::Ready);
    client
}

#[test]
fn parameters_only_where_offered() {
    let mut mail = envelope(&["b@example.net"]);
    mail.params.ret = Some(Ret::Headers);
    mail.params.envid = Some("QQ=314 159".into());
    mail.params.smtputf8 = true;
    mail.recipients[0].notify = Notify {
        success: true,
        failure: true,
        delay: false,
        explicit: true,
    };
    mail.recipients[0].orcpt = Some("rfc822;B+x@example.net".into());
    let facts = MailFacts {
        size: 7,
        eight_bit: true,
        smtputf8: true,
    };
    let all = "250-DSN\r\n250-8BITMIME\r\n250-SIZE 10\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n";
    let mut client = ready(all);
    client.begin(&mail, &facts).unwrap();
    let expected = "MAIL FROM:<a@example.com> SIZE=7 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+3D314+20159\r\n\
         RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;B+2Bx@example.net\r\nDATA\r\n";
    assert_eq!(client.step(), Step::Send(expected.into()));
    mail.recipients[0].notify = Notify {
        success: false,
        failure: false,
        delay: false,
        explicit: true,
    };
    mail.from = ReversePath::Null;
    let mut client = ready("250-DSN\r\n250-PIPELINING\r\n");
    client.begin(&mail, &MailFacts::default()).unwrap();
    let expected = "MAIL FROM:<> RET=HDRS ENVID=QQ+3D314+20159\r\n\
         RCPT TO:<b@example.net> NOTIFY=NEVER ORCPT=rfc822;B+2Bx@example.net\r\nDATA\r\n";
    assert_eq!(client.step(), Step::Send(expected.into()));
    let mut client = ready("");
    client.begin(&mail, &MailFacts::default()).unwrap();
    assert_eq!(client.step(), Step::Send(b"MAIL FROM:<>\r\n".to_vec()));
}

#[test]
fn unfit_for_the_peer() {
    let plain = envelope(&["b@example.net"]);
    let utf8 = envelope(&["ü@example.net"]);
    let facts = MailFacts {
        size: 11,
        eight_bit: false,
        smtputf8: false,
    };
    let table = [
        (&plain, facts, "", None),
        (&plain, facts, "250-SIZE 11\r\n", None),
        (&plain, facts, "250-SIZE 10\r\n", Some(Unfit::TooLarge(10))),
        (
            &plain,
            MailFacts {
                eight_bit: true,
                ..facts
            },
            "",
            Some(Unfit::EightBit),
        ),
        (
            &plain,
            MailFacts {
                eight_bit: true,
                ..facts
            },
            "250-8BITMIME\r\n",
            None,
        ),
        (
            &plain,
            MailFacts {
                smtputf8: true,
                ..facts
            },
            "",
            Some(Unfit::Utf8),
        ),
        (&utf8, facts, "250-8BITMIME\r\n", Some(Unfit::Utf8)),
        (&utf8, facts, "250-SMTPUTF8\r\n", None),
    ];
    for (mail, facts, offers, unfit) in table {
        let mut client = ready(offers);
        assert_eq!(client.begin(mail, &facts).err(), unfit, "{offers}");
        // What did not fit does not spoil the session.
        assert_eq!(client.step() == Step::Ready, unfit.is_some());
    }
}

#[test]
fn pipelining_is_bounded() {
    let names: Vec<String> = (0..120).map(|n| format!("r{n}@example.net")).collect();
    let mail = envelope(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut client = ready("250-PIPELINING\r\n");
    client.begin(&mail, &MailFacts::default()).unwrap();
    let mut groups = Vec::new();
    loop {
        match client.step() {
            Step::Send(octets) => {
                let count = octets.iter().filter(|octet| **octet == b'\n').count();
                groups.push(count);
                let replies = if octets.ends_with(b"DATA\r\n") {
                    count - 1
                } else {
                    count
                };
                client.feed(&b"250 ok\r\n".repeat(replies));
                if octets.ends_with(b"DATA\r\n") {
                    client.feed(b"354 go\r\n");
                }
            }
            step => break assert_eq!(step, Step::SendContent),
        }
    }
    assert_eq!(groups, [PIPELINE_COMMANDS, PIPELINE_COMMANDS, 22]);
}

#[test]
fn secrets_are_not_shown() {
    assert!(!format!("{:?}", Client::new(config(StartTls::Required, true))).contains("secret"));
}
