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
problem-unavailable = Das Gateway kann das gerade nicht. Versuchen Sie es gleich noch einmal.
problem-internal = Im Gateway ist etwas schiefgegangen. Mehr steht im Protokoll.
problem-nothing-chosen = Es wurde nichts ausgewählt. Kreuzen Sie zuerst mindestens eine Zeile an.

## Jede Seite

skip-to-content = Zum Inhalt springen
navigation = Navigation
to-the-start = Zum Anfang
search = Suche
filter-apply = Anzeigen
nav-smime = S/MIME

## Postfächer

mailboxes-title = S/MIME
mailboxes-certificate-id = Zertifikats-ID
mailboxes-mailbox = Mailbox
mailboxes-domain = Domäne
mailboxes-smime = S/MIME
mailboxes-activated = Zertifikate sind bestellt.
mailboxes-deactivated = Die Mailboxen sind deaktiviert.
activate = Aktivieren
deactivate = Deaktivieren
