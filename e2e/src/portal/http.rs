//! A small HTTP client: one connection for each request, cookies kept, the path sent exactly as it is given.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use crate::place::PATIENCE;

/// How long an answer may take on a busy machine.
const WAIT: Duration = PATIENCE;
/// Separates the fields of an upload.
const BOUNDARY: &str = "----sealgate-test-boundary";

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The fields, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

impl Answer {
    /// A field; its name in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut own = self.fields.iter().filter(|(field, _)| field == name);
        own.next().map(|(_, value)| value.as_str())
    }

    /// Its content as text. Places where an address may break are no part of it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).replace("<wbr>", "")
    }

    /// Its content as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether it sends the browser to the login page.
    pub fn is_to_login(&self) -> bool {
        let to = self.field("location").unwrap_or_default();
        self.status == 303 && (to == "/login" || to.starts_with("/login?"))
    }
}

/// One request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path and query, as they go on the wire.
    pub path: String,
    /// Further fields.
    pub fields: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

impl Request {
    /// Without content.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// With a field.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a form.
    pub fn form(mut self, values: &[(&str, &str)]) -> Self {
        self.body = form(values).into_bytes();
        self.field("content-type", "application/x-www-form-urlencoded")
    }

    /// With JSON.
    pub fn json(mut self, value: &serde_json::Value) -> Self {
        self.body = value.to_string().into_bytes();
        self.field("content-type", "application/json")
    }

    /// With a form of files.
    pub fn upload(mut self, values: &[(&str, &[u8])]) -> Self {
        for (name, octets) in values {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n"
            );
            self.body.extend_from_slice(head.as_bytes());
            self.body.extend_from_slice(octets);
            self.body.extend_from_slice(b"\r\n");
        }
        self.body
            .extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.field("content-type", &media_type)
    }
}

/// Somebody at the portal: an address, the cookies so far, perhaps an API token.
#[derive(Debug)]
pub struct Visitor {
    /// Where the portal listens.
    pub address: SocketAddr,
    /// Cookies by name.
    pub cookies: Mutex<BTreeMap<String, String>>,
    /// The API token sent with each request.
    pub token: Option<String>,
}

impl Clone for Visitor {
    fn clone(&self) -> Self {
        Self {
            address: self.address,
            cookies: Mutex::new(self.cookies.lock().unwrap().clone()),
            token: self.token.clone(),
        }
    }
}

impl Visitor {
    /// Nobody in particular.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            cookies: Mutex::default(),
            token: None,
        }
    }

    /// A script with an API token.
    pub fn with_token(address: SocketAddr, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..Self::new(address)
        }
    }

    /// Looks at a page.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(&Request::new("GET", path))
    }

    /// Sends a form, with the token against foreign forms that the page `on` carries.
    pub fn post(&self, path: &str, on: &str, values: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf(on);
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(values);
        self.ask(&Request::new("POST", path).form(&all))
    }

    /// The token against foreign forms that a page carries; empty if it has none.
    pub fn csrf(&self, on: &str) -> String {
        let page = self.get(on).text();
        let found = super::forms::forms(&page)
            .into_iter()
            .flat_map(|form| form.fields)
            .find(|(name, _)| name == "csrf");
        found.map_or_else(String::new, |(_, value)| value)
    }

    /// Sends a request, with cookies and token; keeps the cookies that come back.
    pub fn ask(&self, request: &Request) -> Answer {
        let answer = self
            .try_ask(request)
            .unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path));
        let mut cookies = self.cookies.lock().unwrap();
        for (_, value) in answer
            .fields
            .iter()
            .filter(|(name, _)| name == "set-cookie")
        {
            let pair = value.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    fn try_ask(&self, request: &Request) -> io::Result<Answer> {
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(WAIT))?;
        socket.set_nodelay(true)?;
        socket.write_all(&self.octets(request))?;
        let mut octets = Vec::new();
        match socket.read_to_end(&mut octets) {
            // A server that refuses a content before its end may cut it off after its answer.
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset || octets.is_empty() => {
                return Err(error);
            }
            _ => {}
        }
        read(&octets).ok_or_else(|| io::Error::other(String::from_utf8_lossy(&octets).into_owned()))
    }

    fn octets(&self, request: &Request) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            request.method, request.path, self.address
        );
        let mut add = |name: &str, value: &str| {
            head.push_str(&format!("{name}: {value}\r\n"));
        };
        if !request.body.is_empty() || request.method != "GET" {
            add("content-length", &request.body.len().to_string());
        }
        if let Some(token) = &self.token {
            add("authorization", &format!("Bearer {token}"));
        }
        let cookies = self.cookies.lock().unwrap();
        if !cookies.is_empty() {
            let pairs: Vec<String> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            add("cookie", &pairs.join("; "));
        }
        for (name, value) in &request.fields {
            add(name, value);
        }
        head.push_str("\r\n");
        [head.into_bytes(), request.body.clone()].concat()
    }
}

fn read(octets: &[u8]) -> Option<Answer> {
    let end = crate::mime::find(octets, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(octets.get(..end)?).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let fields: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let rest = octets.get(end + 4..)?;
    let is_chunked = fields
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if is_chunked {
        chunks(rest)
    } else {
        rest.to_vec()
    };
    Some(Answer {
        status,
        fields,
        body,
    })
}

fn chunks(mut octets: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = crate::mime::find(octets, b"\r\n") {
        let size = String::from_utf8_lossy(&octets[..end]).into_owned();
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let from = end + 2;
        if size == 0 || octets.len() < from + size {
            break;
        }
        body.extend_from_slice(&octets[from..from + size]);
        octets = octets.get(from + size + 2..).unwrap_or_default();
    }
    body
}

/// A form as browsers send it.
pub fn form(values: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{}={}", quoted(name), quoted(value)))
        .collect();
    pairs.join("&")
}

/// A text in a path or query: all but letters, digits, `-`, `.`, `_` and `~` as `%XX`.
pub fn quoted(text: &str) -> String {
    let mut out = String::new();
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(octet));
            }
            _ => out.push_str(&format!("%{octet:02X}")),
        }
    }
    out
}

/// The reverse of [`quoted`].
pub fn unquoted(text: &str) -> String {
    let octets = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&octet) = octets.get(at) {
        let code = text.get(at + 1..at + 3);
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(value) if octet == b'%' => {
                out.push(value);
                at += 3;
            }
            _ => {
                out.push(octet);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let octets = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let answer = read(octets).unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "abcde"));
        assert_eq!(answer.field("content-type"), Some("text/plain"));
        assert!(read(b"nonsense").is_none());
    }

    #[test]
    fn quoting_goes_both_ways() {
        for text in ["a b&c=d", "ä/..%", "plain-._~"] {
            assert_eq!(unquoted(&quoted(text)), text);
        }
        assert_eq!(form(&[("a", "1 2"), ("b", "&")]), "a=1%202&b=%26");
    }
}
