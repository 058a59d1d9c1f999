-- The first schema. docs/data-model.md tells what each table is for and which transaction touches what.
-- Times are seconds since 1970. Numbers come from `counters`, or from the program (mails, copies, contents and their parts).

CREATE TABLE counters (
    name TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counters (name, value) VALUES
    ('configuration', 1), ('organisation', 0), ('route', 0), ('rule', 0), ('key', 0), ('correspondent', 0), ('desk', 0),
    ('authority', 0), ('order', 0), ('batch', 0), ('revocation', 0), ('revocation-list', 0);

-- The highest number is current. `former`: wrapped by the former master key too, while a rotation to `source` is under way.

CREATE TABLE data_keys (
    number INTEGER PRIMARY KEY NOT NULL,
    wrapped BLOB NOT NULL,
    former BLOB,
    source TEXT,
    since INTEGER
) STRICT;

-- Configuration.

-- `changes` grows with every change of an organisation's configuration, `removed` is what it was when a mailbox last went; so a
-- running gateway reads anew only what changed (snapshot.rs).

CREATE TABLE organisations (
    id INTEGER PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    smarthost BLOB,
    created INTEGER NOT NULL,
    reseller INTEGER REFERENCES resellers (id),
    changes INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT -1
) STRICT;
CREATE INDEX organisations_reseller ON organisations (reseller, name);

CREATE TABLE routes (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    target BLOB NOT NULL,
    wildcard INTEGER NOT NULL,
    UNIQUE (organisation, name)
) STRICT;

CREATE TABLE route_domains (
    domain TEXT PRIMARY KEY NOT NULL,
    route INTEGER NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX route_domains_route ON route_domains (route, position);

-- Authorities. A change of settings makes a new row; the former one (`current` 0) still revokes what it issued.

CREATE TABLE authorities (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    sealed BLOB NOT NULL,
    current INTEGER NOT NULL,
    standard INTEGER NOT NULL,
    renew_days INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX authorities_name ON authorities (organisation, name) WHERE current = 1;

-- `authority` and `handle`: who issued it, and the connector's notes of the order; none of an uploaded pair.

CREATE TABLE keys (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    mailbox TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    serial BLOB NOT NULL,
    certificate BLOB NOT NULL,
    chain TEXT NOT NULL,
    sealed BLOB NOT NULL,
    origin TEXT NOT NULL,
    authority INTEGER REFERENCES authorities (id),
    handle TEXT,
    token TEXT,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    added INTEGER NOT NULL,
    warned INTEGER,
    issuer TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT '',
    current INTEGER NOT NULL DEFAULT 0,
    UNIQUE (organisation, mailbox, fingerprint)
) STRICT;
CREATE INDEX keys_serial ON keys (organisation, serial);
CREATE INDEX keys_authority ON keys (authority);
-- Certificates and their ends: `current` ones are those that active mailboxes sign with or are encrypted to.
CREATE INDEX keys_current ON keys (organisation, not_after, id, mailbox) WHERE current = 1;
CREATE INDEX keys_issuer ON keys (organisation, issuer, not_after, id, mailbox) WHERE current = 1;

CREATE TABLE mailboxes (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    mailbox TEXT NOT NULL,
    address TEXT NOT NULL,
    domain TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    known INTEGER NOT NULL DEFAULT 1,
    signing INTEGER REFERENCES keys (id),
    encryption INTEGER REFERENCES keys (id),
    aliases TEXT NOT NULL,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (organisation, mailbox)
) STRICT;
-- `changed`: how far the changes of the organisation were when this mailbox last changed.
CREATE INDEX mailboxes_changed ON mailboxes (organisation, changed);
CREATE TRIGGER mailboxes_added AFTER INSERT ON mailboxes BEGIN
    UPDATE mailboxes SET changed = (SELECT changes FROM organisations WHERE id = NEW.organisation)
    WHERE organisation = NEW.organisation AND mailbox = NEW.mailbox;
END;
CREATE TRIGGER mailboxes_touched AFTER UPDATE OF address, state, known, signing, encryption, aliases ON mailboxes BEGIN
    UPDATE mailboxes SET changed = (SELECT changes FROM organisations WHERE id = NEW.organisation)
    WHERE organisation = NEW.organisation AND mailbox = NEW.mailbox;
END;
CREATE TRIGGER mailboxes_removed AFTER DELETE ON mailboxes BEGIN
    UPDATE organisations SET removed = changes WHERE id = OLD.organisation;
END;
CREATE UNIQUE INDEX mailboxes_known ON mailboxes (mailbox) WHERE known = 1;
-- The table of the portal, whole and by state.
CREATE INDEX mailboxes_table ON mailboxes (organisation, domain, mailbox, state) WHERE known = 1;
CREATE INDEX mailboxes_state ON mailboxes (organisation, state, domain, mailbox) WHERE known = 1;
CREATE INDEX mailboxes_certificate ON mailboxes (organisation, coalesce(signing, 0), mailbox) WHERE known = 1;
CREATE INDEX mailboxes_held ON mailboxes (organisation) WHERE state <> 'inactive';
-- For a key that goes: who still refers to it.
CREATE INDEX mailboxes_signing ON mailboxes (signing) WHERE signing IS NOT NULL;
CREATE INDEX mailboxes_encryption ON mailboxes (encryption) WHERE encryption IS NOT NULL;
CREATE INDEX mailboxes_pending ON mailboxes (since) WHERE state = 'revoke-pending';

-- Which keys are current follows from the mailboxes; kept by the database itself, so that no transaction can forget it.
CREATE TRIGGER mailboxes_new_keys AFTER INSERT ON mailboxes WHEN NEW.state = 'active' BEGIN
    UPDATE keys SET current = 1 WHERE id IN (NEW.signing, NEW.encryption);
END;
CREATE TRIGGER mailboxes_other_keys AFTER UPDATE OF state, signing, encryption ON mailboxes
WHEN NEW.state IS NOT OLD.state OR NEW.signing IS NOT OLD.signing OR NEW.encryption IS NOT OLD.encryption BEGIN
    UPDATE keys SET current = 0 WHERE id IN (OLD.signing, OLD.encryption);
    UPDATE keys SET current = 1 WHERE NEW.state = 'active' AND id IN (NEW.signing, NEW.encryption);
END;
CREATE TRIGGER mailboxes_no_keys AFTER DELETE ON mailboxes BEGIN
    UPDATE keys SET current = 0 WHERE id IN (OLD.signing, OLD.encryption);
END;

CREATE TABLE rules (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    priority INTEGER NOT NULL,
    managed TEXT NOT NULL,
    external TEXT NOT NULL,
    inbound TEXT,
    outbound TEXT
) STRICT;
CREATE INDEX rules_organisation ON rules (organisation, priority);

CREATE TABLE clients (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    user_name TEXT UNIQUE,
    sealed BLOB NOT NULL,
    PRIMARY KEY (organisation, name)
) STRICT;

CREATE TABLE destinations (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    domain TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (organisation, domain)
) STRICT;

CREATE TABLE trust_roots (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    fingerprint BLOB NOT NULL,
    certificate BLOB NOT NULL,
    PRIMARY KEY (organisation, fingerprint)
) STRICT;

CREATE TABLE blocked (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    fingerprint BLOB NOT NULL,
    subject TEXT,
    reason TEXT,
    PRIMARY KEY (organisation, fingerprint)
) STRICT;

CREATE TABLE partners (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    external TEXT NOT NULL,
    profile TEXT NOT NULL,
    PRIMARY KEY (organisation, external)
) STRICT;

CREATE TABLE correspondents (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    mailbox TEXT NOT NULL,
    address TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    serial BLOB NOT NULL,
    certificate BLOB NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    pinned INTEGER NOT NULL DEFAULT 0,
    mail INTEGER,
    chain TEXT NOT NULL,
    added INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    capabilities BLOB,
    announced INTEGER,
    ask_at INTEGER,
    ask_failures INTEGER NOT NULL DEFAULT 0,
    look_at INTEGER,
    UNIQUE (organisation, mailbox, fingerprint)
) STRICT;
CREATE INDEX correspondents_serial ON correspondents (organisation, serial);
CREATE INDEX correspondents_ask ON correspondents (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX correspondents_look ON correspondents (look_at) WHERE look_at IS NOT NULL;

-- The life of certificates. An order is open until `ended`; a mailbox has at most one open order. `due` is when the
-- authority is asked next; until `lease` somebody is asking.

CREATE TABLE licences (
    organisation INTEGER PRIMARY KEY NOT NULL REFERENCES organisations (id),
    base INTEGER NOT NULL,
    smime INTEGER NOT NULL,
    until INTEGER,
    booked INTEGER NOT NULL,
    booked_by TEXT NOT NULL
) STRICT;

CREATE TABLE batches (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    text TEXT NOT NULL,
    said TEXT,
    total INTEGER NOT NULL,
    per_minute INTEGER,
    created INTEGER NOT NULL,
    who TEXT NOT NULL
) STRICT;
CREATE INDEX batches_organisation ON batches (organisation, id);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    mailbox TEXT NOT NULL,
    address TEXT NOT NULL,
    authority INTEGER NOT NULL REFERENCES authorities (id),
    purpose TEXT NOT NULL,
    batch INTEGER REFERENCES batches (id),
    key_kind TEXT NOT NULL,
    token TEXT,
    state TEXT NOT NULL,
    csr BLOB,
    sealed BLOB,
    handle TEXT,
    reply INTEGER,
    attempts INTEGER NOT NULL,
    due INTEGER,
    lease INTEGER,
    late_told INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    ended INTEGER,
    error TEXT
) STRICT;
CREATE INDEX orders_due ON orders (due) WHERE due IS NOT NULL;
-- Of those that ended, too: an authority that something was ordered from is kept.
CREATE INDEX orders_authority ON orders (authority, due);
CREATE INDEX orders_organisation ON orders (organisation, id);
CREATE INDEX orders_batch ON orders (batch, state) WHERE batch IS NOT NULL;
CREATE INDEX orders_mailbox ON orders (organisation, mailbox);
CREATE UNIQUE INDEX orders_open ON orders (organisation, mailbox) WHERE ended IS NULL;
-- The lists of the portal: open orders, those that failed.
CREATE INDEX orders_open_list ON orders (organisation, id) WHERE ended IS NULL;
CREATE INDEX orders_failed_list ON orders (organisation, id) WHERE state = 'failed';

-- The challenge mail of an order that was answered last: `token` came over HTTPS, `answered` by mail. `answers`: how many of the
-- same `token` were answered.

CREATE TABLE challenges (
    for_order INTEGER PRIMARY KEY NOT NULL REFERENCES orders (id),
    token TEXT NOT NULL,
    answered TEXT NOT NULL,
    answers INTEGER NOT NULL,
    mail INTEGER NOT NULL,
    note TEXT
) STRICT;
CREATE INDEX orders_reply ON orders (reply) WHERE reply IS NOT NULL;

CREATE TABLE revocations (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    mailbox TEXT NOT NULL,
    key INTEGER NOT NULL REFERENCES keys (id),
    authority INTEGER REFERENCES authorities (id),
    reason TEXT NOT NULL,
    asked INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER,
    lease INTEGER,
    confirmed INTEGER,
    error TEXT
) STRICT;
CREATE INDEX revocations_due ON revocations (due) WHERE due IS NOT NULL;
CREATE INDEX revocations_authority ON revocations (authority, due);
CREATE INDEX revocations_key ON revocations (key);
CREATE INDEX revocations_mailbox ON revocations (organisation, mailbox);
CREATE INDEX revocations_organisation ON revocations (organisation, id);
CREATE INDEX revocations_open_list ON revocations (organisation, id) WHERE confirmed IS NULL;

-- The built-in CA, and its register: one certificate for an order. What is revoked stays revoked.

CREATE TABLE authority (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    root BLOB NOT NULL,
    issuing BLOB NOT NULL,
    sealed_root BLOB NOT NULL,
    sealed_issuing BLOB NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE issued (
    serial TEXT PRIMARY KEY NOT NULL,
    for_order INTEGER NOT NULL UNIQUE,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    mailbox TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    certificate BLOB NOT NULL,
    not_after INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    revoked INTEGER,
    reason TEXT
) STRICT;
CREATE INDEX issued_organisation ON issued (organisation, issued);
CREATE INDEX issued_revoked ON issued (not_after) WHERE revoked IS NOT NULL;
-- When the last list of the issuing CA was made.
INSERT INTO counters (name, value) VALUES ('revocation-list-made', 0);

-- DKIM keys of domains. A key signs while it is `active`; `public` is what its record in DNS says.

CREATE TABLE dkim_keys (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    domain TEXT NOT NULL,
    selector TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    public TEXT NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (organisation, domain, selector)
) STRICT;
INSERT INTO counters (name, value) VALUES ('dkim-key', 0);

-- Mail: the journal.

CREATE TABLE mails (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    direction TEXT NOT NULL,
    at INTEGER NOT NULL,
    envelope_from TEXT,
    header_from TEXT,
    message_id TEXT,
    size INTEGER NOT NULL,
    handed_in_by TEXT NOT NULL,
    sender_proven INTEGER NOT NULL,
    version INTEGER NOT NULL,
    accepted INTEGER NOT NULL
) STRICT;

-- `id` begins with `at`, the time of the mail, so that a stretch of time is a stretch of numbers (ids.rs).

CREATE TABLE lines (
    id INTEGER PRIMARY KEY NOT NULL,
    mail INTEGER NOT NULL REFERENCES mails (id),
    organisation INTEGER NOT NULL,
    direction TEXT NOT NULL,
    at INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    status TEXT NOT NULL,
    signature TEXT,
    encryption TEXT,
    trace TEXT NOT NULL,
    refusal TEXT,
    delivery TEXT NOT NULL,
    delivery_at INTEGER NOT NULL,
    delivery_text TEXT
) STRICT;
CREATE INDEX lines_mail ON lines (mail);
CREATE INDEX lines_organisation ON lines (organisation, id);
CREATE INDEX lines_facets ON lines (organisation, direction, status, delivery, id);

-- What lines are looked for by: addresses of sender and recipient, `@domain` of each, `id:` and the Message-ID.

CREATE TABLE line_words (
    organisation INTEGER NOT NULL,
    word TEXT NOT NULL,
    line INTEGER NOT NULL,
    PRIMARY KEY (organisation, word, line)
) STRICT, WITHOUT ROWID;

-- How many lines there are of each hour. Counted by the database itself, so that no transaction can forget it. A line that
-- is kept no longer stays counted.

CREATE TABLE statistics (
    organisation INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    direction TEXT NOT NULL,
    status TEXT NOT NULL,
    delivery TEXT NOT NULL,
    lines INTEGER NOT NULL,
    PRIMARY KEY (organisation, hour, direction, status, delivery)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER lines_counted AFTER INSERT ON lines BEGIN
    INSERT INTO statistics (organisation, hour, direction, status, delivery, lines)
    VALUES (NEW.organisation, NEW.at - NEW.at % 3600, NEW.direction, NEW.status, NEW.delivery, 1)
    ON CONFLICT (organisation, hour, direction, status, delivery) DO UPDATE SET lines = lines + 1;
END;
CREATE TRIGGER lines_moved AFTER UPDATE OF status, delivery ON lines
WHEN NEW.status <> OLD.status OR NEW.delivery <> OLD.delivery BEGIN
    UPDATE statistics SET lines = lines - 1
    WHERE organisation = OLD.organisation AND hour = OLD.at - OLD.at % 3600 AND direction = OLD.direction
      AND status = OLD.status AND delivery = OLD.delivery;
    INSERT INTO statistics (organisation, hour, direction, status, delivery, lines)
    VALUES (NEW.organisation, NEW.at - NEW.at % 3600, NEW.direction, NEW.status, NEW.delivery, 1)
    ON CONFLICT (organisation, hour, direction, status, delivery) DO UPDATE SET lines = lines + 1;
END;

CREATE TABLE sent (
    organisation INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (organisation, message_id, mailbox)
) STRICT;
CREATE INDEX sent_at ON sent (at);

CREATE TABLE encrypted_keys (
    hash BLOB PRIMARY KEY NOT NULL,
    mail INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX encrypted_keys_at ON encrypted_keys (at);
CREATE INDEX encrypted_keys_mail ON encrypted_keys (mail);

-- Mail: the queue. Whoever refers to a content counts in its `refs`; a foreign key would search all copies at each
-- deletion.

CREATE TABLE contents (
    id INTEGER PRIMARY KEY NOT NULL,
    octets INTEGER,
    refs INTEGER NOT NULL,
    created INTEGER NOT NULL,
    whole BLOB
) STRICT;
CREATE INDEX contents_unreferenced ON contents (created) WHERE refs = 0;

CREATE TABLE chunks (
    content INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (content, number)
) STRICT;

CREATE TABLE to_open (
    id INTEGER PRIMARY KEY NOT NULL,
    mail INTEGER NOT NULL REFERENCES mails (id),
    copy INTEGER REFERENCES copies (id),
    organisation INTEGER NOT NULL,
    envelope TEXT NOT NULL,
    head BLOB NOT NULL,
    content INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    due INTEGER,
    lease INTEGER
) STRICT;
CREATE INDEX to_open_due ON to_open (due) WHERE due IS NOT NULL;
CREATE INDEX to_open_mail ON to_open (mail);
CREATE INDEX to_open_copy ON to_open (copy) WHERE copy IS NOT NULL;
CREATE INDEX to_open_listed ON to_open (organisation, id) WHERE copy IS NULL;

CREATE TABLE copies (
    id INTEGER PRIMARY KEY NOT NULL,
    mail INTEGER NOT NULL REFERENCES mails (id),
    organisation INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    envelope_from TEXT,
    params TEXT NOT NULL,
    status TEXT NOT NULL,
    report INTEGER NOT NULL,
    head BLOB NOT NULL,
    content INTEGER NOT NULL,
    body_from INTEGER NOT NULL
) STRICT;
CREATE INDEX copies_mail ON copies (mail);

CREATE TABLE recipients (
    id INTEGER PRIMARY KEY NOT NULL,
    copy INTEGER NOT NULL REFERENCES copies (id),
    organisation INTEGER NOT NULL,
    mailbox TEXT NOT NULL,
    envelope TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    due INTEGER,
    lease INTEGER,
    delay_told INTEGER NOT NULL,
    note TEXT,
    held_until INTEGER
) STRICT;
CREATE INDEX recipients_copy ON recipients (copy);
CREATE INDEX recipients_due ON recipients (due) WHERE due IS NOT NULL;
CREATE INDEX recipients_held ON recipients (held_until) WHERE held_until IS NOT NULL;
-- The queue as it is listed: of one organisation, and of all.
CREATE INDEX recipients_listed ON recipients (organisation, id) WHERE state IN ('waiting', 'held');
CREATE INDEX recipients_held_listed ON recipients (organisation, id) WHERE held_until IS NOT NULL;
CREATE INDEX recipients_held_all ON recipients (id) WHERE held_until IS NOT NULL;

-- Events for administrators, the audit log, and the processes that serve.

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    said TEXT
) STRICT;
CREATE INDEX events_organisation ON events (organisation, id);
CREATE INDEX events_at ON events (organisation, at, id);
CREATE INDEX events_kind ON events (organisation, kind, id);

-- Webhooks. Events up to `passed` are done with. `attempts`, `since` and `due` are about the one after; `tried` and `error` about the
-- last attempt.

CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    sealed BLOB NOT NULL,
    kinds TEXT NOT NULL,
    created INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    passed INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    since INTEGER,
    due INTEGER NOT NULL,
    tried INTEGER,
    error TEXT
) STRICT;
CREATE INDEX webhooks_organisation ON webhooks (organisation, id);
CREATE INDEX webhooks_due ON webhooks (due);
INSERT INTO counters (name, value) VALUES ('webhook', 0);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    organisation TEXT NOT NULL,
    text TEXT NOT NULL,
    said TEXT,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_organisation ON audit (organisation, id);
CREATE INDEX audit_who ON audit (who, id);

CREATE TABLE nodes (
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT;

-- Revocation: lists and answers fetched from elsewhere, which are public, and the issuers' certificates that correspondents
-- sent along, with which their keys are asked about again.

CREATE TABLE evidence (
    question BLOB PRIMARY KEY NOT NULL,
    octets INTEGER NOT NULL,
    fetched INTEGER NOT NULL,
    ask_at INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    body BLOB
) STRICT;
CREATE INDEX evidence_fetched ON evidence (fetched);

CREATE TABLE issuers (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    fingerprint BLOB NOT NULL,
    subject BLOB NOT NULL,
    certificate BLOB NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (organisation, fingerprint)
) STRICT;
CREATE INDEX issuers_subject ON issuers (organisation, subject);

-- Sources of correspondents' keys: directories, what a source said of an address, and which keys came from which source.

CREATE TABLE directories (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (organisation, name)
) STRICT;

CREATE TABLE source_answers (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    mailbox TEXT NOT NULL,
    source TEXT NOT NULL,
    said TEXT NOT NULL,
    ask_at INTEGER NOT NULL,
    heard INTEGER,
    PRIMARY KEY (organisation, mailbox, source)
) STRICT;
CREATE INDEX source_answers_ask ON source_answers (ask_at);

CREATE TABLE source_keys (
    correspondent INTEGER PRIMARY KEY NOT NULL REFERENCES correspondents (id) ON DELETE CASCADE,
    source TEXT NOT NULL
) STRICT;
CREATE INDEX source_keys_source ON source_keys (source);

-- Accounts of the portal. `folded` is the comparison form of a name. Secrets of sessions, tokens, invitations and recovery codes
-- are there as their SHA-256 only; `totp_new` waits for its first code. A session of which `complete` is 0 still owes the second
-- factor. `invited_by` names the organisation whose invitation made an account.

CREATE TABLE resellers (
    id INTEGER PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    password TEXT,
    totp BLOB,
    totp_step INTEGER,
    totp_new BLOB,
    language TEXT NOT NULL,
    operator INTEGER NOT NULL,
    reseller INTEGER REFERENCES resellers (id),
    disabled INTEGER NOT NULL DEFAULT 0,
    issuer TEXT,
    subject TEXT,
    invited_by TEXT,
    created INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_subject ON users (issuer, subject) WHERE issuer IS NOT NULL;
CREATE INDEX users_reseller ON users (reseller) WHERE reseller IS NOT NULL;
CREATE INDEX users_disabled ON users (name) WHERE disabled = 1;

CREATE TABLE recovery_codes (
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sha256 BLOB NOT NULL,
    PRIMARY KEY (user, sha256)
) STRICT;

CREATE TABLE memberships (
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    role TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (user, organisation)
) STRICT;
CREATE INDEX memberships_organisation ON memberships (organisation, role);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY NOT NULL,
    sha256 BLOB NOT NULL UNIQUE,
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    agent TEXT NOT NULL,
    address TEXT NOT NULL,
    -- What the page at that path tells once.
    notice TEXT,
    notice_path TEXT
) STRICT;
CREATE INDEX sessions_user ON sessions (user);
CREATE INDEX sessions_created ON sessions (created);

-- An API token is one of an organisation with a role, of a reseller, or of the operator.

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY NOT NULL,
    sha256 BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    organisation INTEGER REFERENCES organisations (id),
    role TEXT,
    reseller INTEGER REFERENCES resellers (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER
) STRICT;
CREATE INDEX api_tokens_organisation ON api_tokens (organisation, id);
CREATE INDEX api_tokens_owner ON api_tokens (organisation, reseller, expires);

-- A link that works once. `user`: it sets this user's password anew, and takes the second factor away where `factor` is 1.

CREATE TABLE invitations (
    id INTEGER PRIMARY KEY NOT NULL,
    sha256 BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    organisation INTEGER REFERENCES organisations (id),
    role TEXT,
    reseller INTEGER REFERENCES resellers (id) ON DELETE CASCADE,
    operator INTEGER NOT NULL,
    user INTEGER REFERENCES users (id) ON DELETE CASCADE,
    factor INTEGER NOT NULL,
    created INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX invitations_organisation ON invitations (organisation, id);
CREATE INDEX invitations_folded ON invitations (folded);
CREATE INDEX invitations_user ON invitations (user) WHERE user IS NOT NULL;
INSERT INTO counters (name, value) VALUES ('reseller', 0), ('user', 0), ('session', 0), ('api-token', 0), ('invitation', 0);

-- Rules that were deleted a while ago and can be taken back; `place` is the priority they had.

CREATE TABLE removed_rules (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    place INTEGER NOT NULL,
    managed TEXT NOT NULL,
    external TEXT NOT NULL,
    inbound TEXT,
    outbound TEXT,
    removed INTEGER NOT NULL
) STRICT;
CREATE INDEX removed_rules_organisation ON removed_rules (organisation, removed);

-- The list of correspondents' keys, whole and by what it is filtered by, in the order of addresses.

CREATE INDEX correspondents_list ON correspondents (organisation, mailbox, fingerprint, state, origin, pinned, not_after, id);

-- Bulk work, which goes on piece by piece: the targets that are left, and how far it is, in the transaction of each
-- piece. `settings`: what is done with each, while it goes on.

CREATE TABLE bulk_work (
    id INTEGER PRIMARY KEY NOT NULL,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    kind TEXT NOT NULL,
    settings BLOB,
    text TEXT NOT NULL,
    said TEXT,
    who TEXT NOT NULL,
    made INTEGER NOT NULL,
    total INTEGER NOT NULL,
    done INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    batch INTEGER REFERENCES batches (id),
    ended INTEGER,
    ending TEXT,
    stopped_by TEXT
) STRICT;
CREATE INDEX bulk_work_organisation ON bulk_work (organisation, id);
CREATE INDEX bulk_work_open ON bulk_work (done, id) WHERE ended IS NULL;
CREATE INDEX bulk_work_ended ON bulk_work (ended) WHERE ended IS NOT NULL;
INSERT INTO counters (name, value) VALUES ('bulk-work', 0);

CREATE TABLE bulk_work_targets (
    work INTEGER NOT NULL REFERENCES bulk_work (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (work, place)
) STRICT, WITHOUT ROWID;
