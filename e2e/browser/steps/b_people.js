// Who comes in: invited, signed in with password, second factor and recovery code, in two organisations (S91), and out again.
'use strict';

const { createHmac } = require('node:crypto');

const NAME = 'neu@zqalpha.example';
const PASSWORD = 'neun Fische im Teich';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const kept = {};

// The one-time code of a key in base32, `steps` of half a minute from now (RFC 6238).
function code(key, steps = 0) {
  const bits = [...key.replace(/\s/g, '')].map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const octets = bits.match(/.{8}/g).map((eight) => parseInt(eight, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const digest = createHmac('sha1', Buffer.from(octets)).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return `${number % 1000000}`.padStart(6, '0');
}

const question = (page) => page.locator('dialog[open]');

async function signIn(help, words, password = PASSWORD) {
  await help.go('/login');
  await help.fill(words.name, NAME);
  await help.fill(words.password, password);
  await help.press(words.signIn);
}

const DE = { name: 'E-Mail-Adresse', password: 'Passwort', signIn: 'Anmelden' };
const EN = { name: 'Mail address', password: 'Password', signIn: 'Sign in' };

const linkOf = async (help, page) => new URL(await help.text(page.locator('main code').last())).pathname;

const steps = [
  {
    row: 'users', name: 'somebody is invited with a role', language: 'de',
    run: async (page, help) => {
      await help.go('users');
      await help.fill('E-Mail-Adresse', NAME);
      await page.getByRole('radio', { name: 'Schreiben' }).check();
      await help.press('Einladungslink erzeugen');
      await help.see('Er gilt einmal und wird nur jetzt gezeigt.');
      kept.link = await linkOf(help, page);
      await help.press('Fertig');
      await help.see(NAME, page.locator('section').filter({ hasText: 'Offene Einladungen' }));
    },
  },
  {
    row: 'login', name: 'the invited person chooses a password and is in', language: 'de', who: 'nobody',
    run: async (page, help) => {
      await help.go(kept.link);
      await help.see('Sie sind in die Organisation zqalpha eingeladen, mit der Rolle „Schreiben“.');
      await help.fill('Neues Passwort', PASSWORD);
      await help.fill('Noch einmal', PASSWORD);
      await help.press('Konto anlegen und anmelden');
      await help.go('smime/rules');
      await help.see('Neue Regel erstellen');
    },
  },
  {
    row: 'login', name: 'a second factor is set up, recovery codes are shown once', language: 'de', who: 'nobody',
    run: async (page, help) => {
      await help.go('/account');
      await help.fill('Jetziges Passwort', PASSWORD, page.locator('section').filter({ hasText: 'Zweiter Faktor' }));
      await help.press('Zweiten Faktor einrichten');
      kept.key = await help.text(page.locator('main code').first());
      await page.getByRole('img', { name: 'QR-Code mit dem Schlüssel' }).waitFor();
      await help.fill('Einmalcode', code(kept.key));
      await help.press('Zweiten Faktor einschalten');
      await help.see('Wiederherstellungscodes');
      kept.codes = (await help.text(page.locator('main pre'))).split(' ');
      help.same(kept.codes.length, 10);
      await help.press('Ich habe sie verwahrt');
      await help.see('Eingerichtet');
      await help.press('Abmelden');
      await help.go('/account');
      await help.see('Anmelden', page.locator('h1'));
    },
  },
  {
    row: 'login', name: 'a wrong password, then the right one and the code of the app', language: 'de', who: 'nobody', statuses: [403],
    run: async (page, help) => {
      await signIn(help, DE, 'etwas ganz anderes');
      await help.see('Name oder Passwort stimmt nicht.');
      await signIn(help, DE);
      await help.see('Zweiter Faktor', page.locator('h1'));
      await help.fill('Einmalcode', code(kept.key, 1));
      await help.press('Anmelden');
      await help.go('/account');
      await help.see(NAME);
    },
  },
  {
    row: 'login', name: 'elsewhere, with a recovery code instead', language: 'en', who: 'nobody', statuses: [403],
    run: async (page, help) => {
      await signIn(help, EN);
      await help.fill('One-time code', '000000');
      await help.press('Sign in');
      await help.see('This code is wrong, or it was used before.');
      await help.fill('One-time code', kept.codes[0]);
      await help.press('Sign in');
      await help.go('/account');
      await help.see(NAME);
    },
  },
  {
    row: 'sessions', name: 'both sessions are listed; the other one is ended', language: 'de', who: 'nobody',
    run: async (page, help) => {
      await help.go('/account');
      await help.see('Noch 9 Wiederherstellungscodes sind übrig.');
      const list = page.locator('section').filter({ hasText: 'Sitzungen' }).last();
      help.same(await list.locator('tbody tr').count(), 2);
      await help.see('Diese Sitzung', list);
      await help.press('Beenden', { within: list.getByRole('table') });
      await help.see('Die Sitzung ist beendet.');
    },
  },
  {
    row: 'sessions', name: 'who was ended has to sign in again', language: 'en', who: 'nobody',
    run: async (page, help) => {
      await help.go('/account');
      help.is(page.url().includes('/login'), page.url());
    },
  },
  {
    row: 'S91', name: 'another organisation invites the same person', language: 'en', who: 'beta',
    run: async (page, help) => {
      await help.go('/o/zqbeta/users');
      await help.fill('Mail address', NAME);
      await help.press('Make an invitation link');
      kept.link = await linkOf(help, page);
    },
  },
  {
    row: 'S91', name: 'who has two organisations moves between them, with another role in each', language: 'de', who: 'nobody',
    run: async (page, help) => {
      await help.go(kept.link);
      await help.press('Einladung annehmen');
      await help.go('/organisations');
      await help.see('Schreiben', help.row('zqalpha'));
      await help.see('Lesen', help.row('zqbeta'));
      await help.press('zqbeta', { within: page.getByRole('table') });
      await help.press('Verschlüsselungsregeln');
      await help.gone('Neue Regel erstellen');
      await help.see('zqbeta-partner.example');
      await help.press('Organisation wechseln');
      await help.press('zqalpha', { within: page.getByRole('table') });
      await help.press('Verschlüsselungsregeln');
      await help.see('Neue Regel erstellen');
    },
  },
  {
    row: 'users', name: 'the role is set, and counts at once', language: 'de',
    run: async (page, help) => {
      await help.go('users');
      const line = help.row(NAME);
      await help.see('Eingerichtet', line);
      await line.getByRole('combobox').selectOption({ label: 'Lesen' });
      await help.press('Rolle setzen', { within: line });
      await help.see('Die Rolle ist gesetzt.');
      await help.see('Lesen', help.row(NAME));
    },
  },
  {
    row: 'users', name: 'the person is removed', language: 'en',
    run: async (page, help) => {
      await help.go('users');
      await help.press('Remove', { within: help.row(NAME) });
      await help.see(`Remove ${NAME} from the organisation`, question(page));
      await help.press('Remove', { within: question(page) });
      await help.see('The person is removed from the organisation.');
      await help.gone(NAME, page.getByRole('table').first());
    },
  },
  {
    row: 'login', name: 'nobody is left signed in, and the next page is what was asked for', language: 'de', who: 'nobody',
    run: async (page, help) => {
      await help.go('/o/zqbeta/mails?status=failed');
      help.is(page.url().includes('/login'), page.url());
      await help.fill(DE.name, NAME);
      await help.fill(DE.password, PASSWORD);
      await help.press(DE.signIn);
      await help.fill('Einmalcode', kept.codes[1]);
      await help.press('Anmelden');
      help.is(page.url().endsWith('/o/zqbeta/mails?status=failed'), page.url());
      await help.press('Abmelden');
    },
  },
];

module.exports = { steps };
