//! Streaming ciphers: CBC with its padding, GCM with its tag.

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use aws_lc_sys as c;
use subtle::{ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::{Zeroize, Zeroizing};

use super::{CryptoError, Result, non_null, ok};
use crate::algorithms::ContentEncryption;
use crate::limits;

struct Cipher(NonNull<c::EVP_CIPHER_CTX>);

// SAFETY: the context is owned by one value and only used through `&mut`.
unsafe impl Send for Cipher {}

impl Drop for Cipher {
    fn drop(&mut self) {
        // SAFETY: we own the context; the library wipes it.
        unsafe { c::EVP_CIPHER_CTX_free(self.0.as_ptr()) }
    }
}

/// A block cipher in CBC mode that occurs in PKCS#12 files only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileCipher {
    /// RC2 with 40 bits.
    Rc2Bits40,
    /// RC2 with 128 bits.
    Rc2Bits128,
    /// A cipher that mail uses too.
    Content(ContentEncryption),
}

impl FileCipher {
    /// Lengths of key and initialisation vector in octets.
    pub const fn lengths(self) -> (usize, usize) {
        match self {
            Self::Rc2Bits40 => (5, 8),
            Self::Rc2Bits128 => (16, 8),
            Self::Content(algorithm) => (algorithm.key_length(), algorithm.iv_length()),
        }
    }
}

fn cipher_table(algorithm: FileCipher) -> *const c::EVP_CIPHER {
    // SAFETY: these functions only give the address of a static table.
    unsafe {
        match algorithm {
            FileCipher::Rc2Bits40 => c::EVP_rc2_40_cbc(),
            FileCipher::Rc2Bits128 => c::EVP_rc2_cbc(),
            FileCipher::Content(ContentEncryption::Aes128Cbc) => c::EVP_aes_128_cbc(),
            FileCipher::Content(ContentEncryption::Aes192Cbc) => c::EVP_aes_192_cbc(),
            FileCipher::Content(ContentEncryption::Aes256Cbc) => c::EVP_aes_256_cbc(),
            FileCipher::Content(ContentEncryption::Aes128Gcm) => c::EVP_aes_128_gcm(),
            FileCipher::Content(ContentEncryption::Aes192Gcm) => c::EVP_aes_192_gcm(),
            FileCipher::Content(ContentEncryption::Aes256Gcm) => c::EVP_aes_256_gcm(),
            FileCipher::Content(ContentEncryption::TripleDesCbc) => c::EVP_des_ede3_cbc(),
        }
    }
}

impl Cipher {
    fn new(algorithm: FileCipher, key: &[u8], iv: &[u8], encrypt: bool) -> Result<Self> {
        if (key.len(), iv.len()) != algorithm.lengths() {
            return Err(CryptoError("cipher: key or vector of another length"));
        }
        // SAFETY: no arguments.
        let cipher = Self(non_null(unsafe { c::EVP_CIPHER_CTX_new() }, "cipher")?);
        // SAFETY: key and vector have the lengths the cipher reads (12 octets is the default of GCM).
        let started = unsafe {
            let (context, table) = (cipher.0.as_ptr(), cipher_table(algorithm));
            let (key, iv) = (key.as_ptr(), iv.as_ptr());
            c::EVP_CipherInit_ex(
                context,
                table,
                ptr::null_mut(),
                key,
                iv,
                c_int::from(encrypt),
            )
        };
        ok(started, "cipher")?;
        Ok(cipher)
    }

    fn no_padding(&mut self) -> Result<()> {
        // SAFETY: the context is alive.
        ok(
            unsafe { c::EVP_CIPHER_CTX_set_padding(self.0.as_ptr(), 0) },
            "cipher",
        )
    }

    /// Appends what `input` becomes to `out`.
    fn update(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        for chunk in input.chunks(limits::BUFFER_OCTETS) {
            let start = out.len();
            make_room(out, chunk.len() + BLOCK_OCTETS_MOST);
            let mut written: c_int = 0;
            // SAFETY: behind `start` is room for the chunk's length and one block more, the most an update writes.
            let done = unsafe {
                let to = out.as_mut_ptr().add(start);
                let (from, octets) = (chunk.as_ptr(), chunk.len() as c_int);
                c::EVP_CipherUpdate(self.0.as_ptr(), to, &raw mut written, from, octets)
            };
            ok(done, "cipher")?;
            let end = start + usize::try_from(written).unwrap_or(0);
            // SAFETY: the library has written up to there.
            unsafe { out.set_len(end) };
        }
        Ok(())
    }

    fn associated(&mut self, data: &[u8]) -> Result<()> {
        for chunk in data.chunks(limits::BUFFER_OCTETS) {
            let mut written: c_int = 0;
            let (from, octets) = (chunk.as_ptr(), chunk.len() as c_int);
            // SAFETY: without an output pointer the library takes the input as associated data.
            let done = unsafe {
                c::EVP_CipherUpdate(
                    self.0.as_ptr(),
                    ptr::null_mut(),
                    &raw mut written,
                    from,
                    octets,
                )
            };
            ok(done, "associated data")?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let mut last = [0; BLOCK_OCTETS_MOST];
        let mut written: c_int = 0;
        // SAFETY: `last` holds one block, the most a final call writes.
        let done =
            unsafe { c::EVP_CipherFinal_ex(self.0.as_ptr(), last.as_mut_ptr(), &raw mut written) };
        ok(done, "cipher")?;
        out.extend_from_slice(
            last.get(..usize::try_from(written).unwrap_or(0))
                .unwrap_or_default(),
        );
        last.zeroize();
        Ok(())
    }

    fn control(&mut self, command: c_int, octets: &mut [u8], what: &'static str) -> Result<()> {
        // SAFETY: both tag commands read or write exactly the length given.
        let done = unsafe {
            let length = octets.len() as c_int;
            c::EVP_CIPHER_CTX_ctrl(self.0.as_ptr(), command, length, octets.as_mut_ptr().cast())
        };
        ok(done, what)
    }
}

/// Lets `out` grow by `more` octets. Where it must move, what may be plain text is wiped at its old place.
fn make_room(out: &mut Vec<u8>, more: usize) {
    let wanted = out.len() + more;
    if wanted > out.capacity() {
        let mut larger = Vec::with_capacity(wanted.max(2 * out.capacity()));
        larger.extend_from_slice(out);
        out.zeroize();
        *out = larger;
    }
}

/// Decrypts whole blocks in CBC mode; no padding is taken off.
pub fn decrypt_blocks(
    algorithm: ContentEncryption,
    key: &[u8],
    iv: &[u8],
    blocks: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    if algorithm.authenticated() || !blocks.len().is_multiple_of(iv.len().max(1)) {
        return Err(CryptoError("decryption"));
    }
    let mut cipher = Cipher::new(FileCipher::Content(algorithm), key, iv, false)?;
    cipher.no_padding()?;
    let mut out = Zeroizing::new(Vec::new());
    cipher.update(blocks, &mut out)?;
    cipher.finish(&mut out)?;
    Ok(out)
}

/// Longest block of any cipher here, in octets.
const BLOCK_OCTETS_MOST: usize = 16;

/// CBC encryption with PKCS#7 padding (RFC 5652 section 6.3).
pub struct CbcEncryptor(Cipher);

impl CbcEncryptor {
    /// Starts; key and initialisation vector must have the algorithm's lengths.
    pub fn new(algorithm: ContentEncryption, key: &[u8], iv: &[u8]) -> Result<Self> {
        if algorithm.authenticated() {
            return Err(CryptoError("not a CBC cipher"));
        }
        Cipher::new(FileCipher::Content(algorithm), key, iv, true).map(Self)
    }

    /// Appends the next ciphertext to `out`.
    pub fn update(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.0.update(plain, out)
    }

    /// Appends the last, padded block.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        self.0.finish(out)
    }
}

/// CBC decryption; the padding is judged here, and every failure is the same failure.
pub struct CbcDecryptor {
    cipher: Cipher,
    block: usize,
    /// The last block so far, kept back until it is known whether it holds the padding.
    held: Zeroizing<Vec<u8>>,
}

impl CbcDecryptor {
    /// Starts; key and initialisation vector must have the algorithm's lengths.
    pub fn new(algorithm: ContentEncryption, key: &[u8], iv: &[u8]) -> Result<Self> {
        if algorithm.authenticated() {
            return Err(CryptoError("not a CBC cipher"));
        }
        Self::for_file(FileCipher::Content(algorithm), key, iv)
    }

    /// The same for the ciphers of PKCS#12 files.
    pub fn for_file(algorithm: FileCipher, key: &[u8], iv: &[u8]) -> Result<Self> {
        let mut cipher = Cipher::new(algorithm, key, iv, false)?;
        cipher.no_padding()?;
        Ok(Self {
            cipher,
            block: iv.len(),
            held: Zeroizing::new(Vec::new()),
        })
    }

    /// Appends the next plain text to `out`; it must not be trusted before `finish`.
    pub fn update(&mut self, encrypted: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        make_room(out, self.held.len() + encrypted.len() + BLOCK_OCTETS_MOST);
        out.extend_from_slice(&self.held);
        self.cipher.update(encrypted, out)?;
        let keep = self.block.min(out.len() - start);
        let cut = out.len() - keep;
        self.held.zeroize();
        self.held
            .extend_from_slice(out.get(cut..).unwrap_or_default());
        out.truncate(cut);
        Ok(())
    }

    /// Judges the padding and appends what is left of the last block.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        self.cipher.finish(&mut Vec::new())?;
        if self.held.len() != self.block {
            return Err(CryptoError("decryption"));
        }
        let pad = self.held.last().copied().unwrap_or(0);
        // RFC 5652 section 6.3, without a branch on secret octets until the end.
        let mut good = !pad.ct_eq(&0) & !pad.ct_gt(&(self.block as u8));
        for (from_end, octet) in self.held.iter().rev().enumerate() {
            let is_padding = (from_end as u8).ct_lt(&pad);
            good &= !is_padding | octet.ct_eq(&pad);
        }
        if !bool::from(good) {
            return Err(CryptoError("decryption"));
        }
        out.extend_from_slice(
            self.held
                .get(..self.block - usize::from(pad))
                .unwrap_or_default(),
        );
        Ok(())
    }
}

/// AES-GCM encryption.
pub struct GcmEncryptor(Cipher);

impl GcmEncryptor {
    /// Starts with a nonce of 12 octets and the associated data.
    pub fn new(
        algorithm: ContentEncryption,
        key: &[u8],
        nonce: &[u8],
        associated: &[u8],
    ) -> Result<Self> {
        gcm(algorithm, key, nonce, associated, true).map(Self)
    }

    /// Appends the next ciphertext to `out`.
    pub fn update(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.0.update(plain, out)
    }

    /// Appends the last ciphertext and gives the tag of 16 octets.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<[u8; 16]> {
        self.0.finish(out)?;
        let mut tag = [0; 16];
        self.0.control(c::EVP_CTRL_AEAD_GET_TAG, &mut tag, "tag")?;
        Ok(tag)
    }
}

/// AES-GCM decryption.
pub struct GcmDecryptor(Cipher);

impl GcmDecryptor {
    /// Starts with a nonce of 12 octets and the associated data.
    pub fn new(
        algorithm: ContentEncryption,
        key: &[u8],
        nonce: &[u8],
        associated: &[u8],
    ) -> Result<Self> {
        gcm(algorithm, key, nonce, associated, false).map(Self)
    }

    /// Appends the next plain text to `out`; it must not be trusted before `finish`.
    pub fn update(&mut self, encrypted: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.0.update(encrypted, out)
    }

    /// Checks the tag of 12 to 16 octets and appends what is left.
    pub fn finish(mut self, tag: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if !limits::TAG_OCTETS.contains(&tag.len()) {
            return Err(CryptoError("decryption"));
        }
        let mut tag = tag.to_vec();
        self.0
            .control(c::EVP_CTRL_AEAD_SET_TAG, &mut tag, "decryption")?;
        self.0.finish(out)
    }
}

fn gcm(
    algorithm: ContentEncryption,
    key: &[u8],
    nonce: &[u8],
    associated: &[u8],
    encrypt: bool,
) -> Result<Cipher> {
    if !algorithm.authenticated() {
        return Err(CryptoError("not an authenticated cipher"));
    }
    let mut cipher = Cipher::new(FileCipher::Content(algorithm), key, nonce, encrypt)?;
    cipher.associated(associated)?;
    Ok(cipher)
}
