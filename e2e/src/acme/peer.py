"""Runs acme2certifier, which is only a peer of tests, with a mailbox of its own.

Arguments: a directory, the gateway's inbound listener, and certificate and key for STARTTLS. Where it listens is
written to `ports.json` there: `url` for ACME, `smtp` for what comes back.
"""

import datetime
import json
import os
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import mail

DIRECTORY, GATEWAY, CERTIFICATE, KEY = sys.argv[1:5]
FROM = "acme@ca.example"


def place(name):
    return os.path.join(DIRECTORY, name)


def make_authority():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "acme2certifier test CA")])
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = dict.fromkeys(
        ("content_commitment", "data_encipherment", "decipher_only", "digital_signature", "encipher_only",
         "key_agreement", "key_encipherment"), False)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=800))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(crl_sign=True, key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    with open(place("ca.pem"), "wb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
    with open(place("ca.key"), "wb") as file:
        file.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def configure(smtp, imap):
    text = f"""
[DEFAULT]
debug: False
imap_server: 127.0.0.1
imap_port: {imap}
imap_use_ssl: False
smtp_server: 127.0.0.1
smtp_port: {smtp}
smtp_use_tls: True
username: acme
password: acme
email_address: {FROM}
[Nonce]
nonce_check_disable: False
[CAhandler]
handler_module: acme2certifier.cahandlers.openssl_ca_handler
issuing_ca_key: {place("ca.key")}
issuing_ca_cert: {place("ca.pem")}
issuing_ca_crl: {place("ca.crl")}
cert_save_path: {place("certificates")}
cert_validity_days: 300
openssl_conf: {place("extensions.cfg")}
[DBhandler]
dbfile: {place("acme.db")}
[Certificate]
revocation_reason_check_disable: False
[Challenge]
challenge_validation_disable: False
[Order]
email_identifier_support: True
[Directory]
tos_url: http://127.0.0.1/terms
"""
    with open(place("acme_srv.cfg"), "w") as file:
        file.write(text)
    with open(place("extensions.cfg"), "w") as file:
        file.write("[extensions]\n"
                   "keyUsage = critical, digitalSignature, keyEncipherment\n"
                   "extendedKeyUsage = emailProtection\n"
                   "basicConstraints = critical, CA:FALSE\n"
                   "subjectKeyIdentifier = hash, subject:true\n"
                   "authorityKeyIdentifier = keyid, issuer:true\n")
    os.environ["ACME_SRV_CONFIGFILE"] = place("acme_srv.cfg")
    os.environ["ACME_SRV_DB_HANDLER"] = "wsgi"


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def address_string(self):
        return self.client_address[0]

    def log_message(self, *arguments):
        pass


def main():
    os.makedirs(place("certificates"), exist_ok=True)
    make_authority()
    relay, inbox = mail.Relay(GATEWAY, DIRECTORY), mail.Inbox(DIRECTORY)
    submission = mail.serve(mail.Smtp, 0, take=relay.take, identity=(CERTIFICATE, KEY))
    back = mail.serve(mail.Smtp, 0, take=inbox.take)
    configure(submission, mail.serve(mail.Imap, 0, inbox=inbox))
    from acme2certifier.share.acme2certifier_wsgi import application
    server = make_server("127.0.0.1", 0, application, server_class=Server, handler_class=Quiet)
    url = f"http://127.0.0.1:{server.server_address[1]}/directory"
    mail.write(place("ports.json"), json.dumps({"url": url, "smtp": back}).encode())
    server.serve_forever()


main()
