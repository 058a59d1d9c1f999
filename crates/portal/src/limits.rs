//! Every size, count and wait of the portal, with its reason.

use std::time::Duration;

/// Rows on one page unless asked otherwise: what is read without paging, on a screen.
pub const PAGE_ROWS: u32 = 50;
/// Most rows that may be asked for at once; an answer stays below some hundred KiB.
pub const PAGE_ROWS_MOST: u32 = 500;
/// Octets of a form: a rule field has at most 20 entries of 320 octets, a bulk selection 500 addresses.
pub const FORM_OCTETS: usize = 512 * 1024;
/// Octets of a form that anybody may send: names, passwords and codes.
pub const OPEN_FORM_OCTETS: usize = 16 * 1024;
/// Octets of an upload (row W5): a PKCS #12 file, certificates in PEM, or a CSV file of 50,000 mailboxes.
pub const UPLOAD_OCTETS: usize = 5 * 1024 * 1024;
/// Fields in an upload form: none of ours has more than ten.
pub const UPLOAD_FIELDS: usize = 20;
/// Seconds for which a browser keeps the language that was chosen in it: a year, as long as browsers keep anything.
pub const LANGUAGE_SECONDS: u32 = 365 * 86_400;
/// Seconds for one request and its answer, but for those that stay open on purpose. The slowest is an upload with 10 million
/// iterations of a password function.
pub const REQUEST_SECONDS: u64 = 30;

/// Seconds after which a session that is not used ends: a working day with its breaks is one session, the next morning is not.
pub const SESSION_IDLE_SECONDS: i64 = 8 * 3_600;
/// Seconds after which every session ends, also one that a live view keeps in use: whoever was given a role proves daily who they
/// are (NIST SP 800-63B-4 section 2.2.3 has the same for its second level).
pub const SESSION_SECONDS: i64 = 24 * 3_600;
/// Seconds for the second step of a sign-in: to find the telephone, not to leave the desk.
pub const HALF_SESSION_SECONDS: i64 = 600;
/// Seconds between two writes of when a session or token was last used: a write is a commit, and pages are many.
pub const SEEN_SECONDS: i64 = 60;
/// Fewest characters of a password. There is no other rule: length is what helps (NIST SP 800-63B-4 section 3.1.1).
pub const PASSWORD_CHARS: usize = 12;
/// Most octets of a password: whole sentences fit, and hashing stays cheap to begin.
pub const PASSWORD_OCTETS: usize = 1_024;
/// Memory of one password hash in KiB, passes over it, and lanes: 19 MiB, two, one, the least that OWASP's guide names for
/// Argon2id. A sign-in then costs some tens of milliseconds, a guess as much.
pub const ARGON2: (u32, u32, u32) = (19 * 1_024, 2, 1);
/// Passwords hashed at the same time: one for each of two processors; all together take 38 MiB.
pub const PASSWORDS_AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn to be hashed, in seconds; below the wait of a request.
pub const PASSWORD_WAIT_SECONDS: u64 = 10;
/// Failed sign-ins for one account, and from one network, in [`TRIES_SECONDS`] (row W4).
pub const TRIES: usize = 5;
/// Seconds for which a failed sign-in counts.
pub const TRIES_SECONDS: i64 = 300;
/// Wrong second factors of one account in [`SECOND_TRIES_SECONDS`] (row W4).
pub const SECOND_TRIES: usize = 4;
/// Seconds for which a wrong second factor counts.
pub const SECOND_TRIES_SECONDS: i64 = 60;
/// Accounts and networks of which failures are remembered: an attacker would need thousands of networks to fill it.
pub const TRIES_KEPT: usize = 100_000;
/// Octets of secrets in cookies, links and tokens: nobody guesses 256 bits.
pub const SECRET_OCTETS: usize = 32;
/// Octets of the secret of one-time codes (RFC 4226 section 4: 160 bits are recommended).
pub const TOTP_OCTETS: usize = 20;
/// Seconds of one step of one-time codes (RFC 6238 section 5.2).
pub const TOTP_STEP: u64 = 30;
/// Recovery codes made at a time: enough for a lost telephone and some bad days.
pub const RECOVERY_CODES: usize = 10;
/// Octets of a recovery code: 80 bits, since it is kept as a plain hash.
pub const RECOVERY_OCTETS: usize = 10;
/// Seconds for which an invitation is open: a week with a weekend.
pub const INVITATION_SECONDS: i64 = 7 * 86_400;
/// Most days for which an API token is made: a year and a day, so that it can be renewed once a year.
pub const TOKEN_DAYS: u32 = 366;
/// Most characters of the name of a token or reseller.
pub const NAME_CHARS: usize = 100;
/// Characters kept of what a browser calls itself: enough to recognise it.
pub const AGENT_CHARS: usize = 200;
/// Most entries of a list that is shown without paging: sessions of one user, resellers.
pub const LIST_ROWS: usize = 500;
/// Rows of an export: a spreadsheet takes them, and the answer stays at a few MiB.
pub const EXPORT_ROWS: usize = 20_000;
/// How often new lines of the mail overview are looked for: a mail is told of within two seconds.
pub const LIVE_POLL: Duration = Duration::from_secs(1);
/// Lines that are looked at each time; what comes faster cannot be read.
pub const LIVE_LINES: u32 = 50;
/// How often it is checked that whoever reads a stream still may.
pub const LIVE_CHECK: Duration = Duration::from_secs(3);
/// Longest life of a stream. A browser opens the next one by itself.
pub const LIVE_LONGEST: Duration = Duration::from_secs(600);
/// Streams of one user: a window for each of a few filters.
pub const LIVE_STREAMS_OF_ONE: usize = 6;
/// Streams of all users: each is a query a second.
pub const LIVE_STREAMS: usize = 100;
/// Pause after which a stream says that it is alive, so that nobody on the way closes it.
pub const LIVE_ALIVE: Duration = Duration::from_secs(15);
/// Lines of a list of mailboxes: those of a large company; more come in several lists.
pub const IMPORT_LINES: usize = 50_000;
/// Lines of such a list that are shown with the reason why they cannot be taken: what somebody reads.
pub const REFUSED_LINES: usize = 200;
/// Octets of a downloaded mail that are sent at once.
pub const DOWNLOAD_OCTETS: usize = 64 * 1024;
/// Blocks of a download that wait for a slow reader.
pub const DOWNLOAD_AHEAD: usize = 4;
/// Keys that an export asks for at once.
pub const EXPORT_PAGE: u32 = 500;
/// How often an export of keys asks: 10,000 keys are more than anybody looks through, and are read in some seconds.
pub const EXPORT_PAGES: usize = 20;
/// Seconds for a sign-in with another server, until the browser comes back; and for which what that server publishes is kept.
pub const FOREIGN_SECONDS: i64 = 600;
/// Sign-ins with another server under way at the same time: each has a few hundred octets.
pub const FOREIGN_WAITING: usize = 10_000;
/// Seconds between two questions for the keys of that server, however many tokens name an unknown one.
pub const FOREIGN_KEYS_SECONDS: i64 = 60;
/// Seconds by which its clock may be off ours.
pub const FOREIGN_LEEWAY_SECONDS: u64 = 60;
/// Octets of its name for a user (OpenID Connect Core 1.0 section 2: at most 255).
pub const FOREIGN_SUBJECT_OCTETS: usize = 255;
/// Octets of one of its answers: keys and tokens have a few KiB.
pub const FOREIGN_OCTETS: usize = 256 * 1024;
/// Seconds that it may take for one answer: somebody waits.
pub const FOREIGN_WAIT_SECONDS: u64 = 8;
/// Downloads of mails at the same time: each keeps a thread as long as it is read, and mail needs threads too.
pub const DOWNLOADS: usize = 12;
/// Of these, of one user or token.
pub const DOWNLOADS_OF_ONE: usize = 2;
