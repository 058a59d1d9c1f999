//! Remote content in what was decrypted: taken out where no valid signature inside vouches for the text (row C1).

use std::io;
use std::sync::Arc;

use sealgate_mail::neutralise::neutralise as neutralised;
use sealgate_mail::{Content, Message, MessageError, Source};
use sealgate_smime::kind::{Kind, kind};
use sealgate_smime::limits::LAYERS;
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{kind_under_signatures, signed_entity};

use super::open::{Opened, shelve_entity};
use crate::ports::Shelf;

/// Takes remote content out of the decrypted entity. A signature inside that is not valid is taken off where something changes
/// that it covers; its verdict stays. What cannot be looked through counts as not decrypted: it is never passed on
/// unexamined. To be called after revocation is judged and before the outcome is settled.
///
/// # Errors
/// Only failures of our own storage.
pub fn neutralise(opened: &mut Opened, shelf: &dyn Shelf) -> io::Result<()> {
    let Some(entity) = &opened.entity else {
        return Ok(());
    };
    if opened.kept_signature() == SignatureVerdict::Valid {
        return Ok(());
    }
    let content = Arc::clone(&entity.content);
    match examine(content.as_ref(), LAYERS, shelf)? {
        Examined::Harmless => {}
        Examined::Changed(entity) => {
            opened.entity = Some(entity);
            opened.verdicts.neutralised = true;
        }
        Examined::Closed => {
            opened.give_up();
            // Once: what is delivered instead, if anything, lay around it (row C10: it looks as if that never opened).
            return neutralise(opened, shelf);
        }
    }
    Ok(())
}

/// What came of looking through an entity.
enum Examined {
    /// Nothing has to change.
    Harmless,
    /// Without its remote content.
    Changed(super::open::Decrypted),
    /// Beyond the limits.
    Closed,
}

/// Looks through an entity, and through what lies in an opaque signature, `left` layers deep.
fn examine(content: &dyn Content, left: usize, shelf: &dyn Shelf) -> io::Result<Examined> {
    let message = match Message::read(content) {
        Ok(message) => message,
        Err(MessageError::Io(error)) => return Err(error),
        Err(_) => return Ok(Examined::Closed),
    };
    // Unfolded by a reader behind us, it would show what nobody looked at.
    if kind_under_signatures(&message)? == Kind::Compressed {
        return Ok(Examined::Closed);
    }
    match kind(&message)? {
        Kind::Signed => {
            let examined = match (signed_entity(&message)?, left.checked_sub(1)) {
                (Ok(inside), Some(left)) => examine(&inside, left, shelf)?,
                _ => Examined::Closed,
            };
            // What is around it stays, too, and is looked at next.
            if !matches!(examined, Examined::Harmless) {
                return Ok(examined);
            }
        }
        // What has to change would break the signature around it: that goes, too, rather than look tampered with.
        Kind::ClearSigned => {
            if let (Ok(inside), Some(left)) = (signed_entity(&message)?, left.checked_sub(1))
                && let Examined::Changed(entity) = examine(&inside, left, shelf)?
            {
                return Ok(Examined::Changed(entity));
            }
        }
        // A laxer reader may find something in it.
        Kind::Malformed(_) => return Ok(Examined::Closed),
        _ => {}
    }
    match neutralised(content) {
        Ok(None) => Ok(Examined::Harmless),
        Ok(Some(changed)) => {
            let ((), entity) = shelve_entity(shelf, |out| changed.write_to(out))?;
            Ok(Examined::Changed(entity))
        }
        Err(MessageError::Io(error)) => Err(error),
        Err(_) => Ok(Examined::Closed),
    }
}
