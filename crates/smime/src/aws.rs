//! The thin wrapper around AWS-LC, and the only module with `unsafe`.
//!
//! It decides nothing about mail: every function checks its lengths, makes one primitive out of a few library calls
//! and gives back owned bytes. No pointer leaves this file. The library's own generator is used for what the library
//! makes itself: key pairs, blinding, encryption padding, ECDSA and PSS randomness, rejection keys.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use aws_lc_rs::digest;
use aws_lc_sys as c;
use zeroize::{Zeroize, Zeroizing};

use crate::algorithms::DigestAlgorithm;
use crate::limits;

mod cipher;
mod pkey;

pub use cipher::{
    CbcDecryptor, CbcEncryptor, FileCipher, GcmDecryptor, GcmEncryptor, decrypt_blocks,
};
pub use pkey::{Generate, Pkey, Signed};

/// A primitive failed; the text says which, never why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} failed")]
pub struct CryptoError(pub &'static str);

type Result<T> = std::result::Result<T, CryptoError>;

fn ok(answer: c_int, what: &'static str) -> Result<()> {
    if answer == 1 {
        return Ok(());
    }
    // SAFETY: no arguments; clears this thread's error queue so that nothing piles up.
    unsafe { c::ERR_clear_error() };
    Err(CryptoError(what))
}

fn non_null<T>(pointer: *mut T, what: &'static str) -> Result<NonNull<T>> {
    NonNull::new(pointer).ok_or_else(|| {
        // SAFETY: as in `ok`.
        unsafe { c::ERR_clear_error() };
        CryptoError(what)
    })
}

/// Fills `out` from the library's generator.
pub fn random(out: &mut [u8]) -> Result<()> {
    // SAFETY: pointer and length come from one slice.
    ok(
        unsafe { c::RAND_bytes(out.as_mut_ptr(), out.len()) },
        "random",
    )
}

// ---- digests

/// A running message digest.
#[derive(Clone)]
pub struct Digest(digest::Context);

impl Digest {
    /// Starts a digest.
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        Self(digest::Context::new(match algorithm {
            DigestAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            DigestAlgorithm::Sha224 => &digest::SHA224,
            DigestAlgorithm::Sha256 => &digest::SHA256,
            DigestAlgorithm::Sha384 => &digest::SHA384,
            DigestAlgorithm::Sha512 => &digest::SHA512,
        }))
    }

    /// Takes more octets in.
    pub fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    /// The digest of all octets taken in.
    pub fn finish(self) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }

    /// The digest of `octets`.
    pub fn of(algorithm: DigestAlgorithm, octets: &[u8]) -> Vec<u8> {
        let mut digest = Self::new(algorithm);
        digest.update(octets);
        digest.finish()
    }
}

impl std::io::Write for Digest {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.update(octets);
        Ok(octets.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn md(algorithm: DigestAlgorithm) -> *const c::EVP_MD {
    // SAFETY: these functions only give the address of a static table.
    unsafe {
        match algorithm {
            DigestAlgorithm::Sha1 => c::EVP_sha1(),
            DigestAlgorithm::Sha224 => c::EVP_sha224(),
            DigestAlgorithm::Sha256 => c::EVP_sha256(),
            DigestAlgorithm::Sha384 => c::EVP_sha384(),
            DigestAlgorithm::Sha512 => c::EVP_sha512(),
        }
    }
}

/// HMAC (RFC 2104) of `data`.
pub fn hmac(algorithm: DigestAlgorithm, key: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    let mut out = vec![0; algorithm.length()];
    let mut length = 0;
    // SAFETY: `out` holds the digest's length, which is what HMAC writes; other pointers carry their lengths.
    let done = unsafe {
        let key_pointer = key.as_ptr().cast::<c_void>();
        c::HMAC(
            md(algorithm),
            key_pointer,
            key.len(),
            data.as_ptr(),
            data.len(),
            out.as_mut_ptr(),
            &raw mut length,
        )
    };
    ok(
        c_int::from(!done.is_null() && length as usize == out.len()),
        "HMAC",
    )?;
    Ok(out)
}

/// PBKDF2 (RFC 8018 section 5.2) with HMAC over `algorithm`, `length` octets out.
pub fn pbkdf2(
    algorithm: DigestAlgorithm,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    if iterations == 0 || length > limits::DERIVED_KEY_OCTETS {
        return Err(CryptoError("PBKDF2"));
    }
    let mut out = Zeroizing::new(vec![0; length]);
    // SAFETY: every pointer goes with the length of its own slice.
    let done = unsafe {
        let (password, octets) = (password.as_ptr().cast(), password.len());
        let (salt, salt_octets) = (salt.as_ptr(), salt.len());
        c::PKCS5_PBKDF2_HMAC(
            password,
            octets,
            salt,
            salt_octets,
            iterations,
            md(algorithm),
            length,
            out.as_mut_ptr(),
        )
    };
    ok(done, "PBKDF2")?;
    Ok(out)
}

/// HKDF (RFC 5869) with HMAC over `algorithm`, `length` octets out, at most 255 times the digest.
pub fn hkdf(
    algorithm: DigestAlgorithm,
    secret: &[u8],
    salt: &[u8],
    info: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(vec![0; length]);
    // SAFETY: every pointer goes with the length of its own slice.
    let done = unsafe {
        let (secret, secret_octets) = (secret.as_ptr(), secret.len());
        let (salt, salt_octets) = (salt.as_ptr(), salt.len());
        c::HKDF(
            out.as_mut_ptr(),
            length,
            md(algorithm),
            secret,
            secret_octets,
            salt,
            salt_octets,
            info.as_ptr(),
            info.len(),
        )
    };
    ok(done, "HKDF")?;
    Ok(out)
}

// ---- AES key wrap

fn aes_key(key: &[u8], encrypt: bool) -> Result<Zeroizing<AesKey>> {
    if !matches!(key.len(), 16 | 24 | 32) {
        return Err(CryptoError("AES key of another length"));
    }
    let mut schedule = MaybeUninit::<c::AES_KEY>::zeroed();
    let bits = (key.len() * 8) as u32;
    // SAFETY: the key has one of the three lengths, and `bits` says which. A zeroed AES_KEY is valid plain data.
    unsafe {
        let done = if encrypt {
            c::AES_set_encrypt_key(key.as_ptr(), bits, schedule.as_mut_ptr())
        } else {
            c::AES_set_decrypt_key(key.as_ptr(), bits, schedule.as_mut_ptr())
        };
        ok(c_int::from(done == 0), "AES key")?;
        Ok(Zeroizing::new(AesKey(schedule.assume_init())))
    }
}

struct AesKey(c::AES_KEY);

impl Zeroize for AesKey {
    fn zeroize(&mut self) {
        // SAFETY: the pointer and size are those of our own field, which is plain data.
        unsafe { c::OPENSSL_cleanse((&raw mut self.0).cast(), size_of::<c::AES_KEY>()) }
    }
}

/// AES key wrap (RFC 3394): `key` is 16 to `limits::WRAPPED_KEY_OCTETS` octets, a multiple of 8.
pub fn wrap_key(wrapping: &[u8], key: &[u8]) -> Result<Vec<u8>> {
    if !key.len().is_multiple_of(8) || !(16..=limits::WRAPPED_KEY_OCTETS).contains(&key.len()) {
        return Err(CryptoError("key wrap"));
    }
    let schedule = aes_key(wrapping, true)?;
    let mut out = vec![0; key.len() + 8];
    // SAFETY: `out` has the 8 more octets that wrapping adds.
    let length = unsafe {
        c::AES_wrap_key(
            &raw const schedule.0,
            ptr::null(),
            out.as_mut_ptr(),
            key.as_ptr(),
            key.len(),
        )
    };
    ok(
        c_int::from(usize::try_from(length) == Ok(out.len())),
        "key wrap",
    )?;
    Ok(out)
}

/// The inverse of [`wrap_key`]; the check value must be right.
pub fn unwrap_key(wrapping: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let most = limits::WRAPPED_KEY_OCTETS + 8;
    if !wrapped.len().is_multiple_of(8) || !(24..=most).contains(&wrapped.len()) {
        return Err(CryptoError("key unwrap"));
    }
    let schedule = aes_key(wrapping, false)?;
    let mut out = Zeroizing::new(vec![0; wrapped.len() - 8]);
    let (input, octets) = (wrapped.as_ptr(), wrapped.len());
    // SAFETY: `out` holds the 8 octets less that unwrapping gives.
    let length = unsafe {
        c::AES_unwrap_key(
            &raw const schedule.0,
            ptr::null(),
            out.as_mut_ptr(),
            input,
            octets,
        )
    };
    ok(
        c_int::from(usize::try_from(length) == Ok(out.len())),
        "key unwrap",
    )?;
    Ok(out)
}
