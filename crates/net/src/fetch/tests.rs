use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use sealgate_smime::revocation::Question;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::dns::DnsConfig;
use crate::tls::ClientTls;

/// What a server of these tests does with each connection.
#[derive(Clone)]
enum Does {
    /// Sends these octets and closes.
    Says(String),
    /// Sends a head and then zeros without end.
    Pours(String),
    /// Sends the same again and again.
    Repeats(String),
    /// Sends a head and then one octet a second.
    Drips(String),
}

/// A web server on loopback, and how many connections it has seen.
struct Server {
    at: SocketAddr,
    seen: Arc<AtomicUsize>,
}

impl Server {
    async fn start(does: impl Fn(&str, SocketAddr) -> Does + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let mut request = vec![0; 4096];
                let length = socket.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let does = does(&request, at);
                tokio::spawn(async move { act(&mut socket, does).await });
            }
        });
        Self { at, seen }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }
}

async fn act(socket: &mut TcpStream, does: Does) -> std::io::Result<()> {
    match does {
        Does::Says(text) => socket.write_all(text.as_bytes()).await?,
        Does::Pours(head) => {
            socket.write_all(head.as_bytes()).await?;
            loop {
                socket.write_all(&[b'0'; 65_536]).await?;
            }
        }
        Does::Repeats(text) => loop {
            socket.write_all(text.repeat(1000).as_bytes()).await?;
        },
        Does::Drips(head) => {
            socket.write_all(head.as_bytes()).await?;
            loop {
                socket.write_all(b"0").await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
    Ok(())
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn fetcher(allowed: &[&str]) -> Fetcher {
    let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
    let tls = ClientTls::new(Vec::new()).unwrap().verified;
    Fetcher::new(Dns::new(DnsConfig::Off).unwrap(), tls, allowed)
}

fn crl(url: impl Into<String>) -> Question {
    Question::Crl {
        url: url.into(),
        anchor: [0; 32],
    }
}

#[tokio::test]
async fn a_list_and_an_answer() {
    let server = Server::start(|request, at| {
        let host = format!("host: {at}\r\n");
        let fits = match request.split_once(' ').unwrap().0 {
            "GET" => request.starts_with("GET /list?a=b HTTP/1.1\r\n"),
            _ => {
                request.starts_with("POST /ocsp HTTP/1.1\r\n")
                    && request.contains("content-type: application/ocsp-request\r\n")
                    && request.ends_with("\r\n\r\nasked")
            }
        };
        Does::Says(ok(if fits && request.contains(&host) {
            "good"
        } else {
            request
        }))
    })
    .await;
    let fetcher = fetcher(&["127.0.0.0/8"]);
    let list = fetcher.fetch(&crl(server.url("/list?a=b#c"))).await;
    assert_eq!(list, Ok(b"good".to_vec()));
    let question = Question::Ocsp {
        url: server.url("/ocsp"),
        request: b"asked".to_vec(),
    };
    assert_eq!(fetcher.fetch(&question).await, Ok(b"good".to_vec()));
    // Chunked, and until the end of the connection.
    for text in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ngo\r\n2\r\nod\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\ngood",
        "HTTP/1.0 200 OK\r\n\r\ngood",
    ] {
        let server = Server::start(move |_, _| Does::Says(text.to_owned())).await;
        let got = fetcher.fetch(&crl(server.url("/"))).await;
        assert_eq!(got, Ok(b"good".to_vec()), "{text}");
    }
}

#[tokio::test]
async fn x7_nobody_is_called_who_may_not_be() {
    let server = Server::start(|_, _| Does::Says(ok("secret"))).await;
    let fetcher = fetcher(&[]);
    let port = server.at.port();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://017700000001:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[::ffff:7f00:1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://0:{port}/"),
        format!("http://127.0.0.1.:{port}/"),
        format!("http://127\u{3002}0\u{3002}0\u{3002}1:{port}/"),
        format!("http://\u{ff11}\u{ff12}\u{ff17}.0.0.1:{port}/"),
        format!("http://%31%32%37.0.0.1:{port}/"),
        format!("http://0177.0.0x0.1:{port}/"),
        format!("http://[::127.0.0.1]:{port}/"),
        format!("http://[64:ff9b::127.0.0.1]:{port}/"),
        format!("http://[64:ff9b::8.8.8.8]:{port}/"),
        format!("http://[2002:7f00:1::]:{port}/"),
        format!("http:\\\\127.0.0.1:{port}\\"),
        format!("ht\ntp://127.0.0.1\t:{port}/"),
        format!("http:127.0.0.1:{port}"),
        format!("http://@127.0.0.1:{port}/"),
        format!("http://LOCALHOST:{port}/"),
        "http://127.0.0.1:0/".to_owned(),
        "http://8.8.8.8:0/".to_owned(),
        "http://127.0.0.1/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fe80::1]/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "http://8.8.8.8:25/".to_owned(),
    ] {
        let got = fetcher.fetch(&crl(url.as_str())).await;
        assert!(
            matches!(got, Err(FetchError::NotAllowed(_))),
            "{url}: {got:?}"
        );
    }
    for url in [
        format!("ldap://127.0.0.1:{port}/cn=x?certificateRevocationList"),
        format!("ftp://127.0.0.1:{port}/"),
        format!("gopher://127.0.0.1:{port}/"),
        "file:///etc/passwd".to_owned(),
        "data:text/plain,x".to_owned(),
        format!("http://user@127.0.0.1:{port}/"),
        format!("http://user:word@127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/"),
        "http://".to_owned(),
        format!("http://[fe80::1%25lo]:{port}/"),
        format!("http://[fe80::1%lo]:{port}/"),
        format!("http://127.0.0.1%00:{port}/"),
        format!("http://127.0.0.256:{port}/"),
        "http://127.0.0.1:65536/".to_owned(),
        "http://127.0.0.1:-1/".to_owned(),
        format!("ws://127.0.0.1:{port}/"),
        format!("http+unix://127.0.0.1:{port}/"),
        String::new(),
        format!("http://127.0.0.1/{}", "a".repeat(FETCH_URL_OCTETS)),
    ] {
        let got = fetcher.fetch(&crl(url.as_str())).await;
        assert!(matches!(got, Err(FetchError::Url(_))), "{url}: {got:?}");
    }
    // Allowed is what is named, and no other port.
    let other = super::tests::fetcher(&["127.0.0.0/8:9"]);
    let got = other.fetch(&crl(server.url("/"))).await;
    assert!(matches!(got, Err(FetchError::NotAllowed(_))));
    assert_eq!(server.seen(), 0);
}

fn to(location: &str) -> Does {
    Does::Says(format!(
        "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    ))
}

#[tokio::test]
async fn x7_redirects_are_judged_like_the_first_place() {
    let forbidden = Server::start(|_, _| Does::Says(ok("secret"))).await;
    let port = forbidden.at.port();
    let server = Server::start(
        move |request, at| match request.split(' ').nth(1).unwrap() {
            "/0" => Does::Says(ok("good")),
            "/1" => to("/0"),
            "/2" => to("1"),
            "/3" => to(&format!("http://{at}/2")),
            "/4" => to("/3"),
            "/round" => to("/round"),
            "/loopback" => to(&format!("http://127.0.0.1:{port}/")),
            "/name" => to(&format!("http://localhost:{port}/")),
            "/file" => to("file:///etc/passwd"),
            "/user" => to("http://user@127.0.0.1/"),
            "/other" => Does::Says("HTTP/1.1 303 See Other\r\nLocation: /0\r\n\r\n".to_owned()),
            "/nowhere" => Does::Says("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_owned()),
            _ => Does::Says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()),
        },
    )
    .await;
    let fetcher = fetcher(&[&format!("127.0.0.1:{}", server.at.port())]);
    let allowed = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for (path, expected) in [
        ("/3", Ok(b"good".to_vec())),
        ("/4", Err(FetchError::Redirects)),
        ("/round", Err(FetchError::Redirects)),
        ("/loopback", Err(FetchError::NotAllowed(allowed(port)))),
        ("/name", Err(FetchError::NotAllowed(allowed(port)))),
        ("/file", Err(FetchError::Url(Said::UrlNotWeb {}))),
        ("/user", Err(FetchError::Url(Said::UrlUser {}))),
        ("/other", Err(FetchError::Status(303))),
        ("/nowhere", Err(FetchError::Status(302))),
        ("/missing", Err(FetchError::Status(404))),
    ] {
        let got = fetcher.fetch(&crl(server.url(path))).await;
        assert_eq!(got, expected, "{path}");
    }
    assert_eq!(forbidden.seen(), 0);
    let down = redirected(
        &Url::parse("https://a.example/").unwrap(),
        "http://a.example/",
    );
    assert!(matches!(down, Err(FetchError::Url(_))));
}

#[tokio::test]
async fn x7_large_and_endless_answers() {
    let fetcher = fetcher(&["127.0.0.0/8"]);
    let most = "0".repeat(FETCH_OCTETS);
    let server = Server::start(move |_, _| Does::Says(ok(&most))).await;
    let got = fetcher.fetch(&crl(server.url("/"))).await;
    assert_eq!(got.map(|octets| octets.len()), Ok(FETCH_OCTETS));
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let server = Server::start(move |_, _| Does::Pours(head.to_owned())).await;
        let got = fetcher.fetch(&crl(server.url("/"))).await;
        assert_eq!(got, Err(FetchError::TooLarge), "{head}");
    }
    // A header without end, and no HTTP at all.
    for head in ["HTTP/1.1 200 OK\r\nX: ", "220 mail.example ESMTP\r\n"] {
        let server = Server::start(move |_, _| Does::Pours(head.to_owned())).await;
        let got = fetcher.fetch(&crl(server.url("/"))).await;
        assert!(matches!(got, Err(FetchError::Connection(_))), "{got:?}");
    }
}

#[tokio::test]
async fn x7_slow_answers_end_in_time() {
    let mut fetcher = fetcher(&["127.0.0.0/8"]);
    fetcher.wait = Duration::from_millis(1500);
    for head in [
        "HTTP/1.1 200 ",
        "HTTP/1.1 200 OK\r\nX: ",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    ] {
        let server = Server::start(move |_, _| Does::Drips(head.to_owned())).await;
        let began = std::time::Instant::now();
        let got = fetcher.fetch(&crl(server.url("/"))).await;
        assert_eq!(got, Err(FetchError::TooSlow), "{head}");
        assert!(began.elapsed() < 2 * fetcher.wait);
    }
}

#[tokio::test]
async fn x7_a_host_that_is_away_is_left_alone_for_a_while() {
    let mut fetcher = fetcher(&["127.0.0.0/8"]);
    fetcher.wait = Duration::from_millis(300);
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let server = Server::start(move |request, _| match request.split(' ').nth(1) {
        Some("/slow") => Does::Drips(head.to_owned()),
        Some("/good") => Does::Says(ok("good")),
        _ => Does::Says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()),
    })
    .await;
    let ask = |path| {
        let question = crl(server.url(path));
        let fetcher = &fetcher;
        async move { fetcher.fetch(&question).await }
    };
    // What is missing says nothing about the rest.
    assert_eq!(ask("/missing").await, Err(FetchError::Status(404)));
    assert_eq!(ask("/good").await, Ok(b"good".to_vec()));
    assert_eq!(ask("/slow").await, Err(FetchError::TooSlow));
    assert_eq!(ask("/good").await, Err(FetchError::Away));
    assert_eq!(server.seen(), 3);
    let past = Instant::now();
    fetcher.with_host(&server.at.to_string(), |host| host.away_until = Some(past));
    assert_eq!(fetcher.hosts.lock().unwrap().len(), 1);
    assert_eq!(ask("/good").await, Ok(b"good".to_vec()));
}

/// Row X7: what is no body is bounded like one.
#[tokio::test]
async fn x7_what_a_server_sends_beside_the_body() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let many = "X: y\r\n".repeat(1000);
    let table = [
        // The length of a chunk, its extension, and what follows the last: without end.
        (Does::Pours(head.to_owned()), None),
        (Does::Pours(format!("{head}1;x=")), None),
        (Does::Pours(format!("{head}0\r\nX: ")), None),
        (
            Does::Repeats("HTTP/1.1 100 Continue\r\n\r\n".to_owned()),
            None,
        ),
        (Does::Says(format!("HTTP/1.1 200 OK\r\n{many}\r\n")), None),
        (Does::Says(format!("{head}0\r\n{many}\r\n")), None),
        (
            Does::Says(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(),
            ),
            None,
        ),
        (
            Does::Says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab".to_owned()),
            None,
        ),
        (
            Does::Says(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
                    .to_owned(),
            ),
            None,
        ),
        // Nothing is unpacked.
        (
            Does::Says(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x08"
                    .to_owned(),
            ),
            Some(b"\x1f\x08".to_vec()),
        ),
        // What is sent beyond the answer is not read as another one.
        (
            Does::Says(ok("good") + &ok("other")),
            Some(b"good".to_vec()),
        ),
    ];
    let mut fetcher = fetcher(&["127.0.0.0/8"]);
    fetcher.wait = Duration::from_secs(60);
    for (number, (does, expected)) in table.into_iter().enumerate() {
        let server = Server::start(move |_, _| does.clone()).await;
        let got = fetcher.fetch(&crl(server.url("/"))).await;
        match expected {
            Some(body) => assert_eq!(got, Ok(body), "{number}"),
            None => {
                let refused = matches!(
                    got,
                    Err(FetchError::Connection(_) | FetchError::Status(101) | FetchError::TooLarge)
                );
                assert!(refused, "{number}: {got:?}");
            }
        }
        assert_eq!(server.seen(), 1);
    }
}

#[test]
fn what_counts_as_one_host() {
    let known = |text: &str| host_of(&target(text).unwrap());
    for (one, other, same) in [
        ("http://a.example/x", "http://A.example:80/y", true),
        ("http://a.example/", "http://a.example./", true),
        ("http://a.example/", "https://a.example/", false),
        ("http://a.example/", "http://b.example/", false),
        ("http://127.0.0.1/", "http://0x7f.1/", true),
    ] {
        assert_eq!(known(one) == known(other), same, "{one} {other}");
    }
}

#[tokio::test]
async fn x7_few_at_a_time() {
    let server = Server::start(|_, _| Does::Drips("HTTP/1.1 200 OK\r\n\r\n".to_owned())).await;
    let fetcher = Arc::new(fetcher(&["127.0.0.0/8"]));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..FETCHES_WAITING_PER_HOST {
        let (fetcher, url) = (Arc::clone(&fetcher), server.url(&format!("/{number}")));
        tasks.spawn(async move { fetcher.fetch(&crl(url)).await });
    }
    while server.seen() < FETCHES_PER_HOST {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let one_more = fetcher.fetch(&crl(server.url("/more"))).await;
    assert_eq!(one_more, Err(FetchError::Busy));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.seen(), FETCHES_PER_HOST);
    tasks.shutdown().await;
    // Other hosts have their own places, and the same one again when nobody waits any more.
    let question = crl(server.url("/again"));
    let again = fetcher.fetch(&question);
    assert!(timeout(Duration::from_millis(200), again).await.is_err());
    assert_eq!(server.seen(), FETCHES_PER_HOST + 1);
    let other = Server::start(|_, _| Does::Says(ok("good"))).await;
    assert!(fetcher.fetch(&crl(other.url("/"))).await.is_ok());
}
