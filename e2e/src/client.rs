//! Sending clients: a bare SMTP session for exact control, Python's `smtplib`, and `swaks`.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::program::{must_run, python, run};

/// A reply of the server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// The text of all its lines, joined by a line feed.
    pub text: String,
}

impl Reply {
    /// Whether the text begins with this enhanced status code.
    pub fn has_status(&self, status: &str) -> bool {
        self.text.starts_with(status)
    }
}

/// How long a reply may take: less than [`crate::place::PATIENCE`], so that whoever tries again until then can.
const REPLY: Duration = Duration::from_secs(60);

/// A bare SMTP session.
#[derive(Debug)]
pub struct Session {
    reader: BufReader<TcpStream>,
}

impl Session {
    /// Connects and reads the greeting.
    pub fn connect(server: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(server)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(REPLY))?;
        let mut session = Self {
            reader: BufReader::new(socket),
        };
        let greeting = session.reply()?;
        if greeting.code == 220 {
            Ok(session)
        } else {
            Err(io::Error::other(format!(
                "{} {}",
                greeting.code, greeting.text
            )))
        }
    }

    /// Sends octets as they are.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(octets)
    }

    /// Reads one reply.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut text = Vec::new();
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let code = line.get(..3).and_then(|digits| digits.parse().ok());
            let code = code.ok_or_else(|| io::Error::other(line.clone()))?;
            text.push(line.get(4..).unwrap_or_default().trim_end().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                let text = text.join("\n");
                return Ok(Reply { code, text });
            }
        }
    }

    /// Sends a command line and reads its reply.
    pub fn command(&mut self, line: &str) -> io::Result<Reply> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// One whole transaction after EHLO. The content has CRLF line ends; dots are doubled here.
    /// Gives the first reply that is not good, else the one at the end of data.
    pub fn mail(&mut self, from: &str, to: &[&str], content: &[u8]) -> io::Result<Reply> {
        let mut commands = vec![format!("MAIL FROM:<{from}>")];
        commands.extend(to.iter().map(|one| format!("RCPT TO:<{one}>")));
        commands.push("DATA".to_owned());
        for line in commands {
            let reply = self.command(&line)?;
            if reply.code >= 400 {
                return Ok(reply);
            }
        }
        self.send(&stuffed(content))?;
        self.reply()
    }
}

/// The content as DATA carries it (RFC 5321 section 4.5.2), with the final dot line.
pub fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 16);
    for line in content.split_inclusive(|&octet| octet == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// One mail to hand in with a foreign client.
#[derive(Debug, Clone, Serialize)]
pub struct Sending {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Envelope sender; empty for the null sender.
    pub from: String,
    /// Envelope recipients.
    pub to: Vec<String>,
    /// Parameters of MAIL, such as `BODY=8BITMIME`.
    pub mail_options: Vec<String>,
    /// Parameters of RCPT, such as `NOTIFY=NEVER`.
    pub rcpt_options: Vec<String>,
    /// Whether to switch to TLS first; the server's certificate is not checked.
    pub starttls: bool,
    /// User and password for AUTH.
    pub auth: Option<(String, String)>,
    #[serde(skip)]
    content: Vec<u8>,
}

impl Sending {
    /// A mail without options.
    pub fn new(server: SocketAddr, from: &str, to: &[&str], content: &[u8]) -> Self {
        Self {
            port: server.port(),
            from: from.to_owned(),
            to: to.iter().map(|&one| one.to_owned()).collect(),
            mail_options: Vec::new(),
            rcpt_options: Vec::new(),
            starttls: false,
            auth: None,
            content: content.to_vec(),
        }
    }
}

/// What the server said to a foreign client.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    /// The reply that ended it: at the end of data, or the first bad one before.
    pub reply: Reply,
    /// Replies to the recipients that were refused.
    pub refused: Vec<(String, Reply)>,
}

/// Uses the low-level calls of `smtplib`: they send the message as it is and give every reply.
const SMTPLIB: &str = r#"
import json, smtplib, sys
given = json.loads(sys.argv[1])
content = sys.stdin.buffer.read()
def out(reply, refused):
    shape = lambda r: {"code": r[0], "text": r[1].decode("utf-8", "replace")}
    print(json.dumps({"reply": shape(reply), "refused": [[a, shape(r)] for a, r in refused]}))
    sys.exit(0)
smtp = smtplib.SMTP("127.0.0.1", given["port"], local_hostname="client.example", timeout=60)
smtp.ehlo()
if given["starttls"]:
    smtp.starttls()
    smtp.ehlo()
if given["auth"]:
    try:
        smtp.login(*given["auth"])
    except smtplib.SMTPResponseException as refused:
        out((refused.smtp_code, refused.smtp_error), [])
reply = smtp.mail(given["from"], given["mail_options"])
if reply[0] >= 400:
    out(reply, [])
refused = []
for address in given["to"]:
    reply = smtp.rcpt(address, given["rcpt_options"])
    if reply[0] >= 400:
        refused.append([address, reply])
if len(refused) == len(given["to"]):
    out(reply, refused)
try:
    reply = smtp.data(content)
except smtplib.SMTPDataError as error:
    reply = (error.smtp_code, error.smtp_error)
smtp.quit()
out(reply, refused)
"#;

/// Hands a mail in with Python's `smtplib`.
pub fn smtplib(sending: &Sending) -> Answer {
    let given = serde_json::to_string(sending).unwrap();
    let arguments = ["-c", SMTPLIB, &given];
    let out = must_run(&python(), &arguments, &sending.content);
    serde_json::from_slice(&out).unwrap()
}

/// Hands a mail in with `swaks`; gives the reply at the end, read off its transcript.
pub fn swaks(sending: &Sending) -> Reply {
    let mut arguments = vec![
        "--server".to_owned(),
        format!("127.0.0.1:{}", sending.port),
        "--ehlo".to_owned(),
        "client.example".to_owned(),
        "--from".to_owned(),
        sending.from.clone(),
        "--to".to_owned(),
        sending.to.join(","),
        "--data".to_owned(),
        "-".to_owned(),
    ];
    if sending.starttls {
        arguments.push("--tls".to_owned());
    }
    if let Some((user, password)) = &sending.auth {
        let pair = ["--auth-user", user, "--auth-password", password];
        arguments.extend(pair.map(str::to_owned));
    }
    let ran = run("swaks", &arguments, &sending.content);
    let transcript = ran.text();
    // Server lines begin with `<-`, `<~` or `<**` where it counts as a failure; the last is the answer to QUIT.
    let replies: Vec<Reply> = transcript.lines().filter_map(transcript_reply).collect();
    let last = replies.iter().rev().find(|reply| reply.code != 221);
    last.unwrap_or_else(|| panic!("swaks: {transcript}{}", ran.err))
        .clone()
}

fn transcript_reply(line: &str) -> Option<Reply> {
    let line = line
        .strip_prefix('<')?
        .trim_start_matches(['-', '~', '*', ' ']);
    let code = line.get(..3)?.parse().ok()?;
    let text = line.get(4..).unwrap_or_default().trim_end().to_owned();
    Some(Reply { code, text })
}
