//! Every size, count and wait of the portal, with its reason.

/// Rows on one page unless asked otherwise: what is read without paging, on a screen.
pub const PAGE_ROWS: u32 = 50;
/// Most rows that may be asked for at once; an answer stays below some hundred KiB.
pub const PAGE_ROWS_MOST: u32 = 500;
/// Octets of a form: a rule field has at most 20 entries of 320 octets, a bulk selection 500 addresses.
pub const FORM_OCTETS: usize = 512 * 1024;
/// Octets of a JSON body, for the same reason.
pub const JSON_OCTETS: usize = 512 * 1024;
/// Octets of an upload (row W5): a PKCS #12 file, certificates in PEM, or a CSV file of 50,000 mailboxes.
pub const UPLOAD_OCTETS: usize = 5 * 1024 * 1024;
/// Fields in an upload form: none of ours has more than ten.
pub const UPLOAD_FIELDS: usize = 20;
/// Seconds for one request and its answer, but for those that stay open on purpose. The slowest is an upload with 10 million
/// iterations of a password function.
pub const REQUEST_SECONDS: u64 = 30;
