//! Every size, count and depth limit of this crate, each with its reason.

/// Longest local part in octets. RFC 5321 section 4.5.3.1.1 says 64 and asks not to be narrow;
/// rewritten bounce and forwarding addresses are often longer, so twice that is taken.
pub const LOCAL_PART_OCTETS: usize = 128;
/// Longest path in octets, `<`, `@` and `>` counted (RFC 5321 section 4.5.3.1.3).
pub const PATH_OCTETS: usize = 256;
/// Longest domain in octets (RFC 5321 section 4.5.3.1.2).
pub const DOMAIN_OCTETS: usize = 255;
/// Largest header block we read: generous beside the 100 KiB many servers allow, small beside a mail.
pub const HEADER_OCTETS: usize = 1024 * 1024;
/// Most fields of a message's header: real mail stays below a few hundred, and each costs memory beside its octets.
pub const HEADER_FIELDS: usize = 10_000;
/// Deepest MIME nesting we follow; real mail stays below ten.
pub const MIME_DEPTH: usize = 64;
/// Most MIME parts we keep structure for; real mail stays below a hundred.
pub const MIME_PARTS: usize = 10_000;
/// Buffer of every streaming copy: large enough for few calls, small enough for thousands of sessions.
pub const BUFFER_OCTETS: usize = 64 * 1024;
/// Deepest nesting of comments in a header field; people do not nest them at all.
pub const COMMENT_DEPTH: usize = 16;
/// Longest reply text kept, in characters: a reply line of RFC 5321 section 4.5.3.1.5 four times over.
pub const REPLY_TEXT_CHARS: usize = 2048;
/// Longest reply line of a peer we read: RFC 5321 section 4.5.3.1.5 says 512, some servers say more in a refusal.
pub const PEER_REPLY_LINE_OCTETS: usize = 4096;
/// Most lines of one reply of a peer: an EHLO reply has about twenty.
pub const PEER_REPLY_LINES: usize = 128;
/// Most commands sent to a peer before their replies are read (RFC 2920 section 3.1: neither side may block on a full
/// window): their replies, at 512 octets each, stay below the smallest usual socket buffer.
pub const PIPELINE_COMMANDS: usize = 50;
/// UTF-8 octets in one encoded word: base64 and frame make 60 characters of them, which fit a line beside a field name
/// of 16 and stay within the 75 of RFC 2047 section 2.
pub const ENCODED_WORD_INPUT: usize = 36;
/// Column after which a field is folded (RFC 5322 section 2.1.1).
pub const FOLD_COLUMNS: usize = 78;
/// Largest headers of all parts together; the message's own header counts apart.
pub const PART_HEADERS_OCTETS: usize = 4 * 1024 * 1024;
/// Longest line that can be a boundary line: 70 octets of boundary (RFC 2046 section 5.1.1), some clients write longer
/// ones, and blanks may follow.
pub const DELIMITER_OCTETS: usize = 998;
/// Octets of chance in a Message-ID or boundary: 128 bits never meet twice.
pub const ID_OCTETS: usize = 16;
/// Most octets of a mail's header that a notification returns: enough to know the mail by, small in the sender's inbox.
pub const RETURNED_HEADER_OCTETS: usize = 64 * 1024;
/// Most octets read of the status part of a notification: several hundred recipients.
pub const STATUS_PART_OCTETS: u64 = 256 * 1024;
/// Columns of an encoded line (RFC 2045 sections 6.7 and 6.8, RFC 8551 section 3.1.3 by reference).
pub const ENCODED_COLUMNS: usize = 76;
/// Most blanks that are held back until it is known whether they end a line of quoted-printable; no honest line has more.
pub const QUOTED_BLANKS_OCTETS: usize = 4096;
/// Longest word left unencoded in a field: with a name before it the line stays below 998 octets (RFC 5322 section 2.1.1).
pub const UNFOLDABLE_OCTETS: usize = 900;
/// Largest HTML that is neutralised, in octets without transfer encoding: several long books. The tokenizer may have to
/// keep a piece of it, so this bounds its memory; a larger one becomes a file to be saved.
pub const HTML_OCTETS: u64 = 16 * 1024 * 1024;
/// Octets at the start of HTML by which its encoding is guessed; browsers look at 1,024 for the same purpose.
pub const CHARSET_OCTETS: u64 = 4096;
/// Longest name of an element or attribute that is kept apart; no name that is let through is half as long.
pub const HTML_NAME_OCTETS: usize = 32;
/// Longest value of an attribute that is let through: a long inline style.
pub const HTML_VALUE_OCTETS: usize = 16 * 1024;
/// Largest style sheet that is let through: twice what the large newsletters have.
pub const STYLE_OCTETS: usize = 128 * 1024;
/// Largest picture inside an attribute, in octets as written: a photograph as mail programs shrink it.
pub const HTML_PICTURE_OCTETS: usize = 4 * 1024 * 1024;
/// Longest line of a calendar that is let through, in octets without its folds: a long description.
pub const CALENDAR_LINE_OCTETS: u64 = 64 * 1024;
/// Octets after which a line of a calendar is folded (RFC 5545 section 3.1).
pub const CALENDAR_COLUMNS: usize = 75;
/// Most parameters written in a field that is made anew: real ones have up to five.
pub const PARAMETERS: usize = 16;
/// Most octets told of an address that was taken out of a link: where it leads stands at its beginning.
pub const LINK_OCTETS: usize = 500;

/// Longest command line in octets with its CRLF (RFC 5321 section 4.5.3.1.4).
pub const COMMAND_LINE_OCTETS: usize = 512;
/// Longest MAIL or RCPT line in octets: 512 and what SIZE, BODY, SMTPUTF8, AUTH and the DSN parameters add
/// (RFC 1870 section 3, RFC 3461 section 4, RFC 4954 section 4, RFC 6152 section 2, RFC 6531 section 3.1), rounded up.
pub const PATH_LINE_OCTETS: usize = 2048;
/// Longest AUTH line in octets (RFC 4954 section 4), and so the most a session keeps of an unfinished line.
pub const AUTH_LINE_OCTETS: usize = 12_288;
/// Longest line of mail content in octets without its CRLF (RFC 5321 section 4.5.3.1.6, RFC 5322 section 2.1.1).
pub const TEXT_LINE_OCTETS: usize = 998;
/// Longest reply line in octets with its CRLF (RFC 5321 section 4.5.3.1.5).
pub const REPLY_LINE_OCTETS: usize = 512;
/// Replies of a pipelining client that may wait before they must be written out: a few hundred lines.
pub const REPLIES_OCTETS: usize = 16 * 1024;
/// Most recipients of one mail; RFC 5321 section 4.5.3.1.8 asks for at least 100, large mailers send up to 1,000.
pub const RECIPIENTS: usize = 1000;
/// Most refused recipients of one session: enough for an old mailing list, too few to try out names.
pub const REFUSED_RECIPIENTS: u32 = 2000;
/// Most wrong or misplaced commands of one session; an honest client makes none.
pub const COMMAND_ERRORS: u32 = 20;
/// Most commands between two mails that bring no mail nearer (NOOP, RSET, EHLO, VRFY and such).
pub const IDLE_COMMANDS: u32 = 100;
/// Most failed AUTH attempts of one session: an honest client tries its one password with one or two mechanisms.
pub const AUTH_TRIES: u32 = 3;
/// How far beyond the size limit content is read and dropped, so that an honest client reads its `552`.
pub const DISCARD_OCTETS: u64 = 64 * 1024 * 1024;
/// Longest ENVID in octets, encoded (RFC 3461 section 4.4).
pub const ENVID_OCTETS: usize = 100;
/// Longest ORCPT in octets, encoded (RFC 3461 section 4.2).
pub const ORCPT_OCTETS: usize = 500;
/// Fields of a mail that are shown to an administrator; a mail has about ten of those people read.
pub const PREVIEW_FIELDS: usize = 50;
/// Characters of a field that are shown: a few hundred recipients.
pub const PREVIEW_FIELD_CHARS: usize = 8192;
/// Octets of all texts of a mail that are shown: what is needed to judge it, a hundred pages.
pub const PREVIEW_TEXT_OCTETS: usize = 256 * 1024;
/// Octets of HTML whose text is shown: markup makes most of it.
pub const PREVIEW_HTML_OCTETS: usize = 2 * 1024 * 1024;
/// Texts of a mail that are shown; mail of people has one or two.
pub const PREVIEW_TEXTS: usize = 20;
/// Files of a mail that are listed.
pub const PREVIEW_FILES: usize = 100;
/// Characters of a file's name that are shown: most file systems allow no more octets.
pub const PREVIEW_NAME_CHARS: usize = 255;
