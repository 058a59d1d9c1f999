//! Every size, count and wait of the portal, with its reason.

use std::time::Duration;

use crate::streaming::Most;

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
/// Wrong second factors of one account without a right one between them, after which the waits grow.
pub const TRIES_IN_A_ROW: u32 = 20;
/// The first of these waits in seconds; the next ones are twice as long.
pub const GROWING_WAIT_SECONDS: i64 = 60;
/// The longest of them: with six digits, of which three count at a time, somebody who has the password needs six years for an even
/// chance; and whoever the account belongs to waits a quarter of an hour at most.
pub const GROWING_WAIT_SECONDS_MOST: i64 = 900;
/// Seconds after which the lock of an account is told again: an attack shows, and does not fill the audit log.
pub const LOCK_TOLD_SECONDS: i64 = 3_600;
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
/// How often new lines of the mail overview are looked for: a mail is told of within two seconds.
pub const LIVE_POLL: Duration = Duration::from_secs(1);
/// Lines that are looked at each time; what comes faster cannot be read.
pub const LIVE_LINES: u32 = 50;
/// How often it is checked that whoever reads an answer that takes long still may.
pub const STREAM_CHECK: Duration = Duration::from_secs(3);
/// Longest life of a stream. A browser opens the next one by itself.
pub const LIVE_LONGEST: Duration = Duration::from_secs(600);
/// How far back, in seconds, lines are told of when they change: mail that is older is not watched line by line.
pub const LIVE_BACK_SECONDS: i64 = 3_600;
/// Live views: each is a question a second. One user has a window for each of a few filters, an organisation some people who look.
pub const LIVE_STREAMS: Most = Most {
    of_all: 100,
    of_organisation: 20,
    of_one: 6,
};
/// Pause after which a stream says that it is alive, so that nobody on the way closes it.
pub const LIVE_ALIVE: Duration = Duration::from_secs(15);
/// Lines of a list of mailboxes: those of a large company; more come in several lists.
pub const IMPORT_LINES: usize = 50_000;
/// Lines of such a list that are shown with the reason why they cannot be taken: what somebody reads.
pub const REFUSED_LINES: usize = 200;
/// Octets of a downloaded mail that are read and sent at once: a chunk of stored content, so that each is opened once or twice.
pub const DOWNLOAD_OCTETS: usize = 256 * 1024;
/// Blocks of a download that wait for a slow reader.
pub const DOWNLOAD_AHEAD: usize = 1;
/// Pages of a table that wait for a slow reader.
pub const EXPORT_AHEAD: usize = 2;
/// Seconds for a sign-in with another server, until the browser comes back; and for which what that server publishes is kept.
pub const FOREIGN_SECONDS: i64 = 600;
/// Sign-ins with another server under way at the same time: each has a few hundred octets.
pub const FOREIGN_WAITING: usize = 10_000;
/// Of these, begun by one network and not finished: a large office behind one address has fewer.
pub const FOREIGN_BEGUN: usize = 50;
/// Octets of the page to go to after signing in: addresses of ours with all their filters are shorter.
pub const NEXT_OCTETS: usize = 1_024;
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
/// Downloads of mails and tables at the same time: each keeps about a MiB.
pub const DOWNLOADS: Most = Most {
    of_all: 40,
    of_organisation: 10,
    of_one: 4,
};
/// Seconds for which a browser keeps a file of the pages whose address names its content: a year, as good as for ever.
pub const STATIC_AGE: u32 = 31_536_000;
/// Seconds for which it keeps one whose address does not name this content.
pub const STATIC_AGE_UNNAMED: u32 = 300;
/// Seconds for which a browser that has found the portal by TLS comes by nothing else (RFC 6797): a year, as is usual.
pub const ONLY_BY_TLS: u32 = 31_536_000;
/// Octets of a content's digest in its address: nobody tries to make two contents alike, 64 bits tell versions apart.
pub const STATIC_VERSION_OCTETS: usize = 8;
/// Characters of a part of an address (before or after its `@`) that fit into a line of a table; a longer part breaks after its dots too.
pub const LONG_PART: usize = 24;
/// Characters of what is told of a JSON body that does not fit: a place and a line of words.
pub const MISFIT_CHARS: usize = 300;
