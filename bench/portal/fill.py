"""Fills the database of an organisation that was made by `sealgate apply` with the amount of data that the portal is measured
with: mailboxes, rules, keys, ninety days of journal. One mailbox with a certificate must be there; its rows are the pattern.

Usage: fill.py DATABASE fill LINES MAILBOXES RULES
       fill.py DATABASE session SECRET    signs an operator in, whose cookie has that secret
       fill.py DATABASE examples          prints what may stand for each parameter of an address
"""

import hashlib
import json
import sqlite3
import sys
import time

DAY = 86_400
EPOCH = 1_577_836_800
NOW = int(time.time())
# crates/store/src/ids.rs: milliseconds since 2020, then 21 bits.
ID = "(((at - %d) * 1000 << 21) + (i & 0xfffff))" % EPOCH


def columns(db, table):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def multiply(db, table, pattern, count, replaced):
    """Adds `count` rows like the one that `pattern` names; `replaced` gives expressions over the number `i`."""
    names = columns(db, table)
    values = [replaced.get(name, f"p.{name}") for name in names]
    db.execute(
        f"""WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO {table} ({", ".join(names)})
            SELECT {", ".join(values)} FROM n CROSS JOIN (SELECT * FROM {table} WHERE {pattern} LIMIT 1) p"""
    )


def mailbox(i):
    """The address of mailbox number `i`: most in one domain, some in nineteen others."""
    return (
        f"(printf('m%06d@', {i}) || CASE WHEN {i} % 5 = 0 THEN printf('branch%d.example', {i} % 19) "
        "ELSE 'office.example' END)"
    )


def mailboxes(db, count):
    address = mailbox("i")
    first_key = db.execute("SELECT MAX(id) FROM keys").fetchone()[0]
    multiply(
        db,
        "keys",
        "origin = 'issued'",
        count,
        {
            "id": f"{first_key} + i",
            "mailbox": address,
            "fingerprint": "randomblob(32)",
            "serial": "randomblob(16)",
            # Later than any is renewed, so that the gateway has nothing to do while it is measured.
            "not_after": f"{NOW} + (40 + i * 7919 % 320) * {DAY} + i % 1000",
            "current": "0",
        },
    )
    state = "CASE i % 10 WHEN 8 THEN 'activation-pending' WHEN 9 THEN 'revoke-pending' WHEN 6 THEN 'inactive' WHEN 7 THEN 'inactive' ELSE 'active' END"
    key = f"CASE WHEN i % 10 < 6 OR i % 10 = 9 THEN {first_key} + i END"
    multiply(
        db,
        "mailboxes",
        "state = 'active'",
        count,
        {
            "mailbox": address,
            "address": address,
            "domain": f"substr({address}, 9)",
            "state": state,
            "since": f"{NOW} - i",
            "signing": key,
            "encryption": key,
        },
    )
    db.execute("DELETE FROM keys WHERE id NOT IN (SELECT signing FROM mailboxes WHERE signing IS NOT NULL)")
    first_order = db.execute("SELECT MAX(id) FROM orders").fetchone()[0]
    multiply(
        db,
        "orders",
        "state = 'issued'",
        count,
        {
            "id": f"{first_order} + i",
            "mailbox": address,
            "address": address,
            "state": "CASE WHEN i % 10 = 8 THEN 'waiting' WHEN i % 50 = 0 THEN 'failed' ELSE 'issued' END",
            "ended": f"CASE WHEN i % 10 <> 8 THEN {NOW} - i END",
            # Far ahead, so that the gateway does not work on them while it is measured.
            "due": f"CASE WHEN i % 10 = 8 THEN {NOW} + {DAY} * 30 END",
            "csr": "NULL",
        },
    )
    db.execute("UPDATE counters SET value = 2 * ? + value WHERE name IN ('key', 'order')", [count])


def rules(db, count):
    db.execute(
        f"""WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO rules (id, organisation, priority, managed, external, inbound, outbound)
            SELECT 1000 + i, 1, 100 + i,
                   CASE WHEN i % 4 = 0 THEN 'all' ELSE {mailbox("i * 9")} END,
                   printf('partner%d.example', i % 2000) || CASE WHEN i % 3 = 0 THEN printf(', partner%d.example', i % 1999) ELSE '' END,
                   CASE i % 4 WHEN 0 THEN 'always' WHEN 1 THEN 'optional' END,
                   CASE i % 3 WHEN 0 THEN 'enforce' WHEN 1 THEN 'optional' END
            FROM n"""
    )
    db.execute("UPDATE counters SET value = 1000 + ? WHERE name = 'rule'", [count])


def correspondents(db, count):
    certificate, chain, serial = db.execute("SELECT certificate, chain, serial FROM keys LIMIT 1").fetchone()
    db.execute(
        f"""WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO correspondents (id, organisation, mailbox, address, fingerprint, serial, certificate, origin, state, chain,
                                        added, not_after)
            SELECT i, 1, printf('p%d@partner%d.example', i, i % 2000), printf('p%d@partner%d.example', i, i % 2000),
                   randomblob(32), randomblob(16), ?, CASE WHEN i % 7 = 0 THEN 'manual' ELSE 'harvested' END,
                   CASE i % 20 WHEN 0 THEN 'new' WHEN 1 THEN 'blocked' WHEN 2 THEN 'pending' ELSE 'preferred' END, '[]',
                   {NOW} - i * 60, {NOW} + (i % 700) * {DAY}
            FROM n""",
        [certificate],
    )
    db.execute("UPDATE counters SET value = ? WHERE name = 'correspondent'", [count])


PASSED = json.dumps([{"priority": i, "id": 1000 + i, "because": "external"} for i in range(1, 4)], separators=(",", ":"))
OUTBOUND = (
    """'{"direction":"outbound","managed":"' || managed || '","external":"' || external || '","choice":{"mode":"optional","""
    """"decided_by":{"rule":{"priority":4,"id":1004}},"passed_over":%s},"facts":{"sender":"certificate","recipient":"unknown","""
    """"content":"plain"},"outcome":{"sign":"no-key"},"algorithms":{"content":null,"transport":null,"""
    """"signature":"rsassa-pkcs1 sha-256","by":"default"},"exemption":null}'""" % PASSED
)
INBOUND = (
    """'{"direction":"inbound","managed":"' || managed || '","external":"' || external || '","choice":{"mode":"always","""
    """"decided_by":{"rule":{"priority":4,"id":1004}},"passed_over":%s},"content":"plain","outcome":"deliver","exemption":null}'"""
    % PASSED
)


def journal(db, count):
    """The mails; a view tells of each number what the mail is."""
    db.execute(
        f"""CREATE TEMP TABLE numbers AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            SELECT i, {NOW} - 90 * {DAY} + CAST(i * (90.0 * {DAY} / {count}) AS INTEGER) AS at,
                   (i * 2654435761 >> 9) % 1000 AS h, {mailbox("(1 + i * 7919 % 100000)")} AS managed,
                   printf('p%d@partner%d.example', i * 104729 % 20000, i * 31 % 2000) AS external FROM n"""
    )
    db.execute(
        f"""CREATE TEMP VIEW made AS SELECT i, at, {ID} AS id, managed, external,
               CASE WHEN i % 2 THEN 'outbound' ELSE 'inbound' END AS direction,
               CASE WHEN i % 2 THEN managed ELSE external END AS sender,
               CASE WHEN i % 2 THEN external ELSE managed END AS recipient,
               CASE WHEN i % 2 THEN
                   CASE WHEN h < 300 THEN 'plain' WHEN h < 700 THEN 'signed' WHEN h < 945 THEN 'signed-encrypted' ELSE 'failed' END
               ELSE
                   CASE WHEN h < 600 THEN 'plain' WHEN h < 800 THEN 'signed' WHEN h < 950 THEN 'decrypted' WHEN h < 970 THEN 'encrypted'
                        ELSE 'failed' END
               END AS status,
               CASE WHEN h < 970 AND (h < 945 OR i % 2 = 0) THEN 'delivered'
                    WHEN h < 971 THEN 'held' WHEN h < 985 THEN 'failed' ELSE 'refused' END AS delivery,
               '<' || i || '.mail@client.example>' AS message_id
            FROM temp.numbers"""
    )
    db.execute(
        """INSERT INTO mails (id, organisation, direction, at, envelope_from, header_from, message_id, size, handed_in_by,
                              sender_proven, version, accepted)
           SELECT id, 1, direction, at, sender, sender, message_id, 4000 + i % 90000, 'mail server', 1, 7, 1 FROM made"""
    )
    db.execute(
        f"""INSERT INTO lines (id, mail, organisation, direction, at, recipient, mailbox, status, signature, encryption, trace,
                               refusal, delivery, delivery_at, delivery_text)
            SELECT id, id, 1, direction, at, recipient, recipient, status, CASE WHEN status = 'decrypted' THEN 'valid' END,
                   CASE WHEN status = 'decrypted' THEN 'decrypted-authenticated' END,
                   CASE WHEN direction = 'outbound' THEN {OUTBOUND} ELSE {INBOUND} END,
                   CASE WHEN delivery = 'refused' THEN '550 5.7.5 encryption is enforced, but no certificate of the recipient is known' END,
                   delivery, at, 'mx.example [192.0.2.1]: 250 2.0.0 queued' FROM made"""
    )
    db.execute(
        """INSERT INTO line_words (organisation, word, line)
           SELECT 1, word, id FROM (
               SELECT sender AS word, id FROM made
               UNION ALL SELECT recipient, id FROM made
               UNION ALL SELECT substr(sender, instr(sender, '@')), id FROM made
               UNION ALL SELECT substr(recipient, instr(recipient, '@')), id FROM made
               UNION ALL SELECT 'id:' || i || '.mail@client.example', id FROM made)
           ORDER BY word, id"""
    )


def held(db):
    """Held mail, with the copies that it consists of."""
    db.execute("INSERT INTO contents (id, octets, refs, created, whole) VALUES (1, 10, 1000000, 0, x'00')")
    db.execute(
        """INSERT INTO copies (id, mail, organisation, accepted, envelope_from, params, status, report, head, content, body_from)
           SELECT id, mail, organisation, at, 'p1@partner1.example',
                  '{"size":null,"eight_bit":false,"smtputf8":false,"ret":null,"envid":null}', 'plain', 0, x'00', 1, 10
           FROM lines WHERE organisation = 1 AND direction = 'inbound' AND status = 'failed' AND delivery = 'held'"""
    )
    db.execute(
        f"""INSERT INTO recipients (id, copy, organisation, mailbox, envelope, state, attempts, next_attempt, delay_told, note, held_until)
            SELECT c.id, c.id, c.organisation, l.mailbox, '{{"address":"' || l.recipient ||
                   '","notify":{{"success":false,"failure":true,"delay":true,"explicit":false}},"orcpt":null}}',
                   'held', 0, c.accepted, 0, 'sender-not-proven', {NOW} + {DAY} * 20
            FROM copies c JOIN lines l ON l.id = c.id"""
    )


def told(db, count):
    db.execute(f"INSERT INTO batches (id, organisation, text, total, created, who) VALUES (1, 1, 'all', 100, {NOW}, 'bench')")
    kinds = "CASE i % 5 WHEN 0 THEN 'mail-held' WHEN 1 THEN 'key-learned' WHEN 2 THEN 'certificate-renewed' WHEN 3 THEN 'mailbox-active' ELSE 'order-failed' END"
    db.execute(
        f"""WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO events (organisation, at, kind, text)
            SELECT 1, {NOW} - ({count} - i) * 60, {kinds}, 'event number ' || i FROM n"""
    )
    first = db.execute("SELECT MAX(id) FROM audit").fetchone()[0]
    multiply(
        db,
        "audit",
        "organisation = 'office'",
        count,
        {"id": f"{first} + i", "at": f"{NOW} - ({count} - i) * 30", "text": "'change number ' || i", "hash": "randomblob(32)"},
    )


def session(db, secret):
    user = 900_000
    db.execute(
        "INSERT OR IGNORE INTO users (id, name, folded, language, operator, created) VALUES (?, 'bench', 'bench', 'en', 1, ?)", [user, NOW]
    )
    db.execute("DELETE FROM sessions WHERE user = ?", [user])
    db.execute(
        """INSERT INTO sessions (id, sha256, user, created, seen, complete, agent, address)
           VALUES (900000, ?, ?, ?, ?, 1, 'bench', '127.0.0.1')""",
        [hashlib.sha256(secret.encode()).digest(), user, NOW, NOW],
    )


def examples(db):
    """`part of a route=what may stand there`, a line each."""
    one = lambda query: db.execute(query).fetchone()[0]
    for part, value in [
        ("{organisation}", "office"),
        ("{mail}", f"{one('SELECT mail FROM lines ORDER BY id LIMIT 1 OFFSET 1000'):015x}"),
        ("{mailbox}", "m000001@office.example"),
        ("/rules/{id}", f"/rules/{one('SELECT MAX(id) FROM rules')}"),
        ("/keys/{id}", f"/keys/{one('SELECT MAX(id) FROM correspondents')}"),
        ("/orders/{id}", f"/orders/{one('SELECT MAX(id) FROM orders')}"),
        ("/batches/{id}", f"/batches/{one('SELECT MAX(id) FROM batches')}"),
        ("/authorities/{name}", "/authorities/built-in"),
        ("/directories/{name}", "/directories/staff"),
        ("{client}", "printer"),
        ("{domain}", "office.example"),
        ("{route}", "office"),
    ]:
        print(f"{part}={value}")


def fill(db, lines, boxes, rule_count):
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = FILE", "foreign_keys = OFF"):
        db.execute(f"PRAGMA {pragma}")
    steps = [
        (mailboxes, [boxes]),
        (rules, [rule_count]),
        (correspondents, [50_000]),
        (told, [100_000]),
        (journal, [lines]),
        (held, []),
    ]
    db.execute("BEGIN")
    for step, arguments in steps:
        begun = time.time()
        step(db, *arguments)
        print(f"{step.__name__}: {time.time() - begun:.0f} s", flush=True)
    db.execute("UPDATE organisations SET changes = changes + 1 WHERE id = 1")
    db.execute("UPDATE counters SET value = value + 1 WHERE name = 'configuration'")
    db.execute("COMMIT")
    db.execute("PRAGMA journal_mode = WAL")


def main():
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    if sys.argv[2] == "session":
        session(db, sys.argv[3])
    elif sys.argv[2] == "examples":
        examples(db)
    else:
        fill(db, *map(int, sys.argv[3:6]))
    db.close()


main()
