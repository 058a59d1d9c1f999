//! The sections of NIST's PKITS about certificates and paths (4.1 to 4.3, 4.5 to 4.13 and 4.16), each test with a path of
//! our own making: any policy is acceptable to us, and an explicit one is asked for only where an authority does.

use super::*;
use crate::asn1::{self, tag};
use crate::key::PrivateKey;
use crate::maker::{self, NOW, Wanted};

mod basic;
mod names;
mod policies;

/// Who a certificate of a path is made for.
#[derive(Clone, Copy, PartialEq)]
enum Owner {
    /// An authority with a name of its own.
    Authority,
    /// The authority above, under the same name and with a new key.
    Same,
    /// The end of the path.
    User,
}

/// One certificate of a path, made by the one before it.
struct Link {
    owner: Owner,
    extensions: Vec<Vec<u8>>,
    change: Box<dyn Fn(&mut Wanted<'_>)>,
    spoilt: bool,
}

fn link(owner: Owner, extensions: Vec<Vec<u8>>) -> Link {
    Link {
        owner,
        extensions,
        change: Box::new(|_| ()),
        spoilt: false,
    }
}

/// keyCertSign and cRLSign; digitalSignature and nonRepudiation.
const AUTHORITY_USAGE: u8 = 0b0000_0110;
const USER_USAGE: u8 = 0b1100_0000;

/// An authority with these extensions besides the usual ones.
fn ca<const N: usize>(extensions: [Vec<u8>; N]) -> Link {
    let mut all = vec![maker::authority(), maker::key_usage(AUTHORITY_USAGE)];
    all.extend(extensions);
    link(Owner::Authority, all)
}

/// The authority above once more, with a new key.
fn same<const N: usize>(extensions: [Vec<u8>; N]) -> Link {
    Link {
        owner: Owner::Same,
        ..ca(extensions)
    }
}

/// The end of the path, with these extensions besides its usage.
fn user<const N: usize>(extensions: [Vec<u8>; N]) -> Link {
    let mut all = vec![maker::key_usage(USER_USAGE)];
    all.extend(extensions);
    link(Owner::User, all)
}

impl Link {
    /// With exactly these extensions.
    fn bare<const N: usize>(mut self, extensions: [Vec<u8>; N]) -> Self {
        self.extensions = extensions.into();
        self
    }

    /// Changed before it is signed.
    fn but(mut self, change: impl Fn(&mut Wanted<'_>) + 'static) -> Self {
        self.change = Box::new(change);
        self
    }

    /// With a signature that does not fit.
    fn spoilt(mut self) -> Self {
        self.spoilt = true;
        self
    }
}

fn spoil(certificate: &Certificate) -> Certificate {
    let mut der = certificate.der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    Certificate::from_der(&der).unwrap()
}

/// The anchor, then the certificate of each link.
fn made(links: &[Link]) -> Vec<Certificate> {
    let mut above_key = maker::key();
    let mut above = maker::name(&[("2.5.4.10", "Tests"), ("2.5.4.3", "Root")]);
    let mut root = Wanted::new("", "", &above_key).with(maker::authority());
    (root.subject, root.issuer) = (above.clone(), above.clone());
    let mut all = vec![root.by(&above_key)];
    for (number, link) in links.iter().enumerate() {
        let key = maker::key();
        let mut wanted = Wanted::new("", "", &key);
        wanted.issuer = above.clone();
        wanted.subject = match link.owner {
            Owner::Same => above,
            _ => maker::name(&[("2.5.4.10", "Tests"), ("2.5.4.3", &format!("No. {number}"))]),
        };
        wanted.extensions = link.extensions.clone();
        (link.change)(&mut wanted);
        let certificate = wanted.by(&above_key);
        above = wanted.subject;
        above_key = key;
        all.push(if link.spoilt {
            spoil(&certificate)
        } else {
            certificate
        });
    }
    all
}

fn outcome(result: Result<VerifiedPath, PathFailure>) -> &'static str {
    match result {
        Ok(_) => "valid",
        Err(PathFailure::Untrusted) => "untrusted",
        Err(PathFailure::Budget) => "budget",
        Err(PathFailure::Rule(_)) => "rule",
        Err(PathFailure::Weak) => "weak",
        Err(PathFailure::WrongUsage(_)) => "usage",
        Err(PathFailure::NotYetValid) => "early",
        Err(PathFailure::Expired) => "expired",
    }
}

/// What is found of a path whose certificates are `all`, the anchor first and the end last; it must be the same in whatever
/// order they are given and whatever lies beside them.
fn judged(all: &[Certificate]) -> &'static str {
    let anchors = TrustAnchors::new(vec![all[0].clone()]);
    let leaf = all.last().unwrap();
    let mut bag = all[1..].to_vec();
    let found = outcome(judge(leaf, &bag, &anchors, Purpose::Sign, NOW));
    bag.reverse();
    bag.extend(made(&[ca([]), user([])]));
    bag.push(all[0].clone());
    let again = outcome(judge(leaf, &bag, &anchors, Purpose::Sign, NOW));
    assert_eq!(found, again);
    found
}

/// A test by its number in its section, its path and what must be found.
type Case = (u8, Vec<Link>, &'static str);

fn check(section: &str, cases: Vec<Case>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(number, links, expected)| {
            let found = judged(&made(&links));
            (found != expected).then(|| format!("{section}.{number}: {found}, not {expected}"))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}
