//! The numbers and lists that `tidy` holds the code to. Every entry is a decision: change it with a reason.

/// Longest function, from its signature to its closing brace. Above that I/O, decision and reply have met.
pub const FUNCTION_LINES: usize = 70;
/// What a function may hold beside one flat table and still be exempt from [`FUNCTION_LINES`]; a test may hold
/// [`FUNCTION_LINES`] beside its table.
pub const LINES_BESIDE_TABLE: usize = 20;
/// Longest arm of a flat `match` table. One line is meant; the formatter breaks a long one into three.
pub const TABLE_ARM_LINES: usize = 3;
/// Longest file without its test modules. Above that it has a second topic.
pub const FILE_LINES: usize = 600;
/// Most parameters of a function, `self` not counted. More want a struct.
pub const PARAMETERS: usize = 5;
/// Longest architecture description: it is read in one sitting or not at all.
pub const ARCHITECTURE_LINES: usize = 200;
/// Fewest words in the doc comment of a limit: a reason cannot be shorter.
pub const LIMIT_DOC_WORDS: usize = 5;

/// Each crate and the crates of the workspace it may depend on (arrows go one way).
pub const DIRECTIONS: &[(&str, &[&str])] = &[
    ("sealgate-mail", &[]),
    ("sealgate-smime", &["sealgate-mail"]),
    ("sealgate-core", &["sealgate-mail", "sealgate-smime"]),
    ("sealgate-store", DECIDING),
    ("sealgate-net", DECIDING),
    ("sealgate-portal", DECIDING),
    ("sealgate", ALL),
    ("e2e", DECIDING),
    ("xtask", &[]),
];

const DECIDING: &[&str] = &["sealgate-mail", "sealgate-smime", "sealgate-core"];
const ALL: &[&str] = &[
    "sealgate-mail",
    "sealgate-smime",
    "sealgate-core",
    "sealgate-store",
    "sealgate-net",
    "sealgate-portal",
];

/// The pure crates, each with every crate from outside that it may name in its `[dependencies]`.
pub const PURE: &[(&str, &[&str])] = &[
    (
        "sealgate-mail",
        &[
            "base64-simd",
            "encoding_rs",
            // HTML tokens as the WHATWG has them; no dependencies, no unsafe code, streams.
            "html5gum",
            "idna",
            "memchr",
            "rand_core",
            "serde",
            "thiserror",
        ],
    ),
    (
        "sealgate-smime",
        &[
            "aws-lc-rs",
            "aws-lc-sys",
            "base64-simd",
            "bp256",
            "bp384",
            "certval",
            "certval_stores_mozilla",
            "cms",
            "const-oid",
            "der",
            "ecdsa",
            "memchr",
            "miniz_oxide",
            "p12-keystore",
            "rand_core",
            "serde",
            "spki",
            "subtle",
            "thiserror",
            "x509-cert",
            "zeroize",
        ],
    ),
    (
        "sealgate-core",
        &[
            "ipnet",
            "rand_core",
            "serde",
            "thiserror",
            "unicode-normalization",
            "unicode-security",
        ],
    ),
];

/// Crates that must not be reachable from a pure crate, however deep: they do I/O, wait, or hold state.
pub const IMPURE: &[&str] = &[
    "async-std",
    "axum",
    "hickory-resolver",
    "hyper",
    "mio",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "tokio",
    "tokio-rustls",
    "tower",
    "tracing-subscriber",
    "ureq",
];

/// The only place where `unsafe` may stand: the wrapper around the cryptographic library.
pub const UNSAFE_MODULE: &str = "crates/smime/src/aws.rs";
/// Files of that module, should it be split.
pub const UNSAFE_MODULE_DIRECTORY: &str = "crates/smime/src/aws/";
/// The benchmarks call libcrypto to measure it; no product code is built with them.
pub const UNSAFE_BENCH: &str = "bench/src/libcrypto.rs";

/// The trait that proves a durable write.
pub const RECEIPT: &str = "Receipt";
/// Where it may be implemented: the store, and the demonstration's mail servers, which keep mail in memory.
pub const RECEIPT_HOMES: &[&str] = &["crates/store/", "crates/sealgate/src/demo/"];

/// Lints that may not be allowed outside tests.
pub const GUARDED_LINTS: &[&str] = &[
    "dbg_macro",
    "disallowed_methods",
    "disallowed_types",
    "expect_used",
    "indexing_slicing",
    "panic",
    "todo",
    "unimplemented",
    "unsafe_code",
    "unwrap_used",
];
