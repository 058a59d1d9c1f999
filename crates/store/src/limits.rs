//! Every size, count and wait of the store, each with its reason.

use std::time::Duration;

/// Octets of one sealed chunk of content: few rows for a large mail, little memory for many sessions (design.md section 3).
pub const CHUNK_OCTETS: usize = 256 * 1024;
/// Chunks of one content handed to the writer and not yet answered; more would only grow memory.
pub const CHUNKS_IN_FLIGHT: usize = 2;
/// Most jobs committed in one transaction: enough for every session of a busy gateway, and a failed commit
/// stays small.
pub const JOBS_PER_COMMIT: usize = 128;
/// Most octets of content written in one transaction, so that a commit never keeps others waiting for long.
pub const OCTETS_PER_COMMIT: usize = 16 * 1024 * 1024;
/// How long a writer waits for another process that holds the database; below the ten seconds after which a
/// sending client must have its answer (security.md row R7).
pub const BUSY_WAIT: Duration = Duration::from_secs(5);
/// How often a process looks whether another one has finished opening the same data directory, which takes milliseconds.
pub const OPENING_POLL: Duration = Duration::from_millis(5);
/// Connections that read: one for each of two processors and a few for readers that wait for a peer.
pub const READERS: u32 = 6;
/// How long a read waits for a free reading connection; longer than any single read takes.
pub const READER_WAIT: Duration = Duration::from_secs(10);
/// Seconds after which unreferenced content is swept while serving: longer than any session or worker needs
/// between writing and accepting.
pub const UNREFERENCED_SECONDS: i64 = 6 * 3_600;
/// Rows that one sweep deletes in one transaction, so that sessions never wait long for it.
pub const SWEEP_ROWS: i64 = 500;
/// Seconds after its last sign of life for which a serving process counts as alive.
pub const NODE_SILENT_SECONDS: i64 = 10;
/// Private keys kept unsealed and parsed for the next mail; parsing an RSA key costs as much as using it.
pub const KEYS_IN_MEMORY: usize = 1_024;
/// Longest Message-ID kept, in octets: longer ones exist only to do harm (RFC 5322 section 2.1.1 allows a line of 998).
pub const MESSAGE_ID_OCTETS: usize = 998;
/// Most rows of one page of any list; a larger page is cut.
pub const PAGE_ROWS: u32 = 10_000;
/// Lists and answers about revocation kept at most, with the failures to get one: one for each correspondent heard of lately.
pub const EVIDENCE_ROWS: i64 = 20_000;
/// Octets of lists and answers kept at most: the lists of all public authorities for mail have less than 100 MB.
pub const EVIDENCE_OCTETS: i64 = 256 * 1024 * 1024;
/// Issuers' certificates kept for one organisation: public authorities for mail use some hundred.
pub const ISSUERS: i64 = 2_000;
/// Issuers' certificates of one name that a path is looked for through; authorities renew and cross-sign a few times.
pub const ISSUERS_OF_ONE_NAME: usize = 4;
/// Correspondents' keys whose end is looked at in one transaction, so that sessions never wait long for it.
pub const EXPIRIES_AT_ONCE: i64 = 100;
/// Mailboxes whose certificate ends that are looked after in one transaction, so that sessions never wait long for it.
pub const LOOK_AHEAD_ROWS: i64 = 100;
/// Sessions with one token: more than its processors answer at once would only wait on the token instead of here.
pub const TOKEN_SESSIONS: usize = 8;
/// How long a use of a token waits for a free session: longer than any operation takes, shorter than a sending client waits.
pub const TOKEN_WAIT: Duration = Duration::from_secs(10);
/// How long a token's library is left alone after it was started, before it is started again to see a token that came back:
/// this ends the sessions of all its tokens.
pub const TOKEN_RESTART: Duration = Duration::from_secs(2);
/// Keys of one token whose places are remembered.
pub const TOKEN_HANDLES: usize = 10_000;
/// Sealed rows sealed anew in one transaction of a rotation, so that it moves on in steps that a kill cannot hurt.
pub const ROTATION_ROWS: i64 = 100;
/// Seconds after the beginning of a rotation in which former data keys stay: a command that began before it may still seal
/// with them, and none runs for a day.
pub const FORMER_DATA_KEY_SECONDS: i64 = 24 * 3600;
/// Directories of one organisation: each is asked for each recipient whose key is not known.
pub const DIRECTORIES: i64 = 10;
