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
/// Validity of a responder's certificate in seconds: a week, since it cannot be revoked (RFC 6960 section 4.2.2.2.1).
pub const RESPONDER_VALIDITY: i64 = 7 * 86_400;
/// Age in seconds at which a responder's certificate is replaced: its answers, which count for half a day, end before it does.
pub const RESPONDER_RENEWED: i64 = 5 * 86_400;
/// How far before now a certificate becomes valid, in seconds: a correspondent's clock may be an hour slow.
pub const CERTIFICATE_BACKDATING: i64 = 3600;
/// Random octets of a serial number; RFC 5280 section 4.1.2.2 allows 20, and 16 make a guess impossible.
pub const SERIAL_OCTETS: usize = 18;
/// Longest common name in characters (RFC 5280 appendix A.1, ub-common-name).
pub const COMMON_NAME_CHARS: usize = 64;
/// Shortest RSA key certified for a mailbox, in bits (RFC 8550 section 4.3).
pub const MAILBOX_RSA_BITS: u32 = 2048;
/// Longest line of the field list of a DKIM signature, in columns (RFC 5322 section 2.1.1).
pub const DKIM_LINE_COLUMNS: usize = 76;
/// Most MX records of one domain whose hosts are compared with our own addresses: nobody repairs more at once.
pub const COMPARED_HOSTS: usize = 5;
/// Most labels of a domain below which CAA records are looked for: a name has at most 127, real ones up to six.
pub const CAA_LABELS: usize = 20;

/// Longest time for one question to a directory, from its name to the last entry: a sending client waits for it, and is told
/// after five seconds.
pub const LDAP_WAIT: Duration = Duration::from_secs(4);
/// Most entries of a directory for one address: a person has one, some directories keep a copy or two.
pub const LDAP_ENTRIES: usize = 20;
/// Most certificates of all those entries.
pub const LDAP_CERTIFICATES: usize = 50;
/// Largest message of a directory, in octets: one entry with a dozen certificates and a photograph that nobody asked for.
pub const LDAP_MESSAGE_OCTETS: usize = 256 * 1024;
/// Most octets of all messages of one question.
pub const LDAP_OCTETS: usize = 1024 * 1024;
/// Most messages of one question: entries, references to other servers, which are not followed, and the end.
pub const LDAP_MESSAGES: usize = 100;
/// Addresses of a directory's name that are tried for one question: the time is short.
pub const LDAP_ADDRESSES: usize = 2;
/// Most SMIMEA records of one name that are looked at.
pub const SMIMEA_RECORDS: usize = 20;
/// Most aliases (CNAME) that are followed to them; the resolver itself follows as many.
pub const SMIMEA_ALIASES: usize = 8;

/// Longest time that an external command may be given for one verb, in seconds: an hour; what takes longer says "not yet".
pub const COMMAND_LONGEST: i64 = 3_600;
/// Octets of standard output of an external command: a chain of four certificates has less than 16 KiB.
pub const COMMAND_OUTPUT: usize = 256 * 1024;
/// Octets kept of what an external command complains; its last line is shown.
pub const COMMAND_COMPLAINT: usize = 64 * 1024;
/// Longest line of a complaint that is shown, in characters.
pub const COMMAND_LINE_CHARS: usize = 300;
/// How long output is waited for after an external command has ended: whoever still holds it is a process left behind.
pub const COMMAND_LINGER: Duration = Duration::from_secs(1);
/// Seconds until an external command that said "not yet" is asked again, unless it said when.
pub const COMMAND_AGAIN: i64 = 300;
/// The soonest and the latest that an external command may ask to be asked again, in seconds: one that is asked all the
/// time keeps others waiting, and after a week the order is looked at anyway.
pub const COMMAND_AGAIN_RANGE: (i64, i64) = (10, 7 * 86_400);
/// Longest note of an external command about an order, in characters: a number or a URL.
pub const COMMAND_HANDLE_CHARS: usize = 1_024;
/// Seconds until an order that an administrator carries by hand is looked at again: nothing happens but by a verb of his.
pub const BY_HAND_AGAIN: i64 = 86_400;
/// Longest wait for one answer of an ACME server: some validate a challenge before they answer.
pub const ACME_WAIT: Duration = Duration::from_secs(60);
/// Longest time for one verb at an ACME server, which is up to eight questions: two verbs take less than the lease of an order.
pub const ACME_VERB_WAIT: Duration = Duration::from_secs(120);
/// Largest answer of an ACME server, in octets: a chain has less than 20 kilobytes.
pub const ACME_OCTETS: usize = 256 * 1024;
/// Most octets read from one connection to an ACME server: with room for TLS and headers.
pub const ACME_RECEIVED_OCTETS: usize = 2 * ACME_OCTETS;
/// How often a request is sent again with a fresh nonce (RFC 8555 section 6.5): one is usual, a third is no accident.
pub const ACME_NONCES: usize = 3;
/// Most certificates of a chain that is taken.
pub const ACME_CHAIN: usize = 8;
/// Longest text of an ACME server that is shown, in characters: a line or two.
pub const ACME_TEXT_CHARS: usize = 400;
/// Seconds until an order at an ACME server is looked at again while the server works.
pub const ACME_POLL: i64 = 5;
/// Seconds until an order is looked at again whose challenge is valid: it is ready then, or in a moment.
pub const ACME_VALID_POLL: i64 = 1;
/// Seconds until an order is looked at again that waits for mail: the challenge, or the delivery of its answer, which makes
/// the order due at once.
pub const ACME_MAIL_POLL: i64 = 60;

/// Longest local part that is certified, in octets: RFC 5321 section 4.5.3.1.1, and readers of certificates keep to it.
pub const CERTIFIED_LOCAL_PART: usize = 64;
/// Seconds a list of the built-in CA counts: a week, so that a server that is away for some days stops nobody.
pub const LIST_VALIDITY: i64 = 7 * 86_400;
/// Seconds by which a list says it is older than it is, for readers whose clock is slow.
pub const LIST_BACKDATING: i64 = 300;
/// Age in seconds at which a list is made anew though nothing was revoked: daily, as public authorities do.
pub const LIST_REMADE: i64 = 86_400;
/// Seconds between two looks for something revoked: whoever asks again at once costs nothing, and two seconds are promised.
pub const LIST_LOOKED_AFTER: i64 = 1;
/// Seconds for which an expired certificate stays on the list: at least one list made after its end must name it (RFC 5280
/// section 3.3), and a day lies between two lists.
pub const LIST_KEEPS_EXPIRED: i64 = 2 * LIST_REMADE;
/// Seconds an OCSP answer counts: half a day; the CA/Browser Forum's S/MIME Baseline Requirements ask for at least eight hours.
pub const ANSWER_VALIDITY: i64 = 12 * 3_600;
/// Seconds for which caches may keep an answer or a list: a revocation is to be seen soon, and a repeated question is common.
pub const PUBLISH_MAX_AGE: i64 = 300;
/// Reads of the register at the same time for OCSP: the other connections of the store's readers are for mail.
pub const REGISTER_READS: usize = 2;
/// Most certificates asked about in one OCSP request: a mail's path has three or four.
pub const OCSP_SINGLE_REQUESTS: usize = 16;
/// Most octets of a serial number asked about: RFC 5280 section 4.1.2.2 allows 20 and a sign.
pub const OCSP_SERIAL_OCTETS: usize = 21;
/// Most octets of a nonce (RFC 9654 section 2.1).
pub const NONCE_OCTETS: usize = 128;
/// Largest OCSP request in octets: one with the most certificates has less than two kilobytes.
pub const OCSP_REQUEST_OCTETS: usize = 8 * 1024;
/// Largest header block of a request to a web server, in octets: a GET carries a whole OCSP request in its first line.
pub const WEB_HEADER_OCTETS: usize = 16 * 1024;
/// Most header fields of such a request; browsers send about twenty.
pub const WEB_HEADERS: usize = 50;
/// Wait for the whole header block of a request, and for the next request on a connection.
pub const PUBLISH_HEADER_WAIT: Duration = Duration::from_secs(10);
/// Wait for the whole body of a request: it is one packet.
pub const PUBLISH_BODY_WAIT: Duration = Duration::from_secs(10);
/// Longest connection to the publishing server: a list of a million entries takes that long at 10 Mbit/s.
pub const PUBLISH_CONNECTION_WAIT: Duration = Duration::from_secs(60);
/// Most connections to the publishing server at the same time: each holds some 20 KiB, and mail needs file descriptors too.
pub const PUBLISH_CONNECTIONS: usize = 200;
/// Most of them from one address, or IPv6 network of 64 bits: half, since a proxy may stand in front.
pub const PUBLISH_CONNECTIONS_PER_ADDRESS: usize = 100;
/// How long a stop waits for connections under way: an answer takes milliseconds.
pub const WEB_STOP_WAIT: Duration = Duration::from_secs(5);
/// How long whoever asked a web server may take no octet of the answer: a telephone in a tunnel comes back within a minute, and
/// what is kept for a reader that never does must not stay.
pub const WEB_STALL_WAIT: Duration = Duration::from_secs(60);
/// Most connections to the portal at the same time: browsers keep up to six each, and live views stay open.
pub const PORTAL_CONNECTIONS: usize = 500;
/// Most of them from one address, or IPv6 network of 64 bits: half, since a proxy or a whole office may stand in front.
pub const PORTAL_CONNECTIONS_PER_ADDRESS: usize = 250;
/// Wait for the whole header block of a request to the portal, and for the next request on a connection.
pub const PORTAL_HEADER_WAIT: Duration = Duration::from_secs(30);
/// Longest connection to the portal: a live view is opened anew by the browser after that.
pub const PORTAL_CONNECTION_WAIT: Duration = Duration::from_secs(3_600);
/// Octets of the answer to a webhook that are read: it is not looked at.
pub const WEBHOOK_OCTETS: usize = 64 * 1024;
/// The same with header and transport.
pub const WEBHOOK_RECEIVED_OCTETS: usize = 128 * 1024;
/// How long the answer to a webhook may take: what the specification recommends, 15 to 30 seconds.
pub const WEBHOOK_WAIT: Duration = Duration::from_secs(15);

/// Characters of what an operating system, TLS or a name server reports that are told: one line for a person.
pub const REPORTED_CHARS: usize = 300;
