//! Every size, count, depth and time limit of this crate, each with its reason.

use std::time::Duration;

/// Longest wait for one DNS answer, retries included: a name server that takes longer is as good as away.
pub const DNS_WAIT: Duration = Duration::from_secs(20);
/// Wait for one DNS packet before it is sent again.
pub const DNS_TRY: Duration = Duration::from_secs(5);
/// DNS answers kept in memory: a few hundred octets each.
pub const DNS_CACHE_ENTRIES: u64 = 8192;
/// Most mail exchangers of one domain that are tried; large providers name about five.
pub const MX_HOSTS: usize = 20;
/// Most addresses of one host that are tried in one attempt.
pub const HOST_ADDRESSES: usize = 8;
/// Wait for a TCP connection to a mail server: kernels try for two minutes, a reachable server answers in one second.
pub const CONNECT_WAIT: Duration = Duration::from_secs(30);
/// Wait for the greeting of a mail server (RFC 5321 section 4.5.3.2.1).
pub const GREETING_WAIT: Duration = Duration::from_secs(5 * 60);
/// Wait for a TLS handshake with a mail server, and for its replies to EHLO, STARTTLS, AUTH and RSET, for which
/// RFC 5321 names no time: no server has work to do there.
pub const HELLO_WAIT: Duration = Duration::from_secs(2 * 60);
/// Wait for the reply to MAIL (RFC 5321 section 4.5.3.2.2).
pub const MAIL_WAIT: Duration = Duration::from_secs(5 * 60);
/// Wait for the reply to RCPT (RFC 5321 section 4.5.3.2.3).
pub const RCPT_WAIT: Duration = Duration::from_secs(5 * 60);
/// Wait for the reply to DATA (RFC 5321 section 4.5.3.2.4).
pub const DATA_WAIT: Duration = Duration::from_secs(2 * 60);
/// Wait for one block to be taken off us (RFC 5321 section 4.5.3.2.5).
pub const BLOCK_WAIT: Duration = Duration::from_secs(3 * 60);
/// Wait for the reply to the final dot (RFC 5321 section 4.5.3.2.6).
pub const END_OF_DATA_WAIT: Duration = Duration::from_secs(10 * 60);
/// Wait for the reply to QUIT: nothing depends on it.
pub const QUIT_WAIT: Duration = Duration::from_secs(5);
/// Longest time for one mail on one connection, so that a peer that takes an octet a minute does not keep its place:
/// a mail of 150 MB at 200 kbit/s.
pub const HAND_OVER_WAIT: Duration = Duration::from_secs(2 * 3600);
/// Longest time for asking a next hop about a recipient while our own client waits for the reply to its RCPT.
pub const PROBE_WAIT: Duration = Duration::from_secs(20);
/// Octets read from a peer at once: replies are short.
pub const REPLY_READ_OCTETS: usize = 4096;
/// Octets of content read, and written to a peer, at once.
pub const CONTENT_CHUNK_OCTETS: usize = 64 * 1024;
/// Chunks of content read ahead of a slow peer: one on its way and one ready.
pub const CONTENT_CHUNKS_AHEAD: usize = 2;
/// Most connections made in one attempt to hand over a copy, over all hosts and addresses.
pub const CONNECTIONS_PER_ATTEMPT: usize = 10;
/// Most connections kept open without a mail, over all next hops: file descriptors.
pub const IDLE_CONNECTIONS: usize = 100;
/// Most connections kept open without a mail for one next hop.
pub const IDLE_CONNECTIONS_PER_HOP: usize = 8;
/// How long a connection is kept open without a mail; servers close theirs after some minutes.
pub const IDLE_TIME: Duration = Duration::from_secs(15);
/// Most mails on one connection: some servers refuse more than 100.
pub const MAILS_PER_CONNECTION: usize = 100;
/// Wait for the next command of a client, until it is whole (RFC 5321 section 4.5.3.2.7).
pub const COMMAND_WAIT: Duration = Duration::from_secs(5 * 60);
/// Wait for the next octets of a client's content (RFC 5321 section 4.5.3.2.5).
pub const CHUNK_WAIT: Duration = Duration::from_secs(3 * 60);
/// Wait for a client to take our replies: it has nothing else to do.
pub const REPLY_WAIT: Duration = Duration::from_secs(60);
/// Wait for a client's TLS handshake: two round trips.
pub const HANDSHAKE_WAIT: Duration = Duration::from_secs(30);
/// Longest time from MAIL to the end of data: 150 MB at 1 Mbit/s take 20 minutes.
pub const TRANSACTION_WAIT: Duration = Duration::from_secs(30 * 60);
/// Longest session of a client: room for several such mails, and an end for those that only keep a place.
pub const SESSION_WAIT: Duration = Duration::from_secs(2 * 3600);
/// How long a stop waits for mails on their way in: service managers kill after 90 seconds.
pub const STOP_WAIT: Duration = Duration::from_secs(30);
/// Most sessions of one listener at a time: below the usual limit of open files, 64 KiB each.
pub const SESSIONS: usize = 1000;
/// Most sessions from one address, or IPv6 network of 64 bits: a busy mail server opens a hundred.
pub const SESSIONS_PER_ADDRESS: usize = 250;
/// Octets read from a client at once.
pub const CLIENT_READ_OCTETS: usize = 32 * 1024;
/// After the last reply: how long and how much of what the client still sends is read and dropped, so that the reply
/// is not lost in a reset of the connection.
pub const LINGER_WAIT: Duration = Duration::from_secs(5);
/// The octets of [`LINGER_WAIT`]: more than a client has on its way when it reads the reply.
pub const LINGER_OCTETS: usize = 4 * 1024 * 1024;
/// Pause after a connection could not be accepted (no more file descriptors).
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Longest time for SPF and DKIM of one mail: their name servers are the sender's, and may be slow on purpose.
pub const AUTHENTICITY_WAIT: Duration = Duration::from_secs(15);
/// Largest mail whose DKIM signatures are judged: it must lie in memory whole.
pub const DKIM_OCTETS: usize = 10 * 1024 * 1024;
/// Most DKIM signatures of one mail; real mail has up to three, each costs a name and a public-key operation.
pub const DKIM_SIGNATURES: usize = 8;

/// Longest time for one list or answer about revocation, from the first name to the last octet: a server that sends one
/// octet a second is as good as away.
pub const FETCH_WAIT: Duration = Duration::from_secs(10);
/// Largest list or answer about revocation, in octets: the largest lists of public authorities have some megabytes.
pub const FETCH_OCTETS: usize = 10 * 1024 * 1024;
/// Most octets read from one connection for a list or an answer: an eighth more than the largest for headers, chunks and
/// TLS. What a server sends beside the body counts here.
pub const FETCH_RECEIVED_OCTETS: usize = FETCH_OCTETS + FETCH_OCTETS / 8;
/// Largest header block of an HTTP response, in octets; real ones have less than one kilobyte.
pub const FETCH_HEADER_OCTETS: usize = 16 * 1024;
/// Most redirects followed for one question: one from http to https, one to another host, one to spare.
pub const FETCH_REDIRECTS: usize = 3;
/// Longest URL that is followed, in octets: those of authorities have about a hundred.
pub const FETCH_URL_OCTETS: usize = 2048;
/// Fetches under way at the same time: each may hold [`FETCH_OCTETS`] of memory.
pub const FETCHES: usize = 8;
/// Fetches under way from one host at the same time, so that a slow one does not take all places.
pub const FETCHES_PER_HOST: usize = 2;
/// Fetches that wait for a place of one host: more would only keep places from other hosts.
pub const FETCHES_WAITING_PER_HOST: usize = 16;
/// How long a host that did not answer is left alone, so that its questions do not keep every mail waiting.
pub const FETCH_HOST_AWAY: Duration = Duration::from_secs(60);
/// Fetches that wait for their place; what comes then is asked again with a later mail.
pub const FETCHES_WAITING: usize = 64;

/// Validity of the built-in root in seconds: twenty years, as roots of public authorities have.
pub const ROOT_VALIDITY: i64 = 20 * 365 * 86_400;
/// Validity of the built-in issuing CA in seconds: ten years, so that it is replaced well before the root.
pub const ISSUING_VALIDITY: i64 = 10 * 365 * 86_400;
/// Validity of a mailbox certificate in seconds: one year (S45).
pub const MAILBOX_VALIDITY: i64 = 365 * 86_400;
/// How far before now a certificate becomes valid, in seconds: a correspondent's clock may be an hour slow.
pub const CERTIFICATE_BACKDATING: i64 = 3600;
/// Random octets of a serial number; RFC 5280 section 4.1.2.2 allows 20, and 16 make a guess impossible.
pub const SERIAL_OCTETS: usize = 18;
/// Longest common name in characters (RFC 5280 appendix A.1, ub-common-name).
pub const COMMON_NAME_CHARS: usize = 64;
/// Shortest RSA key certified for a mailbox, in bits (RFC 8550 section 4.3).
pub const MAILBOX_RSA_BITS: u32 = 2048;
