//! Passwords of sending clients, as Argon2id hashes.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use rand_core::RngCore;

use crate::cmd::Failure;
use crate::random::SystemRandom;

/// Argon2id hash of a sending client's password, in PHC form.
pub fn password_hash(password: &str) -> Result<String, Failure> {
    let mut octets = [0; 16];
    SystemRandom.fill_bytes(&mut octets);
    let hash = SaltString::encode_b64(&octets).and_then(|salt| {
        argon2::Argon2::default()
            .hash_password(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
    });
    hash.map_err(|error| Failure::new(format_args!("the password cannot be hashed: {error}")))
}

/// Whether `password` is the one that `hash` was made of.
pub fn password_matches(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        argon2::Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}
