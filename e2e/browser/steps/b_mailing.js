// Hands a mail in at the gateway while a page is open: as much SMTP as that takes.
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const readline = require('node:readline');

// The last line of the next reply.
async function reply(lines, wanted) {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error('the gateway hung up');
    if (value[3] === '-') continue;
    if (!value.startsWith(wanted)) throw new Error(value);
    return;
  }
}

// `mail`: { from, to, file }, the file with CRLF at the ends of lines.
async function handIn(gateway, mail) {
  const [host, port] = gateway.split(':');
  const socket = net.connect(Number(port), host);
  const lines = readline.createInterface({ input: socket })[Symbol.asyncIterator]();
  try {
    await reply(lines, '220');
    const content = fs.readFileSync(mail.file, 'latin1').replace(/^\./gm, '..');
    for (const [words, wanted] of [
      ['EHLO browser.example', '250'],
      [`MAIL FROM:<${mail.from}>`, '250'],
      [`RCPT TO:<${mail.to}>`, '250'],
      ['DATA', '354'],
      [`${content}\r\n.`, '250'],
    ]) {
      socket.write(`${words}\r\n`, 'latin1');
      await reply(lines, wanted);
    }
    socket.write('QUIT\r\n');
  } finally {
    socket.end();
  }
}

module.exports = { handIn };
