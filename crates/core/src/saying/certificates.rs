//! What is told about certificates of mailboxes, their orders and revocations.

use sealgate_mail::Timestamp;

use crate::saying::Saying;

sayings! {
    /// About certificates of mailboxes, their orders and revocations.
    Certificates {
        MailboxActive { address: String, until: Timestamp } =
            "{address} is active: it has a certificate until {until}",
            "{address} ist aktiv: Das Zertifikat gilt bis {until}";
        Renewed { address: String, until: Timestamp } =
            "{address} has its next certificate, until {until}; the former one goes on decrypting",
            "{address} hat sein nächstes Zertifikat, gültig bis {until}; mit dem bisherigen wird weiter entschlüsselt";
        RenewalOrdered { address: String, until: Timestamp } =
            "the next certificate of {address} is ordered: the present one ends {until}",
            "Das nächste Zertifikat von {address} ist bestellt: Das jetzige endet am {until}";
        Ends { address: String, until: Timestamp } =
            "the certificate of {address} ends {until}, and no other is there yet",
            "Das Zertifikat von {address} endet am {until}, und es gibt noch kein anderes";
        Ended { address: String, until: Timestamp } =
            "the certificate of {address} ended {until}: its mail is not signed any more, and refused where a rule enforces encryption",
            "Das Zertifikat von {address} endete am {until}: E-Mails werden nicht mehr signiert und abgelehnt, wo eine Regel Verschlüsselung erzwingt";
        NotThere { address: String } =
            "the certificate for {address} was ordered a day ago and is not there: see `sealgate order list`",
            "Das Zertifikat für {address} ist seit einem Tag bestellt und noch nicht da: siehe „Bestellungen“";
        NotThereBecause { address: String, error: Box<Saying> } =
            "the certificate for {address} was ordered a day ago and is not there ({error}): see `sealgate order list`",
            "Das Zertifikat für {address} ist seit einem Tag bestellt und noch nicht da ({error}): siehe „Bestellungen“";
        Late { address: String, error: Box<Saying> } =
            "the certificate for {address} is late: {error}", "Das Zertifikat für {address} verspätet sich: {error}";
        WillNotCome { address: String, why: Box<Saying> } =
            "there will be no certificate for {address}: {why}", "Für {address} wird es kein Zertifikat geben: {why}";
        Surplus { address: String } =
            "a certificate for {address} came after its order was withdrawn: it is revoked",
            "Ein Zertifikat für {address} kam, nachdem die Bestellung zurückgezogen war: Es wird widerrufen";
        Revoked { address: String, serial: String } =
            "the certificate of {address} with serial {serial} is revoked",
            "Das Zertifikat von {address} mit der Seriennummer {serial} ist widerrufen";
        NotRevokedYet { address: String, serial: String, error: Box<Saying> } =
            "the certificate of {address} with serial {serial} cannot be revoked yet: {error}",
            "Das Zertifikat von {address} mit der Seriennummer {serial} kann noch nicht widerrufen werden: {error}";
        InactiveUnconfirmed { address: String } =
            "{address} is inactive after 14 days and its licence is free, though nobody has confirmed yet that its certificate is revoked: see `sealgate order revocations`",
            "{address} ist nach 14 Tagen inaktiv und die Lizenz frei, obwohl noch niemand bestätigt hat, dass das Zertifikat widerrufen ist: siehe „Widerrufe“";
        RevokeByHand { address: String } =
            "{address} was deactivated and its certificate was uploaded: have its issuer revoke it, then say so with `sealgate mailbox confirm-revoked {address}`",
            "{address} wurde deaktiviert, und das Zertifikat war hochgeladen: Lassen Sie es vom Aussteller widerrufen und bestätigen Sie es dann unter „Widerrufe“";
        NoneGiven {} =
            "the authority gave no certificate", "Die Zertifizierungsstelle hat kein Zertifikat gegeben";
        ForOtherKey {} =
            "the authority's certificate is for another key",
            "Das Zertifikat der Zertifizierungsstelle ist für einen anderen Schlüssel";
        NamesOther { address: String } =
            "the authority's certificate does not name {address}",
            "Das Zertifikat der Zertifizierungsstelle nennt {address} nicht";
        HasExpired {} =
            "the authority's certificate has expired", "Das Zertifikat der Zertifizierungsstelle ist abgelaufen";
        CannotSign { why: Box<Saying> } =
            "the authority's certificate cannot sign mail: {why}",
            "Mit dem Zertifikat der Zertifizierungsstelle lassen sich keine E-Mails signieren: {why}";
        ValidFrom { from: Timestamp } =
            "the authority's certificate is valid from {from} on",
            "Das Zertifikat der Zertifizierungsstelle gilt ab {from}";
        NotWithin { days: i64 } =
            "the authority did not issue it within {days} days",
            "Die Zertifizierungsstelle hat es nicht innerhalb von {days} Tagen ausgestellt";
        BuiltInMade { name: String } = "make the built-in CA {name}", "Eingebaute Zertifizierungsstelle {name} erzeugt";
    }
}
