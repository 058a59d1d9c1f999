//! A web server on loopback that counts who connects, keeps what is asked, and answers as it is told, well or badly.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::place::PATIENCE;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Its header fields as they came, one a line.
    pub fields: Vec<String>,
    /// What was sent with it.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What comes back.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 200 with these octets.
    Body(Vec<u8>),
    /// 200 with this length announced, and as many zeros.
    Zeros(u64),
    /// 200, then one octet a second.
    Drips,
    /// 302 to there.
    Redirect(String),
    /// 404.
    Missing,
}

type Answering = dyn Fn(&Request) -> Answer + Send + Sync;

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<Request>>,
    end: AtomicBool,
}

/// The running server; it ends when dropped.
pub struct Web {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    /// Starts one on 127.0.0.1.
    pub fn start(answering: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_on(Ipv4Addr::LOCALHOST.into(), 0, answering).unwrap()
    }

    /// Starts one on an address and port; port 0 takes a free one.
    pub fn start_on(
        address: IpAddr,
        port: u16,
        answering: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((address, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let answering: Arc<Answering> = Arc::new(answering);
        let thread = {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || accept(&listener, &seen, &answering))
        };
        Ok(Self {
            address,
            seen,
            thread: Some(thread),
        })
    }

    /// A URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().unwrap().clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.seen.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, seen: &Arc<Seen>, answering: &Arc<Answering>) {
    while !seen.end.load(Ordering::Relaxed) {
        let Ok((socket, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        seen.connections.fetch_add(1, Ordering::Relaxed);
        let (seen, answering) = (Arc::clone(seen), Arc::clone(answering));
        // Ends with its connection; a client that goes away is no failure of the test.
        std::thread::spawn(move || serve(socket, &seen, answering.as_ref()));
    }
}

fn serve(socket: TcpStream, seen: &Seen, answering: &Answering) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(socket);
    let request = read(&mut reader)?;
    seen.requests.lock().unwrap().push(request.clone());
    let answer = answering(&request);
    say(reader.get_mut(), answer, &seen.end)
}

fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Request> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (mut length, mut fields) = (0, Vec::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        fields.push(line.trim_end().to_owned());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Request {
        method,
        path,
        fields,
        body,
    })
}

fn say(socket: &mut TcpStream, answer: Answer, end: &AtomicBool) -> io::Result<()> {
    match answer {
        Answer::Body(body) => {
            head(socket, body.len() as u64)?;
            socket.write_all(&body)
        }
        Answer::Zeros(octets) => {
            head(socket, octets)?;
            let block = [0; 65_536];
            let mut left = octets;
            while left > 0 && !end.load(Ordering::Relaxed) {
                let now = usize::try_from(left.min(block.len() as u64)).unwrap();
                socket.write_all(&block[..now])?;
                left -= now as u64;
            }
            Ok(())
        }
        Answer::Drips => {
            head(socket, 1000)?;
            while !end.load(Ordering::Relaxed) {
                socket.write_all(b"0")?;
                std::thread::sleep(Duration::from_secs(1));
            }
            Ok(())
        }
        Answer::Redirect(to) => write!(
            socket,
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        ),
        Answer::Missing => write!(
            socket,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        ),
    }
}

fn head(socket: &mut TcpStream, length: u64) -> io::Result<()> {
    write!(
        socket,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
    )
}
