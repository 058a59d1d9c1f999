//! Certificate policies (RFC 5280 section 6.1) with every policy acceptable to us: they matter only where an authority asks for
//! an explicit policy. The tree is kept as one level of policies with what each expects below, which is all that this
//! question needs (RFC 9618 shows that the level stands for the tree).

use std::collections::{BTreeMap, BTreeSet};

use const_oid::ObjectIdentifier;

use crate::certificate::Certificate;

type Policies = BTreeMap<ObjectIdentifier, BTreeSet<ObjectIdentifier>>;

const ANY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32.0");

/// The state variables of RFC 5280 section 6.1.2.
pub(super) struct State {
    /// Policies valid at this depth, each with the set expected one level down; `None`: the tree is empty.
    level: Option<Policies>,
    explicit: usize,
    inhibit_any: usize,
    inhibit_mapping: usize,
}

impl State {
    /// `length` certificates, the anchor included.
    pub(super) fn new(length: usize) -> Self {
        let start = Policies::from([(ANY, BTreeSet::from([ANY]))]);
        Self {
            level: Some(start),
            explicit: length,
            inhibit_any: length,
            inhibit_mapping: length,
        }
    }

    /// RFC 5280 section 6.1.3 (d) to (f).
    pub(super) fn take(
        &mut self,
        certificate: &Certificate,
        is_leaf: bool,
    ) -> Result<(), &'static str> {
        self.level = match (&certificate.extensions().policies, &self.level) {
            (Some(policies), Some(level)) => {
                let any_allowed = self.inhibit_any > 0 || (!is_leaf && certificate.self_issued());
                Some(next_level(level, policies, any_allowed)).filter(|next| !next.is_empty())
            }
            _ => None,
        };
        if self.explicit > 0 || self.level.is_some() {
            Ok(())
        } else {
            Err("no acceptable policy")
        }
    }

    /// RFC 5280 section 6.1.4 (a), (b), (h), (i), (j).
    pub(super) fn prepare_next(&mut self, certificate: &Certificate) -> Result<(), &'static str> {
        let extensions = certificate.extensions();
        if extensions
            .policy_mappings
            .iter()
            .any(|(from, to)| *from == ANY || *to == ANY)
        {
            return Err("a policy mapping names any policy");
        }
        self.map(&extensions.policy_mappings);
        if !certificate.self_issued() {
            self.explicit = self.explicit.saturating_sub(1);
            self.inhibit_any = self.inhibit_any.saturating_sub(1);
            self.inhibit_mapping = self.inhibit_mapping.saturating_sub(1);
        }
        let lower = |value: &mut usize, limit: Option<u32>| {
            if let Some(limit) = limit {
                *value = (*value).min(limit as usize);
            }
        };
        lower(
            &mut self.explicit,
            extensions.policy_constraints.require_explicit,
        );
        lower(
            &mut self.inhibit_mapping,
            extensions.policy_constraints.inhibit_mapping,
        );
        lower(&mut self.inhibit_any, extensions.inhibit_any_policy);
        Ok(())
    }

    /// RFC 5280 section 6.1.5 (a), (b), (g).
    pub(super) fn wrap_up(mut self, leaf: Option<&Certificate>) -> Result<(), &'static str> {
        self.explicit = self.explicit.saturating_sub(1);
        if leaf.is_some_and(|leaf| leaf.extensions().policy_constraints.require_explicit == Some(0))
        {
            self.explicit = 0;
        }
        if self.explicit > 0 || self.level.is_some() {
            Ok(())
        } else {
            Err("no acceptable policy")
        }
    }

    fn map(&mut self, mappings: &[(ObjectIdentifier, ObjectIdentifier)]) {
        let Some(level) = &mut self.level else { return };
        let mut wanted: Policies = Policies::new();
        for (from, to) in mappings {
            wanted.entry(*from).or_default().insert(*to);
        }
        for (from, to) in wanted {
            if self.inhibit_mapping == 0 {
                level.remove(&from);
            } else if level.contains_key(&from) || level.contains_key(&ANY) {
                level.insert(from, to);
            }
        }
        if level.is_empty() {
            self.level = None;
        }
    }
}

/// RFC 5280 section 6.1.3 (d): the policies of a certificate that the level above leads to.
fn next_level(level: &Policies, policies: &[ObjectIdentifier], any_allowed: bool) -> Policies {
    let expected: BTreeSet<ObjectIdentifier> = level.values().flatten().copied().collect();
    let from_any = level.contains_key(&ANY);
    let named = policies.iter().filter(|policy| **policy != ANY);
    let taken = named.filter(|policy| expected.contains(*policy) || from_any);
    let mut next: Policies = taken
        .map(|policy| (*policy, BTreeSet::from([*policy])))
        .collect();
    if any_allowed && policies.contains(&ANY) {
        for policy in expected {
            next.entry(policy)
                .or_insert_with(|| BTreeSet::from([policy]));
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use crate::asn1::{self, tag};
    use crate::key::{KeyKind, PrivateKey};
    use crate::maker::{self, NOW, Wanted};
    use crate::path::{PathFailure, Purpose, TrustAnchors, judge};

    const ONE: &str = "1.2.3.1";
    const TWO: &str = "1.2.3.2";
    const ANY: &str = "2.5.29.32.0";

    fn oid(text: &str) -> Vec<u8> {
        asn1::oid(&text.parse().unwrap())
    }

    fn policies(named: &[&str]) -> Vec<u8> {
        let entries: Vec<Vec<u8>> = named
            .iter()
            .map(|policy| asn1::sequence(&[&oid(policy)]))
            .collect();
        maker::extension(
            "2.5.29.32",
            false,
            &asn1::tlv(tag::SEQUENCE, &entries.concat()),
        )
    }

    /// RFC 5280 section 4.2.1.4: at least one policy.
    #[test]
    fn an_empty_list_of_policies_is_no_extension() {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let with = |named: &[&str]| Wanted::new("leaf", "leaf", &key).with(policies(named));
        assert!(with(&[ONE]).try_by(&key).is_ok());
        assert!(with(&[]).try_by(&key).is_err());
    }

    fn explicit() -> Vec<u8> {
        let at_once = asn1::tlv(tag::context(0), &[0]);
        maker::extension("2.5.29.36", true, &asn1::sequence(&[&at_once]))
    }

    fn no_mapping() -> Vec<u8> {
        let at_once = asn1::tlv(tag::context(1), &[0]);
        maker::extension("2.5.29.36", true, &asn1::sequence(&[&at_once]))
    }

    fn mapping(from: &str, to: &str) -> Vec<u8> {
        let pair = asn1::sequence(&[&oid(from), &oid(to)]);
        maker::extension("2.5.29.33", true, &asn1::sequence(&[&pair]))
    }

    fn inhibit_any() -> Vec<u8> {
        maker::extension("2.5.29.54", true, &asn1::small(0))
    }

    /// Extensions of the upper authority, of the lower one, of the leaf; whether the path is good.
    type Case = (Vec<Vec<u8>>, Vec<Vec<u8>>, Vec<Vec<u8>>, bool);

    fn cases() -> Vec<Case> {
        let one = || policies(&[ONE]);
        vec![
            (vec![], vec![], vec![], true),
            (vec![one()], vec![], vec![one()], true),
            (vec![explicit()], vec![], vec![], false),
            (vec![explicit(), one()], vec![one()], vec![], false),
            (vec![explicit(), one()], vec![one()], vec![one()], true),
            (
                vec![explicit(), one()],
                vec![policies(&[TWO])],
                vec![policies(&[TWO])],
                false,
            ),
            (
                vec![explicit(), one()],
                vec![policies(&[ANY])],
                vec![one()],
                true,
            ),
            (
                vec![explicit(), one()],
                vec![policies(&[ANY])],
                vec![policies(&[TWO])],
                false,
            ),
            (
                vec![explicit(), one(), inhibit_any()],
                vec![policies(&[ANY])],
                vec![one()],
                false,
            ),
            (
                vec![explicit(), one()],
                vec![one(), mapping(ONE, TWO)],
                vec![policies(&[TWO])],
                true,
            ),
            (
                vec![explicit(), one()],
                vec![one(), mapping(ONE, TWO)],
                vec![one()],
                false,
            ),
            (
                vec![no_mapping(), one()],
                vec![one(), mapping(ONE, TWO), explicit()],
                vec![policies(&[TWO])],
                false,
            ),
            (vec![], vec![one(), mapping(ONE, ANY)], vec![one()], false),
        ]
    }

    #[test]
    fn explicit_policies() {
        let keys = [maker::key(), maker::key(), maker::key(), maker::key()];
        let root = Wanted::new("CA 0", "CA 0", &keys[0])
            .with(maker::authority())
            .by(&keys[0]);
        let anchors = TrustAnchors::new(vec![root]);
        for (number, (upper, lower, end, good)) in cases().into_iter().enumerate() {
            let made = |n: usize, extensions: Vec<Vec<u8>>| {
                let mut wanted =
                    Wanted::new(&format!("CA {n}"), &format!("CA {}", n - 1), &keys[n]);
                wanted.extensions = extensions;
                if n < 3 {
                    wanted.extensions.push(maker::authority());
                }
                wanted.by(&keys[n - 1])
            };
            let bag = [made(1, upper), made(2, lower)];
            let result = judge(&made(3, end), &bag, &anchors, Purpose::Sign, NOW);
            match result {
                Ok(_) => assert!(good, "case {number} passed"),
                Err(failure) => assert!(
                    !good && matches!(failure, PathFailure::Rule(_)),
                    "case {number}: {failure}"
                ),
            }
        }
    }
}
