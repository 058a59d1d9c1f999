//! What is told about changes of an organisation's configuration.

use sealgate_mail::Timestamp;

use crate::rules::{InboundMode, OutboundMode};
use crate::saying::Saying;

sayings! {
    /// A change of an organisation's configuration.
    Changes {
        OrganisationMade {} = "create organisation", "Organisation angelegt";
        Switches { names: String } = "set switches: {names}", "Schalter gesetzt: {names}";
        Route { name: String, domains: String, to: Box<Saying> } =
            "set inbound route {name}: {domains} to {to}", "Route {name} gesetzt: {domains} an {to}";
        WildcardRoute { name: String, domains: String, to: Box<Saying> } =
            "set inbound route {name}: {domains} to {to}, wildcard",
            "Route {name} gesetzt: {domains} an {to}, alle Adressen";
        RouteRemoved { name: String } =
            "remove inbound route {name} and its mailboxes", "Route {name} und ihre Mailboxen entfernt";
        Mailbox { address: String } = "add mailbox {address}", "Mailbox {address} angelegt";
        Mailboxes { addresses: String } = "add mailboxes {addresses}", "Mailboxen angelegt: {addresses}";
        MailboxRemoved { address: String } = "remove mailbox {address}", "Mailbox {address} entfernt";
        NoAliases { address: String } =
            "mailbox {address} has no aliases", "Mailbox {address} hat keine weiteren Adressen";
        Aliases { address: String, aliases: String } =
            "mail to {address} is also opened with the keys of {aliases}",
            "E-Mails an {address} werden auch mit den Schlüsseln von {aliases} geöffnet";
        Activate { mailbox: String, authority: Box<Saying> } =
            "activate mailbox {mailbox} with {authority}", "Mailbox {mailbox} aktiviert bei {authority}";
        Upload { mailbox: String, certificates: String } =
            "activate mailbox {mailbox} with {certificates}",
            "Mailbox {mailbox} aktiviert mit dem hochgeladenen Zertifikat {certificates}";
        Renew { mailbox: String, authority: Box<Saying> } =
            "order the next certificate of mailbox {mailbox} from {authority}",
            "Nächstes Zertifikat der Mailbox {mailbox} bestellt bei {authority}";
        Replace { mailbox: String, authority: Box<Saying> } =
            "order the next certificate of mailbox {mailbox} from {authority}; the present ones are revoked then",
            "Nächstes Zertifikat der Mailbox {mailbox} bestellt bei {authority}; die jetzigen werden dann widerrufen";
        NextOf { count: usize } =
            "next certificates of {count} mailboxes", "Nächste Zertifikate von {count} Mailboxen";
        StandardAuthority {} = "the standard authority", "der Standard-Zertifizierungsstelle";
        NamedAuthority { name: String } = "authority {name}", "der Zertifizierungsstelle {name}";
        Withdraw { address: String } =
            "withdraw the order for mailbox {address}", "Bestellung für die Mailbox {address} zurückgezogen";
        ConfirmRevoked { address: String } =
            "the uploaded certificates of mailbox {address} are revoked by their issuers",
            "Die hochgeladenen Zertifikate der Mailbox {address} sind von ihren Ausstellern widerrufen";
        Deactivate { address: String } = "deactivate mailbox {address}", "Mailbox {address} deaktiviert";
        Authority { name: Box<Saying> } = "set authority {name}", "Zertifizierungsstelle {name} gesetzt";
        OfKind { name: String, kind: String } = "{name} ({kind})", "{name} ({kind})";
        Standard { name: Box<Saying> } = "{name}, standard", "{name}, Standard";
        AuthorityRemoved { name: String } =
            "order nothing from authority {name} any more",
            "Bei der Zertifizierungsstelle {name} wird nichts mehr bestellt";
        OneRule {} = "set the list of rules: 1 rule", "Liste der Regeln gesetzt: 1 Regel";
        Rules { count: i64 } = "set the list of rules: {count} rules", "Liste der Regeln gesetzt: {count} Regeln";
        AddRule { rule: Box<Saying> } = "add rule with priority 1: {rule}", "Regel mit Priorität 1 angelegt: {rule}";
        EditRule { id: i64, becomes: Box<Saying>, was: Box<Saying> } =
            "change rule {id}: {becomes}; before: {was}", "Regel {id} geändert: {becomes}; vorher: {was}";
        MoveRule { id: i64, from: i64, to: i64 } =
            "move rule {id} from priority {from} to {to}", "Regel {id} von Priorität {from} auf {to} verschoben";
        RemoveRule { id: i64, rule: Box<Saying> } = "delete rule {id}: {rule}", "Regel {id} gelöscht: {rule}";
        RestoreRule { id: i64 } =
            "take the deletion of rule {id} back", "Das Löschen der Regel {id} zurückgenommen";
        Rule { managed: Box<Saying>, external: Box<Saying>, inbound: Option<InboundMode>, outbound: Option<OutboundMode> } =
            "{managed} <-> {external}, inbound {inbound}, outbound {outbound}",
            "{managed} <-> {external}, eingehend „{inbound}“, ausgehend „{outbound}“";
        All {} = "all", "Alle";
        PublicKey { name: String } = "add public key {name}", "Öffentlicher Schlüssel {name} importiert";
        PublicKeyRemoved { sha256: String } =
            "remove public key sha256:{sha256}", "Öffentlicher Schlüssel sha256:{sha256} entfernt";
        TrustRoot { name: String } = "add trust root {name}", "Vertrauensanker {name} aufgenommen";
        TrustRootRemoved { sha256: String } =
            "remove trust root sha256:{sha256}", "Vertrauensanker sha256:{sha256} entfernt";
        BlockNamed { subject: String, sha256: String } =
            "never trust {subject} (sha256:{sha256})", "{subject} (sha256:{sha256}) gesperrt";
        Block { sha256: String } = "never trust sha256:{sha256}", "sha256:{sha256} gesperrt";
        Unblock { sha256: String } = "no longer block sha256:{sha256}", "sha256:{sha256} nicht mehr gesperrt";
        Partner { external: String, profile: String } =
            "set profile of partner {external}: {profile}", "Profil des Partners {external} gesetzt: {profile}";
        PartnerRemoved { external: String } = "remove partner {external}", "Partner {external} entfernt";
        Destination { domain: String, to: Box<Saying>, tls: String } =
            "send mail for {domain} to {to}, TLS {tls}", "E-Mails für {domain} gehen an {to}, TLS {tls}";
        SmarthostOrMx {} = "smarthost or MX", "Smarthost oder MX";
        DestinationRemoved { domain: String } =
            "send mail for {domain} like all other mail", "E-Mails für {domain} gehen wie alle anderen hinaus";
        Smarthost { to: Box<Saying> } =
            "send mail through smarthost {to}", "E-Mails gehen über den Smarthost {to} hinaus";
        NoSmarthost {} =
            "send mail to the servers of its domain (MX)", "E-Mails gehen an die Server ihrer Domäne (MX)";
        Client { name: String } = "set sending client {name}", "Versender {name} gesetzt";
        ClientSecret { name: String } =
            "give sending client {name} a new secret", "Neues Geheimnis für den Versender {name} erzeugt";
        ClientRemoved { name: String } = "remove sending client {name}", "Versender {name} entfernt";
        Host { host: String, port: i64, tls: String } = "{host}:{port}, TLS {tls}", "{host}:{port}, TLS {tls}";
        HostAs { host: String, port: i64, tls: String, user: String } =
            "{host}:{port}, TLS {tls}, as {user}", "{host}:{port}, TLS {tls}, als {user}";
        Mx { domain: String, tls: String } = "MX of {domain}, TLS {tls}", "MX von {domain}, TLS {tls}";
        AndMore { first: Box<Saying>, count: i64 } = "{first} and {count} more", "{first} und {count} weitere";
        BulkWorkStopped { id: i64, all: i64, done: i64 } =
            "stop bulk work {id} on {all} mailboxes after {done}", "Arbeit {id} an {all} Mailboxen nach {done} angehalten";
        NotCounted {} = "licences are not counted", "Lizenzen werden nicht gezählt";
        Licences { base: i64, smime: i64 } =
            "book {base} base and {smime} S/MIME licences", "{base} Grundlizenzen und {smime} S/MIME-Lizenzen gebucht";
        LicencesUntil { base: i64, smime: i64, until: Timestamp } =
            "book {base} base and {smime} S/MIME licences, until {until}",
            "{base} Grundlizenzen und {smime} S/MIME-Lizenzen gebucht, bis {until}";
        Directory { name: String, host: String, port: i64 } =
            "directory {name} is {host}:{port}", "Das Verzeichnis {name} ist {host}:{port}";
        DirectoryRemoved { name: String } = "directory {name} is removed", "Das Verzeichnis {name} ist entfernt";
    }
}
