//! What is told about prerequisites of domains, and about records of DKIM keys.

use crate::saying::{Names, Saying};

sayings! {
    /// About prerequisites of domains, and about records of DKIM keys.
    Domains {
        Refused { domain: String, why: Box<Saying> } = "{domain}: {why}", "{domain}: {why}";
        RefusedUntil { domain: String, why: Box<Saying>, to_do: Box<Saying> } =
            "{domain}: {why}: {to_do}", "{domain}: {why}: {to_do}";
        Unknown { why: Box<Saying> } = "unknown: {why}", "nicht bekannt: {why}";
        DnsOffHere {} = "DNS is switched off here", "DNS ist hier abgeschaltet";
        InRoute {} = "stands in an inbound route", "steht in einer Route";
        NotInRoute {} =
            "stands in no inbound route of this organisation", "steht in keiner Route dieser Organisation";
        AddToRoute { domain: String } =
            "add it with: sealgate route add NAME --domain {domain} --host SERVER",
            "Nehmen Sie {domain} in eine Route auf";
        NoSuchDomain {} = "DNS knows no such domain", "Das DNS kennt die Domäne nicht";
        NoMx {} = "there is no MX record", "Es gibt keinen MX-Eintrag";
        NullMx {} =
            "the MX record says that the domain takes no mail",
            "Der MX-Eintrag sagt, dass die Domäne keine E-Mails annimmt";
        MxTo { hosts: Names } = "points to {hosts}", "Der MX-Eintrag zeigt auf {hosts}";
        MxAlsoTo { hosts: Names, others: Names } =
            "points to {hosts}, and with lower priority to {others}",
            "Der MX-Eintrag zeigt auf {hosts}, und mit geringerer Priorität auf {others}";
        OthersPassOn {} =
            "see that those pass mail on to this gateway: what they deliver themselves is neither decrypted nor seen here",
            "Sorgen Sie dafür, dass diese die E-Mails an dieses Gateway weitergeben: Was sie selbst zustellen, wird hier weder entschlüsselt noch gesehen";
        OtherName { host: String, name: String } =
            "{host} has the address of {name}: let the MX record name {name}, or add {host} to gateway-names in the configuration if it is this gateway",
            "{host} hat die Adresse von {name}: Lassen Sie den MX-Eintrag {name} nennen, oder nehmen Sie {host} in gateway-names der Konfiguration auf, wenn es dieses Gateway ist";
        PointHere { domain: String, names: Names } =
            "in DNS, let the MX record of {domain} be {names}",
            "Lassen Sie im DNS den MX-Eintrag von {domain} auf {names} zeigen";
        LicencesUncounted {} = "licences are not counted here", "Lizenzen werden hier nicht gezählt";
        LicencesFree { count: i64 } = "{count} licences are free", "{count} Lizenzen sind frei";
        LicencesUsed { count: i64 } = "all {count} licences are used", "alle {count} Lizenzen sind belegt";
        BookMore {} =
            "book more, or deactivate a mailbox", "Lassen Sie weitere buchen, oder deaktivieren Sie eine Mailbox";
        LicencesOver {} = "the term of the licences is over", "die Laufzeit der Lizenzen ist vorbei";
        HaveExtended {} = "have it extended", "Lassen Sie sie verlängern";
        NoCaa {} =
            "no record: any authority may issue", "kein Eintrag: Jede Zertifizierungsstelle darf ausstellen";
        CaaAnyone { at: String } =
            "the records of {at} say nothing about mail: any authority may issue",
            "die Einträge von {at} sagen nichts über E-Mails: Jede Zertifizierungsstelle darf ausstellen";
        CaaNobody { at: String } =
            "issuemail of {at} lets no public authority issue",
            "issuemail von {at} erlaubt keiner öffentlichen Zertifizierungsstelle auszustellen";
        NameInCaa {} =
            "name your authority in an issuemail record, unless you use the built-in CA",
            "Nennen Sie Ihre Zertifizierungsstelle in einem Eintrag issuemail, wenn Sie nicht die eingebaute verwenden";
        CaaOnly { at: String, names: Names } =
            "issuemail of {at} lets only {names} issue", "issuemail von {at} erlaubt nur {names} auszustellen";
        SeeAmong {} =
            "see that your authority is among them", "Sehen Sie nach, ob Ihre Zertifizierungsstelle darunter ist";
        CaaCritical { at: String, tag: String } =
            "{at} has a critical record with the tag \"{tag}\": public authorities may not issue",
            "{at} hat einen kritischen Eintrag „{tag}“: Öffentliche Zertifizierungsstellen dürfen nicht ausstellen";
        TakeOutCaa {} =
            "take that record out, or its critical flag", "Nehmen Sie den Eintrag heraus, oder seine Markierung als kritisch";
        ForAcme {} =
            "an authority that is spoken to by ACME wants signed mail",
            "eine Zertifizierungsstelle mit ACME verlangt signierte E-Mails";
        MailUnsigned {} =
            "outbound mail goes without a signature", "ausgehende E-Mails gehen ohne Signatur hinaus";
        ForLater {} =
            "it is needed only for authorities that are spoken to by ACME, and to sign outbound mail",
            "er ist nur für Zertifizierungsstellen mit ACME nötig, und um ausgehende E-Mails zu signieren";
        DkimNoKey { why: Box<Saying> } = "there is no key; {why}", "es gibt keinen Schlüssel; {why}";
        DkimMake { domain: String } =
            "make one with: sealgate dkim create {domain}", "Erzeugen Sie einen für {domain}";
        DkimNotInDns { why: Box<Saying> } =
            "the key does not sign before its record is in DNS; {why}",
            "der Schlüssel signiert erst, wenn sein Eintrag im DNS steht; {why}";
        DkimPublish { domain: String } =
            "publish what this shows: sealgate dkim show {domain}",
            "Veröffentlichen Sie den Eintrag, der bei {domain} gezeigt wird";
        DkimGood {} =
            "the key signs, and its record is in DNS", "der Schlüssel signiert, und sein Eintrag steht im DNS";
        DkimMissing {} =
            "the key signs, but its record is not in DNS",
            "der Schlüssel signiert, aber sein Eintrag steht nicht im DNS";
        DkimWrong { fault: Box<Saying> } =
            "the key signs, but its record in DNS is wrong: {fault}",
            "der Schlüssel signiert, aber sein Eintrag im DNS ist falsch: {fault}";
        ManyRecords { count: usize } =
            "there are {count} records of that name; leave only one",
            "es gibt {count} Einträge dieses Namens; lassen Sie nur einen stehen";
        NoTags {} =
            "it is no list of tags, each once and with a value",
            "er ist keine Liste von Merkmalen, jedes einmal und mit einem Wert";
        OtherVersion {} = "its v= is not DKIM1", "sein v= ist nicht DKIM1";
        VersionNotFirst {} = "its v= does not stand first", "sein v= steht nicht am Anfang";
        NoKey {} = "it has no p=, so it is no key", "er hat kein p= und ist deshalb kein Schlüssel";
        Withdrawn {} =
            "its p= is empty, which says that the key is withdrawn",
            "sein p= ist leer; das sagt, dass der Schlüssel zurückgezogen ist";
        OtherKind { kind: String } = "its k= is not {kind}", "sein k= ist nicht {kind}";
        OtherKey {} = "its p= is another key", "sein p= ist ein anderer Schlüssel";
        NoSha256 {} = "its h= leaves sha256 out", "sein h= lässt sha256 aus";
        NotForMail {} = "its s= leaves email out", "sein s= lässt email aus";
    }
}
