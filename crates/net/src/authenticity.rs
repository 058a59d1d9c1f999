//! Who really sent an inbound mail: SPF (RFC 7208) of its envelope sender and DKIM (RFC 6376) of its content.
//! Reports go only to senders proven here (spec.md section 2).

use std::net::IpAddr;

use mail_auth::common::crypto::Algorithm;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult, MessageAuthenticator, SpfResult};
use sealgate_mail::header::HeaderBlock;
use sealgate_mail::{Address, Domain, ReversePath};
use tokio::time::{Instant, timeout_at};

use crate::dns::{Dns, DnsConfig, DnsFailure};
use crate::limits::{AUTHENTICITY_WAIT, DKIM_OCTETS, DKIM_SIGNATURES};

/// The result of SPF (RFC 7208 section 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spf {
    /// The client may send for the domain.
    Pass,
    /// It may not.
    Fail,
    /// It probably may not.
    SoftFail,
    /// The domain does not say.
    Neutral,
    /// The domain says nothing, or nothing was asked.
    None,
    /// No answer now.
    TempError,
    /// The record is wrong.
    PermError,
}

impl Spf {
    /// As in `Authentication-Results` (RFC 8601 section 2.7.2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::None => "none",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// One DKIM signature and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimSignature {
    /// `d=`, lower case.
    pub domain: String,
    /// `pass`, `fail`, `neutral`, `temperror` or `permerror` (RFC 8601 section 2.7.1).
    pub result: &'static str,
    /// `h=`: the fields it covers.
    pub covers: Vec<String>,
}

impl DkimSignature {
    /// Whether it is good.
    pub fn is_pass(&self) -> bool {
        self.result == "pass"
    }
}

/// What was found out about the sender of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticityFacts {
    /// SPF of the MAIL FROM domain; of the HELO name for the null sender.
    pub spf: Spf,
    /// The signatures that were judged.
    pub dkim: Vec<DkimSignature>,
    /// Whether a good signature's domain is aligned with the header From.
    pub dkim_aligned: bool,
    /// Whether signatures were not judged because name servers, or whoever asked, had no time or room for it.
    pub dkim_late: bool,
    envelope_sender_proven: bool,
}

impl AuthenticityFacts {
    /// Nothing is known: nobody was asked.
    pub fn unknown() -> Self {
        Self {
            spf: Spf::None,
            dkim: Vec::new(),
            dkim_aligned: false,
            dkim_late: false,
            envelope_sender_proven: false,
        }
    }

    /// Whether the envelope sender is an address and its domain is proven: SPF passes for it, or a good DKIM signature
    /// is aligned with it. Only then may a report go there.
    pub fn envelope_sender_proven(&self) -> bool {
        self.envelope_sender_proven
    }
}

/// Judges senders.
#[derive(Clone)]
pub struct Authenticity(Option<MessageAuthenticator>);

impl std::fmt::Debug for Authenticity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "Authenticity(on)"
        } else {
            "Authenticity(off)"
        })
    }
}

impl Authenticity {
    /// Asks the name servers of `config`; with [`DnsConfig::Off`] nothing is ever proven.
    pub fn new(config: DnsConfig) -> Result<Self, DnsFailure> {
        let dns = Dns::new(config)?;
        Ok(Self(dns.resolver().cloned().map(MessageAuthenticator)))
    }

    /// Judges one mail: `peer` is the client's address, `helo` its name, `from` the envelope sender, `header_from` the
    /// single address of the header From if there is one, `message` the mail as received.
    ///
    /// DKIM is left out for a mail over [`DKIM_OCTETS`], with more than [`DKIM_SIGNATURES`] signatures, or without
    /// `header_from`. What takes longer than [`AUTHENTICITY_WAIT`] in all counts as no answer.
    pub async fn check(
        &self,
        peer: IpAddr,
        helo: &str,
        from: &ReversePath,
        header_from: Option<&Address>,
        message: &[u8],
    ) -> AuthenticityFacts {
        let Some(authenticator) = &self.0 else {
            return AuthenticityFacts::unknown();
        };
        let end = Instant::now() + AUTHENTICITY_WAIT;
        let spf = timeout_at(end, spf(authenticator, peer, helo, from));
        let dkim = async {
            match header_from {
                Some(_) => timeout_at(end, dkim(authenticator, message)).await.ok(),
                None => Some(Vec::new()),
            }
        };
        let (spf, dkim) = tokio::join!(spf, dkim);
        let dkim_late = dkim.is_none();
        let dkim = dkim.unwrap_or_default();
        AuthenticityFacts {
            dkim_late,
            ..facts(spf.unwrap_or(Spf::TempError), dkim, from, header_from)
        }
    }
}

fn facts(
    spf: Spf,
    dkim: Vec<DkimSignature>,
    from: &ReversePath,
    header_from: Option<&Address>,
) -> AuthenticityFacts {
    let good_for = |domain: &Domain| {
        dkim.iter()
            .any(|signature| signature.is_pass() && is_aligned(&signature.domain, domain))
    };
    let dkim_aligned = header_from.is_some_and(|address| good_for(address.domain()));
    let envelope_sender_proven = from
        .address()
        .is_some_and(|address| spf == Spf::Pass || good_for(address.domain()));
    AuthenticityFacts {
        spf,
        dkim,
        dkim_aligned,
        dkim_late: false,
        envelope_sender_proven,
    }
}

async fn spf(
    authenticator: &MessageAuthenticator,
    peer: IpAddr,
    helo: &str,
    from: &ReversePath,
) -> Spf {
    let peer = peer.to_canonical();
    let sender = from.address().map(ToString::to_string);
    let question = match &sender {
        Some(sender) => SpfParameters::verify_mail_from(peer, helo, helo, sender),
        // RFC 7208 section 2.4: the null sender stands for postmaster at the HELO name.
        None => SpfParameters::verify_ehlo(peer, helo, helo),
    };
    match authenticator.verify_spf(question).await.result() {
        SpfResult::Pass => Spf::Pass,
        SpfResult::Fail => Spf::Fail,
        SpfResult::SoftFail => Spf::SoftFail,
        SpfResult::Neutral => Spf::Neutral,
        SpfResult::None => Spf::None,
        SpfResult::TempError => Spf::TempError,
        SpfResult::PermError => Spf::PermError,
    }
}

async fn dkim(authenticator: &MessageAuthenticator, message: &[u8]) -> Vec<DkimSignature> {
    if message.len() > DKIM_OCTETS || !is_worth_judging(message) {
        return Vec::new();
    }
    // Strict: a signature that covers only the first octets (`l=`) proves nothing of the rest (RFC 6376 section 8.2).
    let Some(parsed) = AuthenticatedMessage::parse_with_opts(message, None, true) else {
        return Vec::new();
    };
    let outputs = authenticator.verify_dkim(&parsed).await;
    outputs.iter().filter_map(signature).collect()
}

/// Whether there are signatures, and few enough.
fn is_worth_judging(message: &[u8]) -> bool {
    let end = message
        .windows(4)
        .position(|octets| octets == b"\r\n\r\n")
        .unwrap_or(message.len());
    let header = HeaderBlock::parse(message.get(..end).unwrap_or_default());
    (1..=DKIM_SIGNATURES).contains(&header.count("DKIM-Signature"))
}

fn signature(output: &DkimOutput<'_>) -> Option<DkimSignature> {
    let signature = output.signature()?;
    // RFC 8301 section 3.1: SHA-1 no longer counts. RFC 6376 section 5.4: From is always signed.
    let weak = matches!(signature.a, Algorithm::RsaSha1);
    let covers_from = signature
        .h
        .iter()
        .any(|name| name.eq_ignore_ascii_case("from"));
    let result = match output.result() {
        DkimResult::Pass if weak || !covers_from => "permerror",
        DkimResult::Pass => "pass",
        DkimResult::Neutral(_) | DkimResult::None => "neutral",
        DkimResult::Fail(_) => "fail",
        DkimResult::PermError(_) => "permerror",
        DkimResult::TempError(_) => "temperror",
    };
    Some(DkimSignature {
        domain: signature.d.to_ascii_lowercase(),
        result,
        covers: signature.h.clone(),
    })
}

/// Relaxed alignment (RFC 7489 section 3.1.1): equal, or one lies below the other. Without a list of public suffixes two
/// subdomains of one organisation are not aligned, and a signing domain of one label never is.
fn is_aligned(signing: &str, domain: &Domain) -> bool {
    let (signing, domain) = (signing.trim_end_matches('.'), domain.as_str());
    let below = |lower: &str, upper: &str| {
        lower
            .strip_suffix(upper)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    let equal_or_below = signing == domain || below(signing, domain) || below(domain, signing);
    signing.contains('.') && domain.contains('.') && equal_or_below
}

#[cfg(test)]
pub(crate) mod tests;
