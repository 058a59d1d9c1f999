### Every text of the portal in English. The same keys stand in de.ftl.

## Problems

problem-not-signed-in = Sign in first.
problem-forbidden = Your role does not allow this.
problem-csrf = This form was opened in another session. Go back, reload the page and send it again.
problem-not-found = There is no such thing here.
problem-method = This address does not take that kind of request.
problem-media-type = This kind of content is not taken here.
problem-malformed = The request could not be read.
problem-too-large = What was sent is too large.
problem-too-many-tries = Too many attempts. Wait a few minutes and try again.
problem-invalid = A field cannot be taken as it is.
problem-refused = This cannot be done as things stand.
problem-unavailable = The gateway cannot do this right now. Try again in a moment.
problem-internal = Something went wrong in the gateway. The log tells more.
problem-nothing-chosen = Nothing was chosen. Tick at least one line first.

## Every page

skip-to-content = Skip to the content
navigation = Navigation
to-the-start = To the start
search = Search
filter-apply = Show
nav-smime = S/MIME

## Mailboxes

mailboxes-title = S/MIME
mailboxes-certificate-id = Certificate ID
mailboxes-mailbox = Mailbox
mailboxes-domain = Domain
mailboxes-smime = S/MIME
mailboxes-activated = Certificates are ordered.
mailboxes-deactivated = The mailboxes are deactivated.
activate = Activate
deactivate = Deactivate
