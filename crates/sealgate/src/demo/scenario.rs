//! What the demo sends, and what must come of it. The table of the demo is this table, in this order.

use sealgate_smime::certificate::Certificate;
use sealgate_smime::verdict::SignatureVerdict;

use super::partner::{self, Partner};
use crate::cmd::Failure;

/// The text that every message of the demo carries, so that it can be looked for.
pub const TEXT: &str = "The offer is ready: 4,200 pieces by Friday.";

/// Mailbox with an RSA certificate.
pub const ALICE: &str = "alice@office.example";
/// Mailbox without a certificate.
pub const BOB: &str = "bob@office.example";
/// Mailbox with a P-256 certificate, to which only encrypted mail may come.
pub const CAROL: &str = "carol@office.example";
/// The partner.
pub const DORA: &str = "dora@partner.example";
/// Somebody without S/MIME.
pub const MAX: &str = "max@internet.example";

/// Rules of the organisation, first has priority 1: managed, external, inbound, outbound.
pub const RULES: [(&str, &str, &str, &str); 3] = [
    ("carol@office.example", "all", "enforce", "not-defined"),
    ("all", "partner.example", "always", "enforce"),
    ("all", "bank.example", "not-defined", "optional"),
];

/// Which listener a mail is handed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the organisation's mail server.
    Out,
    /// From the internet.
    In,
}

/// One mail of the demo.
pub struct Step {
    /// What came in, for the table.
    pub what: &'static str,
    /// Which listener.
    pub way: Way,
    /// Envelope sender.
    pub from: &'static str,
    /// Envelope recipients.
    pub to: Vec<&'static str>,
    /// What must come of it.
    pub expect: Vec<Expect>,
}

/// What must come of one recipient's copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Arrives neither signed nor encrypted.
    Plain,
    /// Arrives signed by the sender, not encrypted.
    Signed,
    /// Arrives encrypted to the partner, and inside signed by the sender.
    SignedEncrypted,
    /// Arrives decrypted, the partner's signature inside still valid.
    Decrypted,
    /// Arrives with a signature that does not fit, and says so.
    BrokenSignature,
    /// Refused in the session.
    Refused,
    /// Taken, and then held: a stranger who may not have sent it gets no report.
    Held,
}

/// The mails of the demo.
pub fn steps() -> Vec<Step> {
    use Expect as E;
    use Way::{In, Out};
    let step = |what, way, from, to: &[&'static str], expect: &[Expect]| Step {
        what,
        way,
        from,
        to: to.to_vec(),
        expect: expect.to_vec(),
    };
    vec![
        step(
            "bob, who has no certificate, writes to the internet",
            Out,
            BOB,
            &[MAX],
            &[E::Plain],
        ),
        step(
            "alice writes to the internet",
            Out,
            ALICE,
            &[MAX],
            &[E::Signed],
        ),
        step(
            "alice writes to the partner, whose key is not known",
            Out,
            ALICE,
            &[DORA],
            &[E::Refused],
        ),
        step(
            "the partner writes, signed",
            In,
            DORA,
            &[ALICE],
            &[E::Signed],
        ),
        step(
            "alice writes to the partner, whose key was just learned",
            Out,
            ALICE,
            &[DORA],
            &[E::SignedEncrypted],
        ),
        step(
            "the partner answers, signed and encrypted",
            In,
            DORA,
            &[ALICE],
            &[E::Decrypted],
        ),
        step(
            "alice writes to partner and internet at once",
            Out,
            ALICE,
            &[DORA, MAX],
            &[E::SignedEncrypted, E::Signed],
        ),
        step(
            "bob, who has no certificate, writes to the partner",
            Out,
            BOB,
            &[DORA],
            &[E::Refused],
        ),
        step(
            "alice writes to a bank without a key",
            Out,
            ALICE,
            &["desk@bank.example"],
            &[E::Signed],
        ),
        step(
            "somebody writes to carol, unencrypted",
            In,
            MAX,
            &[CAROL],
            &[E::Refused],
        ),
        step(
            "the partner writes to carol, encrypted",
            In,
            DORA,
            &[CAROL],
            &[E::Decrypted],
        ),
        step(
            "the partner encrypts to a key that is not alice's",
            In,
            DORA,
            &[ALICE],
            &[E::Refused],
        ),
        step(
            "a signed mail was altered on its way",
            In,
            DORA,
            &[ALICE],
            &[E::BrokenSignature],
        ),
        step(
            "an encrypted mail was damaged on its way",
            In,
            DORA,
            &[ALICE],
            &[E::Held],
        ),
    ]
}

/// Certificates the messages are made with.
pub struct Keys<'a> {
    /// The partner.
    pub partner: &'a Partner,
    /// Alice's and Carol's certificates, in that order.
    pub office: [Certificate; 2],
}

/// The octets of step number `index` (from 0).
pub fn mail(index: usize, step: &Step, keys: &Keys<'_>) -> Result<Vec<u8>, Failure> {
    let to = step.to.join(", ");
    let subject = format!("Demo mail {}", index.saturating_add(1));
    let [alice, carol] = &keys.office;
    let partner = keys.partner;
    match (step.from, step.expect.first()) {
        (DORA, Some(Expect::Signed)) => partner.signed(&to, &subject, TEXT),
        (DORA, Some(Expect::BrokenSignature)) => Ok(altered(partner.signed(&to, &subject, TEXT)?)),
        (DORA, Some(Expect::Refused)) => {
            partner.sealed(&to, &subject, TEXT, &partner.pair.certificate)
        }
        (DORA, Some(Expect::Held)) => Ok(damaged(partner.sealed(&to, &subject, TEXT, alice)?)),
        (DORA, Some(Expect::Decrypted)) if step.to == [CAROL] => {
            partner.sealed(&to, &subject, TEXT, carol)
        }
        (DORA, Some(Expect::Decrypted)) => partner.sealed(&to, &subject, TEXT, alice),
        _ => Ok(partner::plain(step.from, &to, &subject, TEXT)),
    }
}

/// Another number in the signed text.
fn altered(mail: Vec<u8>) -> Vec<u8> {
    String::from_utf8_lossy(&mail)
        .replacen("4,200", "9,200", 1)
        .into_bytes()
}

/// One letter changed in each base64 line behind those that name the recipient.
pub fn damaged(mail: Vec<u8>) -> Vec<u8> {
    const NAMES_RECIPIENT: usize = 9;
    let mail = String::from_utf8_lossy(&mail).into_owned();
    let (header, body) = mail.split_once("\r\n\r\n").unwrap_or((&mail, ""));
    let damage = |(number, line): (usize, &str)| match line.chars().next() {
        Some(first) if number > NAMES_RECIPIENT => {
            let other = if first == 'A' { "B" } else { "A" };
            line.replacen(first, other, 1)
        }
        _ => line.to_owned(),
    };
    let body: Vec<_> = body.lines().enumerate().map(damage).collect();
    format!("{header}\r\n\r\n{}\r\n", body.join("\r\n")).into_bytes()
}

/// Judges the octets read back from a sink. `root` is the authority that certifies the organisation's mailboxes.
pub fn judge(
    expect: Expect,
    mail: &[u8],
    partner: &Partner,
    root: &Certificate,
) -> Result<(), String> {
    match expect {
        Expect::Plain => {
            shows_text(mail).and_then(|()| is(signature(mail, root)?, SignatureVerdict::None))
        }
        Expect::Signed => {
            let by = if from_partner(mail) {
                partner.root()
            } else {
                root
            };
            shows_text(mail).and_then(|()| is(signature(mail, by)?, SignatureVerdict::Valid))
        }
        Expect::SignedEncrypted => {
            hides_text(mail)?;
            let opened = partner.open(mail)?;
            shows_text(&opened)
                .and_then(|()| is(signature(&opened, root)?, SignatureVerdict::Valid))
        }
        Expect::Decrypted => shows_text(mail)
            .and_then(|()| is(signature(mail, partner.root())?, SignatureVerdict::Valid)),
        Expect::BrokenSignature => {
            is(signature(mail, partner.root())?, SignatureVerdict::Broken)?;
            contains(mail, "signature=broken")
                .then_some(())
                .ok_or_else(|| "the mail does not say that its signature is broken".to_owned())
        }
        Expect::Refused | Expect::Held => Err("it arrived, and should not have".to_owned()),
    }
}

fn signature(mail: &[u8], root: &Certificate) -> Result<SignatureVerdict, String> {
    partner::signature(mail, root)
}

fn from_partner(mail: &[u8]) -> bool {
    contains(mail, &format!("From: {DORA}"))
}

fn is(found: SignatureVerdict, expected: SignatureVerdict) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "its signature is \"{}\" and should be \"{}\"",
        found.as_str(),
        expected.as_str()
    ))
}

fn shows_text(mail: &[u8]) -> Result<(), String> {
    contains(mail, TEXT)
        .then_some(())
        .ok_or_else(|| "the text cannot be read in it".to_owned())
}

fn hides_text(mail: &[u8]) -> Result<(), String> {
    if contains(mail, "4,200") {
        Err("the text can be read in it".to_owned())
    } else {
        Ok(())
    }
}

fn contains(mail: &[u8], text: &str) -> bool {
    mail.windows(text.len())
        .any(|window| window == text.as_bytes())
}
