//! libcrypto used as `openssl cms` uses it without options: S/MIME text from file to file, line ends seen to, streaming
//! wherever it can. The only place of
//! the benchmarks with foreign calls.

use std::ffi::{CString, c_char, c_int, c_uint};
use std::path::Path;
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::pkey::{PKeyRef, Private};
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::store::X509StoreRef;
use openssl::x509::{X509, X509Ref};
use openssl_sys as c;

use crate::Failed;

unsafe extern "C" {
    fn BIO_new_file(name: *const c_char, mode: *const c_char) -> *mut c::BIO;
    fn SMIME_write_CMS(
        out: *mut c::BIO,
        cms: *mut c::CMS_ContentInfo,
        data: *mut c::BIO,
        flags: c_int,
    ) -> c_int;
}

/// A file as libcrypto reads or writes it.
struct Bio(*mut c::BIO);

impl Bio {
    fn open(path: &Path, mode: &str) -> Result<Self, Failed> {
        let name = CString::new(path.to_string_lossy().as_bytes())?;
        let mode = CString::new(mode)?;
        // SAFETY: both strings end with a zero octet and live until the call is over.
        let bio = unsafe { BIO_new_file(name.as_ptr(), mode.as_ptr()) };
        not_null(bio).map(Self)
    }
}

impl Drop for Bio {
    fn drop(&mut self) {
        // SAFETY: we own it; a null pointer is allowed.
        unsafe { c::BIO_free_all(self.0) }
    }
}

struct Cms(*mut c::CMS_ContentInfo);

impl Drop for Cms {
    fn drop(&mut self) {
        // SAFETY: we own it.
        unsafe { c::CMS_ContentInfo_free(self.0) }
    }
}

fn not_null<T>(pointer: *mut T) -> Result<*mut T, Failed> {
    match pointer.is_null() {
        true => Err(openssl::error::ErrorStack::get().into()),
        false => Ok(pointer),
    }
}

fn done(code: c_int) -> Result<(), Failed> {
    match code {
        1 => Ok(()),
        _ => Err(openssl::error::ErrorStack::get().into()),
    }
}

/// Signs the entity `from` into a multipart/signed at `to`.
pub fn sign(
    from: &Path,
    to: &Path,
    certificate: &X509Ref,
    key: &PKeyRef<Private>,
) -> Result<(), Failed> {
    let (input, output) = (Bio::open(from, "r")?, Bio::open(to, "w")?);
    let flags = c::CMS_DETACHED | c::CMS_STREAM;
    // SAFETY: all objects live until the calls are over; the library keeps its own references.
    unsafe {
        let (certificate, key) = (certificate.as_ptr(), key.as_ptr());
        let cms = c::CMS_sign(certificate, key, ptr::null_mut(), input.0, flags);
        let cms = Cms(not_null(cms)?);
        done(SMIME_write_CMS(output.0, cms.0, input.0, flags as c_int))
    }
}

/// Verifies the multipart/signed `from` against `store`.
pub fn verify(from: &Path, store: &X509StoreRef) -> Result<(), Failed> {
    let input = Bio::open(from, "r")?;
    let mut content = ptr::null_mut();
    let nothing = ptr::null_mut();
    // SAFETY: as above; `content` receives a new object that we own.
    unsafe {
        let cms = Cms(not_null(c::SMIME_read_CMS(input.0, &raw mut content))?);
        let content = Bio(content);
        let store = store.as_ptr();
        done(c::CMS_verify(
            cms.0,
            ptr::null_mut(),
            store,
            content.0,
            nothing,
            0,
        ))
    }
}

/// Encrypts the entity `from` to `certificate`.
pub fn encrypt(from: &Path, to: &Path, certificate: &X509, cipher: Cipher) -> Result<(), Failed> {
    let (input, output) = (Bio::open(from, "r")?, Bio::open(to, "w")?);
    let mut recipients = Stack::new()?;
    recipients.push(certificate.to_owned())?;
    let flags: c_uint = c::CMS_STREAM;
    // SAFETY: as above.
    unsafe {
        let (recipients, cipher) = (recipients.as_ptr(), cipher.as_ptr());
        let cms = Cms(not_null(c::CMS_encrypt(
            recipients, input.0, cipher, flags,
        ))?);
        done(SMIME_write_CMS(output.0, cms.0, input.0, flags as c_int))
    }
}

/// Decrypts the message `from`.
pub fn decrypt(
    from: &Path,
    to: &Path,
    certificate: &X509Ref,
    key: &PKeyRef<Private>,
) -> Result<(), Failed> {
    let (input, output) = (Bio::open(from, "r")?, Bio::open(to, "w")?);
    // SAFETY: as above.
    unsafe {
        let cms = Cms(not_null(c::SMIME_read_CMS(input.0, ptr::null_mut()))?);
        let (certificate, key) = (certificate.as_ptr(), key.as_ptr());
        done(c::CMS_decrypt(
            cms.0,
            key,
            certificate,
            ptr::null_mut(),
            output.0,
            0,
        ))
    }
}
