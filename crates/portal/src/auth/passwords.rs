//! Passwords: what is taken as one, and Argon2id (RFC 9106), a few at a time and never on the threads that answer.

use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::secrets::random;
use crate::limits::{ARGON2, PASSWORD_CHARS, PASSWORD_OCTETS, PASSWORD_WAIT_SECONDS};
use crate::problem::Problem;

/// What the password of nobody is compared with, so that this takes as long. Nobody knows a password for it.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2VhbGdhdGUgbm9ib2R5$D10/XqI4m4jXUdrOVCZpo8AJdmIFauXFtI/P1Ep2Pmo";

/// Whether a text can be a password: long enough, and not longer than is hashed.
pub fn judge(field: &'static str, password: &str) -> Result<(), Problem> {
    let chars = password.chars().count();
    match chars >= PASSWORD_CHARS && password.len() <= PASSWORD_OCTETS {
        true => Ok(()),
        false => Err(Problem {
            field: Some(field),
            ..Problem::new("password")
        }),
    }
}

/// The hash of a password, in PHC form.
pub async fn hash(
    places: &std::sync::Arc<Semaphore>,
    password: Zeroizing<String>,
) -> Result<String, Problem> {
    let place = place(places).await?;
    let salt = random::<16>()?;
    let hashed = spawn_blocking(move || {
        let _place = place;
        let salt = SaltString::encode_b64(salt.as_slice())?;
        let hash = hasher().hash_password(password.as_bytes(), &salt)?;
        Ok::<_, argon2::password_hash::Error>(hash.to_string())
    });
    hashed
        .await
        .map_err(Problem::internal)?
        .map_err(Problem::internal)
}

/// Whether `password` is the one that `hash` was made of. Without a hash it takes as long, and the answer is no.
pub async fn matches(
    places: &std::sync::Arc<Semaphore>,
    hash: Option<String>,
    password: Zeroizing<String>,
) -> Result<bool, Problem> {
    let place = place(places).await?;
    let is_somebody = hash.is_some() && password.len() <= PASSWORD_OCTETS;
    let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
    let compared = spawn_blocking(move || {
        let _place = place;
        let given = password.as_bytes();
        let given = given.get(..PASSWORD_OCTETS).unwrap_or(given);
        PasswordHash::new(&hash).is_ok_and(|hash| hasher().verify_password(given, &hash).is_ok())
    });
    Ok(compared.await.map_err(Problem::internal)? && is_somebody)
}

async fn place(places: &std::sync::Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let longest = Duration::from_secs(PASSWORD_WAIT_SECONDS);
    let free = std::sync::Arc::clone(places).acquire_owned();
    match tokio::time::timeout(longest, free).await {
        Ok(place) => place.map_err(Problem::internal),
        Err(_) => Err(Problem::new("unavailable")),
    }
}

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = ARGON2;
    let params = Params::new(memory, passes, lanes, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[test]
    fn twelve_characters_and_no_other_rule() {
        for (password, good) in [
            ("", false),
            ("elf Zeichen", false),
            ("zwölf Zeich.", true),
            ("aaaaaaaaaaaa", true),
            (&"x".repeat(1_024), true),
            (&"x".repeat(1_025), false),
        ] {
            assert_eq!(judge("password", password).is_ok(), good, "{password}");
        }
    }

    #[tokio::test]
    async fn only_the_password_matches() {
        let places = Arc::new(Semaphore::new(2));
        let made = hash(&places, text("correct horse battery")).await.unwrap();
        assert!(
            made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{made}"
        );
        for (given, expected) in [
            ("correct horse battery", true),
            ("correct horse batterz", false),
            ("", false),
        ] {
            let found = matches(&places, Some(made.clone()), text(given)).await;
            assert_eq!(found.unwrap(), expected, "{given}");
        }
        assert!(!matches(&places, None, text("anything")).await.unwrap());
    }

    /// Whoever is unknown is compared with a hash like any other: it parses, with the same costs.
    #[test]
    fn nobodys_hash_costs_the_same() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&hash).unwrap();
        let (memory, passes, lanes) = ARGON2;
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (memory, passes, lanes)
        );
        assert_eq!(hash.hash.unwrap().len(), 32);
    }
}
