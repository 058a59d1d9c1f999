//! What is told about correspondents' public keys and the keys of key rings.

use sealgate_mail::Timestamp;

use crate::harvest::Choice;
use crate::saying::Saying;
use crate::tenant::CorrespondentState;

sayings! {
    /// About correspondents' public keys and the keys of key rings.
    Keys {
        Learned { state: CorrespondentState, address: String, sha256: String } =
            "{state} for {address}: {sha256}", "{state} für {address}: {sha256}";
        LearnedInstead { state: CorrespondentState, address: String, sha256: String, former: String } =
            "{state} for {address}: {sha256}; instead of public key {former}",
            "{state} für {address}: {sha256}; statt öffentlicher Schlüssel {former}";
        FoundIn { what: Box<Saying>, source: Box<Saying> } = "{what}; found in {source}", "{what}; gefunden in {source}";
        InDirectory { name: String } = "directory {name}", "Verzeichnis {name}";
        Became { state: CorrespondentState, address: String, sha256: String, why: Box<Saying> } =
            "{state} for {address}: {sha256}: {why}", "{state} für {address}: {sha256}: {why}";
        AnswerIsGood {} =
            "its answer about revocation has come and is good",
            "die Auskunft über den Widerruf ist gekommen und gut";
        AnswerIsMissing {} =
            "an answer about revocation is required, and there is none",
            "eine Auskunft über den Widerruf ist verlangt, und es gibt keine";
        Revoked { at: Timestamp } = "it was revoked at {at}", "widerrufen am {at}";
        RevokedPinned { at: Timestamp } =
            "it was revoked at {at}; it was pinned and stays in use: block it or import another",
            "widerrufen am {at}; der Schlüssel ist angeheftet und bleibt in Gebrauch: Sperren Sie ihn oder importieren Sie einen anderen";
        RevokedManual { at: Timestamp } =
            "it was revoked at {at}; it was imported by hand and stays in use: block it or import another",
            "widerrufen am {at}; der Schlüssel ist importiert und bleibt in Gebrauch: Sperren Sie ihn oder importieren Sie einen anderen";
        Dropped { id: i64, address: String, source: Box<Saying> } =
            "public key {id} of {address}: {source} does not have it any more",
            "Öffentlicher Schlüssel {id} von {address}: {source} hat ihn nicht mehr";
        Chosen { choice: Choice, id: i64, address: String, changes: Vec<Saying> } =
            "{choice} public key {id} of {address}: {changes}",
            "{choice}: öffentlicher Schlüssel {id} von {address}: {changes}";
        Is { id: i64, state: CorrespondentState } = "{id} is {state}", "{id} ist {state}";
        IsPinned { id: i64, state: CorrespondentState } =
            "{id} is {state} and pinned", "{id} ist {state} und angeheftet";
        Replaced { id: i64, address: String } =
            "public key {id} of {address} is used from now on: no preferred one can be used any more",
            "Der öffentliche Schlüssel {id} von {address} wird ab jetzt verwendet: Kein bevorzugter ist mehr verwendbar";
        Expires { id: i64, address: String, end: Timestamp } =
            "public key {id} of {address} expires at {end}, and there is no other: ask for a signed mail with the next one, or import it",
            "Der öffentliche Schlüssel {id} von {address} läuft am {end} ab, und es gibt keinen anderen: Bitten Sie um eine signierte E-Mail mit dem nächsten, oder importieren Sie ihn";
        Expired { id: i64, address: String, end: Timestamp } =
            "public key {id} of {address} expired at {end}, and there is no other: ask for a signed mail with the next one, or import it",
            "Der öffentliche Schlüssel {id} von {address} ist am {end} abgelaufen, und es gibt keinen anderen: Bitten Sie um eine signierte E-Mail mit dem nächsten, oder importieren Sie ihn";
        Purged { id: i64, mailbox: String } =
            "purge key {id} of {mailbox}", "Schlüssel {id} von {mailbox} endgültig gelöscht";
    }
}
