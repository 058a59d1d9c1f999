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
problem-nothing-uploaded = Nothing was uploaded. Choose a file or paste text.
problem-key-not-imported = This certificate cannot be imported.
problem-changed-meanwhile = Somebody else has changed this meanwhile. Nothing was saved.
problem-unavailable = The gateway cannot do this right now. Try again in a moment.
problem-internal = Something went wrong in the gateway. The log tells more.
problem-nothing-chosen = Nothing was chosen. Choose first what is meant.

## Every page

skip-to-content = Skip to the content
navigation = Navigation
to-the-start = To the start
search = Search
filter-apply = Show
nav-smime = S/MIME
change-organisation = Change organisation
organisations = Organisations
menu = Menu
account = Your account
sign-out = Sign out
pages = Pages
first-page = To the start of the list
next-page = Next
tick-all = Choose all lines on this page
ticked = { $count } chosen
copy = Copy
copied = Copied
cancel = Cancel
just-now = just now
in-days = { $count ->
    [one] in 1 day
   *[other] in { $count } days
}
in-hours = { $count ->
    [one] in 1 hour
   *[other] in { $count } hours
}
in-minutes = { $count ->
    [one] in 1 minute
   *[other] in { $count } minutes
}
in-seconds = { $count ->
    [one] in 1 second
   *[other] in { $count } seconds
}
days-ago = { $count ->
    [one] 1 day ago
   *[other] { $count } days ago
}
hours-ago = { $count ->
    [one] 1 hour ago
   *[other] { $count } hours ago
}
minutes-ago = { $count ->
    [one] 1 minute ago
   *[other] { $count } minutes ago
}
seconds-ago = { $count ->
    [one] 1 second ago
   *[other] { $count } seconds ago
}
length-days = { $count ->
    [one] 1 day
   *[other] { $count } days
}
length-hours = { $count ->
    [one] 1 hour
   *[other] { $count } hours
}
length-minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
}
length-seconds = { $count ->
    [one] 1 second
   *[other] { $count } seconds
}
state = Status
actions = Actions
licences = Licences
back = Back
time = Time
nothing-found = Nothing found
nothing-found-hint = Change the filter or clear the search text.
organisation = Organisation
your-role = Your role
role-read = Read
role-write = Write
role-admin = Administer
start-none = No organisation yet
start-first = Create an organisation first. It has its own domains, mailboxes, rules and users.
start-ask = You belong to no organisation yet. Ask its administrators for an invitation.
nav-overview = Overview
nav-mail-security = mail.security
nav-inbound = Inbound
nav-mails = Mail overview
nav-held = Held mail
nav-mail-security-smime = mail.security > S/MIME
nav-rules = Encryption rules
nav-keys = Public keys
nav-trust-group = Certificates and trust
nav-certificates = Certificates
nav-authorities = Authorities
nav-trust = Trust
nav-organisation = Organisation
nav-clients = Sending clients
nav-users = Users
nav-tokens = API tokens
nav-webhooks = Webhooks
nav-audit = Audit log
nav-events = Events
nav-settings = Settings
nav-system-group = Installation
nav-system = System
nav-organisations = Organisations
nav-resellers = Resellers
nav-queue = Queue
nav-licences = Licences
nav-help = Help

## Mailboxes

mailboxes-title = S/MIME
mailboxes-certificate-id = Certificate ID
mailboxes-mailbox = Mailbox
mailboxes-domain = Domain
mailboxes-smime = S/MIME
mailboxes-activated = { $count ->
    [0] No certificate was ordered.
    [one] One certificate is ordered.
   *[other] { $count } certificates are ordered.
 }
mailboxes-deactivated = { $count ->
    [0] No mailbox was deactivated.
    [one] The mailbox is deactivated, its certificate is being revoked.
   *[other] { $count } mailboxes are deactivated, their certificates are being revoked.
 }
activate = Activate
deactivate = Deactivate

## Why a mail became what it is: the steps

trace-title-way = Way
trace-title-passed-over = Passed over
trace-title-decided-by = Decided by
trace-title-fact = Fact
trace-title-source = Source
trace-title-outcome = Outcome
trace-title-algorithms = Algorithms
trace-way = from { $from } to { $to }
trace-nobody-inbound = nobody (no single header From)
trace-nobody-outbound = nobody of the organisation
trace-as-it-came = goes on as it came
trace-passed-managed = rule { $rule }: { $address } is not in its managed field
trace-passed-external = rule { $rule }: { $address } is not in its external field
trace-passed-not-defined = rule { $rule }: both fields match, but its mode for this direction is not defined
trace-by-rule = rule { $rule }: { $mode }
trace-by-default = the default, since no rule applies: { $mode }
trace-by-internal = no rule: mail within one organisation is not changed
trace-by-report = no rule: a delivery report passes, with the mail it returns cut to its header
trace-by-challenge = no rule: the challenge of an order at a certificate authority, or the answer to it
trace-content-plain = the mail is not encrypted
trace-content-key-present = the mail is encrypted, and a key of the recipient is named in it
trace-content-no-key = the mail is encrypted, and no key of the recipient is named in it
trace-content-unreadable = the mail is encrypted to a key of the recipient, and could not be decrypted
trace-sender-certificate = the sender has a valid certificate
trace-sender-none = the sender has no valid certificate
trace-sender-foreign = header From is not a single address of the organisation, so nothing is signed
trace-recipient-known = a public key of the recipient is known
trace-recipient-unknown = no public key of the recipient is known
trace-recipient-weak = the recipient is known to support only weak algorithms
trace-recipient-not-asked = a public key of the recipient is not needed in this mode
trace-recipient-unanswered = no public key of the recipient is known, and a source of keys gave no answer
trace-client-plain = the client neither signed nor encrypted the mail
trace-client-signed = the client signed the mail itself
trace-client-encrypted = the client encrypted the mail itself
trace-client-to-others = the client encrypted the mail itself, to none of the known keys of the recipient
trace-client-malformed = the mail claims to be encrypted by the client and is malformed
trace-special-calendar = the mail is a calendar request or answer; by the organisation's switches it { $treatment }
trace-special-tnef = the mail is in Microsoft's TNEF form (winmail.dat); by the organisation's switches it { $treatment }
trace-special-like-all = is treated like all mail
trace-special-sign-only = is only signed, unless a rule enforces encryption
trace-special-leave = is left as it is, unless a rule enforces encryption
trace-source-key = { $source } has a key
trace-source-awaited = { $source } has a key, and the answer whether it was revoked is awaited
trace-source-nothing = { $source } has no key
trace-source-unusable = { $source } has no usable key: { $why }
trace-source-silent = { $source } does not answer: { $why }
trace-if-rsa = { $name } if the signing key is RSA
trace-algorithms-partner = profile { $profile } of partner { $partner }
trace-algorithms-announced = announced by { $address }
trace-algorithms-default = what every client reads
trace-in-deliver = delivered as it came
trace-in-encrypted = delivered as it came, still encrypted
trace-in-decrypted = decrypted and delivered
trace-in-not-encrypted = refused: only encrypted mail is accepted here
trace-in-no-key = refused: it must be decrypted, and is not encrypted to a key of the recipient
trace-in-unreadable = refused: it must be decrypted, and could not be
trace-out-nothing-asked = sent as it came: the mode asks for nothing
trace-out-signed-by-client = sent as it came, with the client's signature
trace-out-encrypted-by-client = sent as it came, encrypted by the client
trace-out-no-certificate = sent as it came, not signed: the sender has no certificate
trace-out-foreign-from = sent as it came, not signed: foreign header From
trace-out-special = sent as it came, not signed: the organisation leaves such mail as it is
trace-out-signed = signed
trace-out-signed-no-key = signed, not encrypted: no key of the recipient is known
trace-out-signed-weak = signed, not encrypted: the recipient supports only weak algorithms
trace-out-signed-unanswered = signed, not encrypted: a source of keys gave no answer
trace-out-signed-special = signed, not encrypted: the organisation only signs such mail
trace-out-signed-encrypted = signed and encrypted
trace-out-refused-certificate = refused: the sender has no valid certificate
trace-out-refused-key = refused: no public key of the recipient is known
trace-out-refused-both = refused: the sender has no valid certificate, and no public key of the recipient is known
trace-out-refused-weak = refused: the recipient supports only weak algorithms
trace-out-refused-from = refused: header From is not a single address of the organisation
trace-out-refused-others = refused: the client encrypted it to none of the known keys of the recipient
trace-out-refused-malformed = refused: the client's encryption is malformed
trace-out-refused-unanswered = refused for now (451): no public key of the recipient is known, and a source of keys gave no answer

## Why a mail became what it is: the first sentence

why-by-rule = rule { $rule }
why-by-default = the default
why-waiting = The mail was accepted and is not opened yet.
why-internal = Passed on unchanged: mail within one organisation is under no rule.
why-report = Passed on: a delivery report, with the mail it returns cut to its header.
why-challenge = The gateway took this mail itself: it belongs to an order at a certificate authority.
why-in-deliver = Delivered as it came: the mail was not encrypted.
why-in-kept = Delivered still encrypted: { $by } asks for “{ $mode }”.
why-in-kept-no-key = Delivered still encrypted: it was not encrypted to a key that { $address } has here.
why-in-kept-unreadable = Delivered still encrypted: it could not be decrypted.
why-in-decrypted = Decrypted and delivered.
why-in-not-encrypted = Refused: the mail was not encrypted, and { $by } asks for “{ $mode }”.
why-in-no-key = Refused: { $by } asks for “{ $mode }”, and the mail was not encrypted to a key that { $address } has here.
why-in-unreadable = Refused: { $by } asks for “{ $mode }”, and the mail could not be decrypted.
why-out-nothing-asked = Neither signed nor encrypted: { $by } asks for “{ $mode }”.
why-out-signed-by-client = Sent with the signature that the mail program made; not encrypted.
why-out-encrypted-by-client = Sent encrypted: the mail program had encrypted it already.
why-out-no-certificate = Neither signed nor encrypted: { $sender } has no valid certificate.
why-out-foreign-from = Neither signed nor encrypted: the sender in the header is not a single address of this organisation.
why-out-special = Neither signed nor encrypted: this organisation leaves calendar and TNEF mail as it is.
why-out-signed = Signed, not encrypted: { $by } asks for “{ $mode }”.
why-out-signed-no-key = Signed, not encrypted: no public key of { $address } is known.
why-out-signed-weak = Signed, not encrypted: { $address } supports only weak algorithms.
why-out-signed-unanswered = Signed, not encrypted: no public key of { $address } is known, and a source of keys gave no answer.
why-out-signed-special = Signed, not encrypted: this organisation only signs calendar and TNEF mail.
why-out-signed-encrypted = Signed and encrypted.
why-out-refused-certificate = Not sent: { $by } asks for “{ $mode }”, and { $sender } has no valid certificate.
why-out-refused-key = Not sent: { $by } asks for “{ $mode }”, and no public key of { $address } is known.
why-out-refused-both = Not sent: { $by } asks for “{ $mode }”, { $sender } has no valid certificate, and no public key of { $address } is known.
why-out-refused-weak = Not sent: { $by } asks for “{ $mode }”, and { $address } supports only weak algorithms.
why-out-refused-from = Not sent: { $by } asks for “{ $mode }”, and the sender in the header is not a single address of this organisation.
why-out-refused-others = Not sent: { $by } asks for “{ $mode }”, and the mail program encrypted it to none of the known keys of { $address }.
why-out-refused-malformed = Not sent: { $by } asks for “{ $mode }”, and what the mail program encrypted is malformed.
why-out-refused-unanswered = Not sent for now: { $by } asks for “{ $mode }”, no public key of { $address } is known, and a source of keys gave no answer.
remedy-recipient = Activate the recipient's mailbox, or upload its former certificate, so that such mail can be decrypted
remedy-certificate = Activate the sender's mailbox
remedy-key = Import the recipient's public key, or ask for a signed mail: its key is learned from it
remedy-rule = Change the encryption rules
remedy-settings = Change how this organisation treats such mail

## What the checks of a mail mean

verdict-signature-none = There was no signature.
verdict-signature-valid = The signature is valid and the certificate is that of the sender.
verdict-signature-valid-other-address = The signature is good, but the certificate names another address than the sender's.
verdict-signature-valid-no-address = The signature is good, but the certificate names no address.
verdict-signature-revocation-unknown = The signature is good, but nobody could say whether the certificate was revoked.
verdict-signature-expired = The certificate was not valid when the mail arrived.
verdict-signature-revoked = The certificate is revoked.
verdict-signature-untrusted = The certificate comes from no authority that is trusted here.
verdict-signature-weak = The signature was made with an algorithm or key that proves nothing.
verdict-signature-partial = Only a part of the mail is signed.
verdict-signature-unsupported = The signature has a form that is not read here.
verdict-signature-broken = The signature does not fit the content: the mail was changed, or the signature is damaged.
verdict-encryption-none = The mail was not encrypted.
verdict-encryption-decrypted = Decrypted. Nothing proves that the content was not changed on the way.
verdict-encryption-decrypted-authenticated = Decrypted, and the content is as it was encrypted.
verdict-encryption-no-key = Encrypted, but to none of the keys that are here.
verdict-encryption-failed = It could not be decrypted.
verdict-encryption-refused = It was not decrypted: it exceeds the limits of the gateway.

## Signing in

sign-in = Sign in
login-name = Mail address
login-password = Password
login-wrong = Name or password is wrong.
login-code = One-time code
login-code-hint = Six digits from your authenticator app, or one of your recovery codes.
login-wrong-code = This code is wrong, or it was used before.
login-other = Sign in as somebody else
second-factor = Second factor
invitation = Invitation
invitation-organisation = You are invited to the organisation { $organisation }, with the role "{ $role }".
invitation-reseller = You are invited to work for the reseller { $reseller }.
invitation-operator = You are invited to run this installation.
invitation-reset = With this link you set a new password. All sessions end then.
invitation-accept = Accept the invitation
invitation-begin = Make the account and sign in
invitation-other = You are signed in as { $name }. Sign out and open the link again then.
invitation-known = You have an account here already? Sign in and accept the invitation then.
password-new = New password
password-again = Once more
password-rule = At least 12 characters. There are no more rules; a whole sentence is good.
password-set = Set the password
passwords-differ = The two passwords are not the same.
problem-password = A password has at least 12 characters and at most 1024 octets.
problem-wrong-password = The present password is wrong.
problem-wrong-code = This code is wrong, or it was used before.
problem-invitation = This link is not valid any more: it was used, taken back, or its time is over. Ask for a new one.

## Events and audit log

events-lead = What administrators are told of. Webhooks pass events on.
events-kind = Kind
events-all-kinds = All kinds
events-what = Event
events-exactly = What exactly
events-none = No events
events-none-hint = Events tell when mail is held, when keys are learned, and when certificates come, end or are revoked.
audit-lead = Every change, by whom and when. Lines are chained: a line that is missing or was changed is found.
audit-who = By whom
audit-text = What
audit-number = Line
audit-check = Check the whole log
audit-whole = The log is whole: no line is missing, none was changed.
audit-broken = The log is not whole: line { $line } is missing or was changed.

## S/MIME: table of mailboxes

mailboxes-lead = The mailboxes that are set up under Inbound, and their certificates.
mailboxes-help = Help about S/MIME
mailboxes-questions = Questions and answers
mailboxes-actions = Actions
mailboxes-active = Active mailboxes
mailboxes-of-known = of { $known } mailboxes
mailboxes-licences = Licences in use
mailboxes-of-booked = of { $booked } S/MIME licences
mailboxes-free = Free quota
mailboxes-term = Term until { $date }
mailboxes-not-counted = Licences are not counted here
mailboxes-correct = The number of licences can be changed by sales only. Turn to your provider.
mailboxes-none = No mailbox yet
mailboxes-first = First set up a route with your domains and mailboxes under Inbound. Mailboxes that are covered by a wildcard route only are not displayed here.
mailboxes-to-inbound = To Inbound
mailboxes-every-state = All
mailboxes-all = Clear the filter
mailboxes-all-found = { $count ->
    [1] The one mailbox found
   *[other] All { $count } mailboxes found
 }
mailboxes-until = until { $date }
mailboxes-activate-one = Activate 1 mailbox
mailboxes-activate-many = Activate # mailboxes
mailboxes-deactivate-one = Deactivate 1 mailbox, revoke its certificate
mailboxes-deactivate-many = Deactivate # mailboxes, revoke # certificates
mailboxes-activate-this = Activate { $mailbox }
mailboxes-deactivate-this = Deactivate { $mailbox }
mailboxes-upload = Activate with a certificate
mailboxes-replace = Upload a certificate
mailboxes-withdraw = Withdraw the order
mailboxes-confirm = Confirm the revocation
mailboxes-waits-order = Ordered from { $authority }, { $since }
mailboxes-waits-next = Next certificate ordered from { $authority }, { $since }
mailboxes-waits-by-hand = Have the certificate revoked by its issuer, then confirm it here.
mailboxes-waits-revocation = The revocation is under way. On { $by } at the latest the mailbox is inactive and the licence free.
mailboxes-order-failed = The last order failed:
mailboxes-batch = How far the orders are
mailboxes-bulk-activates = Certificates are being ordered: { $done } of { $all } mailboxes
mailboxes-bulk-activated = Certificates are ordered: { $done } of { $all } mailboxes
mailboxes-bulk-deactivates = Mailboxes are being deactivated: { $done } of { $all }
mailboxes-bulk-deactivated = Mailboxes are deactivated: { $done } of { $all }
mailboxes-bulk-goes-on = The work on { $count } mailboxes goes on in the background. You can leave this page.
mailboxes-bulk-broken = The work broke off. What is done stays; order the rest again.
mailboxes-bulk-refused = { $count ->
    [one] It was not possible for one mailbox
   *[other] It was not possible for { $count } mailboxes
 }
mailboxes-options = Advanced: authority and keys of new certificates
mailboxes-authority = Authority
mailboxes-key-kind = Kind of key
mailboxes-token = Place of the key
mailboxes-in-store = In the database, sealed
mailboxes-withdrawn = { $count ->
    [0] No order was withdrawn.
    [one] The order is withdrawn.
   *[other] { $count } orders are withdrawn.
 }
mailboxes-revoked = { $count ->
    [0] Nothing was confirmed.
    [one] The revocation is confirmed.
   *[other] { $count } revocations are confirmed.
 }
mailboxes-deactivate-title = { $count ->
    [one] Deactivate the mailbox
   *[other] Deactivate { $count } mailboxes
 }
mailboxes-deactivate-then = From now on nothing is signed with these certificates, and they are revoked. This cannot be taken back. Until the revocation is confirmed, 14 days at most, the licence stays in use.
mailboxes-deactivate-keys = The private keys stay here, so that mail which was encrypted before stays readable.
mailboxes-deactivate-rest = { $count ->
    [one] One of them is not active and stays as it is.
   *[other] { $count } of them are not active and stay as they are.
 }
mailboxes-deactivate-do = { $count ->
    [one] Deactivate 1 mailbox, revoke 1 certificate
   *[other] Deactivate { $count } mailboxes, revoke { $count } certificates
 }
mailboxes-leave = Cancel
problem-none-active = None of these mailboxes is active. Only active mailboxes can be deactivated.
problem-bulk-goes-on = Bulk work is going on already, three at a time. Wait until one is done, or stop one.
problem-upload-malformed = This is neither a PKCS#12 nor a PEM file, or it is damaged. Export certificate and private key again.
problem-upload-password = The password does not open this file.
problem-upload-too-many = The file holds too many keys and certificates. Export only the certificate of this mailbox with its chain.
problem-upload-work = The password protection of the file asks for too much work. Export it again with fewer iterations.
problem-upload-unsupported = The file is protected in a way that is not read here. Export it again with AES-256.
problem-upload-no-pair = The file holds no private key together with its certificate. Export both into one file.
problem-upload-key-kind = The file holds a private key of a kind that cannot be used here.
problem-upload-other-mailbox = The certificate is not for this mailbox. Upload it to the mailbox that it names:
problem-upload-takes-long = Reading the file takes too long. Try again, or export it with fewer iterations.

## Encryption rules and simulator

rules-lead = The first rule that matches and says something for the direction decides. Where none does, the defaults apply.
rules-new = Create new rule
rules-none = No encryption rule yet
rules-none-hint = Without a rule the defaults apply: inbound mail is decrypted where possible; outbound mail is signed if the mailbox has an active certificate.
rules-search-hint = Mailbox or domain
rules-from-priority = From priority
rules-priority = Priority
rules-managed = Managed mailbox/domain
rules-external = External mailbox/domain
rules-inbound = Inbound
rules-outbound = Outbound
rules-actions = Actions
rules-all = All
rules-any = any
rules-up = Move rule { $priority } up
rules-down = Move rule { $priority } down
rules-edit = Edit
rules-edit-label = Edit rule { $priority }
rules-look = Look
rules-look-label = Look at rule { $priority }
rules-delete = Delete
rules-delete-label = Delete rule { $priority }
rules-removed = Rule { $priority } was deleted:
rules-count = { $count ->
    [one] One rule
   *[other] { $count } rules
 }
rules-filtered = The order can be changed in the list without a filter.
rules-without-certificate = { $count ->
    [one] One mailbox cannot send
   *[other] { $count } mailboxes cannot send
 }
rules-without-key = { $count ->
    [one] One mailbox has no key
   *[other] { $count } mailboxes have no key
 }
undo = Undo
rule-new-title = Create new encryption rule
rule-new-lead = A new rule gets the highest priority, 1; the others move down.
rule-edit-title = Edit encryption rule
rule-title = Encryption rule
rule-edit-lead = Priority { $priority }
rule-entries = Mailboxes and domains
rule-managed-hint = At most 20 entries, separated by commas. Managed: mailboxes and domains of this organisation. A domain means exactly itself, not its sub-domains.
rule-external-hint = At most 20 entries, separated by commas. External: mailboxes and domains outside this organisation that mail is sent to or received from.
rule-save = Save
rule-back = To the list
rule-conflict = Somebody else has changed this rule since you opened it. Nothing was saved.
rule-theirs = Saved now
rule-yours = Your version
rule-conflict-hint = The form holds your version. Save if it is to apply, or cancel.
rule-warning-certificate = { $count ->
    [one] Under enforced encryption one mailbox that this rule affects cannot send: it has no valid certificate.
   *[other] Under enforced encryption { $count } mailboxes that this rule affects cannot send: they have no valid certificate.
 }
rule-warning-key = { $count ->
    [one] One mailbox that this rule affects has no key: encrypted mail to it is refused, under “Enforce decryption” all mail.
   *[other] { $count } mailboxes that this rule affects have no key: encrypted mail to them is refused, under “Enforce decryption” all mail.
 }
rule-warning-mailboxes = Activate mailboxes
rule-added = The rule is saved. { $live ->
    [0] The gateway is about to load it.
   *[other] Active since { $time }.
 }
rule-changed = The change is saved. { $live ->
    [0] The gateway is about to load it.
   *[other] Active since { $time }.
 }
rule-moved = The rule now has priority { $priority }. { $live ->
    [0] The gateway is about to load the order.
   *[other] Active since { $time }.
 }
rule-deleted = The rule is deleted. { $live ->
    [0] The gateway is about to load the list.
   *[other] Active since { $time }.
 }
rule-restored = The rule has priority { $priority } again. { $live ->
    [0] The gateway is about to load it.
   *[other] Active since { $time }.
 }
rule-not-moved = Somebody else has changed the order meanwhile. The rule was not moved; the list shows how it is now.
rule-not-deleted = Somebody else has changed this rule meanwhile. It was not deleted; the list shows how it is now.
rule-field-too-many = { $count } entries; there may be { $most }.
rule-field-empty = An entry is empty.
rule-field-none = Enter at least one mailbox or domain, or choose "All".
rule-field-neither = “{ $entry }” is neither a mailbox (name@domain) nor a domain.
rule-field-double = “{ $entry }” stands there twice.
rule-field-all-beside = “All” stands only by itself. If only the entries are meant, save again; if all are, empty the field and tick the box.
rule-field-not-managed = “{ $entry }” is in no domain of this organisation: the entry never matches, but it can be saved.
rule-field-not-external = “{ $entry }” belongs to this organisation: no rule applies to mail within it. The entry can be saved.
mode-not-defined = Does not alter rules of lower priority; where none applies, the default settings do.
mode-in-do-not-decrypt = Encrypted mail is accepted and delivered encrypted.
mode-in-optional = Encrypted mail is decrypted if possible (DEFAULT). Mail that cannot be decrypted is delivered encrypted.
mode-in-always = Unencrypted mail is accepted. If encrypted mail cannot be decrypted, the sender gets an error report.
mode-in-enforce = Only encrypted mail is accepted. Unencrypted mail is refused and the sender gets an error report.
mode-out-neither = Mail is sent unsigned and unencrypted (DEFAULT).
mode-out-sign-only = Mail is sent signed and unencrypted (DEFAULT if a signing certificate is set up).
mode-out-optional = Mail is signed and, where possible, encrypted.
mode-out-enforce = Mail is sent only signed and encrypted. If that is not possible, the sender gets an error report.
simulator = Simulator
simulator-lead = What would be done with a mail? Nothing is sent.
simulator-direction = Direction
simulator-managed = Managed address
simulator-external = External address
simulator-encrypted = The mail comes encrypted already
simulator-ask = Show
simulator-answer = Answer
simulator-colleague = The address of this page holds the question: you can pass it on.

## Help

help-lead = What S/MIME is, where to begin, and what states, statuses and modes mean.
help-contents = Contents
help-smime-title = What is S/MIME?
help-smime-what = S/MIME stands for Secure/Multipurpose Internet Mail Extensions. The standard encrypts and signs e-mail by asymmetric cryptography. It makes sure that e-mail is confidential, authentic and unaltered.
help-smime-keys = Content is encrypted with the recipient's public key. Only the matching private key can decrypt it again.
help-smime-gateway = The gateway signs and encrypts what is sent, and decrypts and verifies what is received. It does so automatically, by the rules of your organisation. There is nothing to set up in mail clients.
help-begin-title = The first steps
help-begin-mx = Have the MX record of your domains point to this gateway. The page "Domains" tells the name, and what is missing.
help-begin-look = Send a mail, and see in the mail overview what became of it.
help-before-title = Prerequisites
help-before-mx = Certificates can be requested only for domains whose MX record points to this gateway.
help-before-route = The domain must also be set up in an inbound route.
help-before-known = The mailbox must be entered in that route as a known mailbox. Mailboxes that only a wildcard route covers are not displayed.
help-before-way = Only mail that is sent through the gateway is signed and encrypted. Internal mail that does not pass it stays as it is.
help-before-encrypt = To encrypt, an active certificate of the sender and the public key of the recipient are needed.
help-before-decrypt = To decrypt, a certificate of the receiving mailbox is needed. Optional decryption is also applied to mailboxes without a certificate.
help-states-title = States of a mailbox
help-meaning = Meaning
help-possible = What can be done
help-state-inactive = The mailbox has no certificate and holds no licence.
help-do-inactive = Activate it, with a new or an uploaded certificate
help-state-pending = The certificate is ordered. A licence is held.
help-do-pending = Wait, or withdraw the order; only what is active can be deactivated
help-state-active = The certificate is there. Outgoing mail is signed and encrypted by the rules.
help-do-active = Deactivate it; issued certificates are renewed automatically
help-state-revoke = The mailbox was deactivated, its certificate is being revoked. This takes up to 14 days, and the licence is held until then.
help-do-revoke = Wait, for an uploaded certificate confirm its revocation; then the mailbox is inactive and the licence free
help-mails-title = Status of a mail
help-mails-text = For each recipient the mail overview says what became of the mail. A click on the time names the reason: the rule that decided, and what was known about certificates and keys.
help-mails-held = Beside it stands the delivery. A held mail was accepted, and could be neither delivered nor reported back. It waits under "Held mail" for you to decide, and is deleted after 30 days.
help-status-plain = Went on as it came: nothing else was asked, or the certificate to sign with was missing.
help-status-signed = Outbound: signed by the gateway, not encrypted. Inbound: it came signed.
help-status-sealed = Outbound: signed by the gateway and encrypted for the recipient.
help-status-encrypted = Encrypted, but not by the gateway: by the sender's mail client, or inbound mail that was delivered encrypted.
help-status-decrypted = Inbound: decrypted by the gateway and delivered readable.
help-status-failed = Refused, held, or reported back to the sender.
help-status-waiting = Accepted and not worked on yet.
help-status-challenge = A question of a certificate authority about whose a mailbox is, and the gateway's answer to it.
help-modes-title = Modes of encryption rules
help-modes-text = A rule has one mode for inbound and one for outbound mail. Optional modes never stop mail. Where an enforced mode fails, the sender gets an error report (NDR).
help-modes-inbound = Inbound
help-modes-outbound = Outbound
help-mode-undefined = Does not alter rules of lower priority; the default settings apply where there is none.
help-mode-leave = Encrypted mail is accepted and delivered encrypted.
help-mode-decrypt = Default. Encrypted mail is decrypted if possible. What cannot be decrypted is delivered encrypted.
help-mode-always = Unencrypted mail is accepted. Where encrypted mail cannot be decrypted, the sender gets an error report.
help-mode-enforce-decryption = Only encrypted mail is accepted. Unencrypted mail is refused and the sender gets an error report.
help-mode-neither = Default without a certificate. Mail is sent unsigned and unencrypted.
help-mode-sign = Default where a certificate for signing is set up. Mail is sent signed and unencrypted.
help-mode-encrypt = Mail is signed and, where possible, encrypted.
help-mode-enforce-encryption = Mail is sent only if it is signed and encrypted. Where that is not possible, the sender gets an error report.
help-rules-title = Rules
help-rules-sides = Managed is a mailbox or domain of this organisation. External is a mailbox or domain outside, to which mail is sent or from which it is received.
help-rules-entries = Both fields take at most 20 entries, separated by commas, or All. A domain stands for itself only, not for its sub-domains.
help-rules-order = Rules are prioritised, 1 is the highest priority. New rules get the highest priority. The arrows in front of a rule change its place.
help-rules-who = All users with write permission can create and change rules.
help-rules-when = A new or changed rule takes effect within 2 seconds. The page says since when.
help-keys-title = Exchange of keys
help-keys-need = To encrypt a mail, the recipient's public key must be known.
help-keys-learn = When your partner sends a signed, unencrypted mail, the key is taken from it and stored automatically.
help-keys-ours = In the other direction, one signed, unencrypted mail from you is enough: your partner then knows your key.
help-keys-import = Otherwise a key can be imported under Public keys. Only mailbox certificates can be imported. Domain certificates cannot.
help-licences-addon = S/MIME is an add-on of the mail security product and is booked through your reseller. It cannot be had alone. Every customer of the mail security product can obtain it.
help-licences-count = The licence is for the whole organisation and any number of domains. Its count is at most that of the mail security licence.
help-licences-holds = Each mailbox with a certificate holds one licence, also with an uploaded certificate and also while it is being deactivated. It is free only when the state is Inactive.
help-licences-included = Encryption is included, and so is the automatic renewal of certificates.
help-licences-term = The term is always that of the mail security licence.
help-booking = Information about booking
help-questions-title = Frequent questions
help-q-missing = Why is my mailbox not in the table?
help-a-missing = It must be entered in a route under Inbound as a known mailbox. What only a wildcard route covers is not displayed. Rules apply to it all the same.
help-q-internal = Is internal mail signed, too?
help-a-internal = Only if it is sent through the gateway. What your mail server delivers internally does not come by here.
help-q-failed = What happens when an enforced rule fails?
help-a-failed = The mail is not delivered, and the sender gets an error report (NDR): the external mailbox on receiving, the managed one on sending.
help-q-cannot-send = Why can a mailbox no longer send to a partner?
help-a-cannot-send = Probably a rule demands encryption, and the mailbox has no valid certificate, or no public key of the partner is known. The mail overview names the reason.
help-q-why = Where do I see whether and why a mail was encrypted?
help-a-why = In the mail overview. It can be filtered by status, and shows for each mail the rule that was chosen, the rules that were passed over, and what was known about certificates and keys.
help-q-download = Can I download a certificate?
help-a-download = No. For security reasons private keys never leave the gateway.
help-q-own = Can I use certificates of my own?
help-a-own = Yes. Uploaded certificates are managed and used like issued ones, and hold a licence like these.
help-q-valid = How long is a certificate valid?
help-a-valid = One year as a rule. It is renewed in time and without a further licence. Uploaded certificates are renewed by you; you are warned before they end.
help-q-revoke = What does "Revoke pending" mean?
help-a-revoke = The mailbox was deactivated. This state lasts up to 14 days, then the mailbox is inactive and the licence free again. What was encrypted for it before can still be decrypted.
help-more-questions = More questions and answers
help-support-title = Support
help-support-who = Contact
help-support-mail = E-mail
help-support-phone = Telephone
help-support-hours = Hours
help-support-remote = Remote help
help-support-none = Turn to the administrators of your organisation.

## Own account

password-current = Present password
problem-passwords-differ = The two passwords are not the same.
account-factor-on = Set up
account-factor-off = Not set up
account-factor-why = With an authenticator app a stolen password is not enough to sign in.
account-factor-begin = Set up a second factor
account-factor-change = Move to another app
account-factor-remove = Remove the second factor
account-factor-removed = The second factor is removed. All other sessions are ended.
account-codes-left = { $count ->
    [0] No recovery code is left. Make new ones.
    [one] One recovery code is left.
   *[other] { $count } recovery codes are left.
  }
account-codes-new = New recovery codes
account-foreign = Another server vouches for you. You need no password here.
account-password-change = Change the password, end other sessions
account-password-set = The password is changed. All other sessions are ended.
account-language = Language
account-language-set = The language is set.
account-sessions = Sessions
account-session-agent = Browser
account-session-address = Address
account-session-began = Began
account-session-seen = Last used
account-session-this = This session
account-session-end = End
account-session-ended = The session is ended.
account-sessions-end = End all other sessions
account-others-ended = All other sessions are ended.
factor-scan = Read this picture with your authenticator app.
factor-picture = QR code with the key
factor-type = Or type this key into the app:
factor-code = One-time code
factor-code-hint = The six digits that the app shows now.
factor-confirm = Turn the second factor on
codes-title = Recovery codes
codes-keep = With each of these codes you can sign in once when your app is not at hand. They are shown only now: keep them in a safe place.
codes-kept = I have kept them

## S/MIME: one mailbox

problem-nothing-chosen-file = No file was chosen. Choose one first.
mailbox-back = To the table
mailbox-since = since
mailbox-waits = Waits for
mailbox-ends = Certificate valid until
mailbox-keys = Certificates and key ring
mailbox-no-keys = This mailbox never had a certificate here.
mailbox-keys-stay = Former keys stay, so that older mail stays readable. Only the current one signs.
mailbox-no-download = For security reasons certificates and private keys cannot be downloaded.
mailbox-key-use = Use
mailbox-key-both = Signs and encrypts
mailbox-key-signs = Signs
mailbox-key-encrypts = Encrypts
mailbox-key-revoking = Being revoked
mailbox-key-old = Decrypts only
mailbox-key-subject = Subject
mailbox-key-issuer = Issuer
mailbox-key-serial = Serial number
mailbox-key-fingerprint = Fingerprint (SHA-256)
mailbox-key-validity = Validity
mailbox-key-over = Expired
mailbox-key-origin = Origin
mailbox-key-uploaded = Uploaded
mailbox-key-on-token = on token { $token }
mailbox-purge = Delete private keys for good
mailbox-purge-which = Keys of { $mailbox }:
mailbox-purge-then = Mail that only these keys open stays closed for ever. This cannot be taken back.
mailbox-purge-do = { $count ->
    [one] Delete 1 private key for good
   *[other] Delete { $count } private keys for good
 }
mailbox-purged = { $count ->
    [one] One private key is deleted.
   *[other] { $count } private keys are deleted.
 }
mailbox-purged-on-token = { $count ->
    [one] One private key is not used any more. What of it is on a token, destroy there.
   *[other] { $count } private keys are not used any more. What of them is on a token, destroy there.
 }
mailbox-renew = Renew the certificate
mailbox-renew-why = Certificates are renewed by themselves before they end. Here you order the next one now; it costs no further licence.
mailbox-renew-uploaded = An uploaded certificate is not renewed by itself, unless "Follow uploaded certificates" is switched on in the settings. Here you order the next one from an authority; it costs no further licence.
mailbox-renew-revoke = Revoke the present certificate as soon as the next one is there
mailbox-renew-revoke-hint = Needed if its private key may have come into other hands.
mailbox-renew-do = Renew now
mailbox-renewal-ordered = The next certificate is ordered.
mailbox-aliases = Aliases
mailbox-aliases-why = Mail to this mailbox is also decrypted with the keys of these mailboxes.
mailbox-aliases-field = Mailboxes
mailbox-aliases-hint = One a line. Only known mailboxes of this organisation.
mailbox-save = Save
mailbox-aliases-none = None.
mailbox-aliases-set = { $count ->
    [0] The mailbox has no aliases.
    [one] The mailbox has one alias.
   *[other] The mailbox has { $count } aliases.
 }
mailbox-history = History
mailbox-history-none = Nothing yet.
mailbox-ordered = Certificate ordered from { $authority }
mailbox-issued = Certificate issued by { $authority }
mailbox-failed = Order at { $authority } failed:
mailbox-withdrawn = Order at { $authority } withdrawn
mailbox-uploaded = Certificate { $certificate } uploaded
mailbox-revocation-asked = Revocation of certificate { $certificate } asked for
mailbox-certificate-revoked = Certificate { $certificate } is revoked
mailbox-upload-title = Upload a certificate
mailbox-upload-activates = It activates the mailbox.
mailbox-upload-replaces = The certificate replaces the present one; the former key stays for decryption.
mailbox-upload-counts = Uploaded certificates count as licences, too.
mailbox-upload-file = File
mailbox-upload-file-hint = PKCS#12 (.p12, .pfx) or PEM, with private key and certificate, at most 5 MB.
mailbox-upload-password = Password of the file
mailbox-upload-password-hint = Leave it empty if there is none.
mailbox-upload-do = Upload
mailbox-upload-not-now = While the former certificate is being revoked, none can be uploaded. Wait until the mailbox is inactive.
mailbox-upload-done = { $mailbox } uses the uploaded certificate from now on.

## Certificates, authorities, trust, domains: problems

problem-not-by-hand = The gateway carries out this order itself. Only what is carried to its authority by hand is handed in.
problem-nothing-to-reissue = No new certificate can be ordered for any mailbox of this choice now: none is active, or all have an open order already.
problem-authority-name = The name of an authority is one word without blanks and slashes, and not that of the built-in one.
problem-authority-standard = This is the standard authority. Make another one the standard first.
problem-authority-command = A program runs on the machine of all organisations. Only who runs the installation may set one.
problem-authority-url = The address of the directory must begin with https://.
problem-authority-account = An external account needs both identifier and key, as the authority gave them.
problem-no-certificate = This is no certificate. Upload a file in PEM or DER.
problem-one-certificate = The file holds several certificates. Upload one with just one.
problem-not-an-authority = This is no certificate of an authority. Only authorities can be trusted.
problem-block-one-of-two = Give either a certificate or a fingerprint.
problem-fingerprint = A fingerprint has 64 hexadecimal digits; colons between them do not matter.
problem-dkim-selector = A selector consists of letters, digits and hyphens, with dots between them.
problem-dkim-selector-taken = This domain has a key with this selector already.
problem-dkim-waits = A new key of this kind already waits for its record in DNS. Publish that, or remove the key.
problem-dkim-not-new = This key signs already, or another one has taken its place.
problem-dkim-unseen = The record is not seen in DNS. Publish it first.

## Settings

settings-lead = How this organisation's mail is treated. Changes decide the next mail.
settings-mail = Mail
settings-trust = Trust
settings-keeping = Certificates and mail overview
settings-save = Save settings
settings-saved = The settings are saved. They decide the next mail.
settings-stored = The settings are saved. The gateway has not loaded them yet.
off = Off
special-like-all = Like all mail
special-sign-only = Sign, never encrypt
special-leave = Leave as it is
switch-language = Language of reports
switch-language-hint = In which language error reports are written to your users and your partners.
switch-language-de = German
switch-language-en = English
switch-all-or-nothing = All or nothing
switch-all-or-nothing-hint = If one recipient of an outgoing mail is refused, all are. Otherwise the others get it.
switch-subject-tags = Tags in the subject
switch-subject-tags-hint = The result of verification and decryption is written into the subject of incoming mail. Forged tags are removed.
switch-neutralise = Take out remote content
switch-neutralise-hint = Images and links that load from elsewhere are taken out of decrypted mail that no valid signature inside vouches for.
switch-header-protection = Protect header fields
switch-header-protection-hint = The header fields of outgoing mail are signed and encrypted too (RFC 9788).
switch-calendar = Calendar invitations
switch-calendar-hint = Some calendar programs cannot read invitations that are signed or encrypted. An enforced rule holds all the same.
switch-tnef = Outlook attachments (winmail.dat)
switch-tnef-hint = Mail in Microsoft's TNEF form often cannot be read once it is encrypted. An enforced rule holds all the same.
switch-dkim = Sign by DKIM
switch-dkim-hint = Outgoing mail is signed with the DKIM key of its domain, after S/MIME.
switch-public-roots = Trust public authorities
switch-public-roots-hint = Mozilla's roots for e-mail are trusted beside your own.
switch-revocation = Answers about revocation
switch-revocation-hint = What happens if an authority does not say whether a certificate is revoked.
switch-revocation-soft = Deliver, and ask again
switch-revocation-hard = Required: without one a signature is not trusted
switch-smimea = Keys from DNS (SMIMEA)
switch-smimea-hint = Whether partners' keys are looked for in DNS, secured by DNSSEC.
switch-smimea-with-path = With a path to a trusted authority
switch-smimea-dnssec-alone = DNSSEC alone is enough
switch-legacy = Read old algorithms
switch-legacy-hint = Triple DES and SHA-1 are read. Leave this off unless a partner has nothing else.
switch-brainpool = Read Brainpool curves
switch-brainpool-hint = Keys on Brainpool curves are used to verify and to decrypt.
switch-exact-local-parts = Case counts before the @
switch-exact-local-parts-hint = A certificate for Alice@example.com is then none for alice@example.com.
switch-replace-uploaded = Follow uploaded certificates
switch-replace-uploaded-hint = When an uploaded certificate ends, the next one is ordered from the standard authority.
switch-journal-days = Keep the mail overview
switch-journal-days-hint = After this time mails disappear from the overview. Mail that waits or is held stays.
days = { $count ->
    [one] { $count } day
   *[other] { $count } days
  }

## Organisations and licences

organisations-lead = All organisations of this installation.
organisations-none = No organisations
organisations-first = Create the first one below.
organisation-create = Create organisation
organisation-name = Short name
organisation-name-hint = One word of small letters, digits, ".", "-" and "_"; it stands in addresses and cannot be changed.
organisation-language = Language of its reports
organisation-created = The organisation { $name } is created.
licences-lead = The licences of your organisations. One count holds for all domains of an organisation.
licences-about = About booking
licences-first = The operator assigns organisations to you.
licences-reseller = Reseller
licences-mailboxes = Mailboxes
licences-used = In use
licences-smime = S/MIME licences
licences-base = Base licences
licences-term = Term until
licences-over = Over
licences-endless = No end
licences-uncounted = Not counted
licences-book = Book licences
licences-book-row = Book
licences-booked = The licences are booked.
licence-title = Licences of { $name }
licence-lead = S/MIME is an add-on: there are at most as many S/MIME licences as base licences, with the same term.
licence-back = All licences
licence-free = Free
licence-over-notice = The term is over: nothing is activated or renewed. Decryption, valid signatures and rules go on.
licence-uncounted-notice = Licences of this organisation are not counted. They are from the first booking on.
licence-smime-hint = At most as many as base licences.
licence-last-day = Last day of the term
licence-last-day-hint = Empty: the term does not end.

## Mails: problems

problem-for-recipients-only = This mail was decrypted here: what it says is for its recipients only.

## System

system-lead = Sealgate { $version }
system-rotation = A rotation of the master key to { $source } was begun and not finished. Stop the gateway and run sealgate master-key rotate again.
system-waiting = Waiting for delivery
system-oldest = Late for longest:
system-to-open = To be opened
system-held = Held
system-database = Database
system-free = { $octets } free on its disk
system-nodes = Processes
system-node = Process
system-seen = Last sign of life
system-configuration = Configuration
system-alive = Running
system-silent = Silent
system-behind = Behind
system-tokens = Key tokens
system-token = Token
system-keys = Keys
system-ca = Built-in authority
system-ca-issued = { $count ->
    [one] It has issued one certificate.
   *[other] It has issued { $count } certificates.
  }
system-ca-none = It is made with the first certificate that is ordered from it.

## Users and API tokens

role-operator = Operator
role-reseller = Reseller
role-password = New password
role-read-hint = Sees routes, mailboxes, rules, keys and the mail overview.
role-write-hint = Also changes them, and decides about held mail.
role-admin-hint = Also administers users, API tokens, authorities, trust and sending clients.
valid-until = Valid until
once-invitation = Invitation link
once-invitation-hint = Hand this link on, by a way that only the invited person can read. It works once and is shown only now. Whoever has an account already signs in and accepts the invitation there.
once-token = API token
once-token-hint = Copy the token now. It is not shown again.
once-kept = Done
users-title = Users
users-name = Name
users-role = Role
users-seen = Last seen
users-you = you
users-disabled = Disabled
users-set-role = Set role
users-role-set = The role is set. All sessions of this person are ended.
users-remove = Remove
users-remove-consequence = Remove { $name } from the organisation and end all their sessions?
users-removed = The person is removed from the organisation. All their sessions are ended.
users-invited = Open invitations
users-invited-by = Invited by
users-withdraw = Take back
users-withdrawn = The invitation is taken back.
users-invite = Invite somebody
users-invite-do = Make an invitation link
tokens-title = API tokens
tokens-none = There are no API tokens yet.
tokens-what = With an API token a script works in this organisation, with a role and until a day.
tokens-what-system = With an API token a script works as the operator or for a reseller, until a day.
tokens-name = Name
tokens-name-hint = What it is for; so it stands in the audit log.
tokens-made-by = Made by
tokens-used = Last used
tokens-never = Never
tokens-revoke = Revoke
tokens-revoke-consequence = Revoke the token { $name }? Scripts that use it are not let in any more.
tokens-revoked = The API token is not valid any more.
tokens-new = New API token
tokens-days = Valid for how many days
tokens-make = Make an API token
people-title = All users
people-may = May
people-reset = Link for a new password
people-reset-factor = Link for a new password, without second factor
people-no-operator = No operator any more
people-no-reseller = For no reseller any more
people-more = Make a link that lets them do more
people-invited-by = Account made by an invitation of the organisation { $organisation }; nobody proved that the address is theirs
people-enable = Enable
people-disable = Disable, end all sessions
people-changed = The account is changed. All sessions of this person are ended.
people-remove = Delete the account
people-remove-consequence = Delete the account of { $name } with all roles and end all sessions?
people-removed = The account is deleted.
people-invite = Invite an operator or reseller
people-as = As
people-for-reseller = For the reseller { $reseller }
people-invite-hint = Users of an organisation are invited on its page "Users".
resellers-title = Resellers
resellers-none = There are no resellers yet.
resellers-what = A reseller books licences for its organisations. Who runs their own installation needs none.
resellers-name = Name
resellers-users = Users
resellers-remove = Remove
resellers-removed = The reseller is removed.
resellers-new = New reseller
resellers-make = Make a reseller
resellers-made = The reseller is made. Invite its users under "All users".
resellers-no = None
resellers-assign = Assign an organisation
resellers-assign-do = Assign
resellers-assigned = The organisation is assigned.

## Certificates

certificates-lead = All certificates that mailboxes sign with or are encrypted to now.
certificates-id = Certificate ID
certificates-mailbox = Mailbox
certificates-issuer = Issuer
certificates-from = Valid from
certificates-until = Valid until
certificates-since = from { $date }
certificates-left = Left
certificates-days = Days
certificates-origin = Origin
certificates-key = Key
certificates-issued = Issued
certificates-uploaded = Uploaded
certificates-over = Expired
certificates-within-30 = Ends within 30 days
certificates-within-60 = Ends within 60 days
certificates-within-90 = Ends within 90 days
certificates-days-left = { $count ->
    [0] ends today
    [one] 1 day left
   *[other] { $count } days left
}
certificates-days-over = { $count ->
    [one] expired 1 day ago
   *[other] expired { $count } days ago
}
certificates-current = In use
certificates-ending = End
certificates-any-end = All
certificates-any-issuer = All issuers
certificates-all = Show all
certificates-reissue = New certificates for these …
certificates-export = Save as CSV
certificates-none = No certificates yet
certificates-first = Activate a mailbox first: its certificate is ordered then and stands here.
certificates-to-mailboxes = To the mailboxes
certificates-encryption-only = encryption only
certificates-signing-only = signing only
certificates-next-ordered = the next one is ordered
certificates-no-download = For security reasons, certificates and keys cannot be downloaded.

## Orders

orders-title = Orders
orders-lead = What is ordered from authorities, and what holds it up.
orders-number = Number
orders-for = For
orders-authority = Authority
orders-since = Since
orders-next = Asked again
orders-ended = Ended
orders-show = Orders
orders-show-open = Open ones
orders-show-failed = Failed ones
orders-show-all = All
orders-none = No orders
orders-none-hint = Orders are made when a mailbox is activated or its certificate ends soon.
orders-one = Order { $order }
orders-new = Planned
orders-asking = Being requested
orders-waiting = At the authority
orders-issued = Issued
orders-failed = Failed
orders-withdrawn = Withdrawn
orders-activation = First certificate
orders-renewal = Next certificate
orders-replacement = Replacement, the old one is revoked
orders-error = Reason
orders-to-do = What to do
orders-activate-again = Remove the reason and activate the mailbox again.
orders-order-again = Remove the reason and order a new certificate on the mailbox's page.
orders-carry = Carry the request to the authority and upload the chain of certificates here.
orders-asked-again = It is asked again by itself.
orders-carry-out = Show the request
orders-withdraw = Withdraw the order
orders-withdraw-short = Withdraw
orders-taken-back = Order { $order } is withdrawn.
orders-request = Request
orders-request-hint = Copy this text and hand it to the authority. The private key stays here.
orders-request-label = Certificate request (PKCS #10)
orders-request-soon = The key is being made. Reload the page in a moment.
orders-chain = The authority's certificate
orders-chain-file = File with the chain of certificates
orders-chain-hint = PEM or DER: the certificate first, then its issuers.
orders-chain-text = Or as text
orders-hand-in = Hand in
orders-handed-in = The certificate is stored.

## Batches

batches-title = Batches
batches-lead = Many orders at once, and how far they are.
batches-none = No batches
batches-none-hint = One is made when several mailboxes are activated together or get new certificates.
batches-one = Batch { $batch }
batches-one-of = Batch
batches-what = What
batches-who = By
batches-how-far = Progress
batches-progress = { $ended } of { $total } done
batches-open = Open
batches-rate = { $count ->
    [one] at most 1 order in a minute
   *[other] at most { $count } orders in a minute
}
batches-again = Reload
batches-orders = Show all orders
batches-failed = Orders that failed
batches-all-failed = Show all that failed

## New certificates

reissue-title = Re-issue
reissue-lead = New certificates for many mailboxes: by issuer, end, key or list.
reissue-which = For which mailboxes
reissue-within = Certificate ends within days
reissue-with-key = Present key
reissue-any-key = Any
reissue-mailboxes = Only these mailboxes
reissue-mailboxes-hint = Addresses, separated by blanks, commas or lines. Empty: all that the rest is true of.
reissue-all = All active mailboxes
reissue-all-hint = Needed only where nothing else is given.
reissue-how = How
reissue-new-key = New key
reissue-rate = Speed
reissue-rate-hint = At most so many orders in a minute. Empty: as fast as it goes.
reissue-revoke = Revoke the present certificates once the new ones are there
reissue-revoke-hint = Only after an incident. Otherwise mail signed before stays verifiable. Uploaded certificates can only be revoked by their issuer.
reissue-show = Preview
reissue-preview = Preview
reissue-count = { $count ->
    [one] 1 mailbox gets a new certificate.
   *[other] { $count } mailboxes get new certificates.
}
reissue-will-revoke = The present ones are revoked once the new ones are there; uploaded ones stay valid.
reissue-will-keep = The present ones stay valid.
reissue-left-out = Left out, because not active or ordered already:
reissue-go = { $count ->
    [one] Order 1 new certificate
   *[other] Order { $count } new certificates
}
reissue-go-revoke = Order { $count ->
    [one] 1 new certificate
   *[other] { $count } new certificates
}, revoke { $revoked ->
    [one] 1 present one
   *[other] { $revoked } present ones
}
reissue-ordered = { $count ->
    [one] 1 new certificate is being ordered.
   *[other] { $count } new certificates are being ordered.
}

## Revocations

revocations-title = Revocations
revocations-lead = Certificates that are being revoked or are revoked. A revocation is repeated until it is confirmed.
revocations-all = Show confirmed ones, too
revocations-none = No open revocations
revocations-none-hint = A revocation is made when a mailbox is deactivated or a certificate is replaced.
revocations-reason = Reason
revocations-unspecified = Not given
revocations-compromise = Key in other hands
revocations-superseded = Superseded
revocations-cessation = Mailbox deactivated
revocations-serial = Serial number
revocations-confirmed = Confirmed
revocations-waiting = At the authority
revocations-by-hand = Waits for you
revocations-by-hand-hint = What waits for you: have the certificate revoked at its issuer, and confirm it here then.
revocations-confirm = Confirm
revocations-noted = The revocation for { $mailbox } is confirmed.

## Public keys

keys-lead = Correspondents' public keys. They are learned from signed inbound mail; mail is encrypted to the preferred one.
keys-none = No public key yet
keys-none-hint = To encrypt a mail, a public key of the recipient must be known from a signed inbound mail. If none is, it can be imported by hand.
keys-add = Add public key
keys-to-review = { $count ->
    [one] A new key from another issuer waits for you to look at it.
   *[other] { $count } new keys from other issuers wait for you to look at them.
 }
keys-review = Look at them now
keys-search-hint = Address or domain
keys-address = Address
keys-origin = Origin
keys-state = Status
keys-until = Valid until
keys-from = Valid from
keys-issuer = Issuer
keys-subject = Owner
keys-any-state = Any
keys-any-origin = Any
keys-pinned = pinned
keys-pinned-only = Pinned only
keys-pinned-means = It is pinned: no other is used until that is taken back.
keys-count = { $count ->
    [one] One key is known.
   *[other] { $count } keys are known.
 }
keys-export = List as CSV
key-preferred = preferred
key-additional = additional
key-new = new
key-pending = pending
key-blocked = blocked
key-expired = expired
key-preferred-means = Mail is encrypted to this key.
key-additional-means = The key is valid, but another is preferred.
key-new-means = The key comes from another issuer than the preferred one. It is used when you agree, or when the preferred one ends.
key-pending-means = The key is used only when it is known that it is not revoked.
key-blocked-means = The key is never used.
key-expired-means = The certificate has expired.
key-origin-manual = imported
key-origin-harvested = signed mail
key-origin-ldap = directory
key-origin-smimea = DNS
key-approve = Approve
key-prefer = Prefer
key-pin = Pin
key-unpin = Unpin
key-block = Block
key-unblock = Unblock
key-remove = Remove the imported key
key-remove-means = The imported key of { $address } is removed. Without another key, mail to this address is not encrypted any more.
key-removed = The imported key is removed.
keys-approve-one = Approve one key
keys-approve-many = Approve # keys
keys-block-one = Block one key
keys-block-many = Block # keys
keys-approved = { $count ->
    [one] The key is preferred from now on.
   *[other] { $count } keys are preferred from now on.
 }
keys-preferred = { $count ->
    [one] The key is preferred from now on.
   *[other] { $count } keys are preferred from now on.
 }
keys-pinned-done = The key is pinned.
keys-unpinned = Other keys of the address can be used again.
keys-blocked = { $count ->
    [one] The key is blocked and not used any more.
   *[other] { $count } keys are blocked and not used any more.
 }
keys-unblocked = The key is not blocked any more.
keys-import-lead = The certificate of an external mailbox that mail is to be encrypted to.
keys-only-mailboxes = Only mailbox certificates can be imported. Domain certificates cannot be imported!
keys-file = File
keys-file-hint = PEM, DER or PKCS #7 (.pem, .cer, .crt, .p7b)
keys-text = Or paste it as text
keys-look = Look at it
keys-other-file = Another file
keys-import = { $count ->
    [one] Import one key
   *[other] Import { $count } keys
 }
keys-imported = { $count ->
    [0] No key was imported.
    [one] One key is imported. Mail can be encrypted to it from now on.
   *[other] { $count } keys are imported. Mail can be encrypted to them from now on.
 }
keys-not-valid = The certificate is not valid now: mail is not encrypted to the key as long as that is so.
keys-not-trusted = The certificate does not lead to an authority that this organisation trusts. Compare the SHA-256 value with its owner before you import it.
key-refused-no-address = Cannot be imported: the certificate names no e-mail address.
key-refused-domain = Cannot be imported: the certificate is made for a domain, not for a mailbox.
key-refused-authority = Cannot be imported: it is the certificate of a certification authority.
key-refused-purpose = Cannot be imported: the certificate is not meant to protect e-mail.
key-refused-usage = Cannot be imported: the key usage of the certificate does not allow encryption.
key-refused-weak = Cannot be imported: the key is too weak, or of a kind that cannot be encrypted to.
keys-certificate = Certificate
keys-used-now = Used now
keys-used-yes = Yes: the next mail to the address is encrypted to it, where mail is encrypted.
keys-used-no = No
keys-serial = Serial number
keys-kind = Kind of key
keys-policies = Policies
keys-added = Known since
keys-mail = Learned from mail
keys-announced = The owner reads
keys-asked-again = Next question about revocation
keys-chain = Issued by way of
keys-others = Other keys of this address
keys-events = Events
keys-when = When
keys-what = What

## Webhooks

webhooks-lead = Events are passed on to an address of yours, signed as Standard Webhooks describe.
webhooks-none = No webhooks
webhooks-first = Add an address below. It gets every event from then on.
webhook-url = Address
webhook-url-hint = It begins with https:// and leads to a public server.
webhook-kinds = Kinds of events
webhook-choose-kinds = Choose kinds of events (otherwise all)
webhook-last = Last attempt
webhook-again = again
webhook-fine = Taken
webhook-untried = Not tried yet
webhook-add = Add webhook
webhook-made = The webhook is added. Copy its secret now: it is never shown again.
webhook-remove = Remove
webhook-remove-consequence = Remove this webhook? Events are not passed on to it any more.
webhook-removed = The webhook is removed.

## Mail overview

mails-lead = Which mails were encrypted, decrypted or signed, and why the others were not. Click a time for the whole explanation.
mails-status-help = What the status means
mails-export = Export as CSV
mails-time = Time
mails-direction = Direction
mails-inbound = Inbound
mails-outbound = Outbound
mails-from = From
mails-to = To
mails-nobody = nobody (null sender)
mails-status = Status
mails-delivery = Delivery
mails-party = From or to
mails-party-hint = address, domain or beginning
mails-any = All
mails-all = Clear the filter
mails-since = Since
mails-until = Until
mails-message-id = Message-ID
mails-live = Show new mails as they come
mails-none = No mails yet
mails-none-hint = As soon as the gateway takes a mail for this organisation, it is listed here with what became of it and why. First it needs a route under “Inbound”.
delivery-to-open = To be opened
delivery-waiting = Waiting
delivery-delivered = Delivered
delivery-failed = Not deliverable
delivery-held = Held
delivery-deleted = Deleted
delivery-refused = Refused
delivery-answered = Answered by the gateway
mail-title = Mail
mail-for = To { $address }
mail-to-held = Look at it, release or delete it
mail-said = Last answer of the server
mail-attempts = Attempts so far
mail-next = Next attempt
mail-told = What the sender was told
mail-signature = Signature
mail-encryption = Encryption
mail-how = How it was decided
mail-simulate = Try the rules of today for these addresses
mail-facts = About the mail
mail-header-from = From (header)
mail-no-single-from = no single address
mail-envelope-from = From (envelope)
mail-proven = Sender proven
mail-size = Size
mail-handed-in = Handed in by
mail-version = Version of the configuration
yes-word = yes
no-word = no

## Held mail and queue

held-lead = Accepted and not delivered, each with its reason. What nobody decides about is deleted after 30 days.
held-queue-lead = What is on its way, and what is held. Mail that waits is tried again by itself.
held-tab-held = Held
held-tab-queue = Whole queue
held-none = Nothing is held
held-none-hint = Mail is held where it can neither be delivered nor reported to its sender. You will see it here and on the overview.
held-queue-none = The queue is empty
held-queue-none-hint = Every accepted mail has been delivered, reported or held.
held-title = Mail in the queue
held-since = Accepted
held-reason = Reason
held-state = State
held-until = Held until
held-then = What next
held-report = Report of the gateway
held-sender-not-proven = The mail could not be delivered. No report went out: its sender is not proven, the report might reach somebody who never sent it.
held-null-sender = There is nobody to report to: the mail has no sender.
held-repeated-key = The same encrypted key came with another mail before: a report could help to guess it.
held-could-not-process = The gateway could not work on it several times.
held-administrator = An administrator held it.
held-release = Release
held-release-one = Release 1 mail
held-release-many = Release # mails
held-release-confirm = Send the chosen mails as they are? What a rule asks for is not done to them any more.
held-release-this = Release: send it as it is
held-release-this-confirm = Send this mail as it is? What a rule asks for is not done to it any more.
held-what-release-means = “Release” sends the mail as it is shown here. “Try again” decides it anew where that is possible, with the keys and rules of today; otherwise it sends it as it is.
held-retry = Try again
held-retry-one = Try 1 mail again
held-retry-many = Try # mails again
held-retry-this = Try again
held-hold = Hold
held-hold-one = Hold 1 mail
held-hold-many = Hold # mails
held-hold-this = Hold: do not deliver it for now
held-delete = Delete
held-delete-one = Delete 1 mail for good
held-delete-many = Delete # mails for good
held-delete-confirm = Delete the chosen mails for good? Nobody gets them, and nobody is told.
held-delete-this = Delete it for good
held-delete-this-confirm = Delete this mail for good? Nobody gets it, and nobody is told.
held-released = { $count ->
    [one] One mail is released and on its way.
   *[other] { $count } mails are released and on their way.
}
held-retried = { $count ->
    [one] One mail is tried again.
   *[other] { $count } mails are tried again.
}
held-held = { $count ->
    [one] One mail is held.
   *[other] { $count } mails are held.
}
held-deleted = { $count ->
    [one] One mail is deleted.
   *[other] { $count } mails are deleted.
}
held-to-mail = Why it is here
held-looked-at = The audit log says that you looked at this mail.
held-copy-for = Copy for { $addresses }
held-decrypted = This mail came encrypted and was decrypted here. What it says is for its recipients only: only its header and the names of its parts are shown.
held-from-html = This text was HTML; only its words are shown.
held-cut = The text goes on; the rest is not shown.
held-files = Parts that are not shown
held-file-name = Name
held-file-type = Type
held-more = There are more parts than are listed.
held-unreadable = This mail cannot be read as a mail.
held-download = Download as a file

## Overview

overview-attention = What needs attention
overview-nothing = Nothing needs your attention.
overview-mails = Mails
overview-day = 24 hours
overview-month = 30 days
overview-no-mails = There were no mails in this time.
overview-day-caption = Recipients per hour in the last 24 hours, by status; all rows have the same scale.
overview-month-caption = Recipients per day in the last 30 days, by status; all rows have the same scale.
overview-numbers = The same in numbers
overview-from = From
overview-expiries = Certificates that end
overview-no-expiries = No certificate ends in the next 26 weeks.
overview-expiries-caption = Certificates of active mailboxes that end in each of the next 26 weeks. They are renewed before, where an authority does it.
overview-week = Week from
overview-certificates-ending = Certificates
overview-events = Events of the last days
overview-no-events = Nothing happened.
overview-all-events = All events
attention-failed = { $count ->
    [one] One recipient did not get a mail in the last 24 hours.
   *[other] { $count } recipients did not get a mail in the last 24 hours.
}
attention-held = { $count ->
    [one] Mail for one recipient is held.
   *[other] Mail for { $count } recipients is held.
}
attention-held-more = Mail for more than { $count } recipients is held.
attention-certificates = { $count ->
    [one] The certificate of one mailbox ends, the next one is not ordered: on { $date }.
   *[other] The certificates of { $count } mailboxes end, the next ones are not ordered: the first on { $date }.
}
attention-orders = { $count ->
    [one] One order of a certificate failed in the last days.
   *[other] { $count } orders of certificates failed in the last days.
}
attention-licences = { $free ->
    [0] All { $booked } licences are used.
    [one] One of { $booked } licences is free.
   *[other] { $free } of { $booked } licences are free.
}
attention-term = The term of the licences ends on { $date }.
attention-domains = { $count ->
    [one] The mail of { $domain } does not come to this gateway: no certificates can be ordered for it.
   *[other] The mail of { $count } domains does not come to this gateway, { $domain } among them: no certificates can be ordered for them.
}
attention-keys = { $count ->
    [one] One new public key waits for your review.
   *[other] { $count } new public keys wait for your review.
}
first-title = First steps
first-done = done
first-route = Create an inbound route: your domains, and the server their mail is delivered to
first-mailboxes = Enter the mailboxes
first-client = Tell which servers may send for this organisation
first-active = Activate mailboxes: they get certificates
first-rule = Create an encryption rule
first-route-why = So that the gateway knows which mail it takes and where it passes it on.
first-mailboxes-why = Only mailboxes that are entered are shown under "S/MIME" and can get a certificate.
first-client-why = Only from them the gateway takes mail to be sent. Your mail server then sends through the gateway.
first-active-why = With its certificate, what a mailbox sends is signed, and what it receives is decrypted.
first-rule-why = Without a rule, mail is signed if the mailbox has an active certificate, and decrypted if possible; it is encrypted only by a rule.
first-then = Mail comes here only when the MX record of your domains points to this gateway. What is missing for that, and more about the first steps:

## Inbound and outbound

mailboxes-bulk-removes = Mailboxes are being removed: { $done } of { $all }
mailboxes-bulk-removed = Mailboxes are removed: { $done } of { $all }
inbound-title = Inbound
inbound-lead = Routes: which domains this gateway accepts, which mail server gets their mail, and which mailboxes are known.
inbound-new = New route
inbound-none = No route yet
inbound-first = Add a route with your domains and your mail server. Then enter the mailboxes.
inbound-ask = Whoever may write can add routes here.
inbound-name = Description
inbound-name-hint = A name by which you find the route again. It cannot be changed later.
inbound-server = Target server
inbound-server-as = { $server }, signed in as { $user }
inbound-domains = Domains
inbound-domains-hint = One a line. A domain belongs to just one route.
inbound-mailboxes = Mailboxes
inbound-mailboxes-of = Mailboxes of route { $route }
inbound-wildcard = Wildcard
inbound-wildcard-hint = Accept every address that the target server accepts. Mailboxes that only this covers are not displayed and cannot be activated.
inbound-wildcard-note = This route accepts every address that the target server accepts. Only mailboxes entered here are displayed and can be activated; rules apply to all.
inbound-yes = Yes
inbound-no = No
inbound-edit = Edit
inbound-edit-this = Edit route { $route }
inbound-delete = Delete
inbound-delete-this = Delete route { $route }
inbound-back = To Inbound
inbound-back-route = To the route
inbound-host = Server
inbound-host-hint = Name or IP address of your mail server.
inbound-port = Port
inbound-tls = TLS
inbound-tls-opportunistic = TLS where offered
inbound-tls-required = only with TLS
inbound-tls-verified = only with TLS and a valid certificate
inbound-sign-in = Sign-in at the server
inbound-user = User name
inbound-password = Password
inbound-password-hint = Leave it empty if it stays as it is.
inbound-create = Add the route
inbound-added = Route { $route } is added. Now enter its mailboxes.
inbound-edited = Route { $route } is changed.
inbound-removed = Route { $route } is deleted.
inbound-removal-goes-on = The mailboxes of route { $route } are being removed in the background, then the route.
inbound-domains-lost = With the domains that you take away { $mailboxes } mailboxes go; { $certificates } certificates are revoked.
inbound-lose-do = { $count ->
    [one] Take the domains away, remove 1 mailbox
   *[other] Take the domains away, remove { $count } mailboxes
 }
inbound-delete-then = Mail to its domains is refused then.
inbound-delete-mailboxes = With the route { $mailboxes } mailboxes go; { $certificates } certificates are revoked.
inbound-delete-do = Delete the route, remove { $mailboxes } mailboxes, revoke { $certificates } certificates
inbound-prerequisites = Prerequisites of the domains
inbound-prerequisites-why = Certificates can be ordered only for domains whose MX record points here: { $names }.
inbound-to-domains = All prerequisites
inbound-mx = MX record
inbound-mx-met = Points here
inbound-mx-not-met = Does not point here
inbound-mx-unknown = Not known
inbound-more-domains = { $count ->
    [one] One more domain was not asked about.
   *[other] { $count } more domains were not asked about.
 }
inbound-known = Known mailboxes
inbound-no-mailboxes = No mailbox in this route yet
inbound-add-first = Enter mailboxes below, or import a list. Only mailboxes that are entered can be activated.
inbound-work-goes-on = Bulk work on mailboxes goes on in the background.
inbound-export = Download as CSV
inbound-add = Enter mailboxes
inbound-addresses = Addresses
inbound-addresses-hint = One a line, in a domain of this route.
inbound-add-do = Enter
inbound-mailboxes-added = { $count ->
    [0] No mailbox is new.
    [one] One mailbox is entered.
   *[other] { $count } mailboxes are entered.
 } { $known ->
    [0] { "" }
    [one] One was known already.
   *[other] { $known } were known already.
 }
inbound-remove = Remove
inbound-remove-one = Remove 1 mailbox
inbound-remove-many = Remove # mailboxes
inbound-remove-title = { $count ->
    [one] Remove one mailbox
   *[other] Remove { $count } mailboxes
 }
inbound-remove-then = The mailboxes go from the route and from the table. Certificates of active mailboxes are revoked; this cannot be taken back.
inbound-remove-do = { $count ->
    [one] Remove 1 mailbox, revoke its certificate
   *[other] Remove { $count } mailboxes, revoke their certificates
 }
inbound-mailboxes-removed = { $count ->
    [one] One mailbox is removed.
   *[other] { $count } mailboxes are removed.
 }
inbound-import = Mailboxes from a list
inbound-file = CSV file
inbound-file-hint = One column "address", or the columns "name" and "domain". At most 50,000 lines. First you see what would happen.
inbound-preview = Check the list
inbound-new-ones = New mailboxes
inbound-known-ones = Known already
inbound-refused-ones = Not taken
inbound-nothing-new = There is no new mailbox in this list. Nothing was changed.
inbound-import-do = { $count ->
    [one] Enter 1 mailbox
   *[other] Enter { $count } mailboxes
 }
inbound-refused-lines = Lines that are not taken
inbound-line = Line
inbound-line-text = Content
inbound-line-why = Reason
inbound-line-address = This is no address.
inbound-line-domain = The domain does not belong to this route.
inbound-line-twice = The mailbox stands further up already.
inbound-more-lines = { $count ->
    [one] One more line is not shown.
   *[other] { $count } more lines are not shown.
 }
outbound-title = Outbound
outbound-lead = How mail leaves the gateway.
outbound-smarthost = All domains
outbound-by-mx = To the servers that the MX record of the domain names
outbound-as-other = Like all other mail
outbound-remove = Remove
outbound-remove-this = Remove the way of its own of { $domain }
outbound-set-smarthost = Set a smarthost
outbound-host-hint = Empty: mail goes to the servers that the MX record of the domain names.
outbound-set-destination = Set a way of its own for a domain
outbound-domain = Domain
outbound-destination-hint = Empty: the same way as all other mail, but with at least this TLS.
inbound-smarthost-set = Mail goes through { $server } from now on.
inbound-smarthost-none = Mail goes to the servers that the MX record of the domain names from now on.
inbound-destination-set = The way for { $domain } is set.
inbound-destination-removed = Mail to { $domain } goes like all other mail again.
problem-list-not-text = The file is no text. Save the list as CSV.
problem-list-open-quote = A quotation mark is never closed. It stands on the line whose number follows:
problem-list-unreadable = The list cannot be read:
problem-list-too-long = The list has more than 50,000 lines. Split it.
problem-mailbox-in-no-domain = This mailbox is in no domain of this route:
problem-domain-not-proven = There are several organisations on this installation. First show that the domain is yours: set this record in DNS, then send the form again:

## Sending clients

clients-title = Sending clients
clients-lead = Who may hand in outbound mail, and under which addresses.
clients-none = No sending client yet
clients-first = Make a client for your mail server or device. Only then it can send through the gateway.
clients-new = New client
clients-back = To the sending clients
clients-name = Name
clients-name-hint = A name that no client on this installation has yet.
clients-proof = Proof
clients-password = User name and password
clients-password-hint = The password is made here and shown once.
clients-certificate = TLS client certificate
clients-certificate-hint = The client shows this certificate when it connects.
clients-certificate-field = The certificate in PEM, or its fingerprint (SHA-256).
clients-network = Network
clients-network-hint = Any connection from these networks. Only for networks that are yours alone.
clients-connector = Network and secret
clients-connector-hint = For large providers whose networks many share: each mail carries a secret, too.
clients-networks = Networks
clients-networks-hint = One a line, for example 192.0.2.0/24.
clients-user-hint = Empty: the name of the client.
clients-as = May send as
clients-as-all = All domains of the organisation
clients-as-hint = Addresses or domains, one a line. Empty: all domains of the organisation.
clients-mail-server = Mail server
clients-mail-server-hint = Also take mail with a foreign sender, such as forwards. It is never signed.
clients-make = Make the client
clients-by-password = Password, user name { $user }
clients-by-certificate = Certificate, SHA-256 { $sha256 }
clients-by-network = Network { $networks }
clients-by-connector = Network { $networks } and secret
clients-made = Client { $client } is made.
clients-set = Client { $client } is changed.
clients-removed = Client { $client } is deleted.
clients-secret-once = This is shown only once. Enter it at the client now.
clients-connector-secret = Secret
clients-connector-field = Each mail has to carry it in the field X-Sealgate-Connector.
clients-secret-kept = I have entered it
clients-renew = New secret
clients-renew-why = The former password or secret counts no more from that moment.
clients-renew-do = Make a new secret, end the former one
clients-delete-this = Delete client { $client }
clients-delete-then = What this client wants to hand in then is refused.
clients-delete-do = Delete client { $client }
problem-client-network = There are several organisations on this installation. Here only the operator can assign a network without a secret, or the certificate of a client. Choose another proof, or turn to the operator.
problem-client-without-secret = This client proves itself without a password or secret.

## Authorities

authorities-lead = Where certificates come from. Orders go to the standard one unless another is named.
authorities-add = Add an authority
authorities-name = Name
authorities-name-hint = One word. An authority of this name gets new settings.
authorities-kind = Kind
authorities-standard = Standard
authorities-renew-days = Days ahead
authorities-renew-hint = So many days before the end of a certificate the next one is ordered.
authorities-edit = Edit
authorities-make-standard = Make it the standard
authorities-standard-hint = Orders that name none go here then.
authorities-is-standard = This is the standard authority.
authorities-remove = Remove { $name }
authorities-remove-hint = Nothing is ordered from { $name } any more. What it issued stays valid and can be revoked.
authorities-removed = Nothing is ordered from { $name } any more.
authorities-saved = { $name } is saved.
authorities-now-standard = { $name } is the standard now.
authorities-save = Save
authorities-former = What was issued under former settings can still be revoked.
authorities-built-in = Built-in authority
authorities-built-in-hint = This installation's own authority. Partners have to trust its root first.
authorities-acme = ACME (RFC 8823)
authorities-acme-hint = A public authority that issues automatically. The gateway answers its challenge mails itself.
authorities-command = Program
authorities-command-hint = A program on the gateway's machine carries requests to the authority. Only who runs the installation sets it up.
authorities-by-hand = By hand
authorities-by-hand-hint = You carry requests to the authority yourself and upload the certificates below Orders.
authorities-directory = Address of the directory
authorities-directory-hint = The authority tells it. At another address a new account is made.
authorities-contact = Contact addresses
authorities-contact-hint = Where the authority writes to; separated by commas.
authorities-account = External account: identifier
authorities-account-hint = Only if the authority gave one (EAB).
authorities-account-key = External account: key
authorities-account-key-hint = In base64url, as the authority gave it. It is never shown again.
authorities-secret-stays = Stored, not shown. Leave it empty to keep it.
authorities-roots = Own roots for TLS
authorities-roots-hint = PEM. Only for an authority in your own network; otherwise the public ones count.
authorities-roots-stay = Own roots are stored. Leave it empty to keep them.
authorities-roots-forget = Remove the own roots, trust the public ones
authorities-unsigned = Take challenge mails without a signature
authorities-unsigned-hint = RFC 8823 asks for a signature. Switch it on only if the authority sets none.
authorities-program = Path of the program
authorities-arguments = Arguments
authorities-arguments-hint = One on each line; the verb follows.
authorities-timeout = At most seconds

## Trust

trust-lead = Who is believed when signed mail is verified and partners' keys are learned.
trust-public = Public authorities
trust-public-yes = Mozilla's root certificates for e-mail are trusted
trust-public-no = Only your own roots are trusted
trust-public-hint = Without them the signatures of most partners are not valid, and their keys are not learned.
trust-public-stop = No longer trust public roots
trust-public-start = Trust public roots
trust-public-on = Mozilla's root certificates for e-mail are trusted.
trust-public-off = Only your own roots are trusted from now on.
trust-revocation = Revocation
trust-revocation-soft = Where no answer about revocation comes, mail is delivered and marked, and the question is asked again later.
trust-revocation-hard = Without an answer about revocation a signature counts as untrusted, and the key is not used.
trust-revocation-change = Change it in the settings
trust-own = Own roots
trust-own-none = None. Upload the certificate of an authority that your partners belong to and that is not public.
trust-subject = Subject
trust-validity = Validity
trust-valid = Valid
trust-not-valid = Not valid now
trust-fingerprint = Fingerprint (SHA-256)
trust-remove = No longer trust it
trust-remove-hint = Signatures that rest on { $subject } are not valid any more then.
trust-removed = This root is trusted no longer.
trust-add = Trust these authorities
trust-add-file = Certificates of authorities
trust-add-hint = PEM or DER. Compare the fingerprint afterwards with what the authority tells.
trust-added = The authority is trusted.
trust-never = Blocked
trust-never-none = Nothing is blocked. A blocked certificate never counts, nor what it certifies.
trust-by-fingerprint = only the fingerprint is known
trust-reason = Reason
trust-block = Block the certificate
trust-block-file = Certificate
trust-block-fingerprint = Or fingerprint (SHA-256)
trust-block-fingerprint-hint = Of a certificate, or of a public key: then all its certificates are blocked.
trust-blocked = The certificate is blocked.
trust-unblock = Take the block back
trust-unblocked = The block is taken back.

## Domains

nav-domains = Domains
domains-title = Domains
domains-lead = What must hold before certificates are requested, and DKIM.
domains-none = No domains yet
domains-first = Make an inbound route with your domains first.
domains-to-inbound = To Inbound
domains-domain = Domain
domains-findings = What was found
domains-ask-again = Check again
domains-prerequisites = Prerequisites
domains-prerequisite = Prerequisite
domains-route = Inbound route
domains-mx = MX record
domains-licence = Licence
domains-caa = CAA record
domains-dkim = DKIM
domains-met = Met
domains-not-met = Not met
domains-unknown = Unknown
domains-hint = Hint
domains-in-route = Stands in an inbound route.
domains-no-route = Stands in no inbound route.
domains-mx-here = Points to { $value }.
domains-mx-also-elsewhere = Points here, but with lower priority also to { $value }.
domains-mx-elsewhere = Points to { $value }, not to this gateway.
domains-mx-other-name = Points to { $value }: the same address, but another name.
domains-mx-none = There is no MX record.
domains-mx-null = The MX record says that the domain takes no mail.
domains-mx-no-domain = DNS knows no such domain.
domains-licences-uncounted = Licences are not counted here.
domains-licences-free = { $value } licences are free.
domains-licences-full = All { $value } licences are used.
domains-licences-over = The term of the licences is over.
domains-caa-anyone = Any authority may issue.
domains-caa-nobody = The issuemail record of { $value } lets no public authority issue.
domains-caa-only = Only these may issue: { $value }.
domains-caa-critical = A critical record with the tag "{ $value }" forbids issuing.
domains-dkim-none = There is no key.
domains-dkim-waits = The key does not sign before its record is in DNS.
domains-dkim-good = The key signs, and its record is in DNS.
domains-dkim-missing = The key signs, but its record is not in DNS.
domains-dkim-wrong = The key signs, but its record is wrong: { $value }
domains-dkim-wanted = An authority that is spoken to by ACME wants signed answers.
domains-dns-off = Questions to DNS are switched off in the configuration.
domains-dns-silent = DNS does not answer right now. { $value }
domains-do-route = Add the domain to an inbound route.
domains-do-mx = Set this record in DNS:
domains-do-mx-name = Name this gateway in the MX record, or have the operator add the other name:
domains-do-mx-pass-on = See that those servers pass mail on to here: what they deliver themselves is neither decrypted nor verified.
domains-do-domain = Check the spelling, or register the domain.
domains-do-licences = Book more licences, or deactivate a mailbox.
domains-do-term = Have the term extended.
domains-do-caa = Name your authority in an issuemail record, unless you use the built-in one.
domains-do-caa-critical = Take that record out, or its critical flag.
domains-do-dkim = Make a key below.
domains-do-dkim-record = Publish this record:

## DKIM

dkim-title = DKIM keys
dkim-lead = Outgoing mail for this domain is signed with them, after S/MIME. A new key takes the place of the present one as soon as its record is seen in DNS.
dkim-none = No key yet.
dkim-new = Waits for its record
dkim-active = Signs
dkim-retired = Retired
dkim-gone = Is removed
dkim-in-dns = In DNS
dkim-record-seen = Right
dkim-record-missing = Missing
dkim-record-wrong = Wrong
dkim-record-unknown = Unknown
dkim-record-name = Name (TXT)
dkim-record-value = Value
dkim-zone-line = In a zone file
dkim-activate = Check now and activate
dkim-activate-unseen = Activate without a check
dkim-remove = Remove key { $selector }
dkim-remove-hint = What { $selector } signed is verified no longer once its record is gone from DNS.
dkim-removed = The key { $selector } is removed. Leave its record in DNS for some days.
dkim-made = The key is made. Publish the record { $record }; then it signs.
dkim-signs = The key { $selector } signs.
dkim-kind = Kind
dkim-kind-hint = Everybody understands RSA. Ed25519 only beside it.
dkim-selector = Selector
dkim-selector-hint = Empty: the next free name.
dkim-create = Make a key

## Directories and partners

directories = Directories
directories-lead = Where public keys are looked for when none is known of a recipient. What is found there is judged like a key that was learned.
directories-none = No directory yet
directories-none-hint = An LDAP directory of a partner or of a certification authority saves waiting for a signed mail.
directory-add = Add directory
directory-name = Name
directory-name-hint = One word of letters, digits, “-”, “_” and “.”; explanations and events call it so.
directory-url = Address
directory-protection = Protection
directory-unprotected = without TLS
directory-tls = TLS
directory-starttls = TLS by StartTLS
directory-base = Base of the search (DN)
directory-bind = Sign in as (DN)
directory-bind-hint = Empty: it is asked without a name. A password is only sent protected.
directory-password = Password
directory-password-hint = Empty: it stays as it is.
directory-domains = For domains
directory-domains-hint = Separated by commas. Empty: for all.
directory-attributes = Attributes with certificates
directory-roots = Roots for its TLS certificate (PEM)
directory-roots-hint = Beside the public ones.
directory-set = The directory is asked from now on.
directory-removed = The directory is removed, with the keys that came from it.
directory-remove-label = Remove directory { $name }
directory-remove-means = The directory { $name } is removed, with the keys that came from it and are neither pinned nor blocked.
source-remove = Remove
source-save = Save
smimea = DNS (SMIMEA)
smimea-lead = Domains can publish the keys of their mailboxes in DNS.
smimea-off = DNS is not asked.
smimea-with-path = DNS is asked. A key counts if DNSSEC protects it and its certificate leads to a trusted authority.
smimea-dnssec-alone = DNS is asked. DNSSEC alone is enough where the domain vouches for its certificate itself.
smimea-set = The setting for DNS is saved.
sources-try = Try
sources-try-hint = All sources are asked now; nothing is kept.
sources-ask = Ask
sources-nobody = No source is asked for { $address }.
sources-none = There is nobody yet who could be asked.
partners = Partners
partners-lead = Algorithms agreed with partners. They count before what recipients announced themselves.
partners-none = No partner yet
partners-none-hint = Without an agreement, what recipients announce in their signed mail counts, else what every mail program reads.
partners-external = External address or domain
partners-profile = Profile
partner-add = Agree with a partner
partner-external-hint = An agreement with an address counts before one with its domain.
partner-set = The agreement is saved.
partner-removed = The agreement is removed.
partner-remove-label = Remove the agreement with { $external }
partner-remove-means = For { $external }, what recipients announce counts again.
profile-default = What the recipients announce, else what every mail program reads.
profile-modern = AES-GCM, RSAES-OAEP, RSASSA-PSS.
profile-edi-energy = What the German energy market prescribes: RSASSA-PSS and RSAES-OAEP only.
profile-legacy = For old programs: AES-128-CBC, RSA PKCS #1 v1.5.

## Signing in with another server

login-with = Sign in with { $issuer }
problem-foreign = Signing in with the other server did not work. Begin it again.
problem-not-invited = The other server knows you, but you have no account here and no open invitation. Ask your administrator for one.
problem-by-invitation = More rights are given by an invitation only: invite the person, and the owner of the account accepts it, signed in.

## Bulk work

mailboxes-bulk-renews = Next certificates are being ordered: { $done } of { $all } mailboxes
mailboxes-bulk-renewed = Next certificates are ordered: { $done } of { $all } mailboxes
mailboxes-bulk-stop = Stop: { $count } mailboxes stay as they are
mailboxes-bulk-stopped = Stopped by { $who }. What is done stays.
mailboxes-bulk-ended = The work is stopped. What is done stays.

# Searches and answers that take long
mails-searched-to = Searched back to { $time }. “Next” goes on before that.
problem-too-long = This search takes too long. Narrow it, for example to fewer days or a more exact address.
audit-checked = So far { $checked } of { $lines } lines fit together. The check goes on; load this page again later.
audit-searched-to = Searched back to line { $line }. “Next” goes on before that.

## What is the operator's to allow, and how much there may be

problem-domain-by-operator = There are several organisations on this installation, and it asks no DNS: a new domain is the operator's to give. Turn to the operator.
problem-inner-address = This address is inside the operator's network. Ask the operator to allow it.
problem-too-many = There are as many as there may be here. Remove one first. At most:
problem-too-long-text = This text is too long. At most, in characters:
authority-program = An external program that the operator has set.
