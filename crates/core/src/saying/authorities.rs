//! What is told about why an authority did not do what it was asked.

use crate::saying::Saying;

sayings! {
    /// Why an authority did not do what it was asked.
    Authorities {
        Says { words: String } =
            "the authority says: \"{words}\"", "Die Zertifizierungsstelle sagt: „{words}“";
        Status { status: i64 } =
            "the authority answers with status {status}", "Die Zertifizierungsstelle antwortet mit Status {status}";
        RefusedOrder { words: String } =
            "the authority refused the order: \"{words}\"",
            "Die Zertifizierungsstelle hat die Bestellung abgelehnt: „{words}“";
        AnswerRefused {} =
            "the authority did not accept the answer to its challenge mail",
            "Die Zertifizierungsstelle hat die Antwort auf ihre Prüf-E-Mail nicht angenommen";
        TakesTooLong {} = "the authority takes too long", "Die Zertifizierungsstelle braucht zu lange";
        LostOrder {} =
            "the authority lost the order", "Die Zertifizierungsstelle kennt die Bestellung nicht mehr";
        NotAcme { why: String } =
            "the authority's answer is no ACME: \"{why}\"", "Die Antwort der Zertifizierungsstelle ist kein ACME: „{why}“";
        NoNonce {} = "the authority gives no nonce", "Die Zertifizierungsstelle gibt keine Nonce";
        AccountNotNamed {} =
            "the authority does not name the account", "Die Zertifizierungsstelle nennt das Konto nicht";
        OrderNotNamed {} =
            "the authority does not name the order", "Die Zertifizierungsstelle nennt die Bestellung nicht";
        NoMailChallenge {} =
            "the authority offers no challenge by mail (email-reply-00) for this address",
            "Die Zertifizierungsstelle bietet für diese Adresse keine Prüfung per E-Mail (email-reply-00) an";
        ChallengeWithout { what: String } =
            "the authority's challenge has no usable \"{what}\"",
            "Die Prüfung der Zertifizierungsstelle hat kein brauchbares „{what}“";
        NoRevocation {} =
            "the authority offers no revocation by ACME", "Die Zertifizierungsstelle bietet keinen Widerruf durch ACME an";
        ChainUnreadable { why: Box<Saying> } =
            "the authority's chain cannot be read: {why}",
            "Die Kette der Zertifizierungsstelle lässt sich nicht lesen: {why}";
        NoTlsRoot {} =
            "the TLS roots of the authority hold no certificate in PEM",
            "Die TLS-Wurzeln der Zertifizierungsstelle enthalten kein Zertifikat in PEM";
        Settings { why: String } =
            "the settings of the authority cannot be used ({why})",
            "Die Einstellungen der Zertifizierungsstelle lassen sich nicht verwenden ({why})";
        MayAllow { why: Box<Saying> } =
            "{why}; an operator may allow it in [fetch] allow", "{why}; ein Betreiber kann es unter [fetch] allow erlauben";
        HaveRevoked {} =
            "have the authority revoke the certificate, then say so with: sealgate mailbox confirm-revoked",
            "Lassen Sie das Zertifikat von der Zertifizierungsstelle widerrufen und bestätigen Sie es dann unter „Widerrufe“";
        ProgramNotRun { why: String } =
            "the command cannot be run ({why})", "Das Kommando lässt sich nicht ausführen ({why})";
        ProgramTooLong { verb: String, seconds: i64 } =
            "the command did not finish {verb} within {seconds} seconds and was ended",
            "Das Kommando wurde mit {verb} nicht innerhalb von {seconds} Sekunden fertig und wurde beendet";
        CommandRefused {} = "the command refused it", "Das Kommando hat es abgelehnt";
        CommandEnded { code: i64 } = "the command ended with code {code}", "Das Kommando endete mit dem Code {code}";
        CommandKilled {} =
            "the command was ended by a signal", "Das Kommando wurde von einem Signal beendet";
        CommandSays { how: Box<Saying>, words: String } = "{how}: \"{words}\"", "{how}: „{words}“";
        CommandOutput { most: usize } =
            "the command wrote more than {most} octets", "Das Kommando hat mehr als {most} Oktette geschrieben";
        CommandNoChain { why: Box<Saying> } =
            "the command ended well, but what it wrote is no chain of certificates: {why}",
            "Das Kommando endete gut, aber was es schrieb, ist keine Kette von Zertifikaten: {why}";
        KeyRefused {} =
            "the mailbox key cannot be certified: it must be RSA of at least 2,048 bits, an NIST curve or Ed25519",
            "Der Schlüssel der Mailbox kann nicht zertifiziert werden: Er muss RSA mit mindestens 2.048 Bit, eine NIST-Kurve oder Ed25519 sein";
        AddressRefused {} =
            "the address cannot be certified: readers of certificates take no local part with quotes, with a star, or of more than 64 octets",
            "Die Adresse kann nicht zertifiziert werden: Programme, die Zertifikate lesen, nehmen vor dem @ keine Anführungszeichen, keinen Stern und nicht mehr als 64 Oktette an";
        NotValidNow {} =
            "the built-in CA is not valid now; check the clock, or make a new one",
            "Die eingebaute Zertifizierungsstelle ist jetzt nicht gültig; prüfen Sie die Uhr, oder erzeugen Sie eine neue";
        OwnKey { why: String } =
            "the built-in CA's key cannot be used ({why})",
            "Der Schlüssel der eingebauten Zertifizierungsstelle lässt sich nicht verwenden ({why})";
        KeyUnreadable { why: String } =
            "the mailbox key cannot be read ({why})", "Der Schlüssel der Mailbox lässt sich nicht lesen ({why})";
        Unsound { why: Box<Saying> } =
            "the certificate made is not sound: {why}", "Das erzeugte Zertifikat ist fehlerhaft: {why}";
        RequestOfOther {} =
            "the request is not signed by the key that is to be certified",
            "Die Anforderung ist nicht mit dem Schlüssel signiert, der zertifiziert werden soll";
        NotIssuedHere { serial: String } =
            "the built-in CA did not issue the certificate {serial}",
            "Die eingebaute Zertifizierungsstelle hat das Zertifikat {serial} nicht ausgestellt";
        AnswerUndelivered { why: Box<Saying> } =
            "the answer to the authority's challenge mail could not be delivered: {why}",
            "Die Antwort auf die Prüf-E-Mail der Zertifizierungsstelle konnte nicht zugestellt werden: {why}";
        Unsigned { domain: String } =
            "{domain} has no active DKIM key, so the answer to the authority's challenge mail goes unsigned and may not be accepted: make one with `sealgate dkim create {domain}`",
            "{domain} hat keinen aktiven DKIM-Schlüssel; die Antwort auf die Prüf-E-Mail der Zertifizierungsstelle geht deshalb unsigniert hinaus und wird vielleicht nicht angenommen: Erzeugen Sie einen unter „Domänen“";
        GivenUp {} = "it was given up", "es wurde aufgegeben";
        WithNote { why: Box<Saying>, note: Box<Saying> } = "{why}; {note}", "{why}; {note}";
        OurFailure {} =
            "this gateway cannot do it now: see its log", "Dieses Gateway kann es jetzt nicht: Der Grund steht in seinem Log";
    }
}
