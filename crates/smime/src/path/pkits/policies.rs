//! 4.8 certificate policies, 4.9 requireExplicitPolicy, 4.10 mappings, 4.11 inhibitPolicyMapping, 4.12 inhibitAnyPolicy.

use super::*;

fn oid(number: u8) -> Vec<u8> {
    let text = match number {
        ANY => "2.5.29.32.0".to_owned(),
        other => format!("2.16.840.1.101.3.2.1.48.{other}"),
    };
    asn1::oid(&text.parse().unwrap())
}

/// anyPolicy among the numbers of policies.
const ANY: u8 = 0;

fn policies(critical: bool, entries: &[Vec<u8>]) -> Vec<u8> {
    maker::extension(
        "2.5.29.32",
        critical,
        &asn1::tlv(tag::SEQUENCE, &entries.concat()),
    )
}

/// certificatePolicies with these.
fn p(numbers: &[u8]) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = numbers
        .iter()
        .map(|number| asn1::sequence(&[&oid(*number)]))
        .collect();
    policies(false, &entries)
}

/// policyConstraints: requireExplicitPolicy and inhibitPolicyMapping.
fn constraints(explicit: Option<u8>, mapping: Option<u8>) -> Vec<u8> {
    let part =
        |n: u8, skip: Option<u8>| skip.map_or(Vec::new(), |n_| asn1::tlv(tag::context(n), &[n_]));
    let value = asn1::sequence(&[&part(0, explicit), &part(1, mapping)]);
    maker::extension("2.5.29.36", true, &value)
}

fn explicit(skip: u8) -> Vec<u8> {
    constraints(Some(skip), None)
}

/// Explicit at once, no mapping after so many.
fn no_mapping(skip: u8) -> Vec<u8> {
    constraints(Some(0), Some(skip))
}

fn no_any(skip: u8) -> Vec<u8> {
    maker::extension("2.5.29.54", true, &asn1::small(u32::from(skip)))
}

fn map(pairs: &[(u8, u8)]) -> Vec<u8> {
    let pairs: Vec<Vec<u8>> = pairs
        .iter()
        .map(|(from, to)| asn1::sequence(&[&oid(*from), &oid(*to)]))
        .collect();
    maker::extension(
        "2.5.29.33",
        true,
        &asn1::tlv(tag::SEQUENCE, &pairs.concat()),
    )
}

/// A policy with a notice to people of so many characters.
fn noticed(number: u8, characters: usize) -> Vec<u8> {
    let text = asn1::tlv(0x1a, "n".repeat(characters).as_bytes());
    qualified(number, "1.3.6.1.5.5.7.2.2", &asn1::sequence(&[&text]))
}

fn qualified(number: u8, kind: &str, value: &[u8]) -> Vec<u8> {
    let qualifier = asn1::sequence(&[&asn1::oid(&kind.parse().unwrap()), value]);
    asn1::sequence(&[&oid(number), &asn1::sequence(&[&qualifier])])
}

#[test]
fn pkits_4_8_certificate_policies() {
    // An authority that asks for an explicit policy at once.
    let asks = |numbers: &[u8]| ca([p(numbers), explicit(0)]);
    let of = |numbers: &[u8]| ca([p(numbers)]);
    let pointer = asn1::tlv(tag::IA5_STRING, b"http://x.example/cps");
    check(
        "4.8",
        vec![
            (1, vec![asks(&[1]), end(&[1])], "valid"),
            (2, vec![ca([]), user([])], "valid"),
            (3, vec![of(&[1]), of(&[2]), end(&[1])], "valid"),
            (4, vec![asks(&[1]), of(&[1]), end(&[2])], "rule"),
            (5, vec![asks(&[1]), of(&[2]), end(&[2])], "rule"),
            (
                6,
                vec![asks(&[1, 2, 3, 4]), of(&[1, 2, 3]), of(&[1, 2]), end(&[1])],
                "valid",
            ),
            (
                7,
                vec![asks(&[1, 2, 3]), of(&[1, 2]), of(&[1]), end(&[3])],
                "rule",
            ),
            (
                8,
                vec![asks(&[1, 2]), of(&[1]), of(&[2]), end(&[1])],
                "rule",
            ),
            (
                9,
                vec![asks(&[1, 2, 3]), of(&[1, 2]), of(&[2]), of(&[1]), end(&[1])],
                "rule",
            ),
            (10, vec![asks(&[1, 2]), end(&[1, 2])], "valid"),
            (11, vec![asks(&[ANY]), end(&[ANY])], "valid"),
            (12, vec![asks(&[3]), end(&[4])], "rule"),
            (13, vec![asks(&[1, 2, 3]), end(&[1, 2, 3])], "valid"),
            (14, vec![asks(&[ANY]), end(&[1])], "valid"),
            (
                15,
                vec![user([policies(false, &[noticed(1, 20)])])],
                "valid",
            ),
            (
                16,
                vec![
                    asks(&[1]),
                    user([policies(false, &[noticed(1, 20), noticed(2, 20)])]),
                ],
                "valid",
            ),
            (
                17,
                vec![asks(&[1]), user([policies(false, &[noticed(ANY, 20)])])],
                "valid",
            ),
            (
                18,
                vec![
                    asks(&[1, 2]),
                    user([policies(false, &[noticed(1, 20), noticed(ANY, 20)])]),
                ],
                "valid",
            ),
            // A notice longer than the 200 characters of RFC 5280 section 4.2.1.4.
            (
                19,
                vec![user([policies(false, &[noticed(1, 300)])])],
                "valid",
            ),
            (
                20,
                vec![
                    asks(&[1]),
                    user([policies(
                        false,
                        &[qualified(1, "1.3.6.1.5.5.7.2.1", &pointer)],
                    )]),
                ],
                "valid",
            ),
            // No section of its own: a critical one is processed.
            (
                21,
                vec![asks(&[1]), user([policies(true, &[noticed(1, 20)])])],
                "valid",
            ),
        ],
    );
}

#[test]
fn pkits_4_9_require_explicit_policy() {
    let from = |skip: u8| ca([p(&[1]), explicit(skip)]);
    let (next, again) = (|| ca([p(&[1])]), || same([p(&[1])]));
    let (none, some) = (|| user([]), || user([p(&[1])]));
    check(
        "4.9",
        vec![
            (1, vec![from(10), next(), next(), next(), none()], "valid"),
            (2, vec![from(5), next(), next(), next(), none()], "valid"),
            (3, vec![from(4), next(), next(), next(), none()], "rule"),
            (4, vec![from(0), next(), next(), next(), some()], "valid"),
            (5, vec![from(7), from(2), from(4), next(), none()], "rule"),
            (6, vec![from(2), again(), none()], "valid"),
            (7, vec![from(2), again(), next(), none()], "rule"),
            (8, vec![from(2), again(), next(), again(), none()], "rule"),
            // The end may ask for it too (RFC 5280 section 6.1.5 (b)).
            (9, vec![ca([]), user([explicit(0)])], "rule"),
        ],
    );
}

#[test]
fn pkits_4_10_policy_mappings() {
    let asks = |numbers: &[u8], pairs: &[(u8, u8)]| ca([p(numbers), explicit(0), map(pairs)]);
    let of = |numbers: &[u8]| ca([p(numbers)]);
    let good = || ca([p(&[1]), explicit(0)]);
    check(
        "4.10",
        vec![
            (1, vec![asks(&[1], &[(1, 2)]), end(&[2])], "valid"),
            (2, vec![asks(&[1], &[(1, 2)]), end(&[1])], "rule"),
            (
                3,
                vec![
                    asks(&[1, 2], &[(1, 3)]),
                    maps(&[2, 5], &[(2, 4), (5, 7)]),
                    of(&[4, 7]),
                    end(&[4]),
                ],
                "valid",
            ),
            (
                4,
                vec![
                    asks(&[1, 2], &[(1, 3)]),
                    maps(&[2, 5], &[(2, 4), (5, 7)]),
                    of(&[4, 7]),
                    end(&[7]),
                ],
                "rule",
            ),
            (
                5,
                vec![
                    asks(&[1], &[(1, 2), (1, 3), (1, 4)]),
                    maps(&[2, 5], &[(2, 6), (5, 7)]),
                    end(&[6]),
                ],
                "valid",
            ),
            (
                6,
                vec![
                    asks(&[1], &[(1, 2), (1, 3), (1, 4)]),
                    maps(&[2, 5], &[(2, 6), (5, 7)]),
                    end(&[6, 7]),
                ],
                "valid",
            ),
            (7, vec![asks(&[ANY], &[(ANY, 1)]), end(&[1])], "rule"),
            (8, vec![asks(&[1], &[(1, ANY)]), end(&[1])], "rule"),
            (9, vec![asks(&[ANY], &[(1, 2)]), end(&[1])], "valid"),
            (10, vec![good(), maps(&[ANY], &[(1, 2)]), end(&[1])], "rule"),
            (
                11,
                vec![good(), maps(&[ANY], &[(1, 2)]), end(&[2])],
                "valid",
            ),
            (
                12,
                vec![
                    asks(&[1, 2], &[(1, 3)]),
                    user([policies(false, &[noticed(3, 20), noticed(ANY, 20)])]),
                ],
                "valid",
            ),
            (13, vec![asks(&[1, ANY], &[(1, 2)]), end(&[2])], "valid"),
            (14, vec![asks(&[1, ANY], &[(1, 2)]), end(&[1])], "valid"),
        ],
    );
}

/// An authority of these policies that asks for an explicit one, and allows no mapping after so many others.
fn unmapped_after(skip: u8, numbers: &[u8]) -> Link {
    ca([p(numbers), no_mapping(skip)])
}

fn maps(numbers: &[u8], pairs: &[(u8, u8)]) -> Link {
    ca([p(numbers), map(pairs)])
}

fn end(numbers: &[u8]) -> Link {
    user([p(numbers)])
}

#[test]
fn pkits_4_11_inhibit_policy_mapping() {
    let first = || unmapped_after(1, &[1, 2]);
    let second = || maps(&[1, 2], &[(1, 3), (2, 4)]);
    let third = || maps(&[3, 4], &[(3, 5)]);
    let narrower = || ca([p(&[1]), constraints(None, Some(1))]);
    let wider = || constraints(None, Some(5));
    let (fifth, sixth) = (
        vec![
            unmapped_after(5, &[1]),
            narrower(),
            ca([p(&[1])]),
            maps(&[1], &[(1, 2)]),
            end(&[2]),
        ],
        vec![
            first(),
            ca([p(&[1, 2]), wider()]),
            ca([p(&[1, 2]), wider(), map(&[(1, 3)])]),
            end(&[3]),
        ],
    );
    let at_once = vec![unmapped_after(0, &[1]), maps(&[1], &[(1, 2)]), end(&[2])];
    check(
        "4.11",
        vec![
            (1, at_once, "rule"),
            (2, vec![first(), second(), end(&[3])], "valid"),
            (3, vec![first(), second(), third(), end(&[5])], "rule"),
            (4, vec![first(), second(), third(), end(&[4])], "valid"),
            (5, fifth, "rule"),
            (6, sixth, "rule"),
        ],
    );
}

#[test]
fn pkits_4_11_inhibit_policy_mapping_self_issued() {
    let first = || unmapped_after(1, &[1]);
    let again = || same([p(&[1])]);
    let (second, third) = (|| maps(&[1], &[(1, 2)]), || maps(&[2], &[(2, 3)]));
    let third_again = || same([p(&[2]), map(&[(2, 3)])]);
    let path = |third: Link, last: u8| vec![first(), again(), second(), third, end(&[last])];
    check(
        "4.11",
        vec![
            (7, vec![first(), again(), second(), end(&[2])], "valid"),
            (8, path(third(), 3), "rule"),
            (9, path(third(), 2), "rule"),
            (10, path(third_again(), 3), "rule"),
            (11, path(third_again(), 2), "rule"),
        ],
    );
}

#[test]
fn pkits_4_12_inhibit_any_policy() {
    let from = |skip: u8| ca([p(&[1]), explicit(0), no_any(skip)]);
    let (next, again) = (|| ca([p(&[ANY])]), |numbers: &[u8]| same([p(numbers)]));
    let limits = |skip: u8| ca([p(&[1]), no_any(skip)]);
    check(
        "4.12",
        vec![
            (1, vec![from(0), end(&[ANY])], "rule"),
            (2, vec![from(0), end(&[ANY, 1])], "valid"),
            (3, vec![from(1), next(), end(&[1])], "valid"),
            (4, vec![from(1), next(), end(&[ANY])], "rule"),
            (
                5,
                vec![from(5), limits(1), ca([p(&[1])]), end(&[ANY])],
                "rule",
            ),
            (6, vec![from(1), limits(5), end(&[ANY])], "rule"),
            (7, vec![from(1), again(&[1]), next(), end(&[1])], "valid"),
            (
                8,
                vec![from(1), again(&[1]), next(), ca([p(&[ANY])]), end(&[1])],
                "rule",
            ),
            (
                9,
                vec![from(1), again(&[1]), next(), again(&[ANY]), end(&[1])],
                "valid",
            ),
            (10, vec![from(1), again(&[1]), next(), end(&[ANY])], "rule"),
        ],
    );
}
