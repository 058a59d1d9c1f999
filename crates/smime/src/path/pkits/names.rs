//! 4.3 name chaining, 4.13 name constraints.

use super::*;

type Part<'p> = (&'p str, u8, &'p str);

/// A name of these attributes, each with its type of string.
fn dn(parts: &[Part<'_>]) -> Vec<u8> {
    let rdns: Vec<Vec<u8>> = parts
        .iter()
        .map(|(kind, string, text)| {
            let kind = asn1::oid(&kind.parse().unwrap());
            asn1::set_of(vec![asn1::sequence(&[
                &kind,
                &asn1::tlv(*string, text.as_bytes()),
            ])])
        })
        .collect();
    asn1::tlv(tag::SEQUENCE, &rdns.concat())
}

const PRINTABLE: u8 = tag::PRINTABLE_STRING;
const UTF8: u8 = tag::UTF8_STRING;
const COUNTRY: Part<'_> = ("2.5.4.6", PRINTABLE, "US");
const ORGANISATION: &str = "2.5.4.10";
const UNIT: &str = "2.5.4.11";
const COMMON: &str = "2.5.4.3";

/// An authority of the first name, and a user who names the second as the issuer.
fn chained(subject: &[Part<'_>], issuer: &[Part<'_>]) -> Vec<Link> {
    let (subject, issuer) = (dn(subject), dn(issuer));
    vec![
        ca([]).but(move |wanted| wanted.subject = subject.clone()),
        user([]).but(move |wanted| wanted.issuer = issuer.clone()),
    ]
}

/// An authority's name in PrintableString, and how a user writes it.
fn written(string: u8, common: &str) -> Vec<Link> {
    let name = [
        COUNTRY,
        (ORGANISATION, PRINTABLE, "Tests"),
        (COMMON, PRINTABLE, "Good CA"),
    ];
    chained(
        &name,
        &[
            COUNTRY,
            (ORGANISATION, string, "Tests"),
            (COMMON, string, common),
        ],
    )
}

/// An authority whose name has these attributes.
fn with_attributes(attributes: &[Part<'_>]) -> Vec<Link> {
    let name = [&[COUNTRY], attributes].concat();
    chained(&name, &name)
}

#[test]
fn pkits_4_3_name_chaining() {
    let unique = |link: Link| {
        let ids = [
            asn1::tlv(tag::context(1), &[0, 5]),
            asn1::tlv(tag::context(2), &[0, 6]),
        ];
        link.but(move |wanted| wanted.unique_ids = ids.concat())
    };
    let mandatory = [
        (ORGANISATION, PRINTABLE, "Tests"),
        ("0.9.2342.19200300.100.1.25", tag::IA5_STRING, "example"),
        (UNIT, PRINTABLE, "Unit"),
        ("2.5.4.46", PRINTABLE, "CA"),
        ("2.5.4.8", PRINTABLE, "Maryland"),
        ("2.5.4.5", PRINTABLE, "345"),
        (COMMON, PRINTABLE, "Mandatory"),
    ];
    let optional = [
        (ORGANISATION, PRINTABLE, "Tests"),
        ("2.5.4.7", PRINTABLE, "Gaithersburg"),
        ("2.5.4.42", PRINTABLE, "John"),
        ("2.5.4.43", PRINTABLE, "Q"),
        ("2.5.4.65", PRINTABLE, "Fictitious"),
        ("2.5.4.4", PRINTABLE, "CA"),
        ("2.5.4.44", PRINTABLE, "III"),
        ("2.5.4.12", PRINTABLE, "M.D."),
        ("2.5.4.41", PRINTABLE, "Name"),
    ];
    let swapped = chained(
        &[COUNTRY, (UNIT, PRINTABLE, "One"), (UNIT, PRINTABLE, "Two")],
        &[COUNTRY, (UNIT, PRINTABLE, "Two"), (UNIT, PRINTABLE, "One")],
    );
    check(
        "4.3",
        vec![
            (1, written(PRINTABLE, "Good CA Root"), "untrusted"),
            (2, swapped, "untrusted"),
            (3, written(PRINTABLE, "Good   CA"), "valid"),
            (4, written(PRINTABLE, "  Good CA  "), "valid"),
            (5, written(PRINTABLE, "GOOD ca"), "valid"),
            (6, vec![unique(ca([])), unique(user([]))], "valid"),
            (7, with_attributes(&mandatory), "valid"),
            (8, with_attributes(&optional), "valid"),
            (
                9,
                with_attributes(&[(ORGANISATION, UTF8, "T\u{eb}sts")]),
                "valid",
            ),
            // The authority changed over from PrintableString to UTF8String.
            (10, written(UTF8, "Good CA"), "valid"),
            (11, written(UTF8, " good  Ca"), "valid"),
        ],
    );
}

/// Organisational units below `C=US,O=Tests`.
fn units(units: &[&str]) -> Vec<u8> {
    let mut parts = vec![COUNTRY, (ORGANISATION, PRINTABLE, "Tests")];
    parts.extend(units.iter().map(|unit| (UNIT, PRINTABLE, *unit)));
    dn(&parts)
}

fn directory(units_of: &[&str]) -> Vec<u8> {
    asn1::tlv(tag::context_constructed(4), &units(units_of))
}

fn mail(text: &str) -> Vec<u8> {
    asn1::tlv(tag::context(1), text.as_bytes())
}

fn dns(text: &str) -> Vec<u8> {
    asn1::tlv(tag::context(2), text.as_bytes())
}

fn uri(text: &str) -> Vec<u8> {
    asn1::tlv(tag::context(6), text.as_bytes())
}

/// nameConstraints: permitted and excluded subtrees.
fn trees(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    let list = |n: u8, names: &[Vec<u8>]| {
        let trees: Vec<Vec<u8>> = names.iter().map(|name| asn1::sequence(&[name])).collect();
        match trees.as_slice() {
            [] => Vec::new(),
            some => asn1::tlv(tag::context_constructed(n), &some.concat()),
        }
    };
    let value = asn1::sequence(&[&list(0, permitted), &list(1, excluded)]);
    maker::extension("2.5.29.30", true, &value)
}

fn alternative(critical: bool, names: &[Vec<u8>]) -> Vec<u8> {
    let value = asn1::tlv(tag::SEQUENCE, &names.concat());
    maker::extension("2.5.29.17", critical, &value)
}

impl Link {
    /// Of this name.
    fn named(self, name: Vec<u8>) -> Self {
        self.but(move |wanted| wanted.subject = name.clone())
    }
}

/// A user in these units.
fn in_units(of: &[&str]) -> Link {
    user([]).named(units(of))
}

/// A user in these units with alternative names.
fn also(of: &[&str], names: &[Vec<u8>]) -> Link {
    user([alternative(false, names)]).named(units(of))
}

#[test]
fn pkits_4_13_name_constraints_of_directories() {
    let one = || ca([trees(&[directory(&["P1"])], &[])]).named(units(&["P1", "CA"]));
    let two = || ca([trees(&[directory(&["P1"]), directory(&["P2"])], &[])]);
    let not_one = || ca([trees(&[], &[directory(&["X1"])])]);
    let not_two = || ca([trees(&[], &[directory(&["X1"]), directory(&["X2"])])]);
    let both = || ca([trees(&[directory(&["P1"])], &[directory(&["P1", "X1"])])]);
    let below = |permitted: &[&str]| ca([trees(&[directory(permitted)], &[])]);
    let inside = |link: Link| link.named(units(&["P1", "sub"]));
    let nameless = |names: &[Vec<u8>]| user([alternative(true, names)]).named(units_of_nobody());
    let own_name = || user([]).named(units(&["CA"]));
    let at_ca = || ca([trees(&[directory(&["P1"])], &[])]).named(units(&["CA"]));
    check(
        "4.13",
        vec![
            (1, vec![one(), in_units(&["P1"])], "valid"),
            (2, vec![one(), in_units(&["X1"])], "rule"),
            (3, vec![one(), also(&["P1"], &[directory(&["X1"])])], "rule"),
            (
                4,
                vec![one(), also(&["P1"], &[mail("a@x.example")])],
                "valid",
            ),
            (
                5,
                vec![two(), also(&["P1"], &[directory(&["P2"])])],
                "valid",
            ),
            (6, vec![not_one(), in_units(&["P1"])], "valid"),
            (7, vec![not_one(), in_units(&["X1"])], "rule"),
            (8, vec![not_two(), in_units(&["X1"])], "rule"),
            (9, vec![not_two(), in_units(&["X2"])], "rule"),
            (10, vec![both(), in_units(&["P1", "X1"])], "rule"),
            (11, vec![both(), in_units(&["P1", "Y"])], "valid"),
            (
                12,
                vec![one(), inside(below(&["P1", "P2"])), in_units(&["P1"])],
                "rule",
            ),
            (
                13,
                vec![one(), inside(below(&["P2"])), in_units(&["P2"])],
                "rule",
            ),
            (
                14,
                vec![
                    one(),
                    inside(below(&["P2"])),
                    nameless(&[mail("a@x.example")]),
                ],
                "valid",
            ),
            (
                15,
                vec![
                    not_one(),
                    ca([trees(&[], &[directory(&["X2"])])]),
                    in_units(&["X1"]),
                ],
                "rule",
            ),
            (
                16,
                vec![
                    not_one(),
                    ca([trees(&[], &[directory(&["X2"])])]),
                    in_units(&["X2"]),
                ],
                "rule",
            ),
            (
                17,
                vec![not_one(), below(&["P1"]), in_units(&["X1"])],
                "rule",
            ),
            (
                18,
                vec![not_one(), below(&["P1"]), in_units(&["P1"])],
                "valid",
            ),
            // Self-issued certificates are not held to them, but the last one is.
            (19, vec![at_ca(), same([]), in_units(&["P1"])], "valid"),
            (20, vec![at_ca(), own_name()], "rule"),
        ],
    );
}

fn units_of_nobody() -> Vec<u8> {
    dn(&[])
}

/// An authority held to a tree of one kind, and a user of one name.
fn held(permitted: &[Vec<u8>], excluded: &[Vec<u8>], name: Vec<u8>) -> Vec<Link> {
    let user = user([alternative(false, &[name])]);
    vec![ca([trees(permitted, excluded)]), user]
}

#[test]
fn pkits_4_13_name_constraints_of_mailboxes() {
    let domain = |name: &str| held(&[mail(".x.example")], &[], mail(name));
    let host = |name: &str| held(&[mail("x.example")], &[], mail(name));
    let not_host = |name: &str| held(&[], &[mail("x.example")], mail(name));
    let one = || ca([trees(&[directory(&["P1"])], &[])]).named(units(&["P1", "CA"]));
    let narrowed = |end: Link| {
        let below = ca([trees(&[mail("x.example")], &[])]).named(units(&["P1", "sub"]));
        vec![one(), below, end]
    };
    let in_subject = dn(&[
        COUNTRY,
        (ORGANISATION, PRINTABLE, "Tests"),
        (UNIT, PRINTABLE, "P1"),
        ("1.2.840.113549.1.9.1", tag::IA5_STRING, "a@y.example"),
    ]);
    check(
        "4.13",
        vec![
            (21, domain("a@mail.x.example"), "valid"),
            (22, domain("a@x.example"), "rule"),
            (23, host("a@x.example"), "valid"),
            (24, host("a@mail.x.example"), "rule"),
            (25, not_host("a@mail.x.example"), "valid"),
            (26, not_host("a@x.example"), "rule"),
            (27, narrowed(also(&["P1"], &[mail("a@x.example")])), "valid"),
            (28, narrowed(also(&["P1"], &[mail("a@y.example")])), "rule"),
            (29, narrowed(user([]).named(in_subject)), "rule"),
        ],
    );
}

#[test]
fn pkits_4_13_name_constraints_of_hosts() {
    let host = |name: &str| held(&[dns("x.example")], &[], dns(name));
    let not_host = |name: &str| held(&[], &[dns("y.example")], dns(name));
    let domain = |name: &str| held(&[uri(".x.example")], &[], uri(name));
    let not_uri = |name: &str| held(&[], &[uri("y.example")], uri(name));
    check(
        "4.13",
        vec![
            (30, host("a.x.example"), "valid"),
            (31, host("a.y.example"), "rule"),
            (32, not_host("a.x.example"), "valid"),
            (33, not_host("a.y.example"), "rule"),
            (34, domain("http://a.x.example/index.html"), "valid"),
            (35, domain("http://x.example/index.html"), "rule"),
            (36, not_uri("http://a.y.example/index.html"), "valid"),
            (37, not_uri("ftp://y.example:21/test37/"), "rule"),
            (38, host("myx.example"), "rule"),
        ],
    );
}
