"""The mail of an ACME server in a test: a way out to the gateway, a mailbox for what comes back, and IMAP to read it.

Everything is on loopback and in memory; what comes back is also written to files for the test.
"""

import base64
import os
import smtplib
import socketserver
import ssl
import threading
import time

# How often, and for how long, mail that is refused for now is tried again.
PAUSE = 0.5
TRIES = 60


class Threaded(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(handler, port, **facts):
    """Starts a server on 127.0.0.1 whose handlers see `facts`; gives its port."""
    made = type(handler.__name__, (handler,), facts)
    server = Threaded(("127.0.0.1", port), made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Smtp(socketserver.StreamRequestHandler):
    """SMTP with STARTTLS, and AUTH that takes everybody. `take(sender, recipients, content)` gets each mail."""

    take = None
    identity = None

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def handle(self):
        self.say("220 mail.ca.example ESMTP")
        sender, recipients = None, []
        while True:
            line = self.rfile.readline()
            if not line:
                return
            text = line.decode("utf-8", "replace").strip()
            verb = text.split(" ")[0].split(":")[0].upper()
            if verb == "EHLO":
                self.say("250-mail.ca.example")
                if self.identity:
                    self.say("250-STARTTLS")
                self.say("250-8BITMIME")
                self.say("250 AUTH PLAIN LOGIN")
            elif verb == "STARTTLS" and self.identity:
                self.say("220 go on")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.identity)
                self.connection = context.wrap_socket(self.request, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb")
            elif verb == "AUTH":
                if text.upper() == "AUTH LOGIN":
                    for word in ("Username:", "Password:"):
                        self.say("334 " + base64.b64encode(word.encode()).decode())
                        self.rfile.readline()
                self.say("235 ok")
            elif verb == "MAIL":
                sender, recipients = path(text), []
                self.say("250 ok")
            elif verb == "RCPT":
                recipients.append(path(text))
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                lines = []
                while True:
                    line = self.rfile.readline()
                    if not line or line == b".\r\n":
                        break
                    lines.append(line[1:] if line.startswith(b".") else line)
                type(self).take(sender, recipients, b"".join(lines))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


def path(line):
    return line.split("<", 1)[1].split(">", 1)[0]


class Relay:
    """Hands mail to the gateway as a mail server does: later, and again after a 4xx. What is held only lies in a file."""

    def __init__(self, gateway, directory, held=False):
        self.gateway, self.directory, self.held = gateway, directory, held
        self.count = 0

    def take(self, sender, recipients, content):
        self.count += 1
        write(os.path.join(self.directory, "challenge-%d.eml" % self.count), content)
        if self.held:
            return
        threading.Thread(target=self.run, args=(sender, recipients, content), daemon=True).start()

    def run(self, sender, recipients, content):
        host, port = self.gateway.split(":")
        for _ in range(TRIES):
            try:
                with smtplib.SMTP(host, int(port), timeout=60) as client:
                    client.sendmail(sender, recipients, content)
                note(self.directory, "250")
                return
            except smtplib.SMTPResponseException as error:
                note(self.directory, str(error.smtp_code))
                if error.smtp_code >= 500:
                    return
            except smtplib.SMTPRecipientsRefused as error:
                note(self.directory, repr(error.recipients))
                return
            except OSError as error:
                note(self.directory, repr(error))
            time.sleep(PAUSE)


def write(path, content):
    """A file that is there as a whole or not at all."""
    with open(path + ".part", "wb") as file:
        file.write(content)
    os.rename(path + ".part", path)


def note(directory, line):
    """A line about what the gateway said to a challenge."""
    with open(os.path.join(directory, "handed-in.txt"), "a") as file:
        file.write(line + "\n")


class Inbox:
    """What came back, with the marks of IMAP."""

    def __init__(self, directory):
        self.directory = directory
        self.lock = threading.Lock()
        self.mails, self.seen = [], set()
        self.watchers = []

    def take(self, sender, recipients, content):
        with self.lock:
            self.mails.append(content)
            write(os.path.join(self.directory, "reply-%d.eml" % len(self.mails)), content)
        for watcher in self.watchers:
            watcher(sender, content)


class Imap(socketserver.StreamRequestHandler):
    """As much of IMAP4rev1 (RFC 3501) as Python's imaplib asks for."""

    inbox = None

    def say(self, octets):
        self.wfile.write(octets + b"\r\n")
        self.wfile.flush()

    def handle(self):
        self.say(b"* OK ready")
        while True:
            line = self.rfile.readline()
            if not line:
                return
            words = line.split()
            if len(words) < 2:
                continue
            tag, verb = words[0], words[1].upper()
            with self.inbox.lock:
                self.answer(verb, words[2:])
            self.say(tag + b" OK done")
            if verb == b"LOGOUT":
                return

    def answer(self, verb, words):
        inbox = self.inbox
        if verb == b"CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1")
        elif verb == b"SELECT":
            self.say(b"* %d EXISTS" % len(inbox.mails))
        elif verb == b"SEARCH":
            unseen = [n for n in range(1, len(inbox.mails) + 1) if n not in inbox.seen]
            self.say(b" ".join([b"* SEARCH"] + [b"%d" % n for n in unseen]))
        elif verb == b"FETCH":
            number = int(words[0])
            mail = inbox.mails[number - 1]
            inbox.seen.add(number)
            self.wfile.write(b"* %d FETCH (RFC822 {%d}\r\n" % (number, len(mail)))
            self.wfile.write(mail)
            self.say(b")")
        elif verb == b"STORE":
            number = int(words[0])
            (inbox.seen.add if words[1].startswith(b"+") else inbox.seen.discard)(number)
        elif verb == b"LOGOUT":
            self.say(b"* BYE")
