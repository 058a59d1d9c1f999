//! Every size, count and depth limit of this crate, each with its reason.

/// Buffer of every streaming read and write: few calls, small beside a session.
pub const BUFFER_OCTETS: usize = 64 * 1024;

/// S/MIME layers (signed in encrypted in signed ...) a message may have. Triple wrap (RFC 2634) needs three;
/// base64 makes 20 levels 1.4 MB, so that a bound is needed (security.md row C18).
pub const LAYERS: usize = 8;

/// ASN.1 levels of the CMS skeleton: ContentInfo, its `[0]`, SignedData or EnvelopedData, the set, its element.
const CMS_SKELETON_DEPTH: usize = 8;

/// Deepest ASN.1 nesting that is read: 32 levels beyond the CMS skeleton (security.md row C18).
pub const ASN1_DEPTH: usize = CMS_SKELETON_DEPTH + 32;

/// Most ASN.1 elements in one CMS object: 150 MB in strings of sixteen octets is less than this;
/// no client is known to write shorter ones.
pub const ASN1_ELEMENTS: u64 = 16_000_000;

/// Most RecipientInfos, counting each RecipientEncryptedKey (security.md row C19).
pub const RECIPIENT_INFOS: usize = 1_000;
/// Largest single RecipientInfo: an RSA-8192 key and a long issuer name are under 4 KiB, but a KeyAgreeRecipientInfo
/// may list many recipients.
pub const RECIPIENT_INFO_OCTETS: usize = 256 * 1024;
/// All RecipientInfos together: 1,000 of usual size are about 0.6 MB.
pub const RECIPIENT_INFOS_OCTETS: usize = 2 * 1024 * 1024;

/// Most certificates read from one SignedData (security.md row C19).
pub const CERTIFICATES: usize = 200;
/// Largest single certificate: real ones are 1 to 4 KiB, post-quantum ones about 20 KiB.
pub const CERTIFICATE_OCTETS: usize = 64 * 1024;
/// All certificates of one SignedData together: 200 of usual size are under 1 MiB.
pub const CERTIFICATES_OCTETS: usize = 2 * 1024 * 1024;

/// Most SignerInfos in one SignedData: each costs a public-key operation and a path (security.md row C19).
pub const SIGNER_INFOS: usize = 16;
/// Largest SignerInfo: unsigned attributes may hold time-stamp tokens with their chain (about 20 KiB).
pub const SIGNER_INFO_OCTETS: usize = 256 * 1024;
/// Most certificates tried for one signer: those of one key that was certified anew several times bear the same name.
pub const SIGNER_CANDIDATES: usize = 4;
/// Most attributes in one SignerInfo, signed and unsigned each; clients send fewer than ten.
pub const ATTRIBUTES: usize = 64;

/// Most digest algorithms listed in one SignedData; more than the kinds that exist is an attack on CPU time.
pub const DIGEST_ALGORITHMS: usize = 16;
/// Largest AlgorithmIdentifier: OAEP and PSS parameters are about 100 octets.
pub const ALGORITHM_OCTETS: usize = 1024;
/// Largest OBJECT IDENTIFIER or small INTEGER read from the CMS skeleton.
pub const SMALL_OCTETS: usize = 64;

/// Largest authenticated attributes of AuthEnvelopedData (they are associated data and held in memory).
pub const AUTH_ATTRIBUTES_OCTETS: usize = 64 * 1024;
/// Shortest and longest authentication tag (RFC 5084 section 3.2; security.md row C12).
pub const TAG_OCTETS: std::ops::RangeInclusive<usize> = 12..=16;

/// Most octets that all compressed layers of one message may unfold to: what a large mail holds, and little enough to be
/// unfolded in two seconds (security.md row C17).
pub const DECOMPRESSED_OCTETS: u64 = 100 * 1024 * 1024;
/// How many times larger than what was compressed the unfolded octets may be: text and tables reach 20, zeros 1,028
/// (security.md row C17).
pub const DECOMPRESSION_RATIO: u64 = 200;
/// Unfolded octets for which no ratio counts: a small mail of one repeated line is no bomb.
pub const DECOMPRESSION_FREE_OCTETS: u64 = 1024 * 1024;

/// Most octets of opaquely signed content that are kept in memory once they were decoded, so that signatures in signatures
/// are not decoded again for each layer (row C18); larger content is read again from where it lies.
pub const KEPT_OCTETS: usize = 2 * 1024 * 1024;

/// Most parts declared as CMS of which the beginning is read to see whether they are signed; a mail with more is taken to
/// hold a signed one, which is never good for anything.
pub const PARTS_LOOKED_INTO: usize = 100;

/// Longest text before or behind the parts of a multipart/signed that is looked at, boundary line included: clients write
/// one line there.
pub const REMARK_OCTETS: u64 = 1024;

/// Header block of a decrypted entity that is looked at to see whether it is MIME; as large as the largest header
/// block the `mail` crate reads.
pub const ENTITY_HEADER_OCTETS: usize = 1024 * 1024;

/// Smallest RSA key that proves or protects anything (RFC 8551 section 4.3; security.md row X3).
pub const RSA_BITS_LEAST: u32 = 2048;
/// Largest RSA key we compute with: one operation at 16,384 bits costs tens of milliseconds (security.md row X3).
pub const RSA_BITS_MOST: u32 = 8192;
/// Longest key derived from a password: the largest HMAC key has 64 octets, twice that leaves room.
pub const DERIVED_KEY_OCTETS: usize = 128;
/// Longest key that is wrapped or unwrapped: content keys have 32 octets, other uses of RFC 3394 wrap private keys of a few hundred.
pub const WRAPPED_KEY_OCTETS: usize = 512;
/// Longest content key in octets: AES-256 needs 32.
pub const CONTENT_KEY_OCTETS: usize = 64;
/// Most extensions in a certificate; real ones have about ten.
pub const EXTENSIONS: usize = 64;
/// Most names in subjectAltName and most subtrees in name constraints: public CAs list up to a few hundred.
pub const GENERAL_NAMES: usize = 2_000;
/// Most policies or policy mappings in one certificate; real ones have fewer than ten.
pub const POLICIES: usize = 64;

/// How far the claimed signing time and the Date field may lie apart without a remark, in seconds: clients sign while
/// sending, so that an hour covers wrong clocks and large mails (security.md row C9).
pub const SIGNING_TIME_WINDOW: u64 = 3600;
/// Most certificates between leaf and trust anchor; public mail CAs use one or two, bridges up to six.
pub const PATH_INTERMEDIATES: usize = 8;
/// Most signature checks for one message, those of its signers in all layers and those of their paths together (security.md
/// row X2): a check takes up to half a millisecond.
pub const SIGNATURE_CHECKS: usize = 1_000;
/// Most steps of the search for one path: cross-signed authorities make their number grow as a factorial.
pub const PATH_STEPS: usize = 1_000;
/// Most comparisons of a name with a constraint for the paths of one message: real chains need under a hundred.
pub const NAME_COMPARISONS: usize = 250_000;
/// Longest serial number in octets, a leading zero not counted (RFC 5280 section 4.1.2.2).
pub const SERIAL_OCTETS: usize = 20;
/// Random octets in a boundary: nobody can place it in a text beforehand.
pub const BOUNDARY_RANDOM_OCTETS: usize = 16;
/// Largest PKCS#12 file (security.md row W5); real ones are under 20 KiB.
pub const PKCS12_OCTETS: usize = 5 * 1024 * 1024;
/// Most iterations a PKCS#12 file may put its password through, all derivations together (security.md row W5).
pub const PKCS12_ITERATIONS: u64 = 10_000_000;
/// Most bags in a PKCS#12 file (security.md row W5).
pub const PKCS12_BAGS: usize = 100;
/// Deepest nesting of bags in a PKCS#12 file; no known program nests them at all.
pub const PKCS12_DEPTH: usize = 4;
/// Longest salt of PKCS#12's own key derivation: it is hashed with every block, and real ones have 8 to 64 octets.
pub const PKCS12_SALT_OCTETS: usize = 1024;
/// How far the clocks of authorities and responders may go ahead of ours, in seconds.
pub const CLOCK_TOLERANCE: i64 = 300;
/// Most questions about the revocation of one path: a mail must not make us ask two hundred servers (security.md row X7).
pub const QUESTIONS: usize = 12;
/// Most OCSP responders, and most lists, asked about one certificate; authorities name one or two.
pub const QUESTIONS_OF_A_KIND: usize = 2;
/// Longest address of a list or responder; real ones have under 200 octets.
pub const URL_OCTETS: usize = 1_024;
/// Most cRLDistributionPoints of one certificate; real ones have one or two.
pub const DISTRIBUTION_POINTS: usize = 64;
/// Largest revocation list that is read: a million entries with the serial numbers authorities use today are about 40 MB. What is
/// fetched from elsewhere has a narrower limit.
pub const CRL_OCTETS: usize = 48 * 1024 * 1024;
/// Largest OCSP answer that is read: real ones have 0.5 to 6 KiB, those with a chain inside up to 20.
pub const OCSP_OCTETS: usize = 256 * 1024;
/// Most certificates answered for in one OCSP answer; we ask about one, and some responders add a few.
pub const OCSP_ANSWERS: usize = 64;
/// Most certificates sent along with an OCSP answer: the responder's and its chain.
pub const OCSP_CERTIFICATES: usize = 8;
/// How long an OCSP answer counts that names no end, in seconds: it says that a newer one can be had at any time.
pub const OCSP_WITHOUT_END: i64 = 3_600;
/// Most certificates of which a list remembers what it says, forty octets each: a message has 16 signers with 10 certificates.
pub const CERTIFICATES_LOOKED_UP: usize = 1_000;
/// Most lists and answers looked at for one path: more than `QUESTIONS`, since files may be given by hand.
pub const EVIDENCE: usize = 64;
/// Most certificates besides the issuer's own that are tried as signers of its revocation lists; an authority has one or none.
pub const LIST_SIGNERS: usize = 4;
/// Longest label of RSAES-OAEP in octets: S/MIME knows none but the empty one, and others name a purpose in a few words.
pub const OAEP_LABEL_OCTETS: usize = 256;
/// Most revocation lists read from one SignedData: one for each certificate of a path, and some to spare.
pub const SENT_LISTS: usize = 16;
/// Largest revocation list read from a SignedData, content octets; senders leave larger ones out.
pub const SENT_LIST_OCTETS: u64 = 256 * 1024;
