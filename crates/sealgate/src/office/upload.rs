//! Key pairs that somebody uploads (S47). What a file asks for is judged before it is computed (`smime::pkcs12`); here it gets a
//! thread of its own, a place among few, and a time (row W5).

use std::sync::Arc;

use sealgate_core::change::{ImportKeys, KeyOrigin};
use sealgate_core::saying::Saying;
use sealgate_mail::Address;
use sealgate_portal::office::Asked;
use sealgate_portal::office::mailboxes::Upload;
use sealgate_portal::problem::Problem;
use sealgate_smime::pkcs12::{self, Contents, Pkcs12Error};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::limits::UPLOAD_WAIT;

/// Reads key pairs for `mailbox`.
pub(super) async fn read(
    places: &Arc<Semaphore>,
    upload: Upload,
    mailbox: &Address,
) -> Asked<ImportKeys> {
    let (file, password) = (Zeroizing::new(upload.file), Zeroizing::new(upload.password));
    let places = Arc::clone(places);
    let reading = async move {
        let place = places.acquire_owned().await.map_err(Problem::internal)?;
        // Whoever waits may go away; the place is taken until the work ends.
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            pkcs12::import(&file, &password)
        });
        work.await.map_err(Problem::internal)
    };
    let contents = match timeout(UPLOAD_WAIT, reading).await {
        Ok(read) => read?.map_err(refused)?,
        Err(_) => return Err(Problem::new("upload-takes-long")),
    };
    for_mailbox(contents, mailbox)
}

fn for_mailbox(contents: Contents, mailbox: &Address) -> Asked<ImportKeys> {
    let stranger = contents
        .pairs
        .iter()
        .find(|(certificate, _)| !certificate.addresses().contains(mailbox));
    if let Some((certificate, _)) = stranger {
        let named = certificate.addresses().iter().map(Address::to_string);
        let named: Vec<String> = named.collect();
        return Err(Problem {
            detail: Some(match named.is_empty() {
                true => Saying::words(certificate.subject_name()),
                false => Saying::words(named.join(", ")),
            }),
            ..Problem::new("upload-other-mailbox")
        });
    }
    Ok(ImportKeys {
        mailbox: mailbox.clone(),
        pairs: contents.pairs,
        chain: contents.chain,
        origin: KeyOrigin::Uploaded,
    })
}

/// What is wrong with a file, and what to do: one text of the catalogues for each.
fn refused(error: Pkcs12Error) -> Problem {
    match error {
        Pkcs12Error::Malformed => Problem::new("upload-malformed"),
        Pkcs12Error::WrongPassword => Problem::new("upload-password"),
        Pkcs12Error::TooLarge => Problem::new("too-large"),
        Pkcs12Error::TooManyBags => Problem::new("upload-too-many"),
        Pkcs12Error::TooMuchWork => Problem::new("upload-work"),
        Pkcs12Error::Unsupported(what) => Problem {
            detail: Some(Saying::words(what)),
            ..Problem::new("upload-unsupported")
        },
        Pkcs12Error::NoKeyPair => Problem::new("upload-no-pair"),
        Pkcs12Error::KeyKind => Problem::new("upload-key-kind"),
    }
}
