"""Mails that are nearly a challenge: `near.py CHALLENGE DKIM-KEY` writes them as JSON, each with a name, its sender and recipients.

Each differs from the genuine challenge in what decides whose mail it is, some of them with a good signature of the authority.
"""

import itertools
import json
import random
import sys

import dkim

with open(sys.argv[1], "rb") as genuine_file, open(sys.argv[2], "rb") as key_file:
    GENUINE, KEY = genuine_file.read(), key_file.read()
HEAD, BODY = GENUINE.split(b"\r\n\r\n", 1)
# Without the signature, which comes first.
UNSIGNED = HEAD[HEAD.index(b"\r\nFrom: ") + 2:] + b"\r\n"
COVERED = ("from sender reply-to to cc subject date in-reply-to references message-id auto-submitted content-type "
           "content-transfer-encoding")
TO = "alice@example.com"
MAILS = []


def put(what, mail, to=(TO,), sender="bounces@ca.example"):
    if mail is not None:
        MAILS.append({"what": what, "sender": sender, "to": list(to), "mail": mail.decode("latin-1")})


def signed(head, body=BODY, covered=COVERED, domain=b"ca.example"):
    mail = head + b"\r\n" + body
    names = [name.encode() for name in covered.split()]
    try:
        return dkim.sign(mail, b"s1", domain, KEY, include_headers=names) + mail
    except dkim.DKIMException:
        # A header that cannot be signed.
        return None


def field(name):
    start = UNSIGNED.lower().index(b"\r\n" + name.lower() + b":") + 2 if not UNSIGNED.lower().startswith(
        name.lower() + b":") else 0
    end = start
    while True:
        end = UNSIGNED.index(b"\r\n", end) + 2
        if UNSIGNED[end:end + 1] not in (b" ", b"\t"):
            return UNSIGNED[start:end]


def instead(name, *lines):
    old = field(name)
    return UNSIGNED.replace(old, b"".join(line + b"\r\n" for line in lines))


FROM, REPLY, SUBJECT, AUTO = field(b"From"), field(b"Reply-To"), field(b"Subject"), field(b"Auto-Submitted")
TOKEN = SUBJECT.split()[-1]

# Signed by the authority, but not a challenge for that mailbox.
OTHER_FIELDS = {
    b"From": [
        [b"From: mallory@ca.example"], [b"From: acme@ca.example, mallory@ca.example"],
        [b"From: mallory@ca.example, acme@ca.example"], [b"From: acme@ca.example", b"From: acme@ca.example"],
        [b"From: acme@ca.example", b"From: mallory@evil.example"], [b"From: acme@sub.ca.example"],
        [b"From: \"acme@ca.example\" <mallory@ca.example>"], [b"From: group: acme@ca.example, b@ca.example;"],
        [b"From: acme@ca.example.evil.example"], [b"From: acme@ca-example"], [b"From: acme+x@ca.example"],
        [b"From: a cme@ca.example"], [b"From: =?utf-8?q?acme=40ca=2Eexample?="],
        [b"From: <@evil.example:acme@ca.example>, <a@b.example>"], [b"From: acme@ca.example <mallory@ca.example>"],
        [b"From : mallory@ca.example"], [b"Sender: acme@ca.example"], [b"From: \xd0\xb0cme@ca.example"],
        [b"From: acme@c\xd0\xb0.example"], [b"From:"], [b"From: <>"], [b"From: acme"],
    ],
    b"To": [
        [b"To: bob@example.com"], [b"To: alice@example.com, bob@example.com"], [b"To: bob@example.com, alice@example.com"],
        [b"To: alice@example.com", b"To: alice@example.com"], [b"To: alice@example.org"], [b"To: alice@sub.example.com"],
        [b"To: list: alice@example.com, bob@example.com;"], [b"To: undisclosed-recipients:;"], [b"Cc: alice@example.com"],
        [b"To: \"alice@example.com\" <bob@example.com>"], [b"To: alice+x@example.com"], [b"To: al\xd1\x96ce@example.com"],
        [b"To:"], [b"To: a@b.example,"],
    ],
    b"Subject": [
        [b"Subject: Re: ACME: " + TOKEN], [b"Subject: ACME " + TOKEN], [b"Subject: acme: " + TOKEN],
        [b"Subject: ACME: " + TOKEN[:20]], [b"Subject: ACME: " + TOKEN + b"!"], [b"Subject: ACME: " + TOKEN + b"===="],
        [b"Subject: ACME:"], [b"Subject: ACME: " + TOKEN * 40], [b"Subject: xACME: " + TOKEN], [b"Subject: A CME: " + TOKEN],
        [b"Subject: ACME: " + TOKEN, b"Subject: ACME: " + TOKEN], [b"Subject: hello", b"Subject: ACME: " + TOKEN],
        [b"Subject: =?iso-8859-1?q?ACME=3A_" + TOKEN + b"?="], [b"Subject: =?utf-7?q?ACME=3A_" + TOKEN + b"?="],
        [b"Subject: \xd0\x90CME: " + TOKEN], [b"Subject: \xef\xbc\xa1CME: " + TOKEN], [b"Subject: ACME\xef\xbc\x9a " + TOKEN],
        [b"Subject: ACME: " + TOKEN[:10] + b"\xe2\x80\x8b" + TOKEN[10:]], [b"Subject : ACME: " + TOKEN],
        [b"Subject: (ACME: " + TOKEN + b")"], [b"Subject: \"ACME: " + TOKEN + b"\""], [b"Subject: [ext] ACME: " + TOKEN],
        [b"Subject: ACME: " + TOKEN + b" and more words here."], [b"Subject: ACME:\x00" + TOKEN], [b"X-Subject: ACME: " + TOKEN],
        [b"Subject: =?utf-8?q?ACME?= : " + TOKEN], [b"Subject: ACME: " + TOKEN + b"\xc3\xa9"],
    ],
    b"Reply-To": [
        [b"Reply-To: a@ca.example, b@evil.example"], [b"Reply-To: group:;"], [b"Reply-To: a@ca.example", b"Reply-To: b@ca.example"],
        [b"Reply-To:"], [b"Reply-To: nobody"], [b"Reply-To: g: a@ca.example, b@ca.example;"], [b"Reply-To: <>"],
    ],
    b"Auto-Submitted": [
        [], [b"Auto-Submitted: no"], [b"Auto-Submitted: auto-replied"], [b"Auto-Submitted: auto-notified"],
        [b"Auto-Submitted: auto-generated", b"Auto-Submitted: no"], [b"Auto-Submitted: auto-generated-not"],
        [b"Auto-Submitted: no; auto-generated"], [b"Auto-Submitted:"], [b"Auto-Submitted: \"auto-generated\""],
    ],
}
for name, variants in OTHER_FIELDS.items():
    for lines in variants:
        other = instead(name, *lines)
        put(f"{name.decode()} {lines}, signed", signed(other))
        put(f"{name.decode()} {lines}, unsigned", other + b"\r\n" + BODY)
        if name in (b"From", b"To", b"Subject", b"Reply-To") and lines:
            put(f"{name.decode()} {lines}, old signature", HEAD[:HEAD.index(b"\r\nFrom: ") + 2] + other + b"\r\n" + BODY)

# The challenge itself, not signed as it must be.
for name in COVERED.split():
    if name not in ("sender", "cc", "in-reply-to", "references"):
        covered = " ".join(one for one in COVERED.split() if one != name)
        if name != "from":
            put(f"{name} is not covered", signed(UNSIGNED, covered=covered))
for domain in (b"example", b"evil.example", b"sub.ca.example", b"a.example", b"xca.example", b"example.com"):
    put(f"signed by {domain.decode()}", signed(UNSIGNED, domain=domain))
put("signed by another selector", signed(UNSIGNED).replace(b"s=s1", b"s=s9"))
for name, value in itertools.product((b"Sender", b"Cc", b"In-Reply-To", b"References", b"Reply-To", b"Subject", b"From", b"To"),
                                     (b"mallory@evil.example", b"<x@evil.example>")):
    line = name + b": " + value + b"\r\n"
    put(f"{name.decode()} added on top", line + HEAD + b"\r\n\r\n" + BODY)
    put(f"{name.decode()} added at the end", HEAD + b"\r\n" + line + b"\r\n" + BODY)
put("a body that is longer", GENUINE + b"and more\r\n")
put("a field without a name", b": x\r\n" + HEAD + b"\r\n\r\n" + BODY)
put("a line that is no field", HEAD + b"\r\nno field\r\n\r\n" + BODY)
put("inside another mail", b"From: a@b.example\r\nTo: alice@example.com\r\nSubject: fwd\r\nContent-Type: message/rfc822\r\n\r\n" + GENUINE)
put("huge", UNSIGNED + b"\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 20000)
put("to two", GENUINE, to=(TO, "bob@example.com"))
put("to another one", GENUINE, to=("bob@example.com",))
for sender in ("", "acme@ca.example", "alice@example.com", "a@evil.example"):
    put(f"unsigned from {sender}", UNSIGNED + b"\r\n" + BODY, sender=sender)

# Octets changed at random in what is signed. The case of letters in names does not count, and MIME-Version is not covered.
CHANCE = random.Random(4)
START, FREE = HEAD.index(b"\r\nFrom: ") + 2, HEAD.index(b"\r\nMIME-Version") + 2
PLACES = [at for at in range(START, len(HEAD)) if HEAD[at:at + 1].isalnum() and not FREE <= at < HEAD.index(b"\r\n", FREE)]
for at in CHANCE.sample(PLACES, 90):
    mail = bytearray(GENUINE)
    mail[at] = CHANCE.choice([octet for octet in b"abcxyz0189" if octet | 32 != HEAD[at] | 32])
    put(f"octet {at} is {mail[at]}", bytes(mail))

json.dump(MAILS, sys.stdout)
