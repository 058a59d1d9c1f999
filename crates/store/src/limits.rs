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
/// Connections for what people ask: six pages at the same time, apart from those that mail needs.
pub const QUESTIONERS: u32 = 6;
/// How long one question of people may read: every page is meant to be there in a fifth of a second, and nobody waits longer
/// than this for a list.
pub const QUESTION_WAIT: Duration = Duration::from_secs(3);
/// Steps of the database between two looks at the clock: some hundred microseconds.
pub const QUESTION_STEPS: i32 = 4_000;
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
/// Issuers that certificates can be chosen by: an organisation has a handful, its uploads some more.
pub const ISSUER_ROWS: i64 = 100;
/// Directories of one organisation: each is asked for each recipient whose key is not known.
pub const DIRECTORIES: i64 = 10;
/// Characters of a Message-ID that a line is found by: real ones are shorter, and a key of an index should be.
pub const MESSAGE_ID_WORD_CHARS: usize = 200;
/// Addresses that a beginning may stand for in the mail overview: each is a question of its own to the index.
pub const ADDRESSES_OF_ONE_BEGINNING: usize = 50;
/// Lines from which an address is so frequent that rare mail of it is looked for by what it is instead: as many are looked at in
/// some ten milliseconds.
pub const FREQUENT_WORD_LINES: i64 = 10_000;
/// Lines that are looked at for one page of the mail overview, times the words that each is held against: some ten milliseconds.
pub const LINES_LOOKED_AT: usize = 50_000;
/// Fewest lines that one of the questions of a page looks at, so that each page gets on.
pub const LINES_LOOKED_AT_LEAST: usize = 500;
/// Lines of the audit log that are searched through for one page: some ten milliseconds.
pub const AUDIT_LINES_LOOKED_AT: i64 = 20_000;
/// Seconds that events are kept: a year and the month in which it is looked back.
pub const EVENT_MEMORY: i64 = 400 * 86_400;
/// Seconds that the counts of lines are kept: a month can be held against the same one a year ago. They name nobody.
pub const STATISTICS_MEMORY: i64 = 400 * 86_400;
/// Most stretches of time of one plot: the hours of a month and a day; a screen shows no more.
pub const STATISTICS_STRETCHES: usize = 800;
/// Seconds of a week: certificates that end are counted by weeks, as people plan.
pub const WEEK_SECONDS: i64 = 7 * 86_400;
/// Between the ordering numbers of two rules that follow each other: a rule can be put between them some twenty times before all
/// get new numbers.
pub const RULE_GAP: i64 = 1 << 20;
/// How long the deletion of a rule can be taken back, in seconds: ten minutes, while whoever did it still looks at the list.
pub const REMOVED_RULE_SECONDS: i64 = 600;
/// Deleted rules that are offered to be taken back: what was clicked away by mistake is among the last few.
pub const REMOVED_RULES_SHOWN: i64 = 5;
/// Mailboxes that one line of the audit log names where many are added at once: a line that can still be read.
pub const AUDIT_NAMES: usize = 100;
/// Rows that the overview of an organisation counts; above it says "more than".
pub const ATTENTION_ROWS: i64 = 1000;
/// Events looked through for those that name one mail: what happens to a mail happens soon.
pub const EVENTS_OF_A_MAIL: i64 = 2000;
/// Events of an organisation among which those about one correspondent's keys are looked for: some weeks, read in milliseconds.
pub const KEY_EVENTS_LOOKED_AT: i64 = 5_000;
/// Events shown beside a correspondent's key: what is read at a glance.
pub const KEY_EVENTS_SHOWN: usize = 20;
/// Authorities of one organisation: it orders at one, and keeps a few former ones to revoke.
pub const AUTHORITIES: i64 = 20;
/// Trust roots of one organisation beside the public ones: each path that is built tries them.
pub const TRUST_ROOTS: i64 = 200;
/// Certificates that one organisation blocks: all are in memory for every mail.
pub const BLOCKED: i64 = 1_000;
/// Sending clients of one organisation: all are looked through for every session.
pub const CLIENTS: i64 = 200;
/// Partners of one organisation: all are looked through for every recipient.
pub const PARTNERS: i64 = 1_000;
/// Inbound routes of one organisation; a route takes many domains.
pub const ROUTES: i64 = 500;
/// Domains of one organisation with a way out of their own.
pub const DESTINATIONS: i64 = 1_000;
/// API tokens of one organisation, of one reseller, and of the operator that are not over: one for each script, and some more.
pub const API_TOKENS: i64 = 100;
/// Open invitations of one organisation, to one reseller, and to the operators: they are shown on one page, and each ends within
/// a week.
pub const INVITATIONS: i64 = 200;
/// Webhooks of one organisation: each event is sent to each of them.
pub const WEBHOOKS: i64 = 10;
/// Events that are looked through at once for the next one that a webhook wants.
pub const WEBHOOK_EVENTS: u32 = 200;
/// Octets of an organisation's name: a label of a web address, read out on the telephone.
pub const ORGANISATION_NAME: usize = 63;
/// Changes of mailboxes or keys that are carried out in one transaction, and mailboxes of a piece of bulk work: sessions wait for it
/// no longer than for a large mail.
pub const TOGETHER: usize = 500;
/// How much bulk work of one organisation goes on at the same time: more would only take turns.
pub const BULK_OPEN: i64 = 3;
/// How much bulk work is tried, each when the one before cannot be worked on now: more than one organisation may have open, so that
/// none stands in the way of the others.
pub const BULK_TRIED: i64 = BULK_OPEN + 5;
/// Mailboxes that are named with their reasons where bulk work was refused for some: what is read on one page.
pub const BULK_REASONS: usize = 100;
/// Seconds that it is told how bulk work ended: as long as somebody may ask what happened last month.
pub const BULK_MEMORY: i64 = 30 * 86_400;
