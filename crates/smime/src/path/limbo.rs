//! x509-limbo: every case of the corpus, its revocation lists too.

use const_oid::ObjectIdentifier;
use sealgate_mail::Timestamp;

use super::*;
use crate::revocation::{self, Evidence, Status};
use crate::{corpus, maker};

/// Cases that are not run, as their SOURCE.txt allows.
const SKIPPED: &[(&str, &str)] = &[
    ("rfc5280::san::underscore-dns", TLS_NAME),
    ("rfc5280::san::ip-in-dns", TLS_NAME),
    ("rfc5280::ca-as-leaf-wrong-san", TLS_NAME),
    (
        "rfc5280::aki::cross-signed-root-missing-aki",
        "feature pedantic-rfc5280; the root of cve::cve-2024-0567 is of the same kind and must be taken",
    ),
];
const TLS_NAME: &str = "its only point is the TLS name";

/// Cases that mail does not refuse, each with the reason; [`PathFinder::conforming`] refuses them all.
const LENIENT: &[(&str, &str)] = &[
    ("rfc5280::aki::leaf-missing-aki", KEY_ID),
    ("rfc5280::aki::intermediate-missing-aki", KEY_ID),
    ("rfc5280::ski::root-missing-ski", KEY_ID),
    ("rfc5280::ski::intermediate-missing-ski", KEY_ID),
    (
        "rfc5280::nc::permitted-dns-match-noncritical",
        "public authorities leave name constraints non-critical",
    ),
    (
        "rfc5280::serial::zero",
        "RFC 5280 section 4.1.2.2 asks users to handle such serial numbers gracefully",
    ),
    (
        "rfc5280::root-non-critical-basic-constraints",
        "an anchor is trusted for its name and key",
    ),
];
const KEY_ID: &str =
    "key identifiers only order the search; company authorities often leave them out";

const SERVER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

struct Case<'a>(&'a serde_json::Value);

impl Case<'_> {
    fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    fn good(&self) -> bool {
        self.0["expected_result"] == "SUCCESS"
    }

    fn texts(&self, field: &str) -> Vec<&str> {
        let list = self.0[field].as_array();
        list.into_iter()
            .flatten()
            .map(|text| text.as_str().unwrap())
            .collect()
    }

    fn certificates(&self, field: &str) -> Result<Vec<Certificate>, String> {
        self.texts(field).into_iter().map(certificate).collect()
    }

    fn at(&self) -> Timestamp {
        let text = self.0["validation_time"].as_str();
        let text = text.map(|text| text.replace("+00:00", "Z"));
        text.map_or(maker::NOW, |text| Timestamp::parse_rfc3339(&text).unwrap())
    }

    /// The path, then what the lists say of it. Leaves are for TLS servers, so their own usage is not asked.
    fn result(&self, conforming: bool) -> Result<(), String> {
        let anchors = TrustAnchors::new(self.certificates("trusted_certs")?);
        let bag = self.certificates("untrusted_intermediates")?;
        let leaf = certificate(self.0["peer_certificate"].as_str().unwrap())?;
        let purpose = self
            .texts("extended_key_usage")
            .contains(&"serverAuth")
            .then_some(SERVER);
        let mut finder = PathFinder::new(&bag, &anchors, self.at()).vouching_for(purpose);
        if conforming {
            finder = finder.conforming();
        }
        let chain = finder.find(&leaf).map_err(|failure| failure.to_string())?;
        // A caller's own limit: certificates between leaf and anchor, self-issued ones not counted.
        let between = chain
            .iter()
            .skip(1)
            .rev()
            .skip(1)
            .filter(|one| !one.self_issued());
        let depth = self.0["max_chain_depth"].as_u64();
        if depth.is_some_and(|depth| between.count() as u64 > depth) {
            return Err("deeper than the caller allows".into());
        }
        if purpose.is_some_and(|purpose| !leaf.allows(&purpose)) {
            return Err("another extended key usage".into());
        }
        self.judge_lists(chain)
    }

    fn judge_lists(&self, chain: Vec<Certificate>) -> Result<(), String> {
        let mut evidence = Evidence::default();
        for list in self.texts("crls") {
            let _ = evidence.add_crl(list.as_bytes());
        }
        if self.texts("crls").is_empty() {
            return Ok(());
        }
        let path = VerifiedPath::of_chain(chain, Revocation::Unknown);
        match revocation::judge_where(&path, &evidence, self.at(), |_| true) {
            Status::Good | Status::NotNamed => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }
}

fn certificate(pem: &str) -> Result<Certificate, String> {
    let mut found = Certificate::read_all(pem.as_bytes()).map_err(|error| error.to_string())?;
    found.pop().ok_or("no certificate".into())
}

/// Runs all cases; gives those that differ, each with what was found.
fn differing(limbo: &serde_json::Value, conforming: bool) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    for case in limbo["testcases"].as_array().unwrap() {
        let case = Case(case);
        if SKIPPED.iter().any(|(skipped, _)| *skipped == case.id()) {
            continue;
        }
        let start = std::time::Instant::now();
        let result = case.result(conforming);
        let took = start.elapsed();
        if took.as_secs() >= 1 {
            wrong.push((case.id().to_owned(), format!("took {took:?}")));
        }
        if result.is_ok() != case.good() {
            wrong.push((case.id().to_owned(), format!("{result:?}")));
        }
    }
    wrong
}

#[test]
fn x1_x2_every_limbo_case_has_its_verdict() {
    let Some(limbo) = corpus::json("x509-limbo", "limbo-path.json") else {
        return;
    };
    assert_eq!(differing(&limbo, true), []);
}

#[test]
fn x1_x2_mail_is_lenient_in_named_cases_only() {
    let Some(limbo) = corpus::json("x509-limbo", "limbo-path.json") else {
        return;
    };
    let mut found: Vec<String> = differing(&limbo, false)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    let mut named: Vec<String> = LENIENT.iter().map(|(id, _)| (*id).to_owned()).collect();
    found.sort();
    named.sort();
    assert_eq!(found, named);
}
