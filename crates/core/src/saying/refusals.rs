//! What is told about why something that was asked for is not done.

use sealgate_smime::certificate::{ImportRefusal, UsageRefusal};

use crate::harvest::ChoiceRefusal;
use crate::licence::QuotaRefusal;
use crate::mailbox;
use crate::saying::Saying;

sayings! {
    /// Why something that was asked for is not done.
    Refusals {
        Mailbox { address: String, why: Box<Saying> } = "mailbox {address} {why}", "Mailbox {address}: {why}";
        ActivationPending {} =
            "its activation is under way: wait for the certificate, or withdraw the order",
            "Die Aktivierung läuft: Warten Sie auf das Zertifikat, oder ziehen Sie die Bestellung zurück";
        Active {} = "is active already", "ist schon aktiv";
        Inactive {} = "is not active", "ist nicht aktiv";
        RevokePending {} =
            "is being deactivated: wait until its certificate is revoked and it is inactive",
            "wird deaktiviert: Warten Sie, bis das Zertifikat widerrufen und die Mailbox inaktiv ist";
        Ordered {} =
            "has an order for its next certificate already", "das nächste Zertifikat ist schon bestellt";
        NoOrder {} = "has no open order", "es gibt keine offene Bestellung";
        NoRevocation {} = "has no revocation pending", "es gibt keinen offenen Widerruf";
        LicencesUsed { count: i64 } =
            "needs a licence, and all {count} are used: book more, or deactivate another mailbox",
            "braucht eine Lizenz, und alle {count} sind belegt: Lassen Sie weitere buchen, oder deaktivieren Sie eine andere Mailbox";
        LicencesOver {} =
            "needs a licence, and their term is over: have it extended",
            "braucht eine Lizenz, und deren Laufzeit ist vorbei: Lassen Sie sie verlängern";
        NotKnown { address: String } =
            "{address} is no known mailbox: add it to an inbound route first",
            "{address} ist keine bekannte Mailbox: Legen Sie sie zuerst in einer Route an";
        NoRoute { address: String, domain: String } =
            "mailbox {address} has no inbound route: name {domain} in a route first",
            "Für die Mailbox {address} gibt es keine Route: Nennen Sie {domain} zuerst in einer Route";
        NothingToConfirm { address: String } =
            "no certificate of {address} waits to be revoked by an issuer outside",
            "Kein Zertifikat von {address} wartet darauf, von einem fremden Aussteller widerrufen zu werden";
        KeyOfOther { address: String } =
            "the private key for {address} does not belong to its certificate",
            "Der private Schlüssel für {address} gehört nicht zu seinem Zertifikat";
        NoneSigns { address: String } =
            "none of the certificates for {address} may sign mail",
            "Keines der Zertifikate für {address} darf E-Mails signieren";
        WasRevoked { address: String } =
            "the certificate for {address} was revoked: ask its issuer for a new one",
            "Das Zertifikat für {address} ist widerrufen: Bitten Sie den Aussteller um ein neues";
        SameIssuerAndSerial { address: String } =
            "the certificate for {address} has the issuer and serial number of another one with another key: ask its issuer for a new certificate",
            "Das Zertifikat für {address} hat Aussteller und Seriennummer eines anderen mit anderem Schlüssel: Bitten Sie den Aussteller um ein neues";
        NoPriority { to: i64 } = "there is no priority {to}", "Die Priorität {to} gibt es nicht";
        OrderChanged {} =
            "somebody else changed the order of the rules meanwhile",
            "Jemand anderes hat die Reihenfolge der Regeln inzwischen geändert";
        RuleChanged {} =
            "somebody else changed this rule meanwhile", "Jemand anderes hat diese Regel inzwischen geändert";
        NotImportable { why: Box<Saying> } =
            "this public key cannot be imported: {why}", "Dieser öffentliche Schlüssel kann nicht importiert werden: {why}";
        NoAddress {} = "the certificate names no e-mail address", "Das Zertifikat nennt keine E-Mail-Adresse";
        OfDomain {} =
            "the certificate is made for a domain, not for a mailbox",
            "Das Zertifikat ist für eine Domäne ausgestellt, nicht für eine Mailbox";
        NotToEncrypt { why: Box<Saying> } =
            "the certificate cannot be used to encrypt: {why}",
            "Das Zertifikat kann nicht zum Verschlüsseln verwendet werden: {why}";
        OfAuthority {} =
            "it is the certificate of a certification authority", "es gehört einer Zertifizierungsstelle";
        KeyUsage {} = "its key usage does not allow that", "die Schlüsselverwendung erlaubt das nicht";
        NotForMail {} = "it is not meant for e-mail protection", "es ist nicht für den Schutz von E-Mails bestimmt";
        KeyKind {} =
            "its key is of a kind that cannot be used for that",
            "sein Schlüssel ist von einer Art, die dafür nicht verwendet werden kann";
        WeakKey {} =
            "its RSA key is shorter than 2048 or longer than 8192 bits, or bears the mark of CVE-2017-15361 (ROCA)",
            "sein RSA-Schlüssel ist kürzer als 2048 oder länger als 8192 Bit oder trägt das Merkmal von CVE-2017-15361 (ROCA)";
        Namesake { name: String } =
            "the public key {name} cannot be imported: another certificate has the same issuer and serial number and another key; remove that one first",
            "Der öffentliche Schlüssel {name} kann nicht importiert werden: Ein anderes Zertifikat hat denselben Aussteller und dieselbe Seriennummer und einen anderen Schlüssel; entfernen Sie zuerst jenes";
        UserNameTaken { name: String } =
            "choose another user name for sending client {name}",
            "Wählen Sie für den Versender {name} einen anderen Benutzernamen";
        ClientTaken { name: String } =
            "there is a sending client {name} already: choose another name",
            "Es gibt schon einen Versender {name}: Wählen Sie einen anderen Namen";
        ClientChanged { name: String } =
            "sending client {name} proves itself in another way since: look at it again",
            "Der Versender {name} weist sich inzwischen anders aus: Sehen Sie ihn sich noch einmal an";
        InTwoRoutes { domain: String, one: String, other: String } =
            "domain {domain} is named by the inbound routes {one} and {other}",
            "Die Domäne {domain} steht in den Routen {one} und {other}";
        DomainOfOther { domain: String } =
            "domain {domain} belongs to another organisation", "Die Domäne {domain} gehört zu einer anderen Organisation";
        DomainOfRoute { domain: String, route: String } =
            "domain {domain} belongs to inbound route {route}", "Die Domäne {domain} gehört zur Route {route}";
        RouteGone { route: String } =
            "there is no inbound route {route} any more", "Die Route {route} gibt es nicht mehr";
        OrganisationName { most: i64 } =
            "the name of an organisation is one word of at most {most} letters (a to z), digits, \".\", \"-\" and \"_\", and begins with a letter or digit",
            "Der Name einer Organisation ist ein Wort aus höchstens {most} Buchstaben (a bis z), Ziffern, „.“, „-“ und „_“ und beginnt mit einem Buchstaben oder einer Ziffer";
        OrganisationTaken { name: String } =
            "there is an organisation {name} already", "Es gibt schon eine Organisation {name}";
        NoAuthority { name: String } =
            "there is no authority {name}: see `sealgate authority list`", "Es gibt keine Zertifizierungsstelle {name}";
        NoAuthorityToOrderFrom {} =
            "there is no authority to order from: see `sealgate authority list`",
            "Es gibt keine Zertifizierungsstelle, bei der bestellt werden kann";
        AuthorityName {} =
            "the name of an authority is one word without blanks",
            "Der Name einer Zertifizierungsstelle ist ein Wort ohne Leerzeichen";
        StandardAuthority { name: String } =
            "{name} is the standard authority: make another one the standard first, with `sealgate authority standard NAME`",
            "{name} ist die Standard-Zertifizierungsstelle: Machen Sie zuerst eine andere zum Standard";
        AuthorityBusy { name: String } =
            "authority {name} has open orders: wait for them, or withdraw them",
            "Die Zertifizierungsstelle {name} hat offene Bestellungen: Warten Sie darauf, oder ziehen Sie sie zurück";
        Chosen { id: i64, address: String, why: Box<Saying> } =
            "public key {id} of {address}: {why}", "Öffentlicher Schlüssel {id} von {address}: {why}";
        ChoiceNotNew {} =
            "it is not new, so there is nothing to approve; to use it, say: prefer",
            "er ist nicht neu, es gibt also nichts zuzustimmen; um ihn zu verwenden, bevorzugen Sie ihn";
        ChoicePreferred {} =
            "it is the only preferred one already", "er ist schon der einzige bevorzugte";
        ChoicePending {} =
            "it waits for an answer about revocation; to use it without one, import its certificate by hand",
            "er wartet auf eine Auskunft über den Widerruf; um ihn ohne sie zu verwenden, importieren Sie das Zertifikat";
        ChoiceBlocked {} = "it is blocked; unblock it first", "er ist gesperrt; entsperren Sie ihn zuerst";
        ChoiceNotBlocked {} = "it is not blocked", "er ist nicht gesperrt";
        ChoicePinned {} = "it is pinned; unpin it first", "er ist angeheftet; heben Sie das zuerst auf";
        ChoiceNotPinned {} = "it is not pinned", "er ist nicht angeheftet";
        ChoiceOtherPinned { id: i64 } =
            "public key {id} of the same address is pinned; unpin that first",
            "der öffentliche Schlüssel {id} derselben Adresse ist angeheftet; heben Sie das zuerst auf";
        ChoiceExpired {} = "its certificate has expired", "sein Zertifikat ist abgelaufen";
        ChoiceUnusable {} =
            "its certificate is not valid yet, or may not be used to encrypt",
            "sein Zertifikat ist noch nicht gültig oder darf nicht zum Verschlüsseln verwendet werden";
        NotPurged { id: i64, mailbox: String, why: Box<Saying> } =
            "key {id} of {mailbox} cannot be purged: {why}", "Der Schlüssel {id} von {mailbox} kann nicht gelöscht werden: {why}";
        KeyIsCurrent {} =
            "it is the current key of an active mailbox; deactivate the mailbox first",
            "er ist der jetzige Schlüssel einer aktiven Mailbox; deaktivieren Sie zuerst die Mailbox";
        KeyToBeRevoked {} =
            "its certificate is still to be revoked; wait until that is confirmed",
            "sein Zertifikat ist noch zu widerrufen; warten Sie, bis das bestätigt ist";
        DkimDomain { domain: String } =
            "{domain} stands in no inbound route of this organisation; add it with: sealgate route add NAME --domain {domain} --host SERVER",
            "{domain} steht in keiner Route dieser Organisation; nehmen Sie die Domäne zuerst in eine Route auf";
        DkimWaits { selector: String, domain: String } =
            "the key {selector} of {domain} waits for its record in DNS; publish that (sealgate dkim show {domain}), or remove it first",
            "Der Schlüssel {selector} von {domain} wartet auf seinen Eintrag im DNS; veröffentlichen Sie ihn, oder entfernen Sie den Schlüssel zuerst";
        DkimSelectorTaken { domain: String, selector: String } =
            "{domain} has a key with the selector {selector} already; choose another one",
            "{domain} hat schon einen Schlüssel mit dem Selektor {selector}; wählen Sie einen anderen";
        ManyWebhooks { most: i64 } =
            "an organisation has {most} webhooks at most: remove one first",
            "Eine Organisation hat höchstens {most} Webhooks: Entfernen Sie zuerst einen";
        ManyDirectories { most: i64 } =
            "an organisation has at most {most} directories: remove one first",
            "Eine Organisation hat höchstens {most} Verzeichnisse: Entfernen Sie zuerst eines";
        HasAccount { name: String } = "{name} has an account already", "{name} hat schon ein Konto";
        LastOperator {} =
            "this is the last operator: make another one first",
            "Dies ist der letzte Betreiber: Machen Sie zuerst jemand anderen dazu";
        LastAdministrator {} =
            "this is the last administrator of the organisation: make another one first",
            "Dies ist die letzte Person, die diese Organisation verwalten darf: Geben Sie zuerst jemand anderem diese Rolle";
        PasswordNeeded {} = "a password is needed", "Ein Passwort ist nötig";
        InvitationOfOther { name: String } =
            "the invitation is for {name}: sign in as that user", "Die Einladung ist für {name}: Melden Sie sich so an";
        ManyAddresses { most: i64, beginning: String } =
            "more than {most} addresses begin with {beginning}: say more of the address",
            "Mehr als {most} Adressen beginnen mit {beginning}: Geben Sie mehr von der Adresse an";
        KeyGone { id: i64 } = "there is no public key {id} any more", "Den öffentlichen Schlüssel {id} gibt es nicht mehr";
        ManyStretches {} = "too many stretches of time", "zu viele Zeitabschnitte";
        OtherRotation { source: String } =
            "a rotation of the master key to {source} is under way: finish that one first with --new, or go back with --new and the former one",
            "Ein Wechsel des Hauptschlüssels zu {source} läuft: Beenden Sie ihn zuerst mit --new, oder kehren Sie mit --new und dem bisherigen zurück";
        TokenRefuses { token: String, why: String } =
            "the token {token} refuses ({why})", "Das Token {token} lehnt es ab ({why})";
        TokenUnknown { token: String } =
            "there is no token {token} in the configuration: add a [[token]] of that name",
            "In der Konfiguration steht kein Token {token}: Nehmen Sie dort ein [[token]] dieses Namens auf";
        NotImported {} =
            "it was not imported: block it if it is not to be used",
            "er wurde nicht importiert: Sperren Sie ihn, wenn er nicht verwendet werden soll";
        NoSecondFactorBegun {} = "no second factor was begun", "Es wurde kein zweiter Faktor begonnen";
        NoSecondFactor {} = "there is no second factor", "Es gibt keinen zweiten Faktor";
        TooLate {} = "this is not possible any more", "Das ist nicht mehr möglich";
        ResellerTaken { name: String } = "there is a reseller {name} already", "Es gibt schon einen Reseller {name}";
        ResellerNeeded { name: String } =
            "users work for {name}, or organisations are its: give them to another one first",
            "Für {name} arbeiten Benutzer, oder Organisationen gehören dazu: Geben Sie sie zuerst einem anderen";
        ChangedMeanwhile {} =
            "somebody else has changed this meanwhile: it was left as it is",
            "Jemand anderes hat das inzwischen geändert: Es blieb, wie es ist";
        BulkWorkEnded {} = "this bulk work has ended already", "Diese Arbeit ist schon zu Ende";
    }
}

impl From<mailbox::Refusal> for Refusals {
    fn from(refusal: mailbox::Refusal) -> Self {
        use mailbox::Refusal as R;
        match refusal {
            R::ActivationPending => Self::ActivationPending {},
            R::Active => Self::Active {},
            R::Inactive => Self::Inactive {},
            R::RevokePending => Self::RevokePending {},
            R::Ordered => Self::Ordered {},
            R::NoOrder => Self::NoOrder {},
            R::NoRevocation => Self::NoRevocation {},
        }
    }
}

impl From<QuotaRefusal> for Refusals {
    fn from(refusal: QuotaRefusal) -> Self {
        match refusal {
            QuotaRefusal::Full(count) => Self::LicencesUsed {
                count: count.into(),
            },
            QuotaRefusal::Over => Self::LicencesOver {},
        }
    }
}

impl From<ImportRefusal> for Refusals {
    fn from(refusal: ImportRefusal) -> Self {
        match refusal {
            ImportRefusal::NoAddress => Self::NoAddress {},
            ImportRefusal::Domain => Self::OfDomain {},
            ImportRefusal::Usage(why) => Self::NotToEncrypt {
                why: Self::from(why).into(),
            },
        }
    }
}

impl From<UsageRefusal> for Refusals {
    fn from(refusal: UsageRefusal) -> Self {
        match refusal {
            UsageRefusal::Authority => Self::OfAuthority {},
            UsageRefusal::KeyUsage => Self::KeyUsage {},
            UsageRefusal::Purpose => Self::NotForMail {},
            UsageRefusal::KeyKind => Self::KeyKind {},
            UsageRefusal::Weak => Self::WeakKey {},
        }
    }
}

impl From<ChoiceRefusal> for Refusals {
    fn from(refusal: ChoiceRefusal) -> Self {
        use ChoiceRefusal as R;
        match refusal {
            R::NotNew => Self::ChoiceNotNew {},
            R::Preferred => Self::ChoicePreferred {},
            R::Pending => Self::ChoicePending {},
            R::Blocked => Self::ChoiceBlocked {},
            R::NotBlocked => Self::ChoiceNotBlocked {},
            R::Pinned => Self::ChoicePinned {},
            R::NotPinned => Self::ChoiceNotPinned {},
            R::OtherPinned(id) => Self::ChoiceOtherPinned { id },
            R::Expired => Self::ChoiceExpired {},
            R::Unusable => Self::ChoiceUnusable {},
        }
    }
}
