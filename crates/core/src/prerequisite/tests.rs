//! Findings and refusals by facts.

use super::*;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn host(preference: u16, name: &str) -> Exchanger {
    Exchanger {
        preference,
        host: name.to_owned(),
        same_address_as: None,
    }
}

fn way(mx: Answer<MxAnswer>) -> Way {
    Way {
        domain: domain("example.com"),
        in_route: true,
        names: vec![domain("mx1.gate.example"), domain("mx2.gate.example")],
        mx,
    }
}

fn facts() -> Facts {
    Facts {
        way: way(Answer::Known(MxAnswer::Hosts(vec![host(
            10,
            "mx1.gate.example",
        )]))),
        licence: Ok(Some(3)),
        caa: Answer::Known(None),
        dkim: DkimFact::NoKey,
        dkim_use: DkimUse::Nothing,
    }
}

fn words(found: &Finding) -> String {
    let to_do = found.to_do.as_ref().map(ToString::to_string);
    format!("{} {}", found.text, to_do.unwrap_or_default())
}

fn finding(facts: &Facts, prerequisite: Prerequisite) -> Finding {
    let found = judge(facts);
    let of = |finding: &&Finding| finding.prerequisite == prerequisite;
    assert_eq!(found.iter().filter(of).count(), 1);
    found.iter().find(of).unwrap().clone()
}

#[test]
fn s18_mx_points_here() {
    let ours = || host(10, "mx1.gate.example");
    let other = |preference| host(preference, "mail.other.example");
    let twin = Exchanger {
        same_address_as: Some(domain("mx1.gate.example")),
        ..other(10)
    };
    let known = |hosts: Vec<Exchanger>| Answer::Known(MxAnswer::Hosts(hosts));
    // Records; state; part of what is said; whether requests are refused, and whether that may pass.
    let table = [
        (known(vec![ours()]), State::Met, "mx1", None),
        (
            known(vec![ours(), host(10, "mx2.gate.example")]),
            State::Met,
            "mx1.gate.example and mx2.gate.example",
            None,
        ),
        (
            known(vec![ours(), host(20, "mx2.gate.example")]),
            State::Met,
            "mx2",
            None,
        ),
        (
            known(vec![ours(), other(20)]),
            State::Met,
            "pass mail on",
            None,
        ),
        (
            known(vec![other(10)]),
            State::NotMet,
            "be mx1.gate.example or mx2.gate.example",
            Some(false),
        ),
        (
            known(vec![ours(), other(10)]),
            State::NotMet,
            "points to mail.other",
            Some(false),
        ),
        (
            known(vec![other(5), ours()]),
            State::NotMet,
            "points to mail.other",
            Some(false),
        ),
        (
            known(vec![twin]),
            State::NotMet,
            "add mail.other.example to gateway-names",
            Some(false),
        ),
        (
            Answer::Known(MxAnswer::NoRecords),
            State::NotMet,
            "no MX record",
            Some(false),
        ),
        (
            Answer::Known(MxAnswer::NullMx),
            State::NotMet,
            "takes no mail",
            Some(false),
        ),
        (
            Answer::Known(MxAnswer::NoSuchDomain),
            State::NotMet,
            "no such domain",
            Some(false),
        ),
        (Answer::Off, State::Unknown, "switched off", None),
        (
            Answer::Missing(Saying::words("SERVFAIL")),
            State::Unknown,
            "SERVFAIL",
            Some(true),
        ),
    ];
    for (mx, state, said, refused) in table {
        let facts = Facts {
            way: way(mx.clone()),
            ..facts()
        };
        let found = finding(&facts, Prerequisite::Mx);
        let text = words(&found);
        assert_eq!(found.state, state, "{mx:?}");
        assert!(text.contains(said), "{mx:?}: {text}");
        let may = may_request(&facts.way);
        assert_eq!(
            may.as_ref().err().map(|refusal| refusal.passing),
            refused,
            "{mx:?}"
        );
        if let Err(refusal) = may {
            assert!(
                refusal.to_string().starts_with("example.com: "),
                "{refusal}"
            );
            assert!(!refusal.said.to_string().contains('\n'));
        }
    }
}

#[test]
fn s19_the_domain_stands_in_a_route() {
    let mut facts = facts();
    assert_eq!(
        finding(&facts, Prerequisite::InboundRoute).state,
        State::Met
    );
    facts.way.in_route = false;
    let found = finding(&facts, Prerequisite::InboundRoute);
    assert_eq!(found.state, State::NotMet);
    assert!(
        found
            .to_do
            .unwrap()
            .to_string()
            .contains("route add NAME --domain example.com")
    );
    // Whatever DNS says, and though nothing can be asked.
    for mx in [
        facts.way.mx.clone(),
        Answer::Off,
        Answer::Missing(Saying::words("x")),
    ] {
        facts.way.mx = mx;
        assert!(!may_request(&facts.way).unwrap_err().passing);
    }
}

#[test]
fn licences() {
    let table = [
        (Ok(None), State::Met, "not counted"),
        (Ok(Some(1)), State::Met, "1 licences are free"),
        (Err(QuotaRefusal::Full(40)), State::NotMet, "all 40"),
        (Err(QuotaRefusal::Over), State::NotMet, "term"),
    ];
    for (licence, state, said) in table {
        let found = finding(&Facts { licence, ..facts() }, Prerequisite::Licence);
        assert_eq!(found.state, state, "{licence:?}");
        assert!(found.text.to_string().contains(said), "{}", found.text);
    }
}

fn records(records: &[(bool, &str, &str)]) -> Answer<Option<Caa>> {
    let property = |(critical, tag, value): &(bool, &str, &str)| CaaProperty {
        critical: *critical,
        tag: (*tag).to_owned(),
        value: (*value).to_owned(),
    };
    Answer::Known(Some(Caa {
        at: "example.com".into(),
        properties: records.iter().map(property).collect(),
    }))
}

#[test]
fn caa_is_a_hint() {
    let table = [
        (Answer::Known(None), State::Met, "any authority"),
        (
            records(&[(false, "issue", "ca.example")]),
            State::Met,
            "any authority",
        ),
        (
            records(&[(true, "iodef", "mailto:a@b.example")]),
            State::Met,
            "any authority",
        ),
        (
            records(&[
                (false, "issuemail", "CA.example; account=1"),
                (false, "IssueMail", " other.example "),
            ]),
            State::Hint,
            "only ca.example and other.example",
        ),
        (
            records(&[(false, "issuemail", ";")]),
            State::Hint,
            "no public authority",
        ),
        (
            records(&[(false, "issuemail", ""), (false, "issue", "ca.example")]),
            State::Hint,
            "no public authority",
        ),
        // What is no domain name is nobody's, and does not come before a terminal.
        (
            records(&[
                (false, "issuemail", "%%%%"),
                (false, "issuemail", "ca example"),
                (false, "issuemail", "\u{1b}[31mca.example"),
                (false, "issuemail", "-.example"),
            ]),
            State::Hint,
            "no public authority",
        ),
        // RFC 8659 section 4.2: one that forbids beside one that allows allows.
        (
            records(&[
                (false, "issuemail", ";"),
                (false, "issuemail", "ca.example"),
            ]),
            State::Hint,
            "only ca.example",
        ),
        (records(&[(true, "tbs", "x")]), State::Hint, "critical"),
        (records(&[(false, "tbs", "x")]), State::Met, "any authority"),
        (Answer::Off, State::Unknown, "switched off"),
        (
            Answer::Missing(Saying::words("no answer")),
            State::Unknown,
            "no answer",
        ),
    ];
    for (caa, state, said) in table {
        let found = finding(
            &Facts {
                caa: caa.clone(),
                ..facts()
            },
            Prerequisite::Caa,
        );
        assert_eq!(found.state, state, "{caa:?}");
        assert!(
            found.text.to_string().contains(said),
            "{caa:?}: {}",
            found.text
        );
    }
}

#[test]
fn dkim_is_needed_only_for_acme() {
    let active = |answer| DkimFact::Active(answer);
    let table = [
        (DkimFact::NoKey, State::Hint, State::NotMet),
        (DkimFact::NotActive, State::Hint, State::NotMet),
        (
            active(Answer::Known(Published::Seen)),
            State::Met,
            State::Met,
        ),
        (
            active(Answer::Known(Published::Missing)),
            State::Hint,
            State::NotMet,
        ),
        (
            active(Answer::Known(Published::Wrong(Said::NoKey {}))),
            State::Hint,
            State::NotMet,
        ),
        (active(Answer::Off), State::Unknown, State::Unknown),
        (
            active(Answer::Missing(Saying::words("x"))),
            State::Unknown,
            State::Unknown,
        ),
    ];
    for (dkim, otherwise, needed) in table {
        for (dkim_use, state) in [
            (DkimUse::Nothing, otherwise),
            (DkimUse::Mail, otherwise),
            (DkimUse::Authority, needed),
        ] {
            let facts = Facts {
                dkim: dkim.clone(),
                dkim_use,
                ..facts()
            };
            let found = finding(&facts, Prerequisite::Dkim);
            assert_eq!(found.state, state, "{dkim:?} {dkim_use:?}");
            let good = matches!(state, State::Met | State::Unknown);
            assert_eq!(found.to_do.is_none(), good, "{dkim:?}");
        }
    }
}
