//! The smallest HTTP client that measures a server: one connection, kept open, one question after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Longest wait for an answer.
const WAIT: Duration = Duration::from_secs(60);

/// An answer.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The header, in lower case.
    pub header: String,
    /// The body.
    pub body: Vec<u8>,
    /// From the question to the last octet.
    pub took: Duration,
}

/// Asks with a cookie.
pub struct Browser {
    address: String,
    cookie: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Browser {
    /// One that is signed in by `cookie`.
    pub fn new(address: &str, cookie: &str) -> Self {
        Self {
            address: address.to_owned(),
            cookie: cookie.to_owned(),
            connection: None,
        }
    }

    /// Asks for a page.
    pub fn get(&mut self, path: &str) -> Result<Answer, String> {
        self.ask("GET", path, ("", ""))
    }

    /// Sends JSON, with the token against foreign forms.
    pub fn post(&mut self, path: &str, csrf: &str, json: &str) -> Result<Answer, String> {
        self.ask("POST", path, (csrf, json))
    }

    fn ask(
        &mut self,
        method: &str,
        path: &str,
        (csrf, json): (&str, &str),
    ) -> Result<Answer, String> {
        let question = format!(
            "{method} {path} HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nCookie: {1}\r\nAccept: text/html, application/json\r\n\
             X-CSRF-Token: {csrf}\r\nContent-Type: application/json\r\nContent-Length: {2}\r\n\r\n{json}",
            self.address,
            self.cookie,
            json.len(),
        );
        // A connection that the server has closed meanwhile is opened again once.
        let again = self.connection.is_some();
        match self.exchange(&question) {
            Err(_) if again => {
                self.connection = None;
                self.exchange(&question)
            }
            other => other,
        }
        .map_err(|error| format!("{method} {path}: {error}"))
    }

    fn exchange(&mut self, question: &str) -> std::io::Result<Answer> {
        if self.connection.is_none() {
            let socket = TcpStream::connect(&self.address)?;
            socket.set_read_timeout(Some(WAIT))?;
            socket.set_nodelay(true)?;
            self.connection = Some(BufReader::new(socket));
        }
        let begun = Instant::now();
        let outcome = match &mut self.connection {
            Some(connection) => {
                connection.get_mut().write_all(question.as_bytes())?;
                read(connection, begun)
            }
            None => Err(std::io::ErrorKind::NotConnected.into()),
        };
        let closes = |answer: &Answer| answer.header.contains("connection: close");
        if outcome.as_ref().map_or(true, closes) {
            self.connection = None;
        }
        outcome
    }
}

fn read(connection: &mut BufReader<TcpStream>, begun: Instant) -> std::io::Result<Answer> {
    let mut header = String::new();
    loop {
        let before = header.len();
        if connection.read_line(&mut header)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if header[before..].trim().is_empty() {
            break;
        }
    }
    let header = header.to_ascii_lowercase();
    let field = |name: &str| {
        let line = header.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim().to_owned())
    };
    let mut body = Vec::new();
    if field("transfer-encoding:").is_some_and(|coding| coding == "chunked") {
        chunks(connection, &mut body)?;
    } else {
        let length = field("content-length:").and_then(|length| length.parse().ok());
        connection
            .take(length.unwrap_or(0))
            .read_to_end(&mut body)?;
    }
    let status = header.get(9..12).and_then(|status| status.parse().ok());
    Ok(Answer {
        status: status.unwrap_or(0),
        header,
        body,
        took: begun.elapsed(),
    })
}

fn chunks(connection: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        connection.read_line(&mut line)?;
        let bad = |_| std::io::Error::from(std::io::ErrorKind::InvalidData);
        let length = u64::from_str_radix(line.trim(), 16).map_err(bad)?;
        connection.take(length).read_to_end(body)?;
        connection.read_line(&mut String::new())?;
        if length == 0 {
            return Ok(());
        }
    }
}
