//! Every count, size and wait of the decisions, each with its reason.

/// Most entries of one rule field (requirements.md S59, S60).
pub const PATTERN_ENTRIES: usize = 20;
/// Most passed-over rules a trace names; enough to read, and a journal line stays small.
pub const TRACE_RULES: usize = 100;
/// Hops after which a mail is taken to be in a loop (RFC 5321 section 6.3).
pub const RECEIVED_HOPS: usize = 100;
/// How long a mail is tried, in seconds, unless configured: five days (RFC 5321 section 4.5.4.1).
pub const QUEUE_LIFETIME: i64 = 5 * 86_400;
/// After how many seconds the sender is told of a delay, unless configured: four hours.
pub const DELAY_NOTICE: i64 = 4 * 3_600;
/// First wait before a retry, in seconds; doubles with each attempt.
pub const RETRY_FIRST: i64 = 60;
/// Longest wait between two attempts, in seconds: one hour keeps a recovered peer's mail fresh.
pub const RETRY_LONGEST: i64 = 3_600;
/// How long held mail is kept, in seconds: thirty days (spec.md section 1).
pub const HELD_LIFETIME: i64 = 30 * 86_400;
/// How long the hash of an encryptedKey is remembered, in seconds: one year (spec.md section 2).
pub const ENCRYPTED_KEY_MEMORY: i64 = 366 * 86_400;
/// How long the journal answers whether a mailbox sent a message that a DSN returns, in seconds: thirty days.
pub const SENT_MEMORY: i64 = 30 * 86_400;
/// Most fields of ours that are looked at for a loop: each organisation and direction writes one.
pub const TRACE_FIELDS: usize = 100;
/// Longest subject of the mail repeated in a report, in characters: enough to know it again.
pub const SUBJECT_CHARS: usize = 200;
/// How far in the future the signing time of a mail may lie for what it announces to be believed, in seconds: one day, which
/// covers clocks set to the wrong time zone.
pub const ANNOUNCED_SKEW: i64 = 86_400;
/// Seconds after which a correspondent's key is asked about again: authorities publish lists at least daily.
pub const ASK_AGAIN: i64 = 86_400;
/// Seconds until a question about a key that got no answer is asked again; each further pause doubles, up to
/// [`ASK_AGAIN`].
pub const ASK_FIRST: i64 = 300;
/// How often a subject is searched for forged tags: each search finds all there are, and only letters that look one way
/// small and another way large make another one worth while.
pub const TAG_PASSES: usize = 8;
/// Longest subject that is searched for forged tags, in octets: no reader shows more, and what lies behind is dropped. The
/// search looks at each letter in many ways.
pub const SUBJECT_OCTETS: usize = 16 * 1024;
/// Most octets of subjects that are searched for forged tags in one copy of a mail, those apart that are plain letters: a
/// thousand long subjects of attached mails. What comes after them is dropped.
pub const SUBJECTS_OCTETS: usize = 256 * 1024;
/// Octets that a subject counts for at least in [`SUBJECTS_OCTETS`]: a short one is read in as many ways as a long one.
pub const SUBJECT_COST: usize = 64;
/// How many times the largest mail compressed layers may unfold to (security.md row C17).
pub const UNFOLDED_TIMES: u64 = 10;
/// Longest field taken from a protected payload, in octets: a subject is one line, and sixteen of the longest are no text.
pub const PROTECTED_FIELD_OCTETS: usize = 16 * 1024;
/// Most octets of a text that are looked through for fields repeated at its top: as much as one such field may have.
pub const LEGACY_DISPLAY_OCTETS: u64 = 16 * 1024;
/// Longest announcement that is kept with a key, in octets; real ones have less than 300.
pub const ANNOUNCED_OCTETS: usize = 4_096;
/// How long a mailbox is "Revoke pending" at most, in seconds: fourteen days (S35).
pub const REVOKE_PENDING: i64 = 14 * 86_400;
/// Days before the end of a certificate when the next one is ordered, unless an authority is given others (spec.md section 4).
pub const RENEW_DAYS: u32 = 30;
/// Most days before the end: certificates that live for a year are not renewed before half of it.
pub const RENEW_DAYS_MOST: u32 = 180;
/// Seconds after which a next certificate that was refused or withdrawn is ordered again: one day, for an administrator to see to it.
pub const RENEW_AGAIN: i64 = 86_400;
/// Days before the end of a certificate when administrators are warned that no other is there.
pub const EXPIRY_WARNINGS: [i64; 4] = [30, 14, 7, 1];
/// First wait before an authority is asked again, in seconds; doubles with each failure.
pub const ORDER_RETRY_FIRST: i64 = 60;
/// Longest wait between two questions to an authority, in seconds: six hours, so that a repaired one is found the same day.
pub const ORDER_RETRY_LONGEST: i64 = 6 * 3_600;
/// Longest wait that an authority may ask for, in seconds: a week.
pub const RETRY_AFTER_LONGEST: i64 = 7 * 86_400;
/// After how many failures in a row administrators are alarmed: about half an hour.
pub const ORDER_ALARM: u32 = 5;
/// After how many seconds administrators are told that an order is not carried out yet: one day.
pub const ORDER_LATE: i64 = 86_400;
/// How long the first certificate of a mailbox is asked for in vain, in seconds, before the order fails: fourteen days.
pub const ORDER_LIFETIME: i64 = 14 * 86_400;
/// Longest wait between two attempts at a revocation, in seconds: one day.
pub const REVOCATION_RETRY_LONGEST: i64 = 86_400;
/// How long a DKIM key that no longer signs is kept, in seconds: seven days, longer than mail it signed is under way
/// ([`QUEUE_LIFETIME`]).
pub const DKIM_RETIRED_TIME: i64 = 7 * 86_400;
/// Longest selector of a DKIM key, in octets: one DNS label (RFC 1035 section 2.3.4).
pub const SELECTOR_OCTETS: usize = 63;
/// Seconds before the end of a correspondent's only usable key when administrators are told: fourteen days, enough to ask
/// for a signed mail with the next one.
pub const EXPIRY_NOTICE: i64 = 14 * 86_400;
/// Longest part of an ACME token in a subject, in characters: authorities use 22 to 86, and a line has room for this.
pub const CHALLENGE_TOKEN_CHARS: usize = 256;
/// How many different challenge mails of one challenge are answered: what came first may belong to an order that was given up,
/// or to somebody else's, and nobody is to have more sent than that.
pub const CHALLENGE_ANSWERS: u32 = 4;
/// Longest Message-ID of a challenge mail that its answer repeats, in octets: one line (RFC 5322 section 2.1.1).
pub const CHALLENGE_MESSAGE_ID_OCTETS: usize = 900;
/// How long a key that a directory or DNS has counts before it is asked for again, in seconds: one day.
pub const SOURCE_KEPT: i64 = 86_400;
/// How long it counts at least, in seconds, however short the answer says: a busy gateway does not ask for each mail.
pub const SOURCE_KEPT_LEAST: i64 = 300;
/// How long "nothing" counts, in seconds: one hour, so that a new entry is found the same morning.
pub const SOURCE_NOTHING: i64 = 3_600;
/// How long it counts at least, in seconds, and how long a source that gave no answer, or whose key waits for its answer
/// about revocation, is left alone.
pub const SOURCE_PAUSE: i64 = 60;
/// How long a key is used, in seconds, while its source gives no answer: a week, so that a broken directory is mended first.
pub const SOURCE_SILENT: i64 = 7 * 86_400;
/// Keys of one address that are taken from one source: a few usages, and the ones before and after a renewal.
pub const SOURCE_KEYS: usize = 4;
/// Longest reason of a source that is kept and shown, in characters: one line.
pub const SOURCE_REASON_CHARS: usize = 200;
/// Seconds after which a webhook that failed is tried again the first time: a restart of the other side takes that long.
pub const WEBHOOK_FIRST_WAIT: i64 = 5;
/// Longest wait between two attempts, in seconds.
pub const WEBHOOK_LONGEST_WAIT: i64 = 3_600;
/// Seconds for which an event is tried: somebody has looked after the other side by then.
pub const WEBHOOK_LIFETIME: i64 = 86_400;
