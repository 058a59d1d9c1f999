//! What is told about other servers: their names in DNS, connections to them, and why they did not take mail.

use sealgate_mail::Reply;
use sealgate_mail::smtp::client::{Command, Lost, SessionFailure, Unfit};

use crate::saying::Saying;

sayings! {
    /// About other servers: their names in DNS, connections to them, and why they did not take mail.
    Servers {
        At { server: String, why: Box<Saying> } = "{server}: {why}", "{server}: {why}";
        Reported { words: String } = "\"{words}\"", "„{words}“";
        NoDns { why: Box<Saying> } = "no answer from DNS: {why}", "keine Antwort vom DNS: {why}";
        NoSuchName {} = "the name does not exist", "den Namen gibt es nicht";
        NullMx {} =
            "the domain takes no mail (null MX)", "die Domäne nimmt keine E-Mails an (Null-MX)";
        DnsOff {} = "DNS is switched off", "DNS ist abgeschaltet";
        DnsOffFor { host: String } =
            "DNS is switched off and {host} is no IP address", "DNS ist abgeschaltet, und {host} ist keine IP-Adresse";
        TakesTooLong {} = "it takes too long", "es dauert zu lange";
        Refused {} = "the connection was refused", "die Verbindung wurde abgelehnt";
        NoWay {} = "no network leads there", "dorthin führt kein Netz";
        Broken {} = "the connection broke", "die Verbindung ist abgebrochen";
        NoConnection { why: Box<Saying> } = "no connection: {why}", "keine Verbindung: {why}";
        Unreached {} = "it cannot be reached", "es ist nicht erreichbar";
        Untrusted {} = "its certificate is not trusted", "seinem Zertifikat wird nicht vertraut";
        Slow {} = "it is too slow", "es ist zu langsam";
        NotFollowed { why: Box<Saying> } = "the address is not followed: {why}", "der Adresse wird nicht gefolgt: {why}";
        UrlUnreadable {} = "it is no URL", "sie ist keine URL";
        UrlNotWeb {} = "it is neither http nor https", "sie ist weder http noch https";
        UrlMustBeHttps {} = "it is http; https is needed", "sie ist http; https ist nötig";
        UrlToHttp {} = "a redirect from https to http", "eine Weiterleitung von https auf http";
        UrlUser {} = "it names a user", "sie nennt einen Benutzer";
        UrlNoHost {} = "it names no host", "sie nennt keinen Server";
        UrlNoPort {} = "it has no port", "sie hat keinen Port";
        UrlHostNotForTls {} = "its host is no name for TLS", "ihr Server ist kein Name für TLS";
        UrlLong {} = "it is too long", "sie ist zu lang";
        UrlUnfit {} = "it does not fit into a request", "sie passt nicht in eine Anfrage";
        NotAllowed { place: String } =
            "{place} is no public address on a port of the web",
            "{place} ist keine öffentliche Adresse mit einem Port des Webs";
        Late { seconds: i64 } = "no answer within {seconds} seconds", "keine Antwort innerhalb von {seconds} Sekunden";
        Status { status: i64 } =
            "the server answered with status {status}", "der Server hat mit Status {status} geantwortet";
        Redirects {} = "too many redirects", "zu viele Weiterleitungen";
        TooLarge { most: usize } =
            "the answer is larger than {most} octets", "die Antwort ist größer als {most} Oktette";
        TooSlow { seconds: i64 } =
            "it takes longer than {seconds} seconds", "es dauert länger als {seconds} Sekunden";
        Busy {} = "too much is being fetched already", "es wird schon zu viel abgerufen";
        Away {} =
            "the host did not answer a moment ago", "der Server hat eben erst nicht geantwortet";
        Answered { reply: String } = "the server answered: \"{reply}\"", "der Server hat geantwortet: „{reply}“";
        Greeted { reply: String } =
            "the server answered the connection with: \"{reply}\"", "der Server hat die Verbindung beantwortet mit: „{reply}“";
        AnsweredEnd { reply: String } =
            "the server answered the end of data with: \"{reply}\"",
            "der Server hat auf das Ende der E-Mail geantwortet: „{reply}“";
        AnsweredTo { command: String, reply: String } =
            "the server answered {command} with: \"{reply}\"", "der Server hat auf {command} geantwortet: „{reply}“";
        Closed { reply: String } =
            "the server closed the session with: \"{reply}\"", "der Server hat die Sitzung beendet: „{reply}“";
        Protocol { what: String } =
            "the server broke the protocol ({what})", "der Server hält sich nicht an das Protokoll ({what})";
        NoTls {} =
            "TLS is required and the server does not offer it", "TLS ist verlangt, und der Server bietet es nicht an";
        NoAuth {} =
            "the server offers no AUTH PLAIN or LOGIN under TLS",
            "der Server bietet unter TLS weder AUTH PLAIN noch LOGIN an";
        ContentUnreadable { why: String } =
            "the content cannot be read ({why})", "der Inhalt lässt sich nicht lesen ({why})";
        MayHaveArrived { why: Box<Saying> } =
            "no reply to the final dot, the mail may have arrived: {why}",
            "keine Antwort am Ende der E-Mail, sie kann angekommen sein: {why}";
        MailTooLarge { most: i64 } =
            "the mail is larger than the {most} octets the server takes",
            "die E-Mail ist größer als die {most} Oktette, die der Server annimmt";
        NoEightBit {} =
            "the mail has eight-bit content and the server does not offer 8BITMIME",
            "die E-Mail hat 8-Bit-Inhalt, und der Server bietet 8BITMIME nicht an";
        NoUtf8 {} =
            "the mail needs SMTPUTF8 and the server does not offer it",
            "die E-Mail braucht SMTPUTF8, und der Server bietet es nicht an";
        AddressUnwritable {} =
            "an address cannot be written in a command", "eine Adresse lässt sich nicht in ein Kommando schreiben";
        HopTooLong {} =
            "the next hop takes too long to answer", "der nächste Server braucht zu lange für eine Antwort";
        HopSilent {} = "the next hop did not answer", "der nächste Server hat nicht geantwortet";
        NoHost {} = "no host could be reached", "kein Server war erreichbar";
        NotConnected { server: String, why: Box<Saying> } =
            "cannot connect to {server}: {why}", "keine Verbindung zu {server}: {why}";
        TlsFailed { server: String, why: Box<Saying> } =
            "TLS with {server} failed: {why}", "TLS mit {server} ist gescheitert: {why}";
        NotOpened {} =
            "the session ended before it was open", "die Sitzung endete, bevor sie eröffnet war";
        Closing {} = "the server closed the connection", "der Server hat die Verbindung beendet";
        Silent {} = "the server does not answer", "der Server antwortet nicht";
        Stuck {} = "the server does not take the mail", "der Server nimmt die E-Mail nicht ab";
        Lost { why: Box<Saying> } = "connection lost: {why}", "Verbindung verloren: {why}";
        InnerNetwork { host: String } =
            "{host} is inside the operator's network: ask the operator to allow it",
            "{host} liegt im Netz des Betreibers: Bitten Sie den Betreiber, es zu erlauben";
        InnerMx { host: String } =
            "{host} is inside the operator's network, where MX records do not lead: set a way of its own for the domain",
            "{host} liegt im Netz des Betreibers, dorthin führen MX-Einträge nicht: Legen Sie einen eigenen Weg für die Domäne fest";
        ThisMachine { place: String } =
            "{place} is this machine: MX records of others do not lead here",
            "{place} ist dieser Rechner: MX-Einträge anderer führen nicht hierher";
        ThisGateway { place: String } =
            "{place} is this gateway itself: mail would go round in a circle",
            "{place} ist dieses Gateway selbst: Die E-Mail ginge im Kreis";
        NoRouteAnyMore {} =
            "there is no inbound route for this domain any more", "Für diese Domäne gibt es keine Route mehr";
        GivenUp { why: Box<Saying> } =
            "given up after the last try: {why}", "nach dem letzten Versuch aufgegeben: {why}";
    }
}

impl Servers {
    /// What a server answered to a command.
    pub fn answered(command: &Command, reply: &Reply) -> Self {
        let reply = reply.to_string();
        match command {
            Command::Greeting => Self::Greeted { reply },
            Command::EndOfData => Self::AnsweredEnd { reply },
            command => Self::AnsweredTo {
                command: command.to_string(),
                reply,
            },
        }
    }
}

impl From<&Lost> for Servers {
    fn from(lost: &Lost) -> Self {
        match lost {
            Lost::Closed => Self::Closing {},
            Lost::Silent => Self::Silent {},
            Lost::Late => Self::TakesTooLong {},
            Lost::Stuck => Self::Stuck {},
            Lost::Broken(words) => Self::Reported {
                words: words.clone(),
            },
        }
    }
}

impl From<&SessionFailure> for Servers {
    fn from(failure: &SessionFailure) -> Self {
        match failure {
            SessionFailure::Refused { at, reply } => Self::answered(at, reply),
            SessionFailure::Closing(reply) => Self::Closed {
                reply: reply.to_string(),
            },
            SessionFailure::Protocol(what) => Self::Protocol {
                what: (*what).to_owned(),
            },
            SessionFailure::NoTls => Self::NoTls {},
            SessionFailure::NoAuth => Self::NoAuth {},
            SessionFailure::Connection(lost) => Self::Lost {
                why: Self::from(lost).into(),
            },
            SessionFailure::Content(why) => Self::ContentUnreadable { why: why.clone() },
        }
    }
}

impl From<Unfit> for Servers {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::TooLarge(most) => Self::MailTooLarge {
                most: i64::try_from(most).unwrap_or(i64::MAX),
            },
            Unfit::EightBit => Self::NoEightBit {},
            Unfit::Utf8 => Self::NoUtf8 {},
            Unfit::Address => Self::AddressUnwritable {},
        }
    }
}
