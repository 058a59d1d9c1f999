//! Keys on Brainpool curves (RFC 5639), which the crypto library does not know: to verify and to decrypt, nothing is made.
//! An organisation lets them in by [`crate::algorithms::Switches::brainpool`].

use bp256::BrainpoolP256r1;
use bp384::BrainpoolP384r1;
use ecdsa::elliptic_curve::point::AffineCoordinates;
use ecdsa::elliptic_curve::sec1::ToSec1Point;
use ecdsa::elliptic_curve::{AffinePoint, CurveArithmetic, PublicKey, SecretKey};
use ecdsa::hazmat::verify_prehashed;
use ecdsa::{EcdsaCurve, Signature};
use zeroize::Zeroizing;

use crate::algorithms::Curve;
use crate::aws::CryptoError;

/// A public key: a point that lies on its curve and is not the point at infinity.
pub enum Point {
    /// On brainpoolP256r1.
    P256(PublicKey<BrainpoolP256r1>),
    /// On brainpoolP384r1.
    P384(PublicKey<BrainpoolP384r1>),
}

/// A private key; the crate that holds it wipes it when it is dropped.
pub enum Scalar {
    /// Of brainpoolP256r1.
    P256(SecretKey<BrainpoolP256r1>),
    /// Of brainpoolP384r1.
    P384(SecretKey<BrainpoolP384r1>),
}

const AGREEMENT: CryptoError = CryptoError("key agreement");

impl Point {
    /// Reads a point in the form of SEC 1 section 2.3.3. `None` for other curves and for what is no point of this curve.
    pub fn read(curve: Curve, octets: &[u8]) -> Option<Self> {
        match curve {
            Curve::BrainpoolP256 => PublicKey::from_sec1_bytes(octets).ok().map(Self::P256),
            Curve::BrainpoolP384 => PublicKey::from_sec1_bytes(octets).ok().map(Self::P384),
            Curve::P256 | Curve::P384 | Curve::P521 => None,
        }
    }

    /// The curve.
    pub fn curve(&self) -> Curve {
        match self {
            Self::P256(_) => Curve::BrainpoolP256,
            Self::P384(_) => Curve::BrainpoolP384,
        }
    }

    /// Its uncompressed form.
    pub fn octets(&self) -> Vec<u8> {
        match self {
            Self::P256(point) => point.to_sec1_point(false).as_bytes().to_vec(),
            Self::P384(point) => point.to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    /// Checks an ECDSA signature in DER over a digest.
    pub fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let good = match self {
            Self::P256(point) => verify(point, digest, Signature::from_der(signature)),
            Self::P384(point) => verify(point, digest, Signature::from_der(signature)),
        };
        good.map_err(|_| CryptoError("verifying"))
    }
}

impl Scalar {
    /// Reads the octets of a private key, which are as many as those of the field.
    pub fn read(curve: Curve, octets: &[u8]) -> Option<Self> {
        match curve {
            Curve::BrainpoolP256 if octets.len() == 32 => {
                SecretKey::from_slice(octets).ok().map(Self::P256)
            }
            Curve::BrainpoolP384 if octets.len() == 48 => {
                SecretKey::from_slice(octets).ok().map(Self::P384)
            }
            _ => None,
        }
    }

    /// The public half.
    pub fn point(&self) -> Point {
        match self {
            Self::P256(scalar) => Point::P256(scalar.public_key()),
            Self::P384(scalar) => Point::P384(scalar.public_key()),
        }
    }

    /// Diffie-Hellman with a peer's point of the same curve (SEC 1 section 3.3.1).
    pub fn agree(&self, peer: &Point) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match (self, peer) {
            (Self::P256(own), Point::P256(peer)) => Ok(agree(own, peer)),
            (Self::P384(own), Point::P384(peer)) => Ok(agree(own, peer)),
            _ => Err(AGREEMENT),
        }
    }
}

/// The curve's order is prime and the point is not infinity, so that no product is infinity.
fn agree<C: CurveArithmetic>(own: &SecretKey<C>, peer: &PublicKey<C>) -> Zeroizing<Vec<u8>> {
    let shared = peer.to_projective() * own.to_nonzero_scalar().as_ref();
    let affine: AffinePoint<C> = shared.into();
    let x = Zeroizing::new(affine.x());
    Zeroizing::new(x.to_vec())
}

fn verify<C: EcdsaCurve + CurveArithmetic>(
    point: &PublicKey<C>,
    digest: &[u8],
    signature: ecdsa::Result<Signature<C>>,
) -> ecdsa::Result<()> {
    verify_prehashed::<C>(&point.to_projective(), digest, &signature?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::DigestAlgorithm;
    use crate::aws::Digest;

    fn scalar(curve: Curve, length: usize, seed: u8) -> (Scalar, Vec<u8>) {
        let octets: Vec<u8> = (0..length).map(|n| seed.wrapping_add(n as u8)).collect();
        (Scalar::read(curve, &octets).unwrap(), octets)
    }

    const CURVES: [(Curve, usize); 2] = [(Curve::BrainpoolP256, 32), (Curve::BrainpoolP384, 48)];

    #[test]
    fn both_sides_agree() {
        for (curve, length) in CURVES {
            let ((one, _), (two, _)) = (scalar(curve, length, 1), scalar(curve, length, 9));
            let shared = one.agree(&two.point()).unwrap();
            assert_eq!(shared, two.agree(&one.point()).unwrap());
            assert_eq!(shared.len(), length);
            let other = CURVES.iter().find(|(other, _)| *other != curve).unwrap();
            assert!(one.agree(&scalar(other.0, other.1, 3).0.point()).is_err());
        }
    }

    #[test]
    fn c14_only_points_of_the_curve_are_read() {
        for (curve, length) in CURVES {
            let good = scalar(curve, length, 5).0.point().octets();
            assert_eq!(Point::read(curve, &good).unwrap().octets(), good);
            let mut off = good.clone();
            *off.last_mut().unwrap() ^= 1;
            for bad in [&off[..], &good[..good.len() - 1], &[0], &[], &[4]] {
                assert!(Point::read(curve, bad).is_none());
            }
            assert!(Point::read(Curve::P256, &good).is_none());
            for bad in [vec![0; length], vec![0xff; length], vec![1; length - 1]] {
                assert!(Scalar::read(curve, &bad).is_none());
            }
        }
    }

    #[test]
    fn signatures_are_checked() {
        let digest = Digest::of(DigestAlgorithm::Sha256, b"text");
        let (key, _) = scalar(Curve::BrainpoolP256, 32, 7);
        let Scalar::P256(secret) = &key else { panic!() };
        let once = SecretKey::<BrainpoolP256r1>::from_slice(&[11; 32]).unwrap();
        let (d, k) = (secret.to_nonzero_scalar(), once.to_nonzero_scalar());
        let (signature, _) = ecdsa::hazmat::sign_prehashed(&d, &k, &digest).unwrap();
        let mut der = signature.to_der().as_bytes().to_vec();
        assert!(key.point().verify(&digest, &der).is_ok());
        assert!(key.point().verify(&[7; 32], &der).is_err());
        let other = scalar(Curve::BrainpoolP256, 32, 8).0.point();
        assert!(other.verify(&digest, &der).is_err());
        let other = scalar(Curve::BrainpoolP384, 48, 8).0.point();
        assert!(other.verify(&digest, &der).is_err());
        *der.last_mut().unwrap() ^= 1;
        assert!(key.point().verify(&digest, &der).is_err());
        assert!(key.point().verify(&digest, &[]).is_err());
    }
}
