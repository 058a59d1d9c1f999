//! Who is in the demo that is kept: the people of the office, whom they write with, and their rules.

use sealgate_core::tenant::Language;

/// Domain of the office.
pub const OFFICE: &str = "office.example";

/// Local parts of the office's mailboxes beside those of the scenario.
pub const PEOPLE: [&str; 37] = [
    "anna.berger",
    "ben.fischer",
    "clara.huber",
    "david.wagner",
    "elif.yilmaz",
    "felix.bauer",
    "greta.lang",
    "hannes.moser",
    "ines.costa",
    "jakob.steiner",
    "katharina.pichler",
    "leo.gruber",
    "maria.novak",
    "niklas.winkler",
    "olivia.schmid",
    "paul.eder",
    "rosa.mayer",
    "samuel.brunner",
    "theresa.wolf",
    "umut.demir",
    "vera.kaiser",
    "accounting",
    "info",
    "management",
    "payroll",
    "purchasing",
    "sales",
    "support",
    "legal",
    "press",
    "jobs",
    "scanner",
    "reception",
    "events",
    "newsletter",
    "archive",
    "trainee",
];

/// How many of them have a certificate of the built-in CA, from the first on.
pub const ACTIVE: usize = 21;
/// How many after them wait for an authority that is asked by hand.
pub const PENDING: usize = 4;
/// How many after them have an uploaded certificate.
pub const UPLOADED: usize = 4;
/// How many of these were deactivated and wait until their issuer has revoked them.
pub const REVOKED: usize = 3;

/// Mailboxes of the second organisation; the first two have certificates.
pub const PRACTICE: [&str; 5] = [
    "dr.hofer@practice.example",
    "reception@practice.example",
    "laboratory@practice.example",
    "billing@practice.example",
    "info@practice.example",
];

/// Somebody outside.
#[derive(Clone, Copy)]
pub struct Outside {
    /// Address.
    pub address: &'static str,
    /// Whether they have a certificate, which the gateway learns from their mail.
    pub signs: bool,
    /// How often mail goes to and fro, beside the others.
    pub share: u32,
}

/// Whom the office writes with.
pub const OUTSIDE: [Outside; 18] = [
    outside("dora@partner.example", true, 9),
    outside("emil@partner.example", true, 7),
    outside("orders@partner.example", true, 6),
    outside("kanzlei@lawyers.example", true, 5),
    outside("m.reiter@lawyers.example", true, 4),
    outside("contact@notary.example", true, 2),
    outside("trading@grid.example", true, 6),
    outside("metering@grid.example", true, 5),
    outside("desk@bank.example", false, 3),
    outside("service@bank.example", false, 4),
    outside("max@internet.example", false, 12),
    outside("office@supplier.example", false, 9),
    outside("invoice@supplier.example", false, 8),
    outside("team@agency.example", false, 6),
    outside("julia@customer.example", true, 4),
    outside("tom@customer.example", false, 7),
    outside("tickets@helpdesk.example", false, 9),
    outside("list@news.example", false, 5),
];

const fn outside(address: &'static str, signs: bool, share: u32) -> Outside {
    Outside {
        address,
        signs,
        share,
    }
}

/// Rules that come after those of the scenario: managed, external, inbound, outbound.
pub const MORE_RULES: [(&str, &str, &str, &str); 5] = [
    ("newsletter@office.example", "all", "not-defined", "neither"),
    (
        "all",
        "lawyers.example, notary.example",
        "always",
        "optional",
    ),
    ("all", "grid.example", "optional", "optional"),
    (
        "accounting@office.example, payroll@office.example",
        "all",
        "optional",
        "optional",
    ),
    ("scanner@office.example", "all", "do-not-decrypt", "neither"),
];

/// Users of the portal: name, what they may do in words.
pub const USERS: [(&str, Job); 5] = [
    ("operator@demo.example", Job::Operator),
    ("reseller@demo.example", Job::Reseller),
    ("admin@office.example", Job::Admin),
    ("editor@office.example", Job::Write),
    ("viewer@office.example", Job::Read),
];

/// What a user of the portal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Runs the installation.
    Operator,
    /// Books licences.
    Reseller,
    /// Administers the office.
    Admin,
    /// Changes what is in the office.
    Write,
    /// Looks.
    Read,
}

impl Job {
    /// The language they read the portal in, until they choose another: the demo shows both.
    pub const fn language(self) -> Language {
        match self {
            Self::Operator | Self::Admin => Language::En,
            Self::Reseller | Self::Write | Self::Read => Language::De,
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Operator => "runs the installation",
            Self::Reseller => "books licences for the practice (in German)",
            Self::Admin => "administrator of the office and of the practice",
            Self::Write => "may change mailboxes, rules and keys of the office (in German)",
            Self::Read => "may only look (in German)",
        }
    }
}
