### Alle Texte des Portals auf Deutsch. Dieselben Schlüssel stehen in en.ftl.

## Probleme

problem-not-signed-in = Bitte melden Sie sich zuerst an.
problem-forbidden = Ihre Rolle erlaubt das nicht.
problem-csrf = Dieses Formular wurde in einer anderen Sitzung geöffnet. Gehen Sie zurück, laden Sie die Seite neu und senden Sie es noch einmal.
problem-not-found = Das gibt es hier nicht.
problem-method = Diese Adresse nimmt solche Anfragen nicht an.
problem-media-type = Inhalte dieser Art werden hier nicht angenommen.
problem-malformed = Die Anfrage war nicht lesbar.
problem-too-large = Das Gesendete ist zu groß.
problem-too-many-tries = Zu viele Versuche. Warten Sie einige Minuten und versuchen Sie es dann noch einmal.
problem-invalid = Ein Feld kann so nicht übernommen werden.
problem-refused = Das ist beim jetzigen Stand nicht möglich.
problem-nothing-uploaded = Es wurde nichts hochgeladen. Wählen Sie eine Datei oder fügen Sie Text ein.
problem-key-not-imported = Dieses Zertifikat kann nicht importiert werden.
problem-changed-meanwhile = Jemand anderes hat das inzwischen geändert. Es wurde nichts gespeichert.
problem-unavailable = Das Gateway kann das gerade nicht. Versuchen Sie es gleich noch einmal.
problem-internal = Im Gateway ist etwas schiefgegangen. Mehr steht im Protokoll.
problem-nothing-chosen = Es wurde nichts ausgewählt. Wählen Sie zuerst aus, was gemeint ist.

## Jede Seite

skip-to-content = Zum Inhalt springen
navigation = Navigation
to-the-start = Zum Anfang
search = Suche
filter-apply = Anzeigen
nav-smime = S/MIME
change-organisation = Organisation wechseln
organisations = Organisationen
menu = Menü
account = Ihr Konto
sign-out = Abmelden
pages = Seiten
first-page = Zum Anfang der Liste
next-page = Weiter
tick-all = Alle Zeilen auf dieser Seite auswählen
ticked = { $count } ausgewählt
copy = Kopieren
copied = Kopiert
cancel = Abbrechen
just-now = gerade eben
in-days = { $count ->
    [one] in 1 Tag
   *[other] in { $count } Tagen
}
in-hours = { $count ->
    [one] in 1 Stunde
   *[other] in { $count } Stunden
}
in-minutes = { $count ->
    [one] in 1 Minute
   *[other] in { $count } Minuten
}
in-seconds = { $count ->
    [one] in 1 Sekunde
   *[other] in { $count } Sekunden
}
days-ago = { $count ->
    [one] vor 1 Tag
   *[other] vor { $count } Tagen
}
hours-ago = { $count ->
    [one] vor 1 Stunde
   *[other] vor { $count } Stunden
}
minutes-ago = { $count ->
    [one] vor 1 Minute
   *[other] vor { $count } Minuten
}
seconds-ago = { $count ->
    [one] vor 1 Sekunde
   *[other] vor { $count } Sekunden
}
length-days = { $count ->
    [one] 1 Tag
   *[other] { $count } Tage
}
length-hours = { $count ->
    [one] 1 Stunde
   *[other] { $count } Stunden
}
length-minutes = { $count ->
    [one] 1 Minute
   *[other] { $count } Minuten
}
length-seconds = { $count ->
    [one] 1 Sekunde
   *[other] { $count } Sekunden
}
state = Status
actions = Aktionen
licences = Lizenzen
back = Zurück
time = Zeit
nothing-found = Nichts gefunden
nothing-found-hint = Ändern Sie den Filter oder löschen Sie den Suchtext.
organisation = Organisation
your-role = Ihre Rolle
role-read = Lesen
role-write = Schreiben
role-admin = Verwalten
start-none = Noch keine Organisation
start-first = Legen Sie zuerst eine Organisation an. Sie hat ihre eigenen Domänen, Mailboxen, Regeln und Benutzer.
start-ask = Sie gehören noch zu keiner Organisation. Bitten Sie deren Verwaltung um eine Einladung.
nav-overview = Übersicht
nav-mail-security = mail.security
nav-inbound = Eingehend
nav-mails = E-Mail-Übersicht
nav-held = Zurückgehaltene E-Mails
nav-mail-security-smime = mail.security > S/MIME
nav-rules = Verschlüsselungsregeln
nav-keys = Public Keys
nav-trust-group = Zertifikate und Vertrauen
nav-certificates = Zertifikate
nav-authorities = Zertifizierungsstellen
nav-trust = Vertrauen
nav-organisation = Organisation
nav-clients = Sendende Clients
nav-users = Benutzer
nav-tokens = API-Tokens
nav-webhooks = Webhooks
nav-audit = Änderungsprotokoll
nav-events = Ereignisse
nav-settings = Einstellungen
nav-system-group = Installation
nav-system = System
nav-organisations = Organisationen
nav-resellers = Reseller
nav-queue = Warteschlange
nav-licences = Lizenzen
nav-help = Hilfe

## Postfächer

mailboxes-title = S/MIME
mailboxes-certificate-id = Zertifikats-ID
mailboxes-mailbox = Mailbox
mailboxes-domain = Domäne
mailboxes-smime = S/MIME
mailboxes-activated = { $count ->
    [0] Kein Zertifikat wurde bestellt.
    [one] Ein Zertifikat ist bestellt.
   *[other] { $count } Zertifikate sind bestellt.
 }
mailboxes-deactivated = { $count ->
    [0] Keine Mailbox wurde deaktiviert.
    [one] Die Mailbox ist deaktiviert, ihr Zertifikat wird widerrufen.
   *[other] { $count } Mailboxen sind deaktiviert, ihre Zertifikate werden widerrufen.
 }
activate = Aktivieren
deactivate = Deaktivieren

## Warum eine E-Mail wurde, was sie ist: die Schritte

trace-title-way = Weg
trace-title-passed-over = Übergangen
trace-title-decided-by = Entschieden durch
trace-title-fact = Tatsache
trace-title-source = Quelle
trace-title-outcome = Ergebnis
trace-title-algorithms = Verfahren
trace-way = von { $from } an { $to }
trace-nobody-inbound = niemandem (kein einzelner Absender im Kopf)
trace-nobody-outbound = niemandem aus der Organisation
trace-as-it-came = geht weiter, wie sie kam
trace-passed-managed = Regel { $rule }: { $address } steht nicht in ihrem verwalteten Feld
trace-passed-external = Regel { $rule }: { $address } steht nicht in ihrem externen Feld
trace-passed-not-defined = Regel { $rule }: beide Felder treffen zu, aber für diese Richtung ist nichts definiert
trace-by-rule = Regel { $rule }: { $mode }
trace-by-default = die Voreinstellung, da keine Regel zutrifft: { $mode }
trace-by-internal = keine Regel: E-Mails innerhalb einer Organisation werden nicht verändert
trace-by-report = keine Regel: ein Zustellbericht geht durch, die zurückgegebene E-Mail auf ihren Kopf gekürzt
trace-by-challenge = keine Regel: die Prüfmail zu einer Bestellung bei einer Zertifizierungsstelle oder die Antwort darauf
trace-content-plain = die E-Mail ist nicht verschlüsselt
trace-content-key-present = die E-Mail ist verschlüsselt und nennt einen Schlüssel des Empfängers
trace-content-no-key = die E-Mail ist verschlüsselt und nennt keinen Schlüssel des Empfängers
trace-content-unreadable = die E-Mail ist für einen Schlüssel des Empfängers verschlüsselt und konnte nicht entschlüsselt werden
trace-sender-certificate = der Absender hat ein gültiges Zertifikat
trace-sender-none = der Absender hat kein gültiges Zertifikat
trace-sender-foreign = der Absender im Kopf ist keine einzelne Adresse der Organisation, daher wird nicht signiert
trace-recipient-known = ein öffentlicher Schlüssel des Empfängers ist bekannt
trace-recipient-unknown = kein öffentlicher Schlüssel des Empfängers ist bekannt
trace-recipient-weak = der Empfänger unterstützt bekanntermaßen nur schwache Verfahren
trace-recipient-not-asked = in diesem Modus wird kein öffentlicher Schlüssel des Empfängers gebraucht
trace-recipient-unanswered = kein öffentlicher Schlüssel des Empfängers ist bekannt, und eine Schlüsselquelle antwortet nicht
trace-client-plain = das Mailprogramm hat die E-Mail weder signiert noch verschlüsselt
trace-client-signed = das Mailprogramm hat die E-Mail selbst signiert
trace-client-encrypted = das Mailprogramm hat die E-Mail selbst verschlüsselt
trace-client-to-others = das Mailprogramm hat die E-Mail selbst verschlüsselt, für keinen der bekannten Schlüssel des Empfängers
trace-client-malformed = die E-Mail gibt sich als vom Mailprogramm verschlüsselt aus und ist fehlerhaft
trace-special-calendar = die E-Mail ist eine Termineinladung oder die Antwort darauf; nach den Einstellungen der Organisation wird sie { $treatment }
trace-special-tnef = die E-Mail hat die TNEF-Form von Microsoft (winmail.dat); nach den Einstellungen der Organisation wird sie { $treatment }
trace-special-like-all = wie jede E-Mail behandelt
trace-special-sign-only = nur signiert, außer eine Regel erzwingt die Verschlüsselung
trace-special-leave = gelassen, wie sie ist, außer eine Regel erzwingt die Verschlüsselung
trace-source-key = { $source } hat einen Schlüssel
trace-source-awaited = { $source } hat einen Schlüssel, die Auskunft über einen Widerruf steht noch aus
trace-source-nothing = { $source } hat keinen Schlüssel
trace-source-unusable = { $source } hat keinen verwendbaren Schlüssel: { $why }
trace-source-silent = { $source } antwortet nicht: { $why }
trace-if-rsa = { $name }, wenn der Signaturschlüssel RSA ist
trace-algorithms-partner = Profil { $profile } des Partners { $partner }
trace-algorithms-announced = angekündigt von { $address }
trace-algorithms-default = was jedes Mailprogramm liest
trace-in-deliver = zugestellt, wie sie kam
trace-in-encrypted = zugestellt, wie sie kam, weiterhin verschlüsselt
trace-in-decrypted = entschlüsselt und zugestellt
trace-in-not-encrypted = abgelehnt: hier werden nur verschlüsselte E-Mails angenommen
trace-in-no-key = abgelehnt: sie muss entschlüsselt werden und ist für keinen Schlüssel des Empfängers verschlüsselt
trace-in-unreadable = abgelehnt: sie muss entschlüsselt werden, und das war nicht möglich
trace-out-nothing-asked = gesendet, wie sie kam: der Modus verlangt nichts
trace-out-signed-by-client = gesendet, wie sie kam, mit der Signatur des Mailprogramms
trace-out-encrypted-by-client = gesendet, wie sie kam, vom Mailprogramm verschlüsselt
trace-out-no-certificate = gesendet, wie sie kam, nicht signiert: der Absender hat kein Zertifikat
trace-out-foreign-from = gesendet, wie sie kam, nicht signiert: fremder Absender im Kopf
trace-out-special = gesendet, wie sie kam, nicht signiert: die Organisation lässt solche E-Mails, wie sie sind
trace-out-signed = signiert
trace-out-signed-no-key = signiert, nicht verschlüsselt: kein Schlüssel des Empfängers ist bekannt
trace-out-signed-weak = signiert, nicht verschlüsselt: der Empfänger unterstützt nur schwache Verfahren
trace-out-signed-unanswered = signiert, nicht verschlüsselt: eine Schlüsselquelle antwortet nicht
trace-out-signed-special = signiert, nicht verschlüsselt: die Organisation signiert solche E-Mails nur
trace-out-signed-encrypted = signiert und verschlüsselt
trace-out-refused-certificate = abgelehnt: der Absender hat kein gültiges Zertifikat
trace-out-refused-key = abgelehnt: kein öffentlicher Schlüssel des Empfängers ist bekannt
trace-out-refused-both = abgelehnt: der Absender hat kein gültiges Zertifikat, und kein öffentlicher Schlüssel des Empfängers ist bekannt
trace-out-refused-weak = abgelehnt: der Empfänger unterstützt nur schwache Verfahren
trace-out-refused-from = abgelehnt: der Absender im Kopf ist keine einzelne Adresse der Organisation
trace-out-refused-others = abgelehnt: das Mailprogramm hat sie für keinen der bekannten Schlüssel des Empfängers verschlüsselt
trace-out-refused-malformed = abgelehnt: die Verschlüsselung des Mailprogramms ist fehlerhaft
trace-out-refused-unanswered = vorerst abgelehnt (451): kein öffentlicher Schlüssel des Empfängers ist bekannt, und eine Schlüsselquelle antwortet nicht

## Warum eine E-Mail wurde, was sie ist: der erste Satz

why-by-rule = Regel { $rule }
why-by-default = die Voreinstellung
why-waiting = Die E-Mail ist angenommen und noch nicht geöffnet.
why-internal = Unverändert weitergegeben: E-Mails innerhalb einer Organisation unterliegen keiner Regel.
why-report = Weitergegeben: ein Zustellbericht, die zurückgegebene E-Mail auf ihren Kopf gekürzt.
why-challenge = Diese E-Mail hat das Gateway selbst genommen: Sie gehört zu einer Bestellung bei einer Zertifizierungsstelle.
why-in-deliver = Zugestellt, wie sie kam: Die E-Mail war nicht verschlüsselt.
why-in-kept = Weiterhin verschlüsselt zugestellt: { $by } verlangt „{ $mode }“.
why-in-kept-no-key = Weiterhin verschlüsselt zugestellt: Sie war für keinen Schlüssel verschlüsselt, den { $address } hier hat.
why-in-kept-unreadable = Weiterhin verschlüsselt zugestellt: Sie konnte nicht entschlüsselt werden.
why-in-decrypted = Entschlüsselt und zugestellt.
why-in-not-encrypted = Abgelehnt: Die E-Mail war nicht verschlüsselt, und { $by } verlangt „{ $mode }“.
why-in-no-key = Abgelehnt: { $by } verlangt „{ $mode }“, und die E-Mail war für keinen Schlüssel verschlüsselt, den { $address } hier hat.
why-in-unreadable = Abgelehnt: { $by } verlangt „{ $mode }“, und die E-Mail konnte nicht entschlüsselt werden.
why-out-nothing-asked = Weder signiert noch verschlüsselt: { $by } verlangt „{ $mode }“.
why-out-signed-by-client = Mit der Signatur des Mailprogramms gesendet; nicht verschlüsselt.
why-out-encrypted-by-client = Verschlüsselt gesendet: Das Mailprogramm hatte sie schon verschlüsselt.
why-out-no-certificate = Weder signiert noch verschlüsselt: { $sender } hat kein gültiges Zertifikat.
why-out-foreign-from = Weder signiert noch verschlüsselt: Der Absender im Kopf ist keine einzelne Adresse dieser Organisation.
why-out-special = Weder signiert noch verschlüsselt: Diese Organisation lässt Termin- und TNEF-E-Mails, wie sie sind.
why-out-signed = Signiert, nicht verschlüsselt: { $by } verlangt „{ $mode }“.
why-out-signed-no-key = Signiert, nicht verschlüsselt: Kein öffentlicher Schlüssel von { $address } ist bekannt.
why-out-signed-weak = Signiert, nicht verschlüsselt: { $address } unterstützt nur schwache Verfahren.
why-out-signed-unanswered = Signiert, nicht verschlüsselt: Kein öffentlicher Schlüssel von { $address } ist bekannt, und eine Schlüsselquelle antwortet nicht.
why-out-signed-special = Signiert, nicht verschlüsselt: Diese Organisation signiert Termin- und TNEF-E-Mails nur.
why-out-signed-encrypted = Signiert und verschlüsselt.
why-out-refused-certificate = Nicht gesendet: { $by } verlangt „{ $mode }“, und { $sender } hat kein gültiges Zertifikat.
why-out-refused-key = Nicht gesendet: { $by } verlangt „{ $mode }“, und kein öffentlicher Schlüssel von { $address } ist bekannt.
why-out-refused-both = Nicht gesendet: { $by } verlangt „{ $mode }“, { $sender } hat kein gültiges Zertifikat, und kein öffentlicher Schlüssel von { $address } ist bekannt.
why-out-refused-weak = Nicht gesendet: { $by } verlangt „{ $mode }“, und { $address } unterstützt nur schwache Verfahren.
why-out-refused-from = Nicht gesendet: { $by } verlangt „{ $mode }“, und der Absender im Kopf ist keine einzelne Adresse dieser Organisation.
why-out-refused-others = Nicht gesendet: { $by } verlangt „{ $mode }“, und das Mailprogramm hat die E-Mail für keinen der bekannten Schlüssel von { $address } verschlüsselt.
why-out-refused-malformed = Nicht gesendet: { $by } verlangt „{ $mode }“, und die Verschlüsselung des Mailprogramms ist fehlerhaft.
why-out-refused-unanswered = Vorerst nicht gesendet: { $by } verlangt „{ $mode }“, kein öffentlicher Schlüssel von { $address } ist bekannt, und eine Schlüsselquelle antwortet nicht.
remedy-recipient = Aktivieren Sie die Mailbox des Empfängers oder laden Sie ihr früheres Zertifikat hoch, damit solche E-Mails entschlüsselt werden können
remedy-certificate = Aktivieren Sie die Mailbox des Absenders
remedy-key = Importieren Sie den öffentlichen Schlüssel des Empfängers oder bitten Sie um eine signierte E-Mail: Aus ihr wird der Schlüssel gelernt
remedy-rule = Ändern Sie die Verschlüsselungsregeln
remedy-settings = Ändern Sie, wie diese Organisation solche E-Mails behandelt

## Was die Prüfungen einer E-Mail bedeuten

verdict-signature-none = Es gab keine Signatur.
verdict-signature-valid = Die Signatur ist gültig, und das Zertifikat ist das des Absenders.
verdict-signature-valid-other-address = Die Signatur ist in Ordnung, aber das Zertifikat nennt eine andere Adresse als die des Absenders.
verdict-signature-valid-no-address = Die Signatur ist in Ordnung, aber das Zertifikat nennt keine Adresse.
verdict-signature-revocation-unknown = Die Signatur ist in Ordnung, aber niemand konnte sagen, ob das Zertifikat widerrufen ist.
verdict-signature-expired = Das Zertifikat war nicht gültig, als die E-Mail ankam.
verdict-signature-revoked = Das Zertifikat ist widerrufen.
verdict-signature-untrusted = Das Zertifikat kommt von keiner Stelle, der hier vertraut wird.
verdict-signature-weak = Die Signatur wurde mit einem Verfahren oder Schlüssel gemacht, der nichts beweist.
verdict-signature-partial = Nur ein Teil der E-Mail ist signiert.
verdict-signature-unsupported = Die Signatur hat eine Form, die hier nicht gelesen wird.
verdict-signature-broken = Die Signatur passt nicht zum Inhalt: Die E-Mail wurde verändert, oder die Signatur ist beschädigt.
verdict-encryption-none = Die E-Mail war nicht verschlüsselt.
verdict-encryption-decrypted = Entschlüsselt. Nichts beweist, dass der Inhalt unterwegs nicht verändert wurde.
verdict-encryption-decrypted-authenticated = Entschlüsselt, und der Inhalt ist so, wie er verschlüsselt wurde.
verdict-encryption-no-key = Verschlüsselt, aber für keinen der Schlüssel, die hier sind.
verdict-encryption-failed = Sie konnte nicht entschlüsselt werden.
verdict-encryption-refused = Sie wurde nicht entschlüsselt: Sie überschreitet die Grenzen des Gateways.

## Anmelden

sign-in = Anmelden
login-name = E-Mail-Adresse
login-password = Passwort
login-wrong = Name oder Passwort stimmt nicht.
login-code = Einmalcode
login-code-hint = Sechs Ziffern aus Ihrer Authenticator-App, oder einer Ihrer Wiederherstellungscodes.
login-wrong-code = Dieser Code stimmt nicht, oder er wurde schon benutzt.
login-other = Als jemand anderes anmelden
second-factor = Zweiter Faktor
invitation = Einladung
invitation-organisation = Sie sind in die Organisation { $organisation } eingeladen, mit der Rolle „{ $role }“.
invitation-reseller = Sie sind eingeladen, für den Reseller { $reseller } zu arbeiten.
invitation-operator = Sie sind eingeladen, diese Installation zu betreiben.
invitation-reset = Mit diesem Link setzen Sie ein neues Passwort. Alle Sitzungen enden dann.
invitation-accept = Einladung annehmen
invitation-begin = Konto anlegen und anmelden
invitation-other = Sie sind als { $name } angemeldet. Melden Sie sich ab und öffnen Sie den Link dann noch einmal.
invitation-known = Sie haben hier schon ein Konto? Melden Sie sich an und nehmen Sie die Einladung dann an.
password-new = Neues Passwort
password-again = Noch einmal
password-rule = Mindestens 12 Zeichen. Mehr Regeln gibt es nicht; ein ganzer Satz ist gut.
password-set = Passwort setzen
passwords-differ = Die beiden Passwörter sind nicht gleich.
problem-password = Ein Passwort hat mindestens 12 Zeichen und höchstens 1024 Byte.
problem-wrong-password = Das jetzige Passwort stimmt nicht.
problem-wrong-code = Dieser Code stimmt nicht, oder er wurde schon benutzt.
problem-invitation = Dieser Link gilt nicht mehr: Er wurde schon benutzt, zurückgenommen, oder seine Zeit ist um. Bitten Sie um einen neuen.

## Ereignisse und Änderungsprotokoll

events-lead = Was Administratoren gemeldet wird. Webhooks geben Ereignisse weiter.
events-kind = Art
events-all-kinds = Alle Arten
events-what = Ereignis
events-exactly = Was genau
events-none = Keine Ereignisse
events-none-hint = Ereignisse melden, wenn E-Mails zurückgehalten, Schlüssel gelernt und Zertifikate ausgestellt werden, enden oder widerrufen sind.
audit-lead = Jede Änderung, von wem und wann. Die Zeilen sind verkettet: Eine fehlende oder geänderte Zeile fällt auf.
audit-who = Von wem
audit-text = Was
audit-number = Zeile
audit-check = Ganzes Protokoll prüfen
audit-whole = Das Protokoll ist vollständig: Keine Zeile fehlt, keine wurde geändert.
audit-broken = Das Protokoll ist nicht vollständig: Zeile { $line } fehlt oder wurde geändert.

## S/MIME: Tabelle der Mailboxen

mailboxes-lead = Die Mailboxen, die unter „Eingehend“ angelegt sind, und ihre Zertifikate.
mailboxes-help = Hilfe zu S/MIME
mailboxes-questions = Häufige Fragen
mailboxes-actions = Aktionen
mailboxes-active = Aktive Mailboxen
mailboxes-of-known = von { $known } Mailboxen
mailboxes-licences = Belegte Lizenzen
mailboxes-of-booked = von { $booked } S/MIME-Lizenzen
mailboxes-free = Freies Kontingent
mailboxes-term = Laufzeit bis { $date }
mailboxes-not-counted = Lizenzen werden hier nicht gezählt
mailboxes-correct = Die Zahl der Lizenzen kann nur der Vertrieb ändern. Wenden Sie sich an Ihren Anbieter.
mailboxes-none = Noch keine Mailbox
mailboxes-first = Legen Sie zuerst unter „Eingehend“ eine Route mit Ihren Domänen und den Mailboxen an. Mailboxen, die nur eine Wildcard-Route abdeckt, erscheinen hier nicht.
mailboxes-to-inbound = Zu „Eingehend“
mailboxes-every-state = Alle
mailboxes-all = Filter aufheben
mailboxes-all-found = { $count ->
    [1] Die eine gefundene Mailbox
   *[other] Alle { $count } gefundenen Mailboxen
 }
mailboxes-until = bis { $date }
mailboxes-activate-one = 1 Mailbox aktivieren
mailboxes-activate-many = # Mailboxen aktivieren
mailboxes-deactivate-one = 1 Mailbox deaktivieren, Zertifikat widerrufen
mailboxes-deactivate-many = # Mailboxen deaktivieren, # Zertifikate widerrufen
mailboxes-activate-this = { $mailbox } aktivieren
mailboxes-deactivate-this = { $mailbox } deaktivieren
mailboxes-upload = Mit Zertifikat aktivieren
mailboxes-replace = Zertifikat hochladen
mailboxes-withdraw = Bestellung zurückziehen
mailboxes-confirm = Widerruf bestätigen
mailboxes-waits-order = Bestellt bei { $authority }, { $since }
mailboxes-waits-next = Nächstes Zertifikat bestellt bei { $authority }, { $since }
mailboxes-waits-by-hand = Lassen Sie das Zertifikat bei seinem Aussteller widerrufen und bestätigen Sie es dann hier.
mailboxes-waits-revocation = Der Widerruf läuft. Spätestens am { $by } ist die Mailbox inaktiv und die Lizenz frei.
mailboxes-order-failed = Die letzte Bestellung ist gescheitert:
mailboxes-batch = So weit sind die Bestellungen
mailboxes-bulk-activates = Zertifikate werden bestellt: { $done } von { $all } Mailboxen
mailboxes-bulk-activated = Zertifikate sind bestellt: { $done } von { $all } Mailboxen
mailboxes-bulk-deactivates = Mailboxen werden deaktiviert: { $done } von { $all }
mailboxes-bulk-deactivated = Mailboxen sind deaktiviert: { $done } von { $all }
mailboxes-bulk-goes-on = Die Arbeit an { $count } Mailboxen geht im Hintergrund weiter. Sie können diese Seite verlassen.
mailboxes-bulk-broken = Die Arbeit wurde abgebrochen. Was getan ist, bleibt; für den Rest geben Sie den Auftrag noch einmal.
mailboxes-bulk-refused = { $count ->
    [one] Bei einer Mailbox war es nicht möglich
   *[other] Bei { $count } Mailboxen war es nicht möglich
 }
mailboxes-options = Erweitert: Zertifizierungsstelle und Schlüssel für neue Zertifikate
mailboxes-authority = Zertifizierungsstelle
mailboxes-key-kind = Art des Schlüssels
mailboxes-token = Ort des Schlüssels
mailboxes-in-store = In der Datenbank, versiegelt
mailboxes-withdrawn = { $count ->
    [0] Keine Bestellung wurde zurückgezogen.
    [one] Die Bestellung ist zurückgezogen.
   *[other] { $count } Bestellungen sind zurückgezogen.
 }
mailboxes-revoked = { $count ->
    [0] Nichts wurde bestätigt.
    [one] Der Widerruf ist bestätigt.
   *[other] { $count } Widerrufe sind bestätigt.
 }
mailboxes-deactivate-title = { $count ->
    [one] Mailbox deaktivieren
   *[other] { $count } Mailboxen deaktivieren
 }
mailboxes-deactivate-then = Von jetzt an wird nicht mehr mit diesen Zertifikaten signiert, und sie werden widerrufen. Das lässt sich nicht zurücknehmen. Bis der Widerruf bestätigt ist, längstens 14 Tage, bleibt die Lizenz belegt.
mailboxes-deactivate-keys = Die privaten Schlüssel bleiben hier, damit früher verschlüsselte E-Mails lesbar bleiben.
mailboxes-deactivate-rest = { $count ->
    [one] Eine davon ist nicht aktiv und bleibt, wie sie ist.
   *[other] { $count } davon sind nicht aktiv und bleiben, wie sie sind.
 }
mailboxes-deactivate-do = { $count ->
    [one] 1 Mailbox deaktivieren, 1 Zertifikat widerrufen
   *[other] { $count } Mailboxen deaktivieren, { $count } Zertifikate widerrufen
 }
mailboxes-leave = Abbrechen
problem-none-active = Keine dieser Mailboxen ist aktiv. Nur aktive Mailboxen können deaktiviert werden.
problem-bulk-goes-on = Es gehen schon drei Arbeiten an vielen Mailboxen weiter. Warten Sie, bis eine fertig ist, oder halten Sie eine an.
problem-upload-malformed = Das ist weder eine PKCS#12- noch eine PEM-Datei, oder sie ist beschädigt. Exportieren Sie Zertifikat und privaten Schlüssel noch einmal.
problem-upload-password = Das Passwort passt nicht zu dieser Datei.
problem-upload-too-many = Die Datei enthält zu viele Schlüssel und Zertifikate. Exportieren Sie nur das Zertifikat dieser Mailbox mit seiner Kette.
problem-upload-work = Der Passwortschutz der Datei verlangt zu viel Rechenarbeit. Exportieren Sie sie noch einmal mit weniger Iterationen.
problem-upload-unsupported = Die Datei ist auf eine Weise geschützt, die hier nicht gelesen wird. Exportieren Sie sie noch einmal mit AES-256.
problem-upload-no-pair = Die Datei enthält keinen privaten Schlüssel zusammen mit seinem Zertifikat. Exportieren Sie beides in eine Datei.
problem-upload-key-kind = Die Datei enthält einen privaten Schlüssel einer Art, die hier nicht verwendet werden kann.
problem-upload-other-mailbox = Das Zertifikat ist nicht für diese Mailbox. Laden Sie es bei der Mailbox hoch, die es nennt:
problem-upload-takes-long = Das Lesen der Datei dauert zu lange. Versuchen Sie es noch einmal, oder exportieren Sie sie mit weniger Iterationen.

## Verschlüsselungsregeln und Simulator

rules-lead = Die oberste Regel, die passt und für die Richtung etwas festlegt, entscheidet. Greift keine, gelten die Voreinstellungen.
rules-new = Neue Regel erstellen
rules-none = Noch keine Verschlüsselungsregel
rules-none-hint = Ohne Regel gelten die Voreinstellungen: Eingehende E-Mails werden, wenn möglich, entschlüsselt; ausgehende werden signiert, wenn die Mailbox ein aktives Zertifikat hat.
rules-search-hint = Postfach oder Domäne
rules-from-priority = Ab Priorität
rules-priority = Priorität
rules-managed = Verwaltetes Postfach/Domäne
rules-external = Externes Postfach/Domäne
rules-inbound = Eingehend
rules-outbound = Ausgehend
rules-actions = Aktionen
rules-all = Alle
rules-any = any
rules-up = Regel { $priority } nach oben
rules-down = Regel { $priority } nach unten
rules-edit = Bearbeiten
rules-edit-label = Regel { $priority } bearbeiten
rules-look = Ansehen
rules-look-label = Regel { $priority } ansehen
rules-delete = Löschen
rules-delete-label = Regel { $priority } löschen
rules-removed = Gelöscht wurde Regel { $priority }:
rules-count = { $count ->
    [one] Eine Regel
   *[other] { $count } Regeln
 }
rules-filtered = Die Reihenfolge lässt sich in der ungefilterten Liste ändern.
rules-without-certificate = { $count ->
    [one] Eine Mailbox kann nicht senden
   *[other] { $count } Mailboxen können nicht senden
 }
rules-without-key = { $count ->
    [one] Eine Mailbox hat keinen Schlüssel
   *[other] { $count } Mailboxen haben keinen Schlüssel
 }
undo = Rückgängig
rule-new-title = Neue Verschlüsselungsregel erstellen
rule-new-lead = Eine neue Regel erhält die höchste Priorität 1; die anderen rücken nach unten.
rule-edit-title = Verschlüsselungsregel bearbeiten
rule-title = Verschlüsselungsregel
rule-edit-lead = Priorität { $priority }
rule-entries = Postfächer und Domänen
rule-managed-hint = Höchstens 20 Einträge, mit Kommata getrennt. Verwaltet: Postfächer und Domänen dieser Organisation. Eine Domäne meint genau sich, nicht ihre Subdomänen.
rule-external-hint = Höchstens 20 Einträge, mit Kommata getrennt. Extern: Postfächer und Domänen außerhalb dieser Organisation, an die gesendet oder von denen empfangen wird.
rule-save = Speichern
rule-back = Zur Liste
rule-conflict = Jemand anderes hat diese Regel geändert, seit Sie sie geöffnet haben. Es wurde nichts gespeichert.
rule-theirs = Jetzt gespeichert
rule-yours = Ihre Fassung
rule-conflict-hint = Im Formular steht Ihre Fassung. Speichern Sie, wenn sie gelten soll, oder brechen Sie ab.
rule-warning-certificate = { $count ->
    [one] Bei erzwungener Verschlüsselung kann eine Mailbox, die von dieser Regel betroffen ist, nicht versenden: Sie hat kein gültiges Zertifikat.
   *[other] Bei erzwungener Verschlüsselung können { $count } Mailboxen, die von dieser Regel betroffen sind, nicht versenden: Sie haben kein gültiges Zertifikat.
 }
rule-warning-key = { $count ->
    [one] Eine Mailbox, die von dieser Regel betroffen ist, hat keinen Schlüssel: Verschlüsselte E-Mails an sie werden abgelehnt, bei „Entschlüsselung erzwingen“ alle.
   *[other] { $count } Mailboxen, die von dieser Regel betroffen sind, haben keinen Schlüssel: Verschlüsselte E-Mails an sie werden abgelehnt, bei „Entschlüsselung erzwingen“ alle.
 }
rule-warning-mailboxes = Mailboxen aktivieren
rule-added = Die Regel ist gespeichert. { $live ->
    [0] Das Gateway lädt sie gleich.
   *[other] Aktiv seit { $time }.
 }
rule-changed = Die Änderung ist gespeichert. { $live ->
    [0] Das Gateway lädt sie gleich.
   *[other] Aktiv seit { $time }.
 }
rule-moved = Die Regel hat jetzt Priorität { $priority }. { $live ->
    [0] Das Gateway lädt die Reihenfolge gleich.
   *[other] Aktiv seit { $time }.
 }
rule-deleted = Die Regel ist gelöscht. { $live ->
    [0] Das Gateway lädt die Liste gleich.
   *[other] Aktiv seit { $time }.
 }
rule-restored = Die Regel steht wieder an Priorität { $priority }. { $live ->
    [0] Das Gateway lädt sie gleich.
   *[other] Aktiv seit { $time }.
 }
rule-not-moved = Jemand anderes hat die Reihenfolge inzwischen geändert. Die Regel wurde nicht verschoben; die Liste zeigt den jetzigen Stand.
rule-not-deleted = Jemand anderes hat diese Regel inzwischen geändert. Sie wurde nicht gelöscht; die Liste zeigt den jetzigen Stand.
rule-field-too-many = { $count } Einträge; höchstens { $most } sind möglich.
rule-field-empty = Ein Eintrag ist leer.
rule-field-none = Geben Sie mindestens ein Postfach oder eine Domäne an, oder wählen Sie „Alle“.
rule-field-neither = „{ $entry }“ ist weder ein Postfach (name@domäne) noch eine Domäne.
rule-field-double = „{ $entry }“ steht doppelt da.
rule-field-all-beside = „Alle“ steht nur allein. Sollen nur die Einträge gelten, speichern Sie noch einmal; sollen alle gelten, leeren Sie das Feld und setzen Sie das Häkchen.
rule-field-not-managed = „{ $entry }“ gehört zu keiner Domäne dieser Organisation: Der Eintrag trifft nie zu, kann aber gespeichert werden.
rule-field-not-external = „{ $entry }“ gehört dieser Organisation: Für E-Mails innerhalb der Organisation gilt keine Regel. Der Eintrag kann gespeichert werden.
mode-not-defined = Keine Änderung der Regeln mit geringerer Priorität, ggf. werden die Default-Einstellungen angewendet.
mode-in-do-not-decrypt = Verschlüsselte E-Mails werden akzeptiert und verschlüsselt zugestellt.
mode-in-optional = Verschlüsselte E-Mails werden, wenn möglich, entschlüsselt (DEFAULT). E-Mails, die nicht entschlüsselt werden können, werden verschlüsselt zugestellt.
mode-in-always = Unverschlüsselte E-Mails werden akzeptiert. Kann eine verschlüsselte E-Mail nicht entschlüsselt werden, erhält der Sender einen Fehlerreport.
mode-in-enforce = Nur verschlüsselte E-Mails werden akzeptiert. Unverschlüsselte E-Mails werden abgelehnt und der Sender erhält einen Fehlerreport.
mode-out-neither = E-Mails werden unsigniert und unverschlüsselt versendet (DEFAULT).
mode-out-sign-only = E-Mails werden signiert und unverschlüsselt versendet (DEFAULT, Zertifikat zum Signieren eingerichtet).
mode-out-optional = E-Mails werden signiert und, sofern möglich, verschlüsselt.
mode-out-enforce = E-Mails werden ausschließlich signiert und verschlüsselt verschickt. Ist das nicht möglich, erhält der Sender einen Fehlerreport.
simulator = Simulator
simulator-lead = Was würde mit einer E-Mail geschehen? Gesendet wird nichts.
simulator-direction = Richtung
simulator-managed = Verwaltete Adresse
simulator-external = Externe Adresse
simulator-encrypted = Die E-Mail kommt schon verschlüsselt
simulator-ask = Zeigen
simulator-answer = Antwort
simulator-colleague = Die Adresse dieser Seite enthält die Frage: Sie können sie weitergeben.

## Hilfe

help-lead = Was S/MIME ist, womit Sie beginnen, und was Zustände, Status und Modi bedeuten.
help-contents = Inhalt
help-smime-title = Was ist S/MIME?
help-smime-what = S/MIME steht für Secure/Multipurpose Internet Mail Extensions. Der Standard verschlüsselt und signiert E-Mails mithilfe von asymmetrischer Verschlüsselung. So ist sichergestellt, dass E-Mails vertraulich, authentisch und unverfälscht sind.
help-smime-keys = Mit dem öffentlichen Schlüssel des Empfängers werden Inhalte verschlüsselt. Nur mit dem passenden privaten Schlüssel lassen sie sich wieder entschlüsseln.
help-smime-gateway = Das Gateway signiert und verschlüsselt beim Senden und entschlüsselt und prüft beim Empfangen. Das geschieht automatisch und nach den Regeln Ihrer Organisation. An den Mailprogrammen ist nichts einzurichten.
help-begin-title = Die ersten Schritte
help-begin-mx = Lassen Sie den MX-Eintrag Ihrer Domänen auf dieses Gateway zeigen. Die Seite „Domänen“ nennt den Namen und sagt, was noch fehlt.
help-begin-look = Senden Sie eine E-Mail und sehen Sie in der E-Mail-Übersicht nach, was aus ihr wurde.
help-before-title = Voraussetzungen
help-before-mx = Zertifikate können nur für Domänen angefordert werden, deren MX-Eintrag auf dieses Gateway zeigt.
help-before-route = Die Domäne muss außerdem in einer eingehenden Route angelegt sein.
help-before-known = Die Mailbox muss in dieser Route als bekannte Mailbox eingetragen sein. Mailboxen, die nur eine Wildcard-Route erfasst, werden nicht angezeigt.
help-before-way = Signiert und verschlüsselt wird nur, was über das Gateway versendet wird. Interne E-Mails, die es nicht durchlaufen, bleiben unverändert.
help-before-encrypt = Zum Verschlüsseln braucht es ein aktives Zertifikat des Absenders und den Public Key des Empfängers.
help-before-decrypt = Zum Entschlüsseln braucht es ein Zertifikat der empfangenden Mailbox. Die optionale Entschlüsselung wird auch auf Mailboxen ohne Zertifikat angewendet.
help-states-title = Zustände einer Mailbox
help-meaning = Bedeutung
help-possible = Möglich ist
help-state-inactive = Die Mailbox hat kein Zertifikat und belegt keine Lizenz.
help-do-inactive = Aktivieren, mit einem neuen oder einem hochgeladenen Zertifikat
help-state-pending = Das Zertifikat ist bestellt. Eine Lizenz ist belegt.
help-do-pending = Warten, oder die Bestellung zurückziehen; deaktiviert werden kann erst, was aktiv ist
help-state-active = Das Zertifikat ist da. Ausgehende E-Mails werden nach den Regeln signiert und verschlüsselt.
help-do-active = Deaktivieren; ausgestellte Zertifikate werden automatisch verlängert
help-state-revoke = Die Mailbox wurde deaktiviert, das Zertifikat wird widerrufen. Der Zustand dauert bis zu 14 Tage, so lange bleibt die Lizenz belegt.
help-do-revoke = Warten, bei einem hochgeladenen Zertifikat den Widerruf bestätigen; danach ist die Mailbox inaktiv und die Lizenz frei
help-mails-title = Status einer E-Mail
help-mails-text = Die E-Mail-Übersicht sagt zu jedem Empfänger, was aus der E-Mail wurde. Ein Klick auf die Zeit nennt den Grund: die Regel, die entschieden hat, und was über Zertifikate und Schlüssel bekannt war.
help-mails-held = Daneben steht die Zustellung. Zurückgehalten ist eine E-Mail, die angenommen wurde und weder zugestellt noch zurückgemeldet werden konnte. Sie wartet unter „Zurückgehaltene E-Mails“ auf Ihre Entscheidung und wird nach 30 Tagen gelöscht.
help-status-plain = Ging weiter, wie sie kam: Nichts anderes war verlangt, oder zum Signieren fehlte das Zertifikat.
help-status-signed = Ausgehend: vom Gateway signiert, nicht verschlüsselt. Eingehend: Sie kam signiert.
help-status-sealed = Ausgehend: vom Gateway signiert und für den Empfänger verschlüsselt.
help-status-encrypted = Verschlüsselt, aber nicht vom Gateway: vom Mailprogramm des Senders, oder eingehend verschlüsselt zugestellt.
help-status-decrypted = Eingehend: vom Gateway entschlüsselt und lesbar zugestellt.
help-status-failed = Abgelehnt, zurückgehalten oder an den Sender zurückgemeldet.
help-status-waiting = Angenommen und noch nicht bearbeitet.
help-status-challenge = Frage einer Zertifizierungsstelle, wem eine Mailbox gehört, und die Antwort des Gateways darauf.
help-modes-title = Modi der Verschlüsselungsregeln
help-modes-text = Eine Regel hat je einen Modus für eingehende und für ausgehende E-Mails. Optionale Modi halten nie eine E-Mail auf. Schlägt ein erzwungener Modus fehl, erhält der Sender einen Fehlerreport (NDR).
help-modes-inbound = Eingehend
help-modes-outbound = Ausgehend
help-mode-undefined = Keine Änderung der Regeln mit geringerer Priorität, ggf. werden die Standardeinstellungen angewendet.
help-mode-leave = Verschlüsselte E-Mails werden akzeptiert und verschlüsselt zugestellt.
help-mode-decrypt = Standard. Verschlüsselte E-Mails werden, wenn möglich, entschlüsselt. E-Mails, die nicht entschlüsselt werden können, werden verschlüsselt zugestellt.
help-mode-always = Unverschlüsselte E-Mails werden akzeptiert. Kann eine verschlüsselte E-Mail nicht entschlüsselt werden, erhält der Sender einen Fehlerreport.
help-mode-enforce-decryption = Nur verschlüsselte E-Mails werden akzeptiert. Unverschlüsselte E-Mails werden abgelehnt und der Sender erhält einen Fehlerreport.
help-mode-neither = Standard ohne Zertifikat. E-Mails werden unsigniert und unverschlüsselt versendet.
help-mode-sign = Standard, wenn ein Zertifikat zum Signieren eingerichtet ist. E-Mails werden signiert und unverschlüsselt versendet.
help-mode-encrypt = E-Mails werden signiert und, sofern möglich, verschlüsselt.
help-mode-enforce-encryption = E-Mails werden ausschließlich signiert und verschlüsselt verschickt. Ist das nicht möglich, erhält der Sender einen Fehlerreport.
help-rules-title = Regeln
help-rules-sides = Verwaltet ist ein Postfach oder eine Domäne dieser Organisation. Extern ist ein Postfach oder eine Domäne außerhalb, an das versendet bzw. von dem empfangen wird.
help-rules-entries = Beide Felder nehmen höchstens 20 Einträge, mit Kommas getrennt, oder Alle. Eine Domäne steht nur für sich selbst, nicht für ihre Subdomänen.
help-rules-order = Regeln werden priorisiert, 1 ist die höchste Priorität. Neue Regeln werden mit der höchsten Priorität erstellt. Mit den Pfeilen vor der Regel ändern Sie die Reihenfolge.
help-rules-who = Alle Benutzer mit Schreibberechtigung können Regeln erstellen und ändern.
help-rules-when = Eine neue oder geänderte Regel gilt nach spätestens 2 Sekunden. Die Seite sagt, seit wann.
help-keys-title = Austausch der Schlüssel
help-keys-need = Um eine E-Mail zu verschlüsseln, muss der Public Key des Empfängers bekannt sein.
help-keys-learn = Sendet Ihr Partner eine signierte, unverschlüsselte E-Mail, wird sein Schlüssel daraus automatisch entnommen und gespeichert.
help-keys-ours = In der Gegenrichtung genügt eine signierte, unverschlüsselte E-Mail von Ihnen: Damit kennt Ihr Partner Ihren Schlüssel.
help-keys-import = Sonst lässt sich ein Schlüssel unter Public Keys importieren. Es können nur Mailbox-Zertifikate importiert werden. Domänen-Zertifikate lassen sich nicht importieren.
help-licences-addon = S/MIME ist eine Ergänzung der Mail Security und wird über Ihren Reseller gebucht. Sie ist nicht einzeln erhältlich. Jeder Kunde der Mail Security kann sie beziehen.
help-licences-count = Die Lizenz gilt für die ganze Organisation und für beliebig viele Domänen. Ihre Zahl ist höchstens so hoch wie die der Mail Security.
help-licences-holds = Jede Mailbox mit Zertifikat belegt eine Lizenz, auch mit einem hochgeladenen Zertifikat und auch während der Deaktivierung. Frei wird sie erst mit dem Zustand Inaktiv.
help-licences-included = Verschlüsselung ist enthalten, ebenso die automatische Verlängerung der Zertifikate.
help-licences-term = Die Laufzeit ist immer die der Mail Security.
help-booking = Informationen zur Buchung
help-questions-title = Häufige Fragen
help-q-missing = Warum steht meine Mailbox nicht in der Tabelle?
help-a-missing = Sie muss unter Eingehend in einer Route als bekannte Mailbox eingetragen sein. Was nur eine Wildcard-Route erfasst, wird nicht angezeigt. Regeln gelten dafür trotzdem.
help-q-internal = Werden auch interne E-Mails signiert?
help-a-internal = Nur, wenn sie über das Gateway versendet werden. Was Ihr Mailserver intern zustellt, kommt hier nicht vorbei.
help-q-failed = Was passiert, wenn eine erzwungene Regel fehlschlägt?
help-a-failed = Die E-Mail wird nicht zugestellt, und der Sender erhält einen Fehlerreport (NDR): beim Empfangen das externe Postfach, beim Senden das verwaltete.
help-q-cannot-send = Warum kann eine Mailbox nicht mehr an einen Partner senden?
help-a-cannot-send = Vermutlich verlangt eine Regel Verschlüsselung, und die Mailbox hat kein gültiges Zertifikat oder vom Partner ist kein Public Key bekannt. Die E-Mail-Übersicht nennt den Grund.
help-q-why = Wo sehe ich, ob und warum eine E-Mail verschlüsselt wurde?
help-a-why = In der E-Mail-Übersicht. Sie lässt sich nach dem Status filtern und zeigt zu jeder E-Mail die gewählte Regel, die übergangenen Regeln und was über Zertifikate und Schlüssel bekannt war.
help-q-download = Kann ich ein Zertifikat herunterladen?
help-a-download = Nein. Private Schlüssel verlassen das Gateway aus Sicherheitsgründen nie.
help-q-own = Kann ich eigene Zertifikate verwenden?
help-a-own = Ja. Hochgeladene Zertifikate werden wie ausgestellte verwaltet und verwendet und belegen wie diese eine Lizenz.
help-q-valid = Wie lange gilt ein Zertifikat?
help-a-valid = In der Regel ein Jahr. Es wird rechtzeitig und ohne weitere Lizenz verlängert. Hochgeladene Zertifikate erneuern Sie selbst; vor dem Ablauf wird gewarnt.
help-q-revoke = Was bedeutet „in Deaktivierung“?
help-a-revoke = Die Mailbox wurde deaktiviert. Der Zustand bleibt bis zu 14 Tage, dann ist die Mailbox inaktiv und die Lizenz wieder frei. Was früher für sie verschlüsselt wurde, kann weiterhin entschlüsselt werden.
help-more-questions = Weitere Fragen und Antworten
help-support-title = Support
help-support-who = Ansprechpartner
help-support-mail = E-Mail
help-support-phone = Telefon
help-support-hours = Erreichbar
help-support-remote = Fernhilfe
help-support-none = Wenden Sie sich an die Verwaltung Ihrer Organisation.

## Eigenes Konto

password-current = Jetziges Passwort
problem-passwords-differ = Die beiden Passwörter sind nicht gleich.
account-factor-on = Eingerichtet
account-factor-off = Nicht eingerichtet
account-factor-why = Mit einer Authenticator-App genügt ein gestohlenes Passwort nicht, um sich anzumelden.
account-factor-begin = Zweiten Faktor einrichten
account-factor-change = Auf eine andere App umziehen
account-factor-remove = Zweiten Faktor entfernen
account-factor-removed = Der zweite Faktor ist entfernt. Alle anderen Sitzungen sind beendet.
account-codes-left = { $count ->
    [0] Es ist kein Wiederherstellungscode mehr übrig. Machen Sie neue.
    [one] Noch ein Wiederherstellungscode ist übrig.
   *[other] Noch { $count } Wiederherstellungscodes sind übrig.
  }
account-codes-new = Neue Wiederherstellungscodes
account-foreign = Ein anderer Server bürgt für Sie. Ein Passwort brauchen Sie hier nicht.
account-password-change = Passwort ändern, andere Sitzungen beenden
account-password-set = Das Passwort ist geändert. Alle anderen Sitzungen sind beendet.
account-language = Sprache
account-language-set = Die Sprache ist eingestellt.
account-sessions = Sitzungen
account-session-agent = Browser
account-session-address = Adresse
account-session-began = Begonnen
account-session-seen = Zuletzt benutzt
account-session-this = Diese Sitzung
account-session-end = Beenden
account-session-ended = Die Sitzung ist beendet.
account-sessions-end = Alle anderen Sitzungen beenden
account-others-ended = Alle anderen Sitzungen sind beendet.
factor-scan = Lesen Sie dieses Bild mit Ihrer Authenticator-App.
factor-picture = QR-Code mit dem Schlüssel
factor-type = Oder geben Sie diesen Schlüssel in der App ein:
factor-code = Einmalcode
factor-code-hint = Die sechs Ziffern, die die App jetzt zeigt.
factor-confirm = Zweiten Faktor einschalten
codes-title = Wiederherstellungscodes
codes-keep = Mit jedem dieser Codes können Sie sich einmal anmelden, wenn Ihre App nicht da ist. Sie werden nur jetzt gezeigt: Verwahren Sie sie an einem sicheren Ort.
codes-kept = Ich habe sie verwahrt

## S/MIME: eine Mailbox

problem-nothing-chosen-file = Es wurde keine Datei ausgewählt. Wählen Sie zuerst eine aus.
mailbox-back = Zur Tabelle
mailbox-since = seit
mailbox-waits = Wartet auf
mailbox-ends = Zertifikat gültig bis
mailbox-keys = Zertifikate und Schlüsselbund
mailbox-no-keys = Diese Mailbox hatte hier noch kein Zertifikat.
mailbox-keys-stay = Frühere Schlüssel bleiben, damit ältere E-Mails lesbar bleiben. Signiert wird nur mit dem aktuellen.
mailbox-no-download = Zertifikate und private Schlüssel können aus Sicherheitsgründen nicht heruntergeladen werden.
mailbox-key-use = Verwendung
mailbox-key-both = Signiert und verschlüsselt
mailbox-key-signs = Signiert
mailbox-key-encrypts = Verschlüsselt
mailbox-key-revoking = Wird widerrufen
mailbox-key-old = Nur zum Entschlüsseln
mailbox-key-subject = Inhaber
mailbox-key-issuer = Aussteller
mailbox-key-serial = Seriennummer
mailbox-key-fingerprint = Fingerabdruck (SHA-256)
mailbox-key-validity = Gültigkeit
mailbox-key-over = Abgelaufen
mailbox-key-origin = Herkunft
mailbox-key-uploaded = Hochgeladen
mailbox-key-on-token = auf dem Token { $token }
mailbox-purge = Private Schlüssel endgültig löschen
mailbox-purge-which = Schlüssel von { $mailbox }:
mailbox-purge-then = E-Mails, die nur mit diesen Schlüsseln lesbar sind, bleiben für immer verschlossen. Das lässt sich nicht zurücknehmen.
mailbox-purge-do = { $count ->
    [one] 1 privaten Schlüssel endgültig löschen
   *[other] { $count } private Schlüssel endgültig löschen
 }
mailbox-purged = { $count ->
    [one] Ein privater Schlüssel ist gelöscht.
   *[other] { $count } private Schlüssel sind gelöscht.
 }
mailbox-purged-on-token = { $count ->
    [one] Ein privater Schlüssel wird nicht mehr verwendet. Was davon auf einem Token liegt, löschen Sie dort.
   *[other] { $count } private Schlüssel werden nicht mehr verwendet. Was davon auf einem Token liegt, löschen Sie dort.
 }
mailbox-renew = Zertifikat erneuern
mailbox-renew-why = Erneuert wird von selbst, bevor das Zertifikat endet. Hier bestellen Sie das nächste schon jetzt; eine weitere Lizenz kostet das nicht.
mailbox-renew-uploaded = Ein hochgeladenes Zertifikat wird nicht von selbst erneuert, außer „Auf hochgeladene Zertifikate folgen“ ist in den Einstellungen eingeschaltet. Hier bestellen Sie das nächste bei einer Zertifizierungsstelle; eine weitere Lizenz kostet das nicht.
mailbox-renew-revoke = Das jetzige Zertifikat widerrufen, sobald das nächste da ist
mailbox-renew-revoke-hint = Nötig, wenn sein privater Schlüssel in fremde Hände gekommen sein kann.
mailbox-renew-do = Jetzt erneuern
mailbox-renewal-ordered = Das nächste Zertifikat ist bestellt.
mailbox-aliases = Aliasse
mailbox-aliases-why = E-Mails an diese Mailbox werden auch mit den Schlüsseln dieser Mailboxen entschlüsselt.
mailbox-aliases-field = Mailboxen
mailbox-aliases-hint = Eine je Zeile. Nur bekannte Mailboxen dieser Organisation.
mailbox-save = Speichern
mailbox-aliases-none = Keine.
mailbox-aliases-set = { $count ->
    [0] Die Mailbox hat keine Aliasse.
    [one] Die Mailbox hat einen Alias.
   *[other] Die Mailbox hat { $count } Aliasse.
 }
mailbox-history = Verlauf
mailbox-history-none = Noch nichts.
mailbox-ordered = Zertifikat bestellt bei { $authority }
mailbox-issued = Zertifikat ausgestellt von { $authority }
mailbox-failed = Bestellung bei { $authority } gescheitert:
mailbox-withdrawn = Bestellung bei { $authority } zurückgezogen
mailbox-uploaded = Zertifikat { $certificate } hochgeladen
mailbox-revocation-asked = Widerruf von Zertifikat { $certificate } verlangt
mailbox-certificate-revoked = Zertifikat { $certificate } ist widerrufen
mailbox-upload-title = Zertifikat hochladen
mailbox-upload-activates = Die Mailbox wird damit aktiv.
mailbox-upload-replaces = Das Zertifikat ersetzt das jetzige; der frühere Schlüssel bleibt zum Entschlüsseln.
mailbox-upload-counts = Auch hochgeladene Zertifikate belegen eine Lizenz.
mailbox-upload-file = Datei
mailbox-upload-file-hint = PKCS#12 (.p12, .pfx) oder PEM, mit privatem Schlüssel und Zertifikat, höchstens 5 MB.
mailbox-upload-password = Passwort der Datei
mailbox-upload-password-hint = Leer lassen, wenn sie keines hat.
mailbox-upload-do = Hochladen
mailbox-upload-not-now = Während das bisherige Zertifikat widerrufen wird, kann keines hochgeladen werden. Warten Sie, bis die Mailbox inaktiv ist.
mailbox-upload-done = { $mailbox } verwendet von jetzt an das hochgeladene Zertifikat.

## Zertifikate, Zertifizierungsstellen, Vertrauen, Domänen: Probleme

problem-not-by-hand = Diesen Auftrag erledigt das Gateway selbst. Von Hand wird nur eingereicht, was von Hand zur Zertifizierungsstelle getragen wird.
problem-nothing-to-reissue = Für kein Postfach der Auswahl lässt sich jetzt ein neues Zertifikat bestellen: Keines ist aktiv, oder alle haben schon einen offenen Auftrag.
problem-authority-name = Der Name einer Zertifizierungsstelle ist ein Wort ohne Leerzeichen und Schrägstrich, und nicht der einer eingebauten.
problem-authority-standard = Das ist die Standard-Zertifizierungsstelle. Machen Sie zuerst eine andere zum Standard.
problem-authority-command = Ein Programm läuft auf dem Rechner aller Organisationen. Nur der Betreiber darf eines eintragen.
problem-authority-url = Die Adresse des Verzeichnisses muss mit https:// beginnen.
problem-authority-account = Zu einem externen Konto gehören Kennung und Schlüssel, beide von der Zertifizierungsstelle.
problem-no-certificate = Das ist kein Zertifikat. Laden Sie eine Datei in PEM oder DER hoch.
problem-one-certificate = Die Datei enthält mehrere Zertifikate. Laden Sie eine mit genau einem hoch.
problem-not-an-authority = Das ist kein Zertifikat einer Zertifizierungsstelle. Vertraut wird nur Zertifizierungsstellen.
problem-block-one-of-two = Geben Sie entweder ein Zertifikat oder einen Fingerabdruck an.
problem-fingerprint = Ein Fingerabdruck hat 64 hexadezimale Ziffern; Doppelpunkte dazwischen stören nicht.
problem-dkim-selector = Ein Selektor besteht aus Buchstaben, Ziffern und Bindestrichen, mit Punkten dazwischen.
problem-dkim-selector-taken = Diese Domäne hat schon einen Schlüssel mit diesem Selektor.
problem-dkim-waits = Ein neuer Schlüssel dieser Art wartet schon auf seinen Eintrag im DNS. Veröffentlichen Sie diesen, oder löschen Sie den Schlüssel.
problem-dkim-not-new = Dieser Schlüssel signiert schon, oder ein anderer hat ihn abgelöst.
problem-dkim-unseen = Der Eintrag ist im DNS nicht zu sehen. Veröffentlichen Sie ihn zuerst.

## Einstellungen

settings-lead = Wie die E-Mails dieser Organisation behandelt werden. Änderungen gelten ab der nächsten E-Mail.
settings-mail = E-Mails
settings-trust = Vertrauen
settings-keeping = Zertifikate und E-Mail-Übersicht
settings-save = Einstellungen speichern
settings-saved = Die Einstellungen sind gespeichert. Sie gelten ab der nächsten E-Mail.
settings-stored = Die Einstellungen sind gespeichert. Das Gateway hat sie noch nicht geladen.
off = Aus
special-like-all = Wie alle E-Mails
special-sign-only = Signieren, nie verschlüsseln
special-leave = Unverändert lassen
switch-language = Sprache der Fehlerreports
switch-language-hint = In welcher Sprache Ihre Benutzer und Ihre Partner Fehlerreports bekommen.
switch-language-de = Deutsch
switch-language-en = Englisch
switch-all-or-nothing = Alle oder keiner
switch-all-or-nothing-hint = Wird ein Empfänger einer ausgehenden E-Mail abgelehnt, so werden es alle. Sonst bekommen die anderen sie.
switch-subject-tags = Kennzeichen im Betreff
switch-subject-tags-hint = Das Ergebnis von Prüfung und Entschlüsselung steht im Betreff eingehender E-Mails. Gefälschte Kennzeichen werden entfernt.
switch-neutralise = Entfernte Inhalte herausnehmen
switch-neutralise-hint = Bilder und Verweise, die von anderswo laden, werden aus entschlüsselten E-Mails herausgenommen, für die keine gültige Signatur im Inneren bürgt.
switch-header-protection = Kopfzeilen schützen
switch-header-protection-hint = Auch die Kopfzeilen ausgehender E-Mails werden signiert und verschlüsselt (RFC 9788).
switch-calendar = Kalendereinladungen
switch-calendar-hint = Manche Kalenderprogramme können signierte oder verschlüsselte Einladungen nicht lesen. Eine erzwungene Regel gilt trotzdem.
switch-tnef = Outlook-Anhänge (winmail.dat)
switch-tnef-hint = E-Mails in Microsofts TNEF-Form sind verschlüsselt oft nicht lesbar. Eine erzwungene Regel gilt trotzdem.
switch-dkim = Mit DKIM signieren
switch-dkim-hint = Ausgehende E-Mails werden nach S/MIME mit dem DKIM-Schlüssel ihrer Domäne signiert.
switch-public-roots = Öffentlichen Zertifizierungsstellen vertrauen
switch-public-roots-hint = Neben Ihren eigenen gelten Mozillas Wurzelzertifikate für E-Mail.
switch-revocation = Auskünfte über Widerruf
switch-revocation-hint = Was geschieht, wenn eine Zertifizierungsstelle nicht sagt, ob ein Zertifikat widerrufen ist.
switch-revocation-soft = Zustellen und noch einmal fragen
switch-revocation-hard = Notwendig: ohne Auskunft gilt eine Signatur nicht als vertrauenswürdig
switch-smimea = Schlüssel aus dem DNS (SMIMEA)
switch-smimea-hint = Ob Schlüssel von Partnern im DNS gesucht werden, gesichert durch DNSSEC.
switch-smimea-with-path = Mit einem Pfad zu einer vertrauten Zertifizierungsstelle
switch-smimea-dnssec-alone = DNSSEC allein genügt
switch-legacy = Alte Verfahren lesen
switch-legacy-hint = Triple DES und SHA-1 werden gelesen. Lassen Sie das aus, wenn kein Partner darauf angewiesen ist.
switch-brainpool = Brainpool-Kurven lesen
switch-brainpool-hint = Schlüssel auf Brainpool-Kurven werden zum Prüfen und Entschlüsseln verwendet.
switch-exact-local-parts = Groß- und Kleinschreibung vor dem @ zählt
switch-exact-local-parts-hint = Ein Zertifikat für Alice@example.com gilt dann nicht für alice@example.com.
switch-replace-uploaded = Auf hochgeladene Zertifikate folgen
switch-replace-uploaded-hint = Endet ein hochgeladenes Zertifikat, so wird das nächste bei der Standard-Zertifizierungsstelle bestellt.
switch-journal-days = E-Mail-Übersicht aufbewahren
switch-journal-days-hint = Danach verschwinden E-Mails aus der Übersicht. Wartende und zurückgehaltene E-Mails bleiben.
days = { $count ->
    [one] { $count } Tag
   *[other] { $count } Tage
  }

## Organisationen und Lizenzen

organisations-lead = Alle Organisationen dieser Installation.
organisations-none = Keine Organisationen
organisations-first = Legen Sie unten die erste an.
organisation-create = Organisation anlegen
organisation-name = Kurzname
organisation-name-hint = Ein Wort aus Kleinbuchstaben, Ziffern, „.“, „-“ und „_“; es steht in Adressen und lässt sich nicht ändern.
organisation-language = Sprache ihrer Fehlerreports
organisation-created = Die Organisation { $name } ist angelegt.
licences-lead = Die Lizenzen Ihrer Organisationen. Eine Anzahl gilt für alle Domänen einer Organisation.
licences-about = Buchungsinformationen
licences-first = Der Betreiber ordnet Ihnen Organisationen zu.
licences-reseller = Reseller
licences-mailboxes = Mailboxen
licences-used = In Verwendung
licences-smime = S/MIME-Lizenzen
licences-base = Grundlizenzen
licences-term = Laufzeit bis
licences-over = Abgelaufen
licences-endless = Kein Ende
licences-uncounted = Nicht gezählt
licences-book = Lizenzen buchen
licences-book-row = Buchen
licences-booked = Die Lizenzen sind gebucht.
licence-title = Lizenzen von { $name }
licence-lead = S/MIME ist ein Zusatz: Es gibt höchstens so viele S/MIME-Lizenzen wie Grundlizenzen, mit derselben Laufzeit.
licence-back = Alle Lizenzen
licence-free = Frei
licence-over-notice = Die Laufzeit ist vorbei: Es wird nichts aktiviert oder verlängert. Entschlüsselung, gültige Signaturen und Regeln gelten weiter.
licence-uncounted-notice = Die Lizenzen dieser Organisation werden nicht gezählt. Ab der ersten Buchung werden sie es.
licence-smime-hint = Höchstens so viele wie Grundlizenzen.
licence-last-day = Letzter Tag der Laufzeit
licence-last-day-hint = Leer: Die Laufzeit endet nicht.

## E-Mails: Probleme

problem-for-recipients-only = Diese E-Mail wurde hier entschlüsselt: Was darin steht, ist nur für ihre Empfänger.

## System

system-lead = Sealgate { $version }
system-rotation = Ein Wechsel des Hauptschlüssels zu { $source } wurde begonnen und nicht beendet. Halten Sie das Gateway an und rufen Sie noch einmal sealgate master-key rotate auf.
system-waiting = Warten auf Zustellung
system-oldest = Am längsten fällig:
system-to-open = Noch zu öffnen
system-held = Zurückgehalten
system-database = Datenbank
system-free = { $octets } frei auf ihrem Datenträger
system-nodes = Prozesse
system-node = Prozess
system-seen = Letztes Lebenszeichen
system-configuration = Konfiguration
system-alive = In Betrieb
system-silent = Meldet sich nicht
system-behind = Im Rückstand
system-tokens = Schlüsseltoken
system-token = Token
system-keys = Schlüssel
system-ca = Eingebaute Zertifizierungsstelle
system-ca-issued = { $count ->
    [one] Sie hat ein Zertifikat ausgestellt.
   *[other] Sie hat { $count } Zertifikate ausgestellt.
  }
system-ca-none = Sie entsteht mit dem ersten Zertifikat, das bei ihr bestellt wird.

## Benutzer und API-Tokens

role-operator = Betreiber
role-reseller = Reseller
role-password = Neues Passwort
role-read-hint = Sieht Routen, Mailboxen, Regeln, Schlüssel und die E-Mail-Übersicht.
role-write-hint = Ändert sie auch und entscheidet über zurückgehaltene E-Mails.
role-admin-hint = Verwaltet auch Benutzer, API-Tokens, Zertifizierungsstellen, Vertrauen und sendende Clients.
valid-until = Gültig bis
once-invitation = Einladungslink
once-invitation-hint = Geben Sie diesen Link weiter, auf einem Weg, den nur die eingeladene Person lesen kann. Er gilt einmal und wird nur jetzt gezeigt. Wer schon ein Konto hat, meldet sich an und nimmt die Einladung dort an.
once-token = API-Token
once-token-hint = Kopieren Sie das Token jetzt. Es wird nicht noch einmal gezeigt.
once-kept = Fertig
users-title = Benutzer
users-name = Name
users-role = Rolle
users-seen = Zuletzt da
users-you = Sie
users-disabled = Gesperrt
users-set-role = Rolle setzen
users-role-set = Die Rolle ist gesetzt. Alle Sitzungen dieser Person sind beendet.
users-remove = Entfernen
users-remove-consequence = { $name } aus der Organisation entfernen und alle Sitzungen beenden?
users-removed = Die Person ist aus der Organisation entfernt. Alle ihre Sitzungen sind beendet.
users-invited = Offene Einladungen
users-invited-by = Eingeladen von
users-withdraw = Zurücknehmen
users-withdrawn = Die Einladung ist zurückgenommen.
users-invite = Jemanden einladen
users-invite-do = Einladungslink erzeugen
tokens-title = API-Tokens
tokens-none = Es gibt noch keine API-Tokens.
tokens-what = Mit einem API-Token arbeitet ein Skript in dieser Organisation. Es hat eine Rolle und ein Ablaufdatum.
tokens-what-system = Mit einem API-Token arbeitet ein Skript als Betreiber oder für einen Reseller, bis zu einem Tag.
tokens-name = Name
tokens-name-hint = Wofür es da ist; so steht es im Änderungsprotokoll.
tokens-made-by = Erzeugt von
tokens-used = Zuletzt benutzt
tokens-never = Noch nie
tokens-revoke = Widerrufen
tokens-revoke-consequence = Das Token { $name } widerrufen? Skripte, die es benutzen, kommen dann nicht mehr herein.
tokens-revoked = Das API-Token gilt nicht mehr.
tokens-new = Neues API-Token
tokens-days = Gültig für wie viele Tage
tokens-make = API-Token erzeugen
people-title = Alle Benutzer
people-may = Darf
people-reset = Link für neues Passwort
people-reset-factor = Link für neues Passwort, ohne zweiten Faktor
people-no-operator = Nicht mehr Betreiber
people-no-reseller = Nicht mehr für einen Reseller
people-more = Link für mehr Rechte erstellen
people-invited-by = Konto durch eine Einladung der Organisation { $organisation } entstanden; dass die Adresse dieser Person gehört, hat niemand bewiesen
people-enable = Wieder zulassen
people-disable = Sperren, alle Sitzungen beenden
people-changed = Das Konto ist geändert. Alle Sitzungen dieser Person sind beendet.
people-remove = Konto löschen
people-remove-consequence = Das Konto von { $name } mit allen Rollen löschen und alle Sitzungen beenden?
people-removed = Das Konto ist gelöscht.
people-invite = Betreiber oder Reseller einladen
people-as = Als
people-for-reseller = Für den Reseller { $reseller }
people-invite-hint = Benutzer einer Organisation laden Sie auf deren Seite „Benutzer“ ein.
resellers-title = Reseller
resellers-none = Es gibt noch keine Reseller.
resellers-what = Ein Reseller bucht Lizenzen für seine Organisationen. Wer die Installation selbst betreibt, braucht keinen.
resellers-name = Name
resellers-users = Benutzer
resellers-remove = Entfernen
resellers-removed = Der Reseller ist entfernt.
resellers-new = Neuer Reseller
resellers-make = Reseller anlegen
resellers-made = Der Reseller ist angelegt. Laden Sie seine Benutzer unter „Alle Benutzer“ ein.
resellers-no = Keiner
resellers-assign = Organisation zuordnen
resellers-assign-do = Zuordnen
resellers-assigned = Die Organisation ist zugeordnet.

## Zertifikate

certificates-lead = Alle Zertifikate, mit denen Mailboxen jetzt signieren oder an die verschlüsselt wird.
certificates-id = Zertifikats-ID
certificates-mailbox = Mailbox
certificates-issuer = Aussteller
certificates-from = Gültig ab
certificates-until = Gültig bis
certificates-since = ab { $date }
certificates-left = Verbleibt
certificates-days = Tage
certificates-origin = Herkunft
certificates-key = Schlüssel
certificates-issued = Ausgestellt
certificates-uploaded = Hochgeladen
certificates-over = Abgelaufen
certificates-within-30 = Endet in 30 Tagen
certificates-within-60 = Endet in 60 Tagen
certificates-within-90 = Endet in 90 Tagen
certificates-days-left = { $count ->
    [0] endet heute
    [one] noch 1 Tag
   *[other] noch { $count } Tage
}
certificates-days-over = { $count ->
    [one] seit 1 Tag abgelaufen
   *[other] seit { $count } Tagen abgelaufen
}
certificates-current = In Verwendung
certificates-ending = Ende
certificates-any-end = Alle
certificates-any-issuer = Alle Aussteller
certificates-all = Alle anzeigen
certificates-reissue = Neue Zertifikate für diese Auswahl …
certificates-export = Als CSV speichern
certificates-none = Noch keine Zertifikate
certificates-first = Aktivieren Sie zuerst eine Mailbox: Dann wird ihr Zertifikat bestellt und erscheint hier.
certificates-to-mailboxes = Zu den Mailboxen
certificates-encryption-only = nur Verschlüsselung
certificates-signing-only = nur Signatur
certificates-next-ordered = das nächste ist bestellt
certificates-no-download = Zertifikate und Schlüssel lassen sich aus Sicherheitsgründen nicht herunterladen.

## Aufträge

orders-title = Aufträge
orders-lead = Was bei Zertifizierungsstellen bestellt ist, und woran es hängt.
orders-number = Nummer
orders-for = Zweck
orders-authority = Zertifizierungsstelle
orders-since = Seit
orders-next = Nächste Nachfrage
orders-ended = Beendet
orders-show = Aufträge
orders-show-open = Offene
orders-show-failed = Fehlgeschlagene
orders-show-all = Alle
orders-none = Keine Aufträge
orders-none-hint = Aufträge entstehen, wenn eine Mailbox aktiviert wird oder ihr Zertifikat bald endet.
orders-one = Auftrag { $order }
orders-new = Vorgemerkt
orders-asking = Wird angefragt
orders-waiting = Bei der Zertifizierungsstelle
orders-issued = Ausgestellt
orders-failed = Fehlgeschlagen
orders-withdrawn = Zurückgezogen
orders-activation = Erstes Zertifikat
orders-renewal = Nächstes Zertifikat
orders-replacement = Ersatz, das alte wird widerrufen
orders-error = Grund
orders-to-do = Was zu tun ist
orders-activate-again = Beheben Sie den Grund und aktivieren Sie die Mailbox noch einmal.
orders-order-again = Beheben Sie den Grund und bestellen Sie auf der Seite der Mailbox ein neues Zertifikat.
orders-carry = Tragen Sie die Anforderung zur Zertifizierungsstelle und laden Sie hier die Zertifikatskette hoch.
orders-asked-again = Es wird von selbst noch einmal angefragt.
orders-carry-out = Anforderung zeigen
orders-withdraw = Auftrag zurückziehen
orders-withdraw-short = Zurückziehen
orders-taken-back = Auftrag { $order } ist zurückgezogen.
orders-request = Anforderung
orders-request-hint = Kopieren Sie diesen Text und reichen Sie ihn bei der Zertifizierungsstelle ein. Der private Schlüssel bleibt hier.
orders-request-label = Zertifikatsanforderung (PKCS #10)
orders-request-soon = Der Schlüssel wird gerade erzeugt. Laden Sie die Seite gleich noch einmal.
orders-chain = Zertifikat der Zertifizierungsstelle
orders-chain-file = Datei mit der Zertifikatskette
orders-chain-hint = PEM oder DER: zuerst das Zertifikat, dann seine Aussteller.
orders-chain-text = Oder als Text
orders-hand-in = Einreichen
orders-handed-in = Das Zertifikat ist eingetragen.

## Sammelaufträge

batches-title = Sammelaufträge
batches-lead = Viele Aufträge auf einmal, und wie weit sie sind.
batches-none = Keine Sammelaufträge
batches-none-hint = Einer entsteht, wenn mehrere Mailboxen zusammen aktiviert werden oder neue Zertifikate bekommen.
batches-one = Sammelauftrag { $batch }
batches-one-of = Sammelauftrag
batches-what = Was
batches-who = Von
batches-how-far = Stand
batches-progress = { $ended } von { $total } beendet
batches-open = Offen
batches-rate = { $count ->
    [one] höchstens 1 Auftrag in der Minute
   *[other] höchstens { $count } Aufträge in der Minute
}
batches-again = Stand neu laden
batches-orders = Alle Aufträge zeigen
batches-failed = Fehlgeschlagene Aufträge
batches-all-failed = Alle fehlgeschlagenen zeigen

## Neu ausstellen

reissue-title = Neu ausstellen
reissue-lead = Neue Zertifikate für viele Mailboxen: nach Aussteller, Ende, Schlüssel oder Liste.
reissue-which = Für welche Mailboxen
reissue-within = Zertifikat endet innerhalb von Tagen
reissue-with-key = Bisheriger Schlüssel
reissue-any-key = Jeder
reissue-mailboxes = Nur diese Mailboxen
reissue-mailboxes-hint = Adressen, durch Leerzeichen, Kommas oder Zeilen getrennt. Leer: alle, auf die das Übrige zutrifft.
reissue-all = Alle aktiven Mailboxen
reissue-all-hint = Nur nötig, wenn sonst nichts angegeben ist.
reissue-how = Wie
reissue-new-key = Neuer Schlüssel
reissue-rate = Tempo
reissue-rate-hint = Höchstens so viele Aufträge in der Minute. Leer: so schnell es geht.
reissue-revoke = Bisherige Zertifikate widerrufen, sobald die neuen da sind
reissue-revoke-hint = Nur nach einem Vorfall. Sonst bleiben früher signierte E-Mails prüfbar. Hochgeladene Zertifikate kann nur ihr Aussteller widerrufen.
reissue-show = Vorschau
reissue-preview = Vorschau
reissue-count = { $count ->
    [one] 1 Mailbox bekommt ein neues Zertifikat.
   *[other] { $count } Mailboxen bekommen neue Zertifikate.
}
reissue-will-revoke = Die bisherigen werden widerrufen, sobald die neuen da sind; hochgeladene bleiben gültig.
reissue-will-keep = Die bisherigen bleiben gültig.
reissue-left-out = Nicht dabei, weil nicht aktiv oder schon bestellt:
reissue-go = { $count ->
    [one] 1 neues Zertifikat bestellen
   *[other] { $count } neue Zertifikate bestellen
}
reissue-go-revoke = { $count ->
    [one] 1 neues Zertifikat
   *[other] { $count } neue Zertifikate
} bestellen, { $revoked ->
    [one] 1 bisheriges
   *[other] { $revoked } bisherige
} widerrufen
reissue-ordered = { $count ->
    [one] 1 neues Zertifikat wird bestellt.
   *[other] { $count } neue Zertifikate werden bestellt.
}

## Widerrufe

revocations-title = Widerrufe
revocations-lead = Zertifikate, die widerrufen werden oder sind. Ein Widerruf wird wiederholt, bis er bestätigt ist.
revocations-all = Auch bestätigte zeigen
revocations-none = Keine offenen Widerrufe
revocations-none-hint = Ein Widerruf entsteht, wenn eine Mailbox deaktiviert oder ein Zertifikat ersetzt wird.
revocations-reason = Grund
revocations-unspecified = Ohne Angabe
revocations-compromise = Schlüssel in fremder Hand
revocations-superseded = Ersetzt
revocations-cessation = Mailbox deaktiviert
revocations-serial = Seriennummer
revocations-confirmed = Bestätigt
revocations-waiting = Bei der Zertifizierungsstelle
revocations-by-hand = Wartet auf Sie
revocations-by-hand-hint = Was auf Sie wartet: Lassen Sie das Zertifikat bei seinem Aussteller widerrufen und bestätigen Sie es dann hier.
revocations-confirm = Bestätigen
revocations-noted = Der Widerruf für { $mailbox } ist bestätigt.

## Public Keys

keys-lead = Öffentliche Schlüssel der Kommunikationspartner. Sie werden aus signierten eingehenden E-Mails gelernt; verschlüsselt wird an den bevorzugten.
keys-none = Noch kein öffentlicher Schlüssel
keys-none-hint = Zur Verschlüsselung einer E-Mail muss durch eine signierte eingehende E-Mail ein Public Key des Empfängers vorliegen. Falls dies nicht der Fall ist, kann dieser manuell importiert werden.
keys-add = Pubkey hinzufügen
keys-to-review = { $count ->
    [one] Ein neuer Schlüssel einer anderen ausstellenden Stelle wartet auf Ihre Prüfung.
   *[other] { $count } neue Schlüssel anderer ausstellender Stellen warten auf Ihre Prüfung.
 }
keys-review = Jetzt prüfen
keys-search-hint = Adresse oder Domäne
keys-address = Adresse
keys-origin = Herkunft
keys-state = Status
keys-until = Gültig bis
keys-from = Gültig ab
keys-issuer = Aussteller
keys-subject = Inhaber
keys-any-state = Jeder
keys-any-origin = Jede
keys-pinned = angeheftet
keys-pinned-only = Nur angeheftete
keys-pinned-means = Er ist angeheftet: Es wird kein anderer verwendet, bis das aufgehoben wird.
keys-count = { $count ->
    [one] Ein Schlüssel ist bekannt.
   *[other] { $count } Schlüssel sind bekannt.
 }
keys-export = Liste als CSV
key-preferred = bevorzugt
key-additional = weiterer
key-new = neu
key-pending = wartet
key-blocked = gesperrt
key-expired = abgelaufen
key-preferred-means = An diesen Schlüssel wird verschlüsselt.
key-additional-means = Der Schlüssel ist gültig, aber ein anderer wird bevorzugt.
key-new-means = Der Schlüssel kommt von einer anderen ausstellenden Stelle als der bevorzugte. Er wird verwendet, wenn Sie zustimmen oder der bevorzugte endet.
key-pending-means = Der Schlüssel wird erst verwendet, wenn feststeht, dass er nicht widerrufen ist.
key-blocked-means = Der Schlüssel wird nie verwendet.
key-expired-means = Das Zertifikat ist abgelaufen.
key-origin-manual = importiert
key-origin-harvested = signierte E-Mail
key-origin-ldap = Verzeichnis
key-origin-smimea = DNS
key-approve = Zustimmen
key-prefer = Bevorzugen
key-pin = Anheften
key-unpin = Anheften aufheben
key-block = Sperren
key-unblock = Entsperren
key-remove = Importierten Schlüssel entfernen
key-remove-means = Der importierte Schlüssel von { $address } wird entfernt. Ohne anderen Schlüssel wird an diese Adresse nicht mehr verschlüsselt.
key-removed = Der importierte Schlüssel ist entfernt.
keys-approve-one = Einem Schlüssel zustimmen
keys-approve-many = # Schlüsseln zustimmen
keys-block-one = Einen Schlüssel sperren
keys-block-many = # Schlüssel sperren
keys-approved = { $count ->
    [one] Der Schlüssel wird ab jetzt bevorzugt.
   *[other] { $count } Schlüssel werden ab jetzt bevorzugt.
 }
keys-preferred = { $count ->
    [one] Der Schlüssel wird ab jetzt bevorzugt.
   *[other] { $count } Schlüssel werden ab jetzt bevorzugt.
 }
keys-pinned-done = Der Schlüssel ist angeheftet.
keys-unpinned = Andere Schlüssel der Adresse können wieder verwendet werden.
keys-blocked = { $count ->
    [one] Der Schlüssel ist gesperrt und wird nicht mehr verwendet.
   *[other] { $count } Schlüssel sind gesperrt und werden nicht mehr verwendet.
 }
keys-unblocked = Der Schlüssel ist nicht mehr gesperrt.
keys-import-lead = Das Zertifikat eines externen Postfachs, an das verschlüsselt werden soll.
keys-only-mailboxes = Es können nur Mailbox-Zertifikate importiert werden. Domänen-Zertifikate lassen sich nicht importieren!
keys-file = Datei
keys-file-hint = PEM, DER oder PKCS #7 (.pem, .cer, .crt, .p7b)
keys-text = Oder als Text einfügen
keys-look = Ansehen
keys-other-file = Andere Datei
keys-import = { $count ->
    [one] Einen Schlüssel importieren
   *[other] { $count } Schlüssel importieren
 }
keys-imported = { $count ->
    [0] Es wurde kein Schlüssel importiert.
    [one] Ein Schlüssel ist importiert. Ab jetzt kann an ihn verschlüsselt werden.
   *[other] { $count } Schlüssel sind importiert. Ab jetzt kann an sie verschlüsselt werden.
 }
keys-not-valid = Das Zertifikat ist jetzt nicht gültig: An den Schlüssel wird nicht verschlüsselt, solange das so ist.
keys-not-trusted = Das Zertifikat führt zu keiner Stelle, der diese Organisation vertraut. Vergleichen Sie den SHA-256-Wert mit dem Inhaber, bevor Sie es importieren.
key-refused-no-address = Kann nicht importiert werden: Das Zertifikat nennt keine E-Mail-Adresse.
key-refused-domain = Kann nicht importiert werden: Das Zertifikat ist für eine Domäne gemacht, nicht für ein Postfach.
key-refused-authority = Kann nicht importiert werden: Es ist das Zertifikat einer Zertifizierungsstelle.
key-refused-purpose = Kann nicht importiert werden: Das Zertifikat ist nicht zum Schutz von E-Mails bestimmt.
key-refused-usage = Kann nicht importiert werden: Die Schlüsselverwendung des Zertifikats erlaubt keine Verschlüsselung.
key-refused-weak = Kann nicht importiert werden: Der Schlüssel ist zu schwach oder von einer Art, an die nicht verschlüsselt werden kann.
keys-certificate = Zertifikat
keys-used-now = Jetzt verwendet
keys-used-yes = Ja: Die nächste E-Mail an die Adresse wird, wo verschlüsselt wird, an ihn verschlüsselt.
keys-used-no = Nein
keys-serial = Seriennummer
keys-kind = Art des Schlüssels
keys-policies = Richtlinien
keys-added = Bekannt seit
keys-mail = Gelernt aus E-Mail
keys-announced = Der Inhaber liest
keys-asked-again = Nächste Frage nach Widerruf
keys-chain = Ausgestellt über
keys-others = Weitere Schlüssel dieser Adresse
keys-events = Ereignisse
keys-when = Wann
keys-what = Was

## Webhooks

webhooks-lead = Ereignisse werden an eine Adresse bei Ihnen weitergegeben, signiert wie in Standard Webhooks beschrieben.
webhooks-none = Keine Webhooks
webhooks-first = Fügen Sie unten eine Adresse hinzu. Sie bekommt ab dann jedes Ereignis.
webhook-url = Adresse
webhook-url-hint = Sie beginnt mit https:// und führt zu einem öffentlichen Server.
webhook-kinds = Arten von Ereignissen
webhook-choose-kinds = Arten von Ereignissen wählen (sonst alle)
webhook-last = Letzter Versuch
webhook-again = wieder
webhook-fine = Angenommen
webhook-untried = Noch nicht versucht
webhook-add = Webhook hinzufügen
webhook-made = Der Webhook ist hinzugefügt. Kopieren Sie jetzt sein Geheimnis: Es wird nie wieder gezeigt.
webhook-remove = Entfernen
webhook-remove-consequence = Diesen Webhook entfernen? Ereignisse werden dann nicht mehr an ihn weitergegeben.
webhook-removed = Der Webhook ist entfernt.

## E-Mail-Übersicht

mails-lead = Welche E-Mails verschlüsselt, entschlüsselt oder signiert wurden, und warum die anderen nicht. Ein Klick auf die Zeit zeigt die ganze Erklärung.
mails-status-help = Was der Status bedeutet
mails-export = Als CSV exportieren
mails-time = Zeit
mails-direction = Richtung
mails-inbound = Eingehend
mails-outbound = Ausgehend
mails-from = Von
mails-to = An
mails-nobody = niemand (leerer Absender)
mails-status = Status
mails-delivery = Zustellung
mails-party = Von oder an
mails-party-hint = Adresse, Domäne oder Anfang
mails-any = Alle
mails-all = Filter aufheben
mails-since = Seit
mails-until = Bis
mails-message-id = Message-ID
mails-live = Neue E-Mails laufend zeigen
mails-none = Noch keine E-Mails
mails-none-hint = Sobald das Gateway eine E-Mail für diese Organisation annimmt, steht sie hier mit dem, was aus ihr wurde und warum. Zuerst braucht es unter „Eingehend“ eine Route.
delivery-to-open = Wird geöffnet
delivery-waiting = Wartet
delivery-delivered = Zugestellt
delivery-failed = Nicht zustellbar
delivery-held = Zurückgehalten
delivery-deleted = Gelöscht
delivery-refused = Abgelehnt
delivery-answered = Vom Gateway beantwortet
mail-title = E-Mail
mail-for = An { $address }
mail-to-held = Ansehen, freigeben oder löschen
mail-said = Letzte Antwort des Servers
mail-attempts = Versuche bisher
mail-next = Nächster Versuch
mail-told = Was dem Absender gesagt wurde
mail-signature = Signatur
mail-encryption = Verschlüsselung
mail-how = Wie entschieden wurde
mail-simulate = Die heutigen Regeln für diese Adressen ausprobieren
mail-facts = Über die E-Mail
mail-header-from = Von (Kopf)
mail-no-single-from = keine einzelne Adresse
mail-envelope-from = Von (Umschlag)
mail-proven = Absender nachgewiesen
mail-size = Größe
mail-handed-in = Eingeliefert von
mail-version = Version der Konfiguration
yes-word = ja
no-word = nein

## Zurückgehaltene E-Mails und Warteschlange

held-lead = Angenommen und nicht zugestellt, jede mit ihrem Grund. Worüber niemand entscheidet, das wird nach 30 Tagen gelöscht.
held-queue-lead = Was unterwegs ist und was zurückgehalten wird. Wartende E-Mails werden von selbst wieder versucht.
held-tab-held = Zurückgehalten
held-tab-queue = Ganze Warteschlange
held-none = Nichts wird zurückgehalten
held-none-hint = E-Mails werden zurückgehalten, wenn sie weder zugestellt noch ihrem Absender gemeldet werden können. Sie sehen sie dann hier und in der Übersicht.
held-queue-none = Die Warteschlange ist leer
held-queue-none-hint = Jede angenommene E-Mail ist zugestellt, gemeldet oder zurückgehalten.
held-title = E-Mail in der Warteschlange
held-since = Angenommen
held-reason = Grund
held-state = Zustand
held-until = Zurückgehalten bis
held-then = Wie weiter
held-report = Bericht des Gateways
held-sender-not-proven = Die E-Mail konnte nicht zugestellt werden. Einen Fehlerreport gab es nicht: Ihr Absender ist nicht nachgewiesen, der Report könnte jemanden treffen, der sie nie gesendet hat.
held-null-sender = Es gibt niemanden, dem berichtet werden kann: Die E-Mail hat keinen Absender.
held-repeated-key = Derselbe verschlüsselte Schlüssel kam schon mit einer anderen E-Mail: Ein Bericht könnte helfen, ihn zu erraten.
held-could-not-process = Das Gateway konnte sie mehrmals nicht bearbeiten.
held-administrator = Ein Administrator hält sie zurück.
held-release = Freigeben
held-release-one = 1 E-Mail freigeben
held-release-many = # E-Mails freigeben
held-release-confirm = Die gewählten E-Mails so senden, wie sie sind? Was eine Regel verlangt, geschieht mit ihnen nicht mehr.
held-release-this = Freigeben: so senden, wie sie ist
held-release-this-confirm = Diese E-Mail so senden, wie sie ist? Was eine Regel verlangt, geschieht mit ihr nicht mehr.
held-what-release-means = „Freigeben“ sendet die E-Mail so, wie sie hier steht. „Erneut versuchen“ entscheidet sie, wo das möglich ist, mit den heutigen Schlüsseln und Regeln neu; sonst wird sie gesendet, wie sie ist.
held-retry = Erneut versuchen
held-retry-one = 1 E-Mail erneut versuchen
held-retry-many = # E-Mails erneut versuchen
held-retry-this = Erneut versuchen
held-hold = Zurückhalten
held-hold-one = 1 E-Mail zurückhalten
held-hold-many = # E-Mails zurückhalten
held-hold-this = Zurückhalten: vorerst nicht zustellen
held-delete = Löschen
held-delete-one = 1 E-Mail endgültig löschen
held-delete-many = # E-Mails endgültig löschen
held-delete-confirm = Die gewählten E-Mails endgültig löschen? Niemand bekommt sie, und niemand erfährt davon.
held-delete-this = Endgültig löschen
held-delete-this-confirm = Diese E-Mail endgültig löschen? Niemand bekommt sie, und niemand erfährt davon.
held-released = { $count ->
    [one] Eine E-Mail ist freigegeben und unterwegs.
   *[other] { $count } E-Mails sind freigegeben und unterwegs.
}
held-retried = { $count ->
    [one] Eine E-Mail wird erneut versucht.
   *[other] { $count } E-Mails werden erneut versucht.
}
held-held = { $count ->
    [one] Eine E-Mail wird zurückgehalten.
   *[other] { $count } E-Mails werden zurückgehalten.
}
held-deleted = { $count ->
    [one] Eine E-Mail ist gelöscht.
   *[other] { $count } E-Mails sind gelöscht.
}
held-to-mail = Warum sie hier ist
held-looked-at = Dass Sie diese E-Mail angesehen haben, steht im Änderungsprotokoll.
held-copy-for = Kopie für { $addresses }
held-decrypted = Diese E-Mail kam verschlüsselt und wurde hier entschlüsselt. Was darin steht, ist nur für ihre Empfänger: Gezeigt werden nur ihr Kopf und die Namen ihrer Teile.
held-from-html = Dieser Text war HTML; gezeigt werden nur seine Worte.
held-cut = Der Text geht weiter; der Rest wird nicht gezeigt.
held-files = Teile, die nicht gezeigt werden
held-file-name = Name
held-file-type = Art
held-more = Es gibt mehr Teile, als hier stehen.
held-unreadable = Das lässt sich nicht als E-Mail lesen.
held-download = Als Datei herunterladen

## Übersicht

overview-attention = Was Aufmerksamkeit braucht
overview-nothing = Nichts braucht Ihre Aufmerksamkeit.
overview-mails = E-Mails
overview-day = 24 Stunden
overview-month = 30 Tage
overview-no-mails = In dieser Zeit gab es keine E-Mails.
overview-day-caption = Empfänger je Stunde in den letzten 24 Stunden, nach Status; alle Zeilen haben denselben Maßstab.
overview-month-caption = Empfänger je Tag in den letzten 30 Tagen, nach Status; alle Zeilen haben denselben Maßstab.
overview-numbers = Dasselbe in Zahlen
overview-from = Ab
overview-expiries = Zertifikate, die enden
overview-no-expiries = In den nächsten 26 Wochen endet kein Zertifikat.
overview-expiries-caption = Zertifikate aktiver Mailboxen, die in jeder der nächsten 26 Wochen enden. Wo eine Zertifizierungsstelle es tut, werden sie vorher erneuert.
overview-week = Woche ab
overview-certificates-ending = Zertifikate
overview-events = Ereignisse der letzten Tage
overview-no-events = Es ist nichts geschehen.
overview-all-events = Alle Ereignisse
attention-failed = { $count ->
    [one] Ein Empfänger hat in den letzten 24 Stunden eine E-Mail nicht bekommen.
   *[other] { $count } Empfänger haben in den letzten 24 Stunden eine E-Mail nicht bekommen.
}
attention-held = { $count ->
    [one] Eine E-Mail für einen Empfänger wird zurückgehalten.
   *[other] E-Mails für { $count } Empfänger werden zurückgehalten.
}
attention-held-more = E-Mails für mehr als { $count } Empfänger werden zurückgehalten.
attention-certificates = { $count ->
    [one] Das Zertifikat einer Mailbox endet, das nächste ist nicht bestellt: am { $date }.
   *[other] Die Zertifikate von { $count } Mailboxen enden, die nächsten sind nicht bestellt: das erste am { $date }.
}
attention-orders = { $count ->
    [one] Eine Bestellung eines Zertifikats ist in den letzten Tagen gescheitert.
   *[other] { $count } Bestellungen von Zertifikaten sind in den letzten Tagen gescheitert.
}
attention-licences = { $free ->
    [0] Alle { $booked } Lizenzen sind benutzt.
    [one] Eine von { $booked } Lizenzen ist frei.
   *[other] { $free } von { $booked } Lizenzen sind frei.
}
attention-term = Die Laufzeit der Lizenzen endet am { $date }.
attention-domains = { $count ->
    [one] Die E-Mails von { $domain } kommen nicht zu diesem Gateway: Für sie können keine Zertifikate bestellt werden.
   *[other] Die E-Mails von { $count } Domänen kommen nicht zu diesem Gateway, darunter { $domain }: Für sie können keine Zertifikate bestellt werden.
}
attention-keys = { $count ->
    [one] Ein neuer öffentlicher Schlüssel wartet auf Ihre Prüfung.
   *[other] { $count } neue öffentliche Schlüssel warten auf Ihre Prüfung.
}
first-title = Erste Schritte
first-done = erledigt
first-route = Legen Sie eine Eingangsroute an: Ihre Domänen und den Server, dem ihre E-Mails zugestellt werden
first-mailboxes = Tragen Sie die Mailboxen ein
first-client = Sagen Sie, welche Server für diese Organisation senden dürfen
first-active = Aktivieren Sie Mailboxen: Sie erhalten Zertifikate
first-rule = Erstellen Sie eine Verschlüsselungsregel
first-route-why = Damit das Gateway weiß, welche E-Mails es annimmt und wohin es sie weitergibt.
first-mailboxes-why = Nur eingetragene Mailboxen erscheinen unter „S/MIME“ und können ein Zertifikat erhalten.
first-client-why = Nur von ihnen nimmt das Gateway E-Mails zum Versenden an. Ihr Mailserver sendet danach über das Gateway.
first-active-why = Mit ihrem Zertifikat wird signiert, was eine Mailbox sendet, und entschlüsselt, was sie empfängt.
first-rule-why = Ohne Regel wird signiert, wenn die Mailbox ein aktives Zertifikat hat, und, wenn möglich, entschlüsselt; verschlüsselt wird erst nach einer Regel.
first-then = E-Mails kommen erst hierher, wenn der MX-Eintrag Ihrer Domänen auf dieses Gateway zeigt. Was dafür fehlt, und mehr über die ersten Schritte:

## Eingehend und Ausgehend

mailboxes-bulk-removes = Mailboxen werden entfernt: { $done } von { $all }
mailboxes-bulk-removed = Mailboxen sind entfernt: { $done } von { $all }
inbound-title = Eingehend
inbound-lead = Routen: welche Domänen dieses Gateway annimmt, welcher Mailserver ihre E-Mails bekommt, und welche Mailboxen bekannt sind.
inbound-new = Neue Route
inbound-none = Noch keine Route
inbound-first = Legen Sie eine Route mit Ihren Domänen und Ihrem Mailserver an. Danach tragen Sie die Mailboxen ein.
inbound-ask = Wer schreiben darf, kann hier Routen anlegen.
inbound-name = Beschreibung
inbound-name-hint = Ein Name, unter dem Sie die Route wiederfinden. Er lässt sich später nicht ändern.
inbound-server = Zielserver
inbound-server-as = { $server }, angemeldet als { $user }
inbound-domains = Domänen
inbound-domains-hint = Eine je Zeile. Eine Domäne gehört zu genau einer Route.
inbound-mailboxes = Mailboxen
inbound-mailboxes-of = Mailboxen der Route { $route }
inbound-wildcard = Wildcard
inbound-wildcard-hint = Jede Adresse annehmen, die der Zielserver annimmt. Mailboxen, die nur so abgedeckt sind, werden nicht angezeigt und können nicht aktiviert werden.
inbound-wildcard-note = Diese Route nimmt jede Adresse an, die der Zielserver annimmt. Angezeigt und aktiviert werden können nur Mailboxen, die hier eingetragen sind; Regeln gelten für alle.
inbound-yes = Ja
inbound-no = Nein
inbound-edit = Bearbeiten
inbound-edit-this = Route { $route } bearbeiten
inbound-delete = Löschen
inbound-delete-this = Route { $route } löschen
inbound-back = Zu „Eingehend“
inbound-back-route = Zur Route
inbound-host = Server
inbound-host-hint = Name oder IP-Adresse Ihres Mailservers.
inbound-port = Port
inbound-tls = TLS
inbound-tls-opportunistic = TLS, wenn angeboten
inbound-tls-required = nur mit TLS
inbound-tls-verified = nur mit TLS und gültigem Zertifikat
inbound-sign-in = Anmeldung am Server
inbound-user = Benutzername
inbound-password = Passwort
inbound-password-hint = Leer lassen, wenn es so bleibt.
inbound-create = Route anlegen
inbound-added = Die Route { $route } ist angelegt. Tragen Sie jetzt ihre Mailboxen ein.
inbound-edited = Die Route { $route } ist geändert.
inbound-removed = Die Route { $route } ist gelöscht.
inbound-removal-goes-on = Die Mailboxen der Route { $route } werden im Hintergrund entfernt, danach die Route.
inbound-domains-lost = Mit den Domänen, die Sie wegnehmen, gehen { $mailboxes } Mailboxen; { $certificates } Zertifikate werden widerrufen.
inbound-lose-do = { $count ->
    [one] Domänen wegnehmen, 1 Mailbox entfernen
   *[other] Domänen wegnehmen, { $count } Mailboxen entfernen
 }
inbound-delete-then = E-Mails an ihre Domänen werden danach abgewiesen.
inbound-delete-mailboxes = Mit der Route gehen { $mailboxes } Mailboxen; { $certificates } Zertifikate werden widerrufen.
inbound-delete-do = Route löschen, { $mailboxes } Mailboxen entfernen, { $certificates } Zertifikate widerrufen
inbound-prerequisites = Voraussetzungen der Domänen
inbound-prerequisites-why = Zertifikate können nur für Domänen bestellt werden, deren MX-Eintrag hierher zeigt: { $names }.
inbound-to-domains = Alle Voraussetzungen
inbound-mx = MX-Eintrag
inbound-mx-met = Zeigt hierher
inbound-mx-not-met = Zeigt nicht hierher
inbound-mx-unknown = Nicht bekannt
inbound-more-domains = { $count ->
    [one] Eine weitere Domäne wurde nicht abgefragt.
   *[other] { $count } weitere Domänen wurden nicht abgefragt.
 }
inbound-known = Bekannte Mailboxen
inbound-no-mailboxes = Noch keine Mailbox in dieser Route
inbound-add-first = Tragen Sie unten Mailboxen ein oder importieren Sie eine Liste. Nur eingetragene Mailboxen können aktiviert werden.
inbound-work-goes-on = Im Hintergrund geht Arbeit an vielen Mailboxen weiter.
inbound-export = Als CSV herunterladen
inbound-add = Mailboxen eintragen
inbound-addresses = Adressen
inbound-addresses-hint = Eine je Zeile, in einer Domäne dieser Route.
inbound-add-do = Eintragen
inbound-mailboxes-added = { $count ->
    [0] Keine Mailbox ist neu.
    [one] Eine Mailbox ist eingetragen.
   *[other] { $count } Mailboxen sind eingetragen.
 } { $known ->
    [0] { "" }
    [one] Eine war schon bekannt.
   *[other] { $known } waren schon bekannt.
 }
inbound-remove = Entfernen
inbound-remove-one = 1 Mailbox entfernen
inbound-remove-many = # Mailboxen entfernen
inbound-remove-title = { $count ->
    [one] Eine Mailbox entfernen
   *[other] { $count } Mailboxen entfernen
 }
inbound-remove-then = Die Mailboxen verschwinden aus der Route und aus der Tabelle. Zertifikate aktiver Mailboxen werden widerrufen; das lässt sich nicht zurücknehmen.
inbound-remove-do = { $count ->
    [one] 1 Mailbox entfernen, ihr Zertifikat widerrufen
   *[other] { $count } Mailboxen entfernen, ihre Zertifikate widerrufen
 }
inbound-mailboxes-removed = { $count ->
    [one] Eine Mailbox ist entfernt.
   *[other] { $count } Mailboxen sind entfernt.
 }
inbound-import = Mailboxen aus einer Liste
inbound-file = CSV-Datei
inbound-file-hint = Eine Spalte „address“, oder die Spalten „name“ und „domain“. Höchstens 50.000 Zeilen. Zuerst sehen Sie, was geschehen würde.
inbound-preview = Liste prüfen
inbound-new-ones = Neue Mailboxen
inbound-known-ones = Schon bekannt
inbound-refused-ones = Nicht übernommen
inbound-nothing-new = In dieser Liste ist keine neue Mailbox. Es wurde nichts geändert.
inbound-import-do = { $count ->
    [one] 1 Mailbox eintragen
   *[other] { $count } Mailboxen eintragen
 }
inbound-refused-lines = Zeilen, die nicht übernommen werden
inbound-line = Zeile
inbound-line-text = Inhalt
inbound-line-why = Grund
inbound-line-address = Das ist keine Adresse.
inbound-line-domain = Die Domäne gehört nicht zu dieser Route.
inbound-line-twice = Die Mailbox steht schon weiter oben.
inbound-more-lines = { $count ->
    [one] Eine weitere Zeile wird nicht gezeigt.
   *[other] { $count } weitere Zeilen werden nicht gezeigt.
 }
outbound-title = Ausgehend
outbound-lead = Wie E-Mails das Gateway verlassen.
outbound-smarthost = Alle Domänen
outbound-by-mx = Zu den Servern, die der MX-Eintrag der Domäne nennt
outbound-as-other = Wie alle anderen
outbound-remove = Entfernen
outbound-remove-this = Eigenen Weg für { $domain } entfernen
outbound-set-smarthost = Smarthost festlegen
outbound-host-hint = Leer: E-Mails gehen zu den Servern, die der MX-Eintrag der Domäne nennt.
outbound-set-destination = Eigenen Weg für eine Domäne festlegen
outbound-domain = Domäne
outbound-destination-hint = Leer: derselbe Weg wie alle anderen E-Mails, aber mindestens mit diesem TLS.
inbound-smarthost-set = E-Mails gehen von jetzt an über { $server }.
inbound-smarthost-none = E-Mails gehen von jetzt an zu den Servern, die der MX-Eintrag der Domäne nennt.
inbound-destination-set = Der Weg für { $domain } ist festgelegt.
inbound-destination-removed = E-Mails an { $domain } gehen wieder wie alle anderen.
problem-list-not-text = Die Datei ist kein Text. Speichern Sie die Liste als CSV.
problem-list-open-quote = Ein Anführungszeichen wird nicht geschlossen. Es steht in der Zeile, deren Nummer hier folgt:
problem-list-unreadable = Die Liste ist nicht lesbar:
problem-list-too-long = Die Liste hat mehr als 50.000 Zeilen. Teilen Sie sie auf.
problem-mailbox-in-no-domain = Diese Mailbox liegt in keiner Domäne dieser Route:
problem-domain-not-proven = Auf dieser Installation sind mehrere Organisationen. Zeigen Sie zuerst, dass die Domäne Ihre ist: Setzen Sie im DNS diesen Eintrag und senden Sie das Formular dann noch einmal:

## Sendende Clients

clients-title = Sendende Clients
clients-lead = Wer ausgehende E-Mails übergeben darf, und unter welchen Adressen.
clients-none = Noch kein sendender Client
clients-first = Legen Sie für Ihren Mailserver oder Ihr Gerät einen Client an. Nur so kann es über das Gateway senden.
clients-new = Neuer Client
clients-back = Zu den sendenden Clients
clients-name = Name
clients-name-hint = Ein Name, den auf dieser Installation noch kein Client hat.
clients-proof = Nachweis
clients-password = Benutzername und Passwort
clients-password-hint = Das Passwort wird hier erzeugt und einmal gezeigt.
clients-certificate = TLS-Client-Zertifikat
clients-certificate-hint = Der Client zeigt beim Verbinden dieses Zertifikat.
clients-certificate-field = Das Zertifikat als PEM oder sein Fingerabdruck (SHA-256).
clients-network = Netz
clients-network-hint = Jede Verbindung aus diesen Netzen. Nur für Netze, die Ihnen allein gehören.
clients-connector = Netz und Geheimnis
clients-connector-hint = Für große Anbieter, deren Netze sich viele teilen: Jede E-Mail trägt zusätzlich ein Geheimnis.
clients-networks = Netze
clients-networks-hint = Eines je Zeile, zum Beispiel 192.0.2.0/24.
clients-user-hint = Leer: der Name des Clients.
clients-as = Darf senden als
clients-as-all = Alle Domänen der Organisation
clients-as-hint = Adressen oder Domänen, eine je Zeile. Leer: alle Domänen der Organisation.
clients-mail-server = Mailserver
clients-mail-server-hint = Auch E-Mails mit fremdem Absender annehmen, etwa Weiterleitungen. Sie werden nie signiert.
clients-make = Client anlegen
clients-by-password = Passwort, Benutzername { $user }
clients-by-certificate = Zertifikat, SHA-256 { $sha256 }
clients-by-network = Netz { $networks }
clients-by-connector = Netz { $networks } und Geheimnis
clients-made = Der Client { $client } ist angelegt.
clients-set = Der Client { $client } ist geändert.
clients-removed = Der Client { $client } ist gelöscht.
clients-secret-once = Das wird nur dieses eine Mal gezeigt. Tragen Sie es jetzt beim Client ein.
clients-connector-secret = Geheimnis
clients-connector-field = Jede E-Mail muss es im Kopf X-Sealgate-Connector tragen.
clients-secret-kept = Ich habe es eingetragen
clients-renew = Neues Geheimnis
clients-renew-why = Das bisherige Passwort oder Geheimnis gilt dann sofort nicht mehr.
clients-renew-do = Neues Geheimnis erzeugen, bisheriges ungültig machen
clients-delete-this = Client { $client } löschen
clients-delete-then = Was dieser Client danach übergeben will, wird abgewiesen.
clients-delete-do = Client { $client } löschen
problem-client-network = Auf dieser Installation sind mehrere Organisationen. Ein Netz ohne Geheimnis und das Zertifikat eines Clients kann hier nur der Betreiber zuordnen. Wählen Sie einen anderen Nachweis oder wenden Sie sich an ihn.
problem-client-without-secret = Dieser Client weist sich ohne Passwort und Geheimnis aus.

## Zertifizierungsstellen

authorities-lead = Woher Zertifikate kommen. Aufträge gehen an den Standard, wenn keine andere genannt ist.
authorities-add = Zertifizierungsstelle hinzufügen
authorities-name = Name
authorities-name-hint = Ein Wort. Eine Zertifizierungsstelle dieses Namens bekommt neue Einstellungen.
authorities-kind = Art
authorities-standard = Standard
authorities-renew-days = Tage Vorlauf
authorities-renew-hint = So viele Tage vor dem Ende eines Zertifikats wird das nächste bestellt.
authorities-edit = Bearbeiten
authorities-make-standard = Zum Standard machen
authorities-standard-hint = Aufträge ohne Angabe gehen dann hierher.
authorities-is-standard = Das ist die Standard-Zertifizierungsstelle.
authorities-remove = { $name } entfernen
authorities-remove-hint = Bei { $name } wird nichts mehr bestellt. Was dort ausgestellt wurde, gilt weiter und kann widerrufen werden.
authorities-removed = Bei { $name } wird nichts mehr bestellt.
authorities-saved = { $name } ist gespeichert.
authorities-now-standard = { $name } ist jetzt der Standard.
authorities-save = Speichern
authorities-former = Was mit früheren Einstellungen ausgestellt wurde, kann weiterhin widerrufen werden.
authorities-built-in = Eingebaute Zertifizierungsstelle
authorities-built-in-hint = Die eigene Zertifizierungsstelle dieser Installation. Partner müssen ihrer Wurzel erst vertrauen.
authorities-acme = ACME (RFC 8823)
authorities-acme-hint = Eine öffentliche Zertifizierungsstelle mit automatischer Ausstellung. Die Prüfmails beantwortet das Gateway selbst.
authorities-command = Programm
authorities-command-hint = Ein Programm auf dem Rechner des Gateways trägt Anforderungen zur Zertifizierungsstelle. Nur der Betreiber richtet es ein.
authorities-by-hand = Von Hand
authorities-by-hand-hint = Sie tragen Anforderungen selbst zur Zertifizierungsstelle und laden die Zertifikate unter Aufträge hoch.
authorities-directory = Adresse des Verzeichnisses
authorities-directory-hint = Die Zertifizierungsstelle nennt sie. Bei einer anderen Adresse wird ein neues Konto angelegt.
authorities-contact = Kontaktadressen
authorities-contact-hint = Wohin die Zertifizierungsstelle schreibt; durch Kommas getrennt.
authorities-account = Externes Konto: Kennung
authorities-account-hint = Nur wenn die Zertifizierungsstelle eine ausgegeben hat (EAB).
authorities-account-key = Externes Konto: Schlüssel
authorities-account-key-hint = In Base64url, wie von der Zertifizierungsstelle. Er wird nie wieder angezeigt.
authorities-secret-stays = Gespeichert, wird nicht angezeigt. Leer lassen, um ihn zu behalten.
authorities-roots = Eigene Wurzeln für TLS
authorities-roots-hint = PEM. Nur für eine Zertifizierungsstelle im eigenen Netz; sonst gelten die öffentlichen.
authorities-roots-stay = Eigene Wurzeln sind gespeichert. Leer lassen, um sie zu behalten.
authorities-roots-forget = Eigene Wurzeln entfernen, den öffentlichen vertrauen
authorities-unsigned = Prüfmails ohne Signatur annehmen
authorities-unsigned-hint = RFC 8823 verlangt eine Signatur. Nur einschalten, wenn die Zertifizierungsstelle keine setzt.
authorities-program = Pfad des Programms
authorities-arguments = Argumente
authorities-arguments-hint = Eines je Zeile; danach folgt der Auftrag.
authorities-timeout = Höchstens Sekunden

## Vertrauen

trust-lead = Wem geglaubt wird, wenn signierte E-Mails geprüft und Schlüssel von Partnern gelernt werden.
trust-public = Öffentliche Zertifizierungsstellen
trust-public-yes = Mozillas Wurzelzertifikaten für E-Mail wird vertraut
trust-public-no = Nur den eigenen Wurzeln wird vertraut
trust-public-hint = Ohne sie sind Signaturen der meisten Partner nicht gültig, und ihre Schlüssel werden nicht gelernt.
trust-public-stop = Öffentlichen Wurzeln nicht mehr vertrauen
trust-public-start = Öffentlichen Wurzeln vertrauen
trust-public-on = Mozillas Wurzelzertifikaten für E-Mail wird vertraut.
trust-public-off = Ab jetzt wird nur den eigenen Wurzeln vertraut.
trust-revocation = Widerruf
trust-revocation-soft = Kommt keine Auskunft über einen Widerruf, wird die E-Mail zugestellt und vermerkt, dass die Auskunft fehlt; später wird noch einmal gefragt.
trust-revocation-hard = Ohne Auskunft über einen Widerruf gilt eine Signatur als nicht vertrauenswürdig, und der Schlüssel wird nicht verwendet.
trust-revocation-change = In den Einstellungen ändern
trust-own = Eigene Wurzeln
trust-own-none = Keine. Laden Sie das Zertifikat einer Zertifizierungsstelle hoch, der Ihre Partner angehören und die nicht öffentlich ist.
trust-subject = Inhaber
trust-validity = Gültigkeit
trust-valid = Gültig
trust-not-valid = Jetzt nicht gültig
trust-fingerprint = Fingerabdruck (SHA-256)
trust-remove = Nicht mehr vertrauen
trust-remove-hint = Signaturen, die auf { $subject } beruhen, gelten dann nicht mehr.
trust-removed = Dieser Wurzel wird nicht mehr vertraut.
trust-add = Diesen Zertifizierungsstellen vertrauen
trust-add-file = Zertifikate von Zertifizierungsstellen
trust-add-hint = PEM oder DER. Vergleichen Sie danach den Fingerabdruck mit dem, den die Zertifizierungsstelle nennt.
trust-added = Der Zertifizierungsstelle wird vertraut.
trust-never = Gesperrt
trust-never-none = Nichts ist gesperrt. Ein gesperrtes Zertifikat gilt nie, auch nicht, was es beglaubigt.
trust-by-fingerprint = nur der Fingerabdruck ist bekannt
trust-reason = Grund
trust-block = Zertifikat sperren
trust-block-file = Zertifikat
trust-block-fingerprint = Oder Fingerabdruck (SHA-256)
trust-block-fingerprint-hint = Eines Zertifikats, oder eines öffentlichen Schlüssels: dann sind alle seine Zertifikate gesperrt.
trust-blocked = Das Zertifikat ist gesperrt.
trust-unblock = Sperre aufheben
trust-unblocked = Die Sperre ist aufgehoben.

## Domänen

nav-domains = Domänen
domains-title = Domänen
domains-lead = Was gelten muss, bevor Zertifikate angefordert werden, und DKIM.
domains-none = Noch keine Domänen
domains-first = Legen Sie zuerst eine Eingangsroute mit Ihren Domänen an.
domains-to-inbound = Zu Eingehend
domains-domain = Domäne
domains-findings = Was gefunden wurde
domains-ask-again = Noch einmal prüfen
domains-prerequisites = Voraussetzungen
domains-prerequisite = Voraussetzung
domains-route = Eingangsroute
domains-mx = MX-Eintrag
domains-licence = Lizenz
domains-caa = CAA-Eintrag
domains-dkim = DKIM
domains-met = Erfüllt
domains-not-met = Nicht erfüllt
domains-unknown = Unbekannt
domains-hint = Hinweis
domains-in-route = Steht in einer Eingangsroute.
domains-no-route = Steht in keiner Eingangsroute.
domains-mx-here = Zeigt auf { $value }.
domains-mx-also-elsewhere = Zeigt hierher, mit geringerem Vorrang aber auch auf { $value }.
domains-mx-elsewhere = Zeigt auf { $value }, nicht auf dieses Gateway.
domains-mx-other-name = Zeigt auf { $value }: dieselbe Adresse, aber ein anderer Name.
domains-mx-none = Es gibt keinen MX-Eintrag.
domains-mx-null = Der MX-Eintrag sagt, dass die Domäne keine E-Mail annimmt.
domains-mx-no-domain = Das DNS kennt diese Domäne nicht.
domains-licences-uncounted = Lizenzen werden hier nicht gezählt.
domains-licences-free = { $value } Lizenzen sind frei.
domains-licences-full = Alle { $value } Lizenzen sind vergeben.
domains-licences-over = Die Laufzeit der Lizenzen ist vorbei.
domains-caa-anyone = Jede Zertifizierungsstelle darf ausstellen.
domains-caa-nobody = Der Eintrag issuemail von { $value } lässt keine öffentliche Zertifizierungsstelle ausstellen.
domains-caa-only = Nur diese dürfen ausstellen: { $value }.
domains-caa-critical = Ein kritischer Eintrag mit der Angabe „{ $value }“ verbietet die Ausstellung.
domains-dkim-none = Es gibt keinen Schlüssel.
domains-dkim-waits = Der Schlüssel signiert erst, wenn sein Eintrag im DNS steht.
domains-dkim-good = Der Schlüssel signiert, und sein Eintrag steht im DNS.
domains-dkim-missing = Der Schlüssel signiert, aber sein Eintrag fehlt im DNS.
domains-dkim-wrong = Der Schlüssel signiert, aber sein Eintrag ist falsch: { $value }
domains-dkim-wanted = Eine Zertifizierungsstelle, die über ACME angesprochen wird, verlangt signierte Antworten.
domains-dns-off = DNS-Abfragen sind in der Konfiguration abgeschaltet.
domains-dns-silent = Das DNS antwortet gerade nicht. { $value }
domains-do-route = Nehmen Sie die Domäne in eine Eingangsroute auf.
domains-do-mx = Setzen Sie im DNS diesen Eintrag:
domains-do-mx-name = Tragen Sie im MX-Eintrag den Namen dieses Gateways ein, oder lassen Sie den Betreiber den anderen Namen eintragen:
domains-do-mx-pass-on = Sorgen Sie dafür, dass diese Server E-Mails hierher weiterreichen: Was sie selbst zustellen, wird weder entschlüsselt noch geprüft.
domains-do-domain = Prüfen Sie die Schreibweise, oder registrieren Sie die Domäne.
domains-do-licences = Buchen Sie weitere Lizenzen, oder deaktivieren Sie eine Mailbox.
domains-do-term = Lassen Sie die Laufzeit verlängern.
domains-do-caa = Nennen Sie Ihre Zertifizierungsstelle in einem Eintrag issuemail, außer wenn Sie die eingebaute verwenden.
domains-do-caa-critical = Entfernen Sie diesen Eintrag oder seine Kennzeichnung als kritisch.
domains-do-dkim = Erstellen Sie unten einen Schlüssel.
domains-do-dkim-record = Veröffentlichen Sie diesen Eintrag:

## DKIM

dkim-title = DKIM-Schlüssel
dkim-lead = Damit wird ausgehende E-Mail für diese Domäne signiert, nach S/MIME. Ein neuer Schlüssel löst den bisherigen ab, sobald sein Eintrag im DNS zu sehen ist.
dkim-none = Noch kein Schlüssel.
dkim-new = Wartet auf seinen Eintrag
dkim-active = Signiert
dkim-retired = Abgelöst
dkim-gone = Wird gelöscht
dkim-in-dns = Im DNS
dkim-record-seen = Richtig
dkim-record-missing = Fehlt
dkim-record-wrong = Falsch
dkim-record-unknown = Unbekannt
dkim-record-name = Name (TXT)
dkim-record-value = Wert
dkim-zone-line = In einer Zonendatei
dkim-activate = Jetzt prüfen und aktivieren
dkim-activate-unseen = Ohne Prüfung aktivieren
dkim-remove = Schlüssel { $selector } löschen
dkim-remove-hint = Was { $selector } signiert hat, kann nicht mehr geprüft werden, wenn sein Eintrag aus dem DNS verschwindet.
dkim-removed = Der Schlüssel { $selector } ist gelöscht. Lassen Sie seinen Eintrag noch einige Tage im DNS.
dkim-made = Der Schlüssel ist erstellt. Veröffentlichen Sie den Eintrag { $record }; dann signiert er.
dkim-signs = Der Schlüssel { $selector } signiert.
dkim-kind = Art
dkim-kind-hint = RSA versteht jeder. Ed25519 nur zusätzlich.
dkim-selector = Selektor
dkim-selector-hint = Leer: der nächste freie Name.
dkim-create = Schlüssel erstellen

## Verzeichnisse und Partner

directories = Verzeichnisse
directories-lead = Wo nach öffentlichen Schlüsseln gesucht wird, wenn zu einem Empfänger keiner bekannt ist. Was dort steht, wird geprüft wie ein gelernter Schlüssel.
directories-none = Noch kein Verzeichnis
directories-none-hint = Ein LDAP-Verzeichnis eines Partners oder einer Zertifizierungsstelle erspart das Warten auf eine signierte E-Mail.
directory-add = Verzeichnis hinzufügen
directory-name = Name
directory-name-hint = Ein Wort aus Buchstaben, Ziffern, „-“, „_“ und „.“; so heißt es in Erklärungen und Ereignissen.
directory-url = Adresse
directory-protection = Schutz
directory-unprotected = ohne TLS
directory-tls = TLS
directory-starttls = TLS mit StartTLS
directory-base = Basis der Suche (DN)
directory-bind = Anmelden als (DN)
directory-bind-hint = Leer: Es wird ohne Namen gefragt. Ein Passwort wird nur geschützt gesendet.
directory-password = Passwort
directory-password-hint = Leer: Es bleibt, wie es ist.
directory-domains = Für Domänen
directory-domains-hint = Mit Kommata getrennt. Leer: für alle.
directory-attributes = Attribute mit Zertifikaten
directory-roots = Wurzelzertifikate seines TLS-Zertifikats (PEM)
directory-roots-hint = Zusätzlich zu den öffentlichen.
directory-set = Das Verzeichnis wird ab jetzt gefragt.
directory-removed = Das Verzeichnis ist entfernt, mit den Schlüsseln, die von dort kamen.
directory-remove-label = Verzeichnis { $name } entfernen
directory-remove-means = Das Verzeichnis { $name } wird entfernt, mit den Schlüsseln, die von dort kamen und nicht angeheftet oder gesperrt sind.
source-remove = Entfernen
source-save = Speichern
smimea = DNS (SMIMEA)
smimea-lead = Domänen können die Schlüssel ihrer Postfächer in DNS veröffentlichen.
smimea-off = DNS wird nicht gefragt.
smimea-with-path = DNS wird gefragt. Ein Schlüssel zählt, wenn DNSSEC ihn schützt und sein Zertifikat zu einer vertrauten Stelle führt.
smimea-dnssec-alone = DNS wird gefragt. DNSSEC allein genügt, wenn die Domäne für ihr Zertifikat selbst einsteht.
smimea-set = Die Einstellung für DNS ist gespeichert.
sources-try = Ausprobieren
sources-try-hint = Alle Quellen werden jetzt gefragt; behalten wird nichts.
sources-ask = Fragen
sources-nobody = Für { $address } wird keine Quelle gefragt.
sources-none = Es gibt noch niemanden, der gefragt werden könnte.
partners = Partner
partners-lead = Mit Partnern vereinbarte Verfahren. Sie gelten vor dem, was die Empfänger selbst angekündigt haben.
partners-none = Noch kein Partner
partners-none-hint = Ohne Vereinbarung gilt, was Empfänger in ihren signierten E-Mails ankündigen, sonst, was jedes Mailprogramm liest.
partners-external = Externe Adresse oder Domäne
partners-profile = Profil
partner-add = Mit einem Partner vereinbaren
partner-external-hint = Eine Vereinbarung mit einer Adresse gilt vor der mit ihrer Domäne.
partner-set = Die Vereinbarung ist gespeichert.
partner-removed = Die Vereinbarung ist entfernt.
partner-remove-label = Vereinbarung mit { $external } entfernen
partner-remove-means = Für { $external } gilt wieder, was die Empfänger ankündigen.
profile-default = Was die Empfänger ankündigen, sonst was jedes Mailprogramm liest.
profile-modern = AES-GCM, RSAES-OAEP, RSASSA-PSS.
profile-edi-energy = Was die deutsche Energiewirtschaft vorschreibt: nur RSASSA-PSS und RSAES-OAEP.
profile-legacy = Für alte Programme: AES-128-CBC, RSA PKCS #1 v1.5.

## Anmelden mit einem anderen Server

login-with = Mit { $issuer } anmelden
problem-foreign = Die Anmeldung beim anderen Server hat nicht geklappt. Beginnen Sie sie noch einmal.
problem-not-invited = Der andere Server kennt Sie, aber Sie haben hier kein Konto und keine offene Einladung. Bitten Sie Ihren Administrator um eine.
problem-by-invitation = Mehr Rechte gibt es nur durch eine Einladung: Laden Sie die Person ein; wem das Konto gehört, nimmt sie angemeldet an.

## Arbeit an vielen Mailboxen

mailboxes-bulk-renews = Nächste Zertifikate werden bestellt: { $done } von { $all } Mailboxen
mailboxes-bulk-renewed = Nächste Zertifikate sind bestellt: { $done } von { $all } Mailboxen
mailboxes-bulk-stop = Anhalten: { $count } Mailboxen bleiben, wie sie sind
mailboxes-bulk-stopped = Angehalten von { $who }. Was getan ist, bleibt.
mailboxes-bulk-ended = Die Arbeit ist angehalten. Was getan ist, bleibt.

# Suchen und Ausgaben, die dauern
mails-searched-to = Gesucht wurde bis { $time }. Mit „Weiter“ geht die Suche davor weiter.
problem-too-long = Diese Suche dauert zu lange. Grenzen Sie sie ein, zum Beispiel auf weniger Tage oder eine genauere Adresse.
audit-checked = Bisher passen { $checked } von { $lines } Zeilen zueinander. Die Prüfung läuft weiter; laden Sie die Seite später neu.
audit-searched-to = Gesucht wurde bis zur Zeile { $line }. Mit „Weiter“ geht die Suche davor weiter.

## Was der Betreiber erlaubt, und wie viel es geben darf

problem-domain-by-operator = Auf dieser Installation sind mehrere Organisationen, und sie fragt kein DNS: Eine neue Domäne trägt nur der Betreiber ein. Wenden Sie sich an ihn.
problem-inner-address = Diese Adresse liegt im Netz des Betreibers. Bitten Sie ihn, sie zu erlauben.
problem-too-many = Hier gibt es schon so viele, wie es geben darf. Entfernen Sie zuerst einen Eintrag. Höchstens:
problem-too-long-text = Dieser Text ist zu lang. Höchstens so viele Zeichen:
authority-program = Ein externes Programm, das der Betreiber eingetragen hat.
