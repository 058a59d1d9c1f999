"""A small ACME server with email-reply-00 (RFC 8555, RFC 8823) that does what acme2certifier cannot: it signs its challenge
mails, verifies the DKIM signature of the answers, asks for external accounts, and fails on purpose.

Arguments: a directory and the gateway's inbound listener. In the directory lie `settings.json` (see `SETTINGS`), `dkim.pem`
with the key that challenge mails are signed with, and `txt.json`, the TXT records of the test's DNS. It writes `ports.json`,
and one line for each signed request that it takes into `requests.txt`.
"""

import base64
import datetime
import email
import email.utils
import hashlib
import hmac
import json
import os
import re
import secrets
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dkim
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwcrypto import jwk, jws

import mail

DIRECTORY, GATEWAY = sys.argv[1:3]
SETTINGS = {
    # Requests that are refused with badNonce first, and orders with rateLimited.
    "bad_nonces": 0,
    "rate_limited": 0,
    # How often an order is "processing" before it is valid.
    "processing": 0,
    # Whether the challenge is found invalid whatever the answer says.
    "invalid": False,
    # Identifier and key of the external account that is asked for.
    "external": None,
    # Certificate and key, where it speaks TLS.
    "tls": None,
    # Whether challenge mails are signed.
    "sign": True,
    # Whether challenge mails are left to the test to hand in.
    "hold": False,
    # Whether an answer that is not there yet is waited for.
    "patient": False,
    # Whether answers need a DKIM signature.
    "strict": True,
}
FROM = "acme@ca.example"
ERROR = "urn:ietf:params:acme:error:"
STATE = {"nonces": set(), "accounts": {}, "orders": [], "revoked": set()}
LOCK = threading.RLock()


def place(name):
    return os.path.join(DIRECTORY, name)


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Refused(Exception):
    def __init__(self, status, kind, detail, retry=None):
        super().__init__(detail)
        self.status, self.kind, self.detail, self.retry = status, kind, detail, retry


def countdown(name):
    """Whether a fault is still to come."""
    if SETTINGS[name] > 0:
        SETTINGS[name] -= 1
        return True
    return False


class Authority:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ACME test CA")])
        self.root = self.build(self.name, self.key.public_key(), 800).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(self.key, hashes.SHA256())
        with open(place("ca.pem"), "wb") as file:
            file.write(self.root.public_bytes(serialization.Encoding.PEM))

    def build(self, subject, public, days):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(hours=1))
                .not_valid_after(now + datetime.timedelta(days=days)))

    def issue(self, csr, address):
        request = x509.load_der_x509_csr(csr)
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if not request.is_signature_valid or list(names.get_values_for_type(x509.RFC822Name)) != [address]:
            raise Refused(400, "badCSR", "the request is not for the ordered address")
        usage = dict.fromkeys(("content_commitment", "crl_sign", "data_encipherment", "decipher_only",
                               "encipher_only", "key_agreement", "key_cert_sign"), False)
        certificate = (
            self.build(request.subject, request.public_key(), 300)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=True, key_encipherment=True, **usage), critical=True)
            .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256()))
        pem = serialization.Encoding.PEM
        return certificate.public_bytes(pem) + self.root.public_bytes(pem)


def challenge_mail(order):
    """RFC 8823 section 3.1."""
    text = (
        f"From: {FROM}\r\nTo: {order['address']}\r\nSubject: ACME:\r\n {order['part1']}\r\n"
        f"Date: {email.utils.formatdate()}\r\nMessage-ID: {order['message_id']}\r\n"
        "Auto-Submitted: auto-generated; type=acme\r\nReply-To: answers@ca.example\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
        "Content-Transfer-Encoding: 7bit\r\n\r\nPlease do not answer by hand.\r\n"
    ).encode()
    if not SETTINGS["sign"]:
        return text
    names = ("From Sender Reply-To To Cc Subject Date In-Reply-To References Message-ID Auto-Submitted "
             "Content-Type Content-Transfer-Encoding")
    with open(place("dkim.pem"), "rb") as file:
        field = dkim.sign(text, b"s1", b"ca.example", file.read(),
                          include_headers=[name.lower().encode() for name in names.split()])
    return field + text


def txt(name, timeout=5):
    with open(place("txt.json")) as file:
        found = json.load(file).get(name.decode().rstrip("."))
    return found.encode() if found else None


def reply_problem(order):
    """What is wrong with the answer to a challenge (RFC 8823 section 3.2); None if nothing is."""
    content = order["reply"]
    if content is None:
        return "the challenge was said to be ready before its answer came"
    reply = email.message_from_bytes(content)
    if email.utils.parseaddr(reply["From"])[1] != order["address"]:
        return "wrong From"
    if reply["In-Reply-To"] != order["message_id"] or reply["To"] != "answers@ca.example":
        return "wrong thread"
    found = re.search(r"-----BEGIN ACME RESPONSE-----\r\n(.*?)-----END ACME RESPONSE-----",
                      reply.get_payload(), re.S)
    authorization = order["part1"] + order["part2"] + "." + order["thumbprint"]
    if not found or "".join(found[1].split()) != b64(hashlib.sha256(authorization.encode()).digest()):
        return "wrong digest"
    if SETTINGS["strict"]:
        signature = reply["DKIM-Signature"] or ""
        names = set(re.sub(r"\s", "", signature).lower().partition(";h=")[2].partition(";")[0].split(":"))
        needed = ("from sender reply-to to cc subject date in-reply-to references message-id content-type "
                  "content-transfer-encoding")
        if not set(needed.split()) <= names:
            return "fields are not covered by DKIM"
        if not dkim.verify(content, dnsfunc=txt):
            return "the DKIM signature does not verify"
    return None


def take_reply(sender, content):
    subject = "".join((email.message_from_bytes(content)["Subject"] or "").split())
    with LOCK:
        for order in STATE["orders"]:
            if subject.endswith(order["part1"]):
                order["reply"] = content


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    authority = None
    relay = None
    base = ""

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, **fields):
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        nonce = secrets.token_urlsafe(16)
        STATE["nonces"].add(nonce)
        self.send_response(status)
        self.send_header("Replay-Nonce", nonce)
        self.send_header("Content-Length", str(len(octets)))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(octets)

    def do_GET(self):
        names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order", "revokeCert": "revoke"}
        urls = {name: f"{self.base}/{path}" for name, path in names.items()}
        if self.path == "/directory":
            self.answer(200, {**urls, "meta": {"externalAccountRequired": bool(SETTINGS["external"])}})
        else:
            self.answer(405, {})

    def do_HEAD(self):
        self.answer(200, b"")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with LOCK:
            try:
                self.post(body)
            except Refused as error:
                fields = {"Retry_After": str(error.retry)} if error.retry is not None else {}
                self.answer(error.status, {"type": ERROR + error.kind, "detail": error.detail}, **fields)

    def post(self, body):
        protected = json.loads(unb64(body["protected"]))
        if protected["url"] != self.base + self.path or self.headers["Content-Type"] != "application/jose+json":
            raise Refused(400, "malformed", "wrong URL or content type")
        if protected["nonce"] not in STATE["nonces"] or countdown("bad_nonces"):
            raise Refused(400, "badNonce", "take another one")
        STATE["nonces"].discard(protected["nonce"])
        key = protected.get("jwk") or STATE["accounts"].get(protected.get("kid"))
        if not key or (self.path == "/account") != ("jwk" in protected):
            raise Refused(400, "accountDoesNotExist", "no such account")
        token = jws.JWS()
        token.deserialize(json.dumps(body))
        token.verify(jwk.JWK(**key))
        payload = json.loads(token.payload) if token.payload else None
        with open(place("requests.txt"), "a") as file:
            file.write(f"{self.path} {json.dumps(payload)}\n")
        name, _, number = self.path[1:].partition("/")
        order = STATE["orders"][int(number)] if number else None
        getattr(self, "on_" + name)(payload, order, protected)

    def on_account(self, payload, _, protected):
        if SETTINGS["external"]:
            self.check_external(payload.get("externalAccountBinding"), protected)
        kid = f"{self.base}/account/{jwk.JWK(**protected['jwk']).thumbprint()}"
        STATE["accounts"][kid] = protected["jwk"]
        self.answer(201, {"status": "valid"}, Location=kid)

    def check_external(self, bound, protected):
        kid, key = SETTINGS["external"]
        if not bound:
            raise Refused(403, "externalAccountRequired", "an external account is needed")
        header = json.loads(unb64(bound["protected"]))
        signed = f"{bound['protected']}.{bound['payload']}".encode()
        mac = hmac.new(unb64(key), signed, hashlib.sha256).digest()
        good = header == {"alg": "HS256", "kid": kid, "url": protected["url"]}
        if not (good and json.loads(unb64(bound["payload"])) == protected["jwk"]
                and hmac.compare_digest(mac, unb64(bound["signature"]))):
            raise Refused(403, "unauthorized", "the external account binding is wrong")

    def on_order(self, payload, order, protected):
        if order is None:
            if countdown("rate_limited"):
                raise Refused(429, "rateLimited", "too many orders", 1)
            order = {
                "number": len(STATE["orders"]), "address": payload["identifiers"][0]["value"], "status": "pending",
                "part1": secrets.token_urlsafe(32), "part2": secrets.token_urlsafe(32), "reply": None,
                "message_id": f"<{secrets.token_hex(8)}@ca.example>", "mailed": False, "challenge": "pending",
                "thumbprint": jwk.JWK(**STATE["accounts"][protected["kid"]]).thumbprint(), "error": None,
                "processing": SETTINGS["processing"], "certificate": None,
            }
            STATE["orders"].append(order)
            return self.show_order(order, 201)
        if order["status"] == "processing":
            order["processing"] -= 1
            if order["processing"] <= 0:
                order["status"] = "valid"
        return self.show_order(order)

    def show_order(self, order, status=200):
        number = order["number"]
        shown = {
            "status": order["status"], "identifiers": [{"type": "email", "value": order["address"]}],
            "authorizations": [f"{self.base}/authz/{number}"], "finalize": f"{self.base}/finalize/{number}",
        }
        if order["status"] == "valid":
            shown["certificate"] = f"{self.base}/cert/{number}"
        fields = {"Retry_After": "1"} if order["status"] == "processing" else {}
        self.answer(status, shown, Location=f"{self.base}/order/{number}", **fields)

    def on_authz(self, _, order, protected):
        if not order["mailed"]:
            order["mailed"] = True
            self.relay.take("bounces@ca.example", [order["address"]], challenge_mail(order))
        self.answer(200, {
            "identifier": {"type": "email", "value": order["address"]}, "challenges": [self.challenge(order)],
            "status": order["challenge"],
        })

    def challenge(self, order):
        shown = {"type": "email-reply-00", "url": f"{self.base}/chall/{order['number']}", "from": FROM,
                 "token": order["part2"], "status": order["challenge"]}
        return {**shown, "error": order["error"]} if order["error"] else shown

    def on_chall(self, _, order, protected):
        if SETTINGS["patient"] and order["reply"] is None:
            return self.answer(200, self.challenge(order))
        problem = "this address is refused here" if SETTINGS["invalid"] else reply_problem(order)
        order["challenge"] = "invalid" if problem else "valid"
        order["status"] = "invalid" if problem else "ready"
        if problem:
            order["error"] = {"type": ERROR + "unauthorized", "detail": problem}
        self.answer(200, self.challenge(order))

    def on_finalize(self, payload, order, protected):
        if order["status"] != "ready":
            raise Refused(403, "orderNotReady", "not ready")
        order["certificate"] = self.authority.issue(unb64(payload["csr"]), order["address"])
        order["status"] = "processing" if order["processing"] else "valid"
        self.show_order(order)

    def on_cert(self, _, order, protected):
        self.answer(200, order["certificate"], Content_Type="application/pem-certificate-chain")

    def on_revoke(self, payload, _, protected):
        certificate = x509.load_der_x509_certificate(unb64(payload["certificate"]))
        if certificate.serial_number in STATE["revoked"]:
            raise Refused(400, "alreadyRevoked", "it is revoked already")
        STATE["revoked"].add(certificate.serial_number)
        self.answer(200, b"")


def main():
    with open(place("settings.json")) as file:
        SETTINGS.update(json.load(file))
    inbox = mail.Inbox(DIRECTORY)
    inbox.watchers.append(take_reply)
    back = mail.serve(mail.Smtp, 0, take=inbox.take)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "https" if SETTINGS["tls"] else "http"
    if SETTINGS["tls"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*SETTINGS["tls"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Handler.base = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    Handler.authority, Handler.relay = Authority(), mail.Relay(GATEWAY, DIRECTORY, SETTINGS["hold"])
    mail.write(place("ports.json"), json.dumps({"url": Handler.base + "/directory", "smtp": back}).encode())
    server.serve_forever()


main()
