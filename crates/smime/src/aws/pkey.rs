//! Public and private keys: read, written, made, used.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use aws_lc_sys as c;
use zeroize::Zeroizing;

use super::{CryptoError, Digest, Result, md, non_null, ok};
use crate::algorithms::{
    Curve, KeyTransport, PublicKeyKind, SignatureAlgorithm, TransportParameters,
};
use crate::limits;

/// A public key, or a key pair.
pub struct Pkey(NonNull<c::EVP_PKEY>);

// SAFETY: the library allows concurrent use of an EVP_PKEY that nobody changes; we never change one after it is made.
unsafe impl Send for Pkey {}
// SAFETY: as above.
unsafe impl Sync for Pkey {}

impl Drop for Pkey {
    fn drop(&mut self) {
        // SAFETY: we own the one reference; the library wipes private parts when it frees them.
        unsafe { c::EVP_PKEY_free(self.0.as_ptr()) }
    }
}

struct Operation(NonNull<c::EVP_PKEY_CTX>);

impl Drop for Operation {
    fn drop(&mut self) {
        // SAFETY: we own the context.
        unsafe { c::EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}

impl Operation {
    fn new(key: &Pkey) -> Result<Self> {
        // SAFETY: the key is alive; the context takes its own reference.
        let context = unsafe { c::EVP_PKEY_CTX_new(key.0.as_ptr(), ptr::null_mut()) };
        Ok(Self(non_null(context, "key operation")?))
    }

    fn of_kind(id: c_int) -> Result<Self> {
        // SAFETY: a plain number.
        let context = unsafe { c::EVP_PKEY_CTX_new_id(id, ptr::null_mut()) };
        Ok(Self(non_null(context, "key generation")?))
    }

    fn signature(&self, algorithm: SignatureAlgorithm) -> Result<()> {
        let context = self.0.as_ptr();
        // SAFETY: the context is alive and was initialised for signing or verifying; the digests are static tables.
        unsafe {
            ok(
                c::EVP_PKEY_CTX_set_signature_md(context, md(algorithm.digest())),
                "signature digest",
            )?;
            match algorithm {
                SignatureAlgorithm::RsaPkcs1(_) => ok(
                    c::EVP_PKEY_CTX_set_rsa_padding(context, c::RSA_PKCS1_PADDING),
                    "RSA padding",
                ),
                SignatureAlgorithm::RsaPss { mgf, salt, .. } => {
                    ok(
                        c::EVP_PKEY_CTX_set_rsa_padding(context, c::RSA_PKCS1_PSS_PADDING),
                        "PSS padding",
                    )?;
                    ok(
                        c::EVP_PKEY_CTX_set_rsa_mgf1_md(context, md(mgf)),
                        "PSS MGF1",
                    )?;
                    ok(
                        c::EVP_PKEY_CTX_set_rsa_pss_saltlen(context, c_int::from(salt)),
                        "PSS salt",
                    )
                }
                SignatureAlgorithm::Ecdsa(_) | SignatureAlgorithm::Ed25519 => Ok(()),
            }
        }
    }

    /// Sets the label of OAEP; an empty one is the library's default.
    fn label(&self, label: &[u8]) -> Result<()> {
        if label.is_empty() {
            return Ok(());
        }
        // SAFETY: the copy has the length of its slice; the context takes it over if the call succeeds, else it is freed here.
        unsafe {
            let copy = c::OPENSSL_memdup(label.as_ptr().cast(), label.len());
            let copy = non_null(copy, "OAEP label")?.as_ptr();
            let context = self.0.as_ptr();
            let done = c::EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy.cast(), label.len());
            if done != 1 {
                c::OPENSSL_free(copy);
            }
            ok(done, "OAEP label")
        }
    }

    fn transport(&self, transport: KeyTransport) -> Result<()> {
        let context = self.0.as_ptr();
        // SAFETY: the context is alive and was initialised for encryption or decryption.
        unsafe {
            match transport {
                KeyTransport::RsaPkcs1 => ok(
                    c::EVP_PKEY_CTX_set_rsa_padding(context, c::RSA_PKCS1_PADDING),
                    "RSA padding",
                ),
                KeyTransport::RsaOaep { digest, mgf } => {
                    ok(
                        c::EVP_PKEY_CTX_set_rsa_padding(context, c::RSA_PKCS1_OAEP_PADDING),
                        "OAEP padding",
                    )?;
                    ok(
                        c::EVP_PKEY_CTX_set_rsa_oaep_md(context, md(digest)),
                        "OAEP digest",
                    )?;
                    ok(
                        c::EVP_PKEY_CTX_set_rsa_mgf1_md(context, md(mgf)),
                        "OAEP MGF1",
                    )
                }
            }
        }
    }
}

/// What a signature was made over.
#[derive(Clone, Copy, Debug)]
pub enum Signed<'a> {
    /// The octets themselves.
    Message(&'a [u8]),
    /// Their digest under the signature's algorithm; Ed25519 cannot work from it.
    Digest(&'a [u8]),
}

/// Which key pair to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generate {
    /// RSA with so many bits.
    Rsa(u32),
    /// On a curve.
    Ec(Curve),
    /// X25519.
    X25519,
    /// Ed25519.
    Ed25519,
}

impl Pkey {
    /// Reads a whole SubjectPublicKeyInfo; points must lie on their curve.
    pub fn from_spki(der: &[u8]) -> Result<Self> {
        Self::parse(der, "public key", c::EVP_parse_public_key)
    }

    /// Reads a whole PKCS#8 PrivateKeyInfo; the key is checked for consistency.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self> {
        Self::parse(der, "private key", c::EVP_parse_private_key)
    }

    fn parse(
        der: &[u8],
        what: &'static str,
        parser: unsafe extern "C" fn(*mut c::CBS) -> *mut c::EVP_PKEY,
    ) -> Result<Self> {
        let mut input = MaybeUninit::<c::CBS>::uninit();
        // SAFETY: CBS_init initialises `input` over `der`, which outlives the call; the parser only reads.
        let (key, left) = unsafe {
            c::CBS_init(input.as_mut_ptr(), der.as_ptr(), der.len());
            let key = parser(input.as_mut_ptr());
            (key, c::CBS_len(input.as_ptr()))
        };
        let key = Self(non_null(key, what)?);
        if left == 0 {
            Ok(key)
        } else {
            Err(CryptoError(what))
        }
    }

    /// The SubjectPublicKeyInfo.
    pub fn to_spki(&self) -> Result<Vec<u8>> {
        self.marshal("public key", c::EVP_marshal_public_key)
            .map(|octets| octets.to_vec())
    }

    /// The PKCS#8 PrivateKeyInfo.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>> {
        self.marshal("private key", c::EVP_marshal_private_key)
    }

    fn marshal(
        &self,
        what: &'static str,
        writer: unsafe extern "C" fn(*mut c::CBB, *const c::EVP_PKEY) -> c_int,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let mut builder = MaybeUninit::<c::CBB>::uninit();
        let (mut data, mut length) = (ptr::null_mut(), 0);
        // SAFETY: the builder is initialised before use and either finished or cleaned up; `data` is then ours, holds
        // `length` octets, and OPENSSL_free wipes it.
        unsafe {
            ok(c::CBB_init(builder.as_mut_ptr(), 0), what)?;
            let done = ok(writer(builder.as_mut_ptr(), self.0.as_ptr()), what).and_then(|()| {
                ok(
                    c::CBB_finish(builder.as_mut_ptr(), &raw mut data, &raw mut length),
                    what,
                )
            });
            if let Err(error) = done {
                c::CBB_cleanup(builder.as_mut_ptr());
                return Err(error);
            }
            let octets = Zeroizing::new(std::slice::from_raw_parts(data, length).to_vec());
            c::OPENSSL_free(data.cast());
            Ok(octets)
        }
    }

    /// Makes a key pair with the library's generator.
    pub fn generate(what: Generate) -> Result<Self> {
        let name = "key generation";
        let operation = Operation::of_kind(match what {
            Generate::Rsa(_) => c::EVP_PKEY_RSA,
            Generate::Ec(_) => c::EVP_PKEY_EC,
            Generate::X25519 => c::EVP_PKEY_X25519,
            Generate::Ed25519 => c::EVP_PKEY_ED25519,
        })?;
        let context = operation.0.as_ptr();
        let mut key = ptr::null_mut();
        // SAFETY: the context is alive; `key` receives a new reference that we own.
        unsafe {
            ok(c::EVP_PKEY_keygen_init(context), name)?;
            match what {
                Generate::Rsa(bits @ 2048..=8192) => {
                    ok(
                        c::EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits as c_int),
                        name,
                    )?;
                }
                Generate::Rsa(_) => return Err(CryptoError(name)),
                Generate::Ec(curve) => ok(
                    c::EVP_PKEY_CTX_set_ec_paramgen_curve_nid(
                        context,
                        nid(curve).ok_or(CryptoError(name))?,
                    ),
                    name,
                )?,
                Generate::X25519 | Generate::Ed25519 => {}
            }
            ok(c::EVP_PKEY_keygen(context, &raw mut key), name)?;
        }
        Ok(Self(non_null(key, name)?))
    }

    /// What the key is; `None` for kinds we do not use.
    pub fn kind(&self) -> Option<PublicKeyKind> {
        // SAFETY: the key is alive; for EC keys the library hands out inner pointers that live as long as the key.
        unsafe {
            match c::EVP_PKEY_id(self.0.as_ptr()) {
                c::EVP_PKEY_RSA | c::EVP_PKEY_RSA_PSS => {
                    u32::try_from(c::EVP_PKEY_bits(self.0.as_ptr()))
                        .ok()
                        .map(PublicKeyKind::Rsa)
                }
                c::EVP_PKEY_EC => {
                    let key = c::EVP_PKEY_get0_EC_KEY(self.0.as_ptr());
                    let group = if key.is_null() {
                        ptr::null()
                    } else {
                        c::EC_KEY_get0_group(key)
                    };
                    let found = if group.is_null() {
                        0
                    } else {
                        c::EC_GROUP_get_curve_name(group)
                    };
                    Curve::ALL
                        .into_iter()
                        .find(|curve| nid(*curve) == Some(found))
                        .map(PublicKeyKind::Ec)
                }
                c::EVP_PKEY_ED25519 => Some(PublicKeyKind::Ed25519),
                c::EVP_PKEY_X25519 => Some(PublicKeyKind::X25519),
                _ => None,
            }
        }
    }

    /// Whether both have the same public key.
    pub fn same_public(&self, other: &Self) -> bool {
        // SAFETY: both keys are alive.
        unsafe { c::EVP_PKEY_cmp(self.0.as_ptr(), other.0.as_ptr()) == 1 }
    }

    /// Largest signature or RSA block in octets.
    fn size(&self) -> usize {
        // SAFETY: the key is alive.
        usize::try_from(unsafe { c::EVP_PKEY_size(self.0.as_ptr()) }).unwrap_or(0)
    }

    fn fits(&self, algorithm: SignatureAlgorithm) -> Result<()> {
        let fits = match (self.kind(), algorithm) {
            (
                Some(PublicKeyKind::Rsa(bits)),
                SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss { .. },
            ) => bits <= limits::RSA_BITS_MOST,
            (Some(PublicKeyKind::Ec(_)), SignatureAlgorithm::Ecdsa(_)) => true,
            (Some(PublicKeyKind::Ed25519), SignatureAlgorithm::Ed25519) => true,
            _ => false,
        };
        if fits {
            Ok(())
        } else {
            Err(CryptoError("key of another kind"))
        }
    }

    /// Signs `message`.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>> {
        self.fits(algorithm)?;
        let mut out = vec![0; self.size()];
        let mut length = out.len();
        if algorithm == SignatureAlgorithm::Ed25519 {
            let context = MdContext::new()?;
            // SAFETY: context and key are alive; `out` holds the largest signature and `length` says so.
            unsafe {
                let (context, key) = (context.0.as_ptr(), self.0.as_ptr());
                let start = c::EVP_DigestSignInit(
                    context,
                    ptr::null_mut(),
                    ptr::null(),
                    ptr::null_mut(),
                    key,
                );
                ok(start, "signing")?;
                let (data, octets) = (message.as_ptr(), message.len());
                ok(
                    c::EVP_DigestSign(context, out.as_mut_ptr(), &raw mut length, data, octets),
                    "signing",
                )?;
            }
        } else {
            let digest = Digest::of(algorithm.digest(), message);
            let operation = Operation::new(self)?;
            let context = operation.0.as_ptr();
            // SAFETY: as above; the digest has the length the algorithm asks for.
            unsafe {
                ok(c::EVP_PKEY_sign_init(context), "signing")?;
                operation.signature(algorithm)?;
                let signed = c::EVP_PKEY_sign(
                    context,
                    out.as_mut_ptr(),
                    &raw mut length,
                    digest.as_ptr(),
                    digest.len(),
                );
                ok(signed, "signing")?;
            }
        }
        out.truncate(length);
        Ok(out)
    }

    /// Checks a signature.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        signed: Signed<'_>,
        signature: &[u8],
    ) -> Result<()> {
        self.fits(algorithm)?;
        if algorithm == SignatureAlgorithm::Ed25519 {
            let Signed::Message(message) = signed else {
                return Err(CryptoError("verifying from a digest"));
            };
            let context = MdContext::new()?;
            // SAFETY: context and key are alive; pointers go with their own lengths.
            return unsafe {
                let (context, key) = (context.0.as_ptr(), self.0.as_ptr());
                let start = c::EVP_DigestVerifyInit(
                    context,
                    ptr::null_mut(),
                    ptr::null(),
                    ptr::null_mut(),
                    key,
                );
                ok(start, "verifying")?;
                let (data, octets) = (message.as_ptr(), message.len());
                ok(
                    c::EVP_DigestVerify(context, signature.as_ptr(), signature.len(), data, octets),
                    "verifying",
                )
            };
        }
        let digest = match signed {
            Signed::Message(message) => Digest::of(algorithm.digest(), message),
            Signed::Digest(digest) if digest.len() == algorithm.digest().length() => {
                digest.to_vec()
            }
            Signed::Digest(_) => return Err(CryptoError("digest of another length")),
        };
        let operation = Operation::new(self)?;
        let context = operation.0.as_ptr();
        // SAFETY: as above.
        unsafe {
            ok(c::EVP_PKEY_verify_init(context), "verifying")?;
            operation.signature(algorithm)?;
            let (sig, octets) = (signature.as_ptr(), signature.len());
            ok(
                c::EVP_PKEY_verify(context, sig, octets, digest.as_ptr(), digest.len()),
                "verifying",
            )
        }
    }

    /// Encrypts a content key to this RSA key.
    pub fn encrypt(&self, transport: KeyTransport, secret: &[u8]) -> Result<Vec<u8>> {
        let Some(PublicKeyKind::Rsa(..=limits::RSA_BITS_MOST)) = self.kind() else {
            return Err(CryptoError("key of another kind"));
        };
        let operation = Operation::new(self)?;
        let mut out = vec![0; self.size()];
        let mut length = out.len();
        // SAFETY: the context is alive; `out` holds one RSA block and `length` says so.
        unsafe {
            ok(
                c::EVP_PKEY_encrypt_init(operation.0.as_ptr()),
                "key transport",
            )?;
            operation.transport(transport)?;
            let context = operation.0.as_ptr();
            let done = c::EVP_PKEY_encrypt(
                context,
                out.as_mut_ptr(),
                &raw mut length,
                secret.as_ptr(),
                secret.len(),
            );
            ok(done, "key transport")?;
        }
        out.truncate(length);
        Ok(out)
    }

    /// RSAES-OAEP decryption; the library judges the padding in constant time.
    pub fn decrypt_oaep(
        &self,
        transport: &TransportParameters,
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        if !matches!(self.kind(), Some(PublicKeyKind::Rsa(_))) || encrypted.len() != self.size() {
            return Err(CryptoError("key transport"));
        }
        let operation = Operation::new(self)?;
        let mut out = Zeroizing::new(vec![0; self.size()]);
        let mut length = out.len();
        // SAFETY: as in `encrypt`.
        unsafe {
            let context = operation.0.as_ptr();
            ok(c::EVP_PKEY_decrypt_init(context), "key transport")?;
            operation.transport(transport.algorithm)?;
            operation.label(&transport.label)?;
            let (input, octets) = (encrypted.as_ptr(), encrypted.len());
            ok(
                c::EVP_PKEY_decrypt(context, out.as_mut_ptr(), &raw mut length, input, octets),
                "key transport",
            )?;
        }
        out.truncate(length);
        Ok(out)
    }

    /// The bare RSA public operation: one block in, one block out.
    pub fn rsa_public(&self, block: &[u8]) -> Result<Vec<u8>> {
        let size = self.size();
        let Some(PublicKeyKind::Rsa(..=limits::RSA_BITS_MOST)) = self.kind() else {
            return Err(CryptoError("RSA"));
        };
        if block.len() != size {
            return Err(CryptoError("RSA"));
        }
        let mut out = vec![0; size];
        let mut length = 0;
        // SAFETY: as in `rsa_private`.
        unsafe {
            let rsa = c::EVP_PKEY_get0_RSA(self.0.as_ptr());
            let rsa = non_null(rsa, "RSA")?.as_ptr();
            let (to, from, padding) = (out.as_mut_ptr(), block.as_ptr(), c::RSA_NO_PADDING);
            let done = c::RSA_encrypt(rsa, &raw mut length, to, size, from, block.len(), padding);
            ok(done, "RSA")?;
        }
        if length == size {
            Ok(out)
        } else {
            Err(CryptoError("RSA"))
        }
    }

    /// The bare RSA private operation, blinded: one block in, one block out, no padding judged.
    pub fn rsa_private(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let size = self.size();
        if !matches!(self.kind(), Some(PublicKeyKind::Rsa(_))) || block.len() != size {
            return Err(CryptoError("RSA"));
        }
        let mut out = Zeroizing::new(vec![0; size]);
        let mut length = 0;
        // SAFETY: the inner RSA pointer lives as long as the key; `out` holds one block and its length is passed.
        unsafe {
            let rsa = c::EVP_PKEY_get0_RSA(self.0.as_ptr());
            let rsa = non_null(rsa, "RSA")?.as_ptr();
            let (to, from) = (out.as_mut_ptr(), block.as_ptr());
            ok(
                c::RSA_decrypt(
                    rsa,
                    &raw mut length,
                    to,
                    size,
                    from,
                    block.len(),
                    c::RSA_NO_PADDING,
                ),
                "RSA",
            )?;
        }
        if length == size {
            Ok(out)
        } else {
            Err(CryptoError("RSA"))
        }
    }

    /// Diffie-Hellman with a peer's public key of the same curve. An all-zero X25519 result is an error.
    pub fn agree(&self, peer: &Self) -> Result<Zeroizing<Vec<u8>>> {
        let name = "key agreement";
        let length = match (self.kind(), peer.kind()) {
            (Some(PublicKeyKind::Ec(own)), Some(PublicKeyKind::Ec(other))) if own == other => {
                match own {
                    Curve::P256 => 32,
                    Curve::P384 => 48,
                    Curve::P521 => 66,
                    Curve::BrainpoolP256 | Curve::BrainpoolP384 => return Err(CryptoError(name)),
                }
            }
            (Some(PublicKeyKind::X25519), Some(PublicKeyKind::X25519)) => 32,
            _ => return Err(CryptoError(name)),
        };
        let operation = Operation::new(self)?;
        let mut out = Zeroizing::new(vec![0; length]);
        let mut written = length;
        // SAFETY: context and peer are alive; `out` holds `length` octets and `written` says so.
        unsafe {
            let context = operation.0.as_ptr();
            ok(c::EVP_PKEY_derive_init(context), name)?;
            ok(c::EVP_PKEY_derive_set_peer(context, peer.0.as_ptr()), name)?;
            ok(
                c::EVP_PKEY_derive(context, out.as_mut_ptr(), &raw mut written),
                name,
            )?;
        }
        if written == length {
            Ok(out)
        } else {
            Err(CryptoError(name))
        }
    }
}

/// The library's number of a curve; `None` if it cannot compute on it.
fn nid(curve: Curve) -> Option<c_int> {
    match curve {
        Curve::P256 => Some(c::NID_X9_62_prime256v1),
        Curve::P384 => Some(c::NID_secp384r1),
        Curve::P521 => Some(c::NID_secp521r1),
        Curve::BrainpoolP256 | Curve::BrainpoolP384 => None,
    }
}

struct MdContext(NonNull<c::EVP_MD_CTX>);

impl MdContext {
    fn new() -> Result<Self> {
        // SAFETY: no arguments.
        Ok(Self(non_null(
            unsafe { c::EVP_MD_CTX_new() },
            "digest context",
        )?))
    }
}

impl Drop for MdContext {
    fn drop(&mut self) {
        // SAFETY: we own the context.
        unsafe { c::EVP_MD_CTX_free(self.0.as_ptr()) }
    }
}
