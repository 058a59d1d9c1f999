//! What is told about mail, webhooks, DKIM keys and the installation.

use crate::saying::Saying;

sayings! {
    /// About mail, webhooks, DKIM keys and the installation.
    Operation {
        RecipientsHeld { count: i64, mail: String } =
            "{count} of mail {mail} held", "{count} Empfänger der E-Mail {mail} zurückgehalten";
        MailHeld { mail: String, why: Box<Saying> } = "mail {mail} held: {why}", "E-Mail {mail} zurückgehalten: {why}";
        HeldTooLong { mail: String } =
            "mail {mail} was held too long and is deleted",
            "Die E-Mail {mail} wurde zu lange zurückgehalten und ist gelöscht";
        Retried { mail: String, count: i64 } =
            "retried mail {mail}: {count} recipients", "E-Mail {mail} erneut versucht: {count} Empfänger";
        Held { mail: String, count: i64 } =
            "held mail {mail}: {count} recipients", "E-Mail {mail} zurückgehalten: {count} Empfänger";
        Released { mail: String, count: i64 } =
            "released mail {mail}: {count} recipients", "E-Mail {mail} freigegeben: {count} Empfänger";
        Deleted { mail: String, count: i64 } =
            "deleted mail {mail}: {count} recipients", "E-Mail {mail} gelöscht: {count} Empfänger";
        LookedAt { mail: String } = "looked at mail {mail}", "E-Mail {mail} angesehen";
        Downloaded { mail: String } = "downloaded mail {mail}", "E-Mail {mail} heruntergeladen";
        SenderNotProven {} = "sender-not-proven", "Absender nicht belegt";
        NullSender {} = "null-sender", "leerer Absender";
        RepeatedKey {} = "repeated-key", "Schlüssel wiederholt";
        CouldNotProcess {} = "could-not-process", "Verarbeitung gescheitert";
        ByAdministrator {} = "administrator", "von einem Administrator";
        WebhookAdded { id: i64 } = "webhook {id} added", "Webhook {id} angelegt";
        WebhookRemoved { id: i64 } = "webhook {id} removed", "Webhook {id} entfernt";
        WebhookGivenUp { id: i64, event: i64, error: Box<Saying> } =
            "webhook {id} was given up for event {event}: {error}",
            "Webhook {id} hat das Ereignis {event} aufgegeben: {error}";
        DkimMade { name: String, kind: String } = "DKIM key {name} made, {kind}", "DKIM-Schlüssel {name} erzeugt, {kind}";
        DkimSigns { name: String } = "DKIM key {name} signs", "DKIM-Schlüssel {name} signiert";
        DkimSignsNoMore { name: String } =
            "DKIM key {name} no longer signs", "DKIM-Schlüssel {name} signiert nicht mehr";
        DkimRemoved { name: String } = "DKIM key {name} removed", "DKIM-Schlüssel {name} entfernt";
        RotationBegun { source: String } =
            "rotation of the master key to {source} begun", "Wechsel des Hauptschlüssels zu {source} begonnen";
        RotationDone { source: String } =
            "rotation of the master key to {source} done", "Wechsel des Hauptschlüssels zu {source} beendet";
    }
}
