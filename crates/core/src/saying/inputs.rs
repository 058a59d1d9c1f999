//! What is told about why a value that was given cannot be taken.

use sealgate_mail::address::AddressError;
use sealgate_smime::certificate::CertificateError;

use crate::directory::NotADirectory;
use crate::dkim::NotASelector;
use crate::licence::BookingRefusal;
use crate::limits::{PATTERN_ENTRIES, SELECTOR_OCTETS};
use crate::rules::PatternError;
use crate::saying::Saying;

sayings! {
    /// Why a value that was given cannot be taken.
    Inputs {
        After {} = "give `next` of the page before", "Geben Sie `next` der vorigen Seite an";
        OneOf { words: String } = "write one of {words}", "Geben Sie eines davon an: {words}";
        Number {} = "write a whole number", "Geben Sie eine ganze Zahl an";
        Between { least: i64, most: i64 } =
            "write a number from {least} to {most}", "Geben Sie eine Zahl von {least} bis {most} an";
        Pair {} = "write two numbers joined by \"-\"", "Geben Sie zwei Zahlen mit „-“ dazwischen an";
        Time {} =
            "write a day as 2026-11-22, or a day and a time as 2026-11-22T08:00",
            "Geben Sie einen Tag wie 2026-11-22 an, oder Tag und Zeit wie 2026-11-22T08:00";
        LastDay {} = "write the last day as 2027-12-31", "Geben Sie den letzten Tag an wie 2027-12-31";
        AtOnce { most: usize } = "at most {most} at once", "höchstens {most} auf einmal";
        Entries { most: usize } = "at most {most} entries", "höchstens {most} Einträge";
        OneLine { most: usize } =
            "write one line of 1 to {most} characters", "Geben Sie eine Zeile mit 1 bis {most} Zeichen an";
        PlainName {} =
            "a name has no letters that are invisible or turn the direction of writing, and is not \".\" or \"..\"",
            "Ein Name hat keine Zeichen, die unsichtbar sind oder die Schreibrichtung ändern, und ist nicht „.“ oder „..“";
        OneWord { most: usize } =
            "write one word of at most {most} characters, without blanks",
            "Geben Sie ein Wort mit höchstens {most} Zeichen ohne Leerzeichen an";
        NameTaken {} = "this name is taken: choose another", "Dieser Name ist vergeben: Wählen Sie einen anderen";
        At { place: String, why: Box<Saying> } = "{place}: {why}", "{place}: {why}";
        UnknownField {} = "there is no such field", "Dieses Feld gibt es nicht";
        Misfit {} = "this does not fit", "Diese Angabe passt nicht";
        Expected { kind: String } =
            "this does not fit: expected is {kind}", "Diese Angabe passt nicht: Erwartet wird {kind}";
        Missing {} = "this is missing", "Diese Angabe fehlt";
        Base64 {} = "not base64", "kein Base64";
        Of { text: String, why: Box<Saying> } = "{text}: {why}", "{text}: {why}";
        NoAddressGiven {} = "the address is empty", "Die Adresse ist leer";
        NotAnAddress { text: String } =
            "not an address of the form local@domain: {text}", "keine Adresse der Form name@domain: {text}";
        NotADomain { text: String } = "not a valid domain: {text}", "keine gültige Domäne: {text}";
        AddressTooLong {} = "the address is too long", "Die Adresse ist zu lang";
        EmptyEntry {} =
            "an entry is empty: write mailboxes or domains separated by commas, or \"all\"",
            "Ein Eintrag ist leer: Geben Sie Mailboxen oder Domänen an, durch Komma getrennt, oder „all“";
        NotAnEntry { text: String } =
            "\"{text}\" is neither a mailbox (name@domain) nor a domain",
            "„{text}“ ist weder eine Mailbox (name@domain) noch eine Domäne";
        ManyEntries { count: usize, most: usize } =
            "{count} entries; a rule field holds at most {most}",
            "{count} Einträge; ein Feld einer Regel fasst höchstens {most}";
        NotExternal {} = "it is no external address", "Das ist keine externe Adresse";
        NotManaged {} =
            "it is in no domain of an inbound route of this organisation",
            "Sie gehört zu keiner Domäne einer Route dieser Organisation";
        NoMailbox {} =
            "it is no known mailbox, so mail to it is refused with 550 5.1.1",
            "Das ist keine bekannte Mailbox: E-Mails an sie werden mit 550 5.1.1 abgelehnt";
        NoMode {} = "there is no such mode", "Diesen Modus gibt es nicht";
        DirectoryUrl {} =
            "write it as ldap://host:port or ldaps://host:port",
            "Geben Sie es an wie ldap://host:port oder ldaps://host:port";
        DirectoryTls {} =
            "an ldaps URL has TLS from the start: leave StartTLS away",
            "Mit ldaps ist die Verbindung von Anfang an verschlüsselt: Lassen Sie StartTLS weg";
        DirectoryClear {} =
            "a password is not sent in clear: use an ldaps URL or StartTLS",
            "Ein Passwort wird nicht unverschlüsselt gesendet: Verwenden Sie ldaps oder StartTLS";
        DirectoryName { most: usize, name: String } =
            "a name has letters, digits, \"-\", \"_\" and \".\", at most {most}: not \"{name}\"",
            "Ein Name besteht aus höchstens {most} Buchstaben, Ziffern, „-“, „_“ und „.“: nicht „{name}“";
        DirectoryPassword {} =
            "an empty password proves nothing: leave the name away to ask without one",
            "Ein leeres Passwort beweist nichts: Lassen Sie den Namen weg, um ohne zu fragen";
        NoCertificate {} =
            "no certificate found; PEM or DER is expected", "Kein Zertifikat gefunden; erwartet wird PEM oder DER";
        BadCertificate {} = "not a valid X.509 certificate", "kein gültiges X.509-Zertifikat";
        CertificateTooLarge {} = "the certificate is too large", "Das Zertifikat ist zu groß";
        BadPem {} = "the PEM text is damaged", "Der PEM-Text ist beschädigt";
        ManyCertificates { count: usize } =
            "{count} certificates; give just one", "{count} Zertifikate; geben Sie nur eines an";
        Unread { why: String } = "it cannot be read ({why})", "es lässt sich nicht lesen ({why})";
        Selector { text: String, most: usize } =
            "\"{text}\" is no selector: write labels of letters, digits and hyphens with dots between them, at most {most} characters",
            "„{text}“ ist kein Selektor: Geben Sie Teile aus Buchstaben, Ziffern und Bindestrichen an, mit Punkten dazwischen, höchstens {most} Zeichen";
        Fingerprint { text: String } =
            "\"{text}\" is no SHA-256 fingerprint: write 64 hexadecimal digits, colons may stand between them",
            "„{text}“ ist kein SHA-256-Fingerabdruck: Geben Sie 64 hexadezimale Ziffern an, auch mit Doppelpunkten";
        NoNetwork {} = "at least one network", "mindestens ein Netz";
        Networks { most: usize } = "at most {most} networks", "höchstens {most} Netze";
        NotANetwork {} =
            "write an address, or a network as 192.0.2.0/24", "Geben Sie eine Adresse an, oder ein Netz wie 192.0.2.0/24";
        WideNetwork {} =
            "this network is a large part of the internet: anybody could send in your name",
            "Dieses Netz ist ein großer Teil des Internets: Jeder könnte in Ihrem Namen senden";
        Domains { most: usize } = "1 to {most} domains", "1 bis {most} Domänen";
        RouteTaken {} = "there is a route of this name already", "Eine Route dieses Namens gibt es schon";
        Host {} = "write a host name or an IP address", "Geben Sie einen Hostnamen oder eine IP-Adresse an";
        PasswordOf {} = "give the password of this user", "Geben Sie das Passwort dieses Benutzers an";
        WebhookUrl {} =
            "write an address such as https://hooks.example.com/sealgate",
            "Geben Sie eine Adresse an wie https://hooks.example.com/sealgate";
        WebhookUser {} =
            "leave out user and password: events are signed",
            "Lassen Sie Benutzer und Passwort weg: Ereignisse sind signiert";
        WebhookHttps {} = "the address must begin with https://", "Die Adresse muss mit https:// beginnen";
        NoToken { name: String } =
            "there is no token {name} in the settings file", "In der Datei mit den Einstellungen steht kein Token {name}";
        NoSwitch { name: String, names: String } =
            "there is no switch {name}; the switches are {names}",
            "Es gibt keinen Schalter {name}; die Schalter sind {names}";
        OnOrOff { name: String, value: String } =
            "{name} is on or off, not \"{value}\"", "{name} ist „on“ oder „off“, nicht „{value}“";
        NotOfSwitch { name: String, value: String, why: String } =
            "{name} cannot be \"{value}\" ({why})", "{name} kann nicht „{value}“ sein ({why})";
        CommandPath { program: String } =
            "\"{program}\" is no absolute path; name the program with its directory",
            "„{program}“ ist kein vollständiger Pfad; nennen Sie das Programm mit seinem Verzeichnis";
        NoProgram { program: String } = "there is no program {program}", "Es gibt kein Programm {program}";
        CommandTime { most: i64 } =
            "a command may take between 1 and {most} seconds for one verb",
            "Ein Kommando darf je Aufruf zwischen 1 und {most} Sekunden dauern";
        AboveBase { smime: i64, base: i64 } =
            "{smime} S/MIME licences need at least as many base licences, and there are {base}: book more base licences first",
            "{smime} S/MIME-Lizenzen brauchen mindestens so viele Grundlizenzen, und es gibt {base}: Buchen Sie zuerst mehr Grundlizenzen";
    }
}

impl From<AddressError> for Inputs {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Empty => Self::NoAddressGiven {},
            AddressError::Syntax(text) => Self::NotAnAddress { text },
            AddressError::Domain(text) => Self::NotADomain { text },
            AddressError::TooLong => Self::AddressTooLong {},
        }
    }
}

impl From<PatternError> for Inputs {
    fn from(error: PatternError) -> Self {
        match error {
            PatternError::Empty => Self::EmptyEntry {},
            PatternError::Entry(text) => Self::NotAnEntry { text },
            PatternError::TooMany(count) => Self::ManyEntries {
                count,
                most: PATTERN_ENTRIES,
            },
        }
    }
}

impl From<NotASelector> for Inputs {
    fn from(NotASelector(text): NotASelector) -> Self {
        Self::Selector {
            text,
            most: SELECTOR_OCTETS,
        }
    }
}

impl From<NotADirectory> for Inputs {
    fn from(_: NotADirectory) -> Self {
        Self::DirectoryUrl {}
    }
}

impl From<CertificateError> for Inputs {
    fn from(error: CertificateError) -> Self {
        match error {
            CertificateError::Malformed(_) => Self::BadCertificate {},
            CertificateError::TooLarge => Self::CertificateTooLarge {},
            CertificateError::None => Self::NoCertificate {},
            CertificateError::Pem(_) => Self::BadPem {},
        }
    }
}

impl From<BookingRefusal> for Inputs {
    fn from(refusal: BookingRefusal) -> Self {
        match refusal {
            BookingRefusal::AboveBase { smime, base } => Self::AboveBase {
                smime: smime.into(),
                base: base.into(),
            },
        }
    }
}

/// What cannot be read is told by its kind.
macro_rules! told_as_inputs {
    ($($error:ty),*) => {
        $(impl From<$error> for Saying {
            fn from(error: $error) -> Self {
                Inputs::from(error).into()
            }
        })*
    };
}

told_as_inputs!(
    AddressError,
    PatternError,
    NotASelector,
    NotADirectory,
    CertificateError,
    BookingRefusal
);
