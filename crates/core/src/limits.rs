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
