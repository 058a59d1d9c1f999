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

/// Header block of a decrypted entity that is looked at to see whether it is MIME; as large as the largest header
/// block the `mail` crate reads.
pub const ENTITY_HEADER_OCTETS: usize = 1024 * 1024;

/// Smallest RSA key that proves or protects anything (RFC 8551 section 4.3; security.md row X3).
pub const RSA_BITS_LEAST: u32 = 2048;
/// Largest RSA key we compute with: one operation at 16,384 bits costs tens of milliseconds (security.md row X3).
pub const RSA_BITS_MOST: u32 = 8192;
/// Longest key derived from a password: key and vector of the largest cipher, and the largest HMAC key.
pub const DERIVED_KEY_OCTETS: usize = 64;
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
/// Most signature checks for one path: with 16 signers this stays below 1,000 a message (security.md row X2).
pub const PATH_SIGNATURE_CHECKS: usize = 60;
/// Most steps of the search for one path: cross-signed authorities make their number grow as a factorial.
pub const PATH_STEPS: usize = 1_000;
/// Most comparisons of a name with a constraint for one path: real chains need under a hundred.
pub const NAME_COMPARISONS: usize = 250_000;
/// Longest serial number in octets (RFC 5280 section 4.1.2.2).
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
