//! Changes of one's own account, the same from the page and from the API: who asks for one proves with the password that it is
//! them, and not somebody at a desk they left.

use sealgate_core::permission::UserId;
use sealgate_core::saying::Refusals;
use zeroize::Zeroizing;

use super::doors::{Visitor, tell_lock};
use super::tries::{account, whose};
use super::{Oneself, Permitted, Signed, passwords, totp};
use crate::Portal;
use crate::office::account::{BegunSecondFactor, PasswordChange, RecoveryCodes};
use crate::problem::Problem;

/// The user of a session; a token has no account.
pub fn user(who: &Permitted<Oneself>) -> Result<UserId, Problem> {
    match &who.authenticated().signed {
        Signed::Session { user, .. } => Ok(*user),
        Signed::Token { .. } => Err(Problem::new("forbidden")),
    }
}

/// Whether `password` is the one in force. Whoever has none, because another server vouches for them, need not prove it.
pub async fn prove(
    portal: &Portal,
    visitor: &Visitor,
    who: &Permitted<Oneself>,
    password: Zeroizing<String>,
) -> Result<(), Problem> {
    user(who)?;
    let Some(hash) = portal.office.own_password(who).await? else {
        return Ok(());
    };
    let (keys, began) = (whose(who.who(), visitor.address), portal.now());
    let tries = &portal.doors.sign_ins;
    if tries.begin(&keys, began).is_err() {
        return Err(Problem::new("too-many-tries"));
    }
    if !passwords::matches(&portal.doors.passwords, Some(hash), password).await? {
        tell_lock(portal, false, who.who(), visitor);
        return Err(Problem::new("wrong-password"));
    }
    tries.succeeded(&keys, began);
    Ok(())
}

/// Sets a new password; all other sessions end.
pub async fn change_password(
    portal: &Portal,
    visitor: &Visitor,
    who: &Permitted<Oneself>,
    change: PasswordChange,
) -> Result<(), Problem> {
    let (current, new) = (Zeroizing::new(change.current), Zeroizing::new(change.new));
    user(who)?;
    passwords::judge("new", &new)?;
    prove(portal, visitor, who, current).await?;
    let hash = passwords::hash(&portal.doors.passwords, new).await?;
    portal.office.set_own_password(who, hash).await
}

/// Makes a secret that waits for its first code.
pub async fn begin_second_factor(
    portal: &Portal,
    visitor: &Visitor,
    who: &Permitted<Oneself>,
    password: String,
) -> Result<BegunSecondFactor, Problem> {
    prove(portal, visitor, who, Zeroizing::new(password)).await?;
    let secret = totp::new_secret()?;
    portal.office.begin_second_factor(who, &secret).await?;
    Ok(BegunSecondFactor {
        key: totp::typed(&secret),
        address: totp::address(&secret, who.who()).to_string(),
    })
}

/// The first code makes it the second factor.
pub async fn confirm_second_factor(
    portal: &Portal,
    who: &Permitted<Oneself>,
    code: &str,
) -> Result<RecoveryCodes, Problem> {
    let (user, began) = (user(who)?, portal.now());
    let key = [account(who.who())];
    let tries = &portal.doors.second_factors;
    if tries.begin(&key, began).is_err() {
        return Err(Problem::new("too-many-tries"));
    }
    let secret = portal.office.begun_second_factor(who).await?;
    let secret = secret.ok_or_else(|| Problem::refused(Refusals::NoSecondFactorBegun {}))?;
    let Some(step) = totp::step_of(&secret, code, portal.now()) else {
        return Err(Problem::new("wrong-code"));
    };
    tries.succeeded(&key, began);
    let (codes, hashes) = new_codes(user)?;
    portal
        .office
        .confirm_second_factor(who, secret, step, hashes)
        .await?;
    Ok(codes)
}

/// Takes the second factor away.
pub async fn remove_second_factor(
    portal: &Portal,
    visitor: &Visitor,
    who: &Permitted<Oneself>,
    password: String,
) -> Result<(), Problem> {
    prove(portal, visitor, who, Zeroizing::new(password)).await?;
    portal.office.remove_own_second_factor(who).await
}

/// New recovery codes in place of the former ones.
pub async fn new_recovery_codes(
    portal: &Portal,
    visitor: &Visitor,
    who: &Permitted<Oneself>,
    password: String,
) -> Result<RecoveryCodes, Problem> {
    prove(portal, visitor, who, Zeroizing::new(password)).await?;
    if !portal.office.own_account(who).await?.has_second_factor {
        return Err(Problem::refused(Refusals::NoSecondFactor {}));
    }
    let (codes, hashes) = new_codes(user(who)?)?;
    portal
        .office
        .replace_own_recovery_codes(who, hashes)
        .await?;
    Ok(codes)
}

fn new_codes(user: UserId) -> Result<(RecoveryCodes, Vec<[u8; 32]>), Problem> {
    let codes = totp::new_recovery_codes()?;
    let hashes = codes.iter().map(|code| totp::recovery_hash(user, code));
    let hashes = hashes.collect();
    Ok((RecoveryCodes { codes }, hashes))
}
