// mail.security > S/MIME > Public Keys (S83 to S88), and whom the organisation trusts.
'use strict';

const { handIn } = require('./b_mailing.js');

const KEYS = 'smime/keys';

// The key of an address that this state is said of.
const key = (page, address, state) =>
  page.getByRole('row').filter({ hasText: address }).filter({ hasText: state }).first();

const steps = [
  {
    row: 'S83', name: 'the page lies below mail.security > S/MIME', language: 'de',
    run: async (page, help) => {
      await help.go(help.home);
      await help.see('mail.security > S/MIME', page.getByRole('navigation', { name: 'Navigation' }));
      await help.press('Public Keys');
      await help.see('Public Keys', page.locator('h1'));
      help.same(await help.columns(), ['Adresse', 'Herkunft', 'Status', 'Gültig bis', 'Aussteller']);
    },
  },
  {
    row: ['S84', 'S87'], name: 'the key of a signed mail is there, with where it comes from and how long it is valid', language: 'de',
    run: async (page, help) => {
      await help.go(KEYS);
      const line = await help.text(help.row(help.given.dan));
      for (const word of ['signierte E-Mail', 'bevorzugt']) help.is(line.includes(word), `${word} is not in ${line}`);
      help.is(/\d\d\.\d\d\.\d{4}/.test(line), `no day in ${line}`);
      await help.press(help.given.dan);
      for (const word of ['An diesen Schlüssel wird verschlüsselt.', 'Gelernt aus E-Mail', 'Gültig ab', 'Gültig bis', 'SHA-256']) await help.see(word);
      await help.press(await help.text(page.getByRole('definition').getByRole('link').first()));
      await help.see('Signiert');
    },
  },
  {
    row: 'S85', name: 'the button for the import is at the bottom right', language: 'de',
    run: async (page, help) => {
      await help.go(KEYS);
      const [button, table] = [await help.control('Pubkey hinzufügen'), page.getByRole('table')];
      const [one, other] = [await button.boundingBox(), await table.boundingBox()];
      help.is(one.y >= other.y + other.height, 'it is not below the table');
      help.is(Math.abs(one.x + one.width - other.x - other.width) < 4, 'it is not at the right');
      await help.press('Pubkey hinzufügen');
      await help.see('Pubkey hinzufügen', page.locator('h1'));
    },
  },
  {
    row: 'S86', name: 'the certificate of a domain is refused', language: 'de',
    run: async (page, help) => {
      await help.go(`${KEYS}/import`);
      await help.see('Es können nur Mailbox-Zertifikate importiert werden. Domänen-Zertifikate lassen sich nicht importieren!');
      await help.attach('Datei', help.given.domain);
      await help.press('Ansehen');
      await help.see('Das Zertifikat ist für eine Domäne gemacht, nicht für ein Postfach.');
      await help.see('Domänen-Zertifikate lassen sich nicht importieren!');
      help.is(!(await page.getByRole('button', { name: 'importieren' }).count()), 'it can be imported all the same');
      await help.press('Andere Datei');
    },
  },
  {
    row: 'S85', name: 'a key is looked at and imported', language: 'de',
    run: async (page, help) => {
      await help.go(`${KEYS}/import`);
      await help.attach('Datei', help.given.erin.file);
      await help.press('Ansehen');
      for (const word of [help.given.erin.address, 'Aussteller', 'SHA-256']) await help.see(word);
      await help.press('Einen Schlüssel importieren');
      await help.see('Ein Schlüssel ist importiert.');
      const line = await help.text(help.row(help.given.erin.address));
      help.is(line.includes('importiert') && line.includes('bevorzugt'), line);
    },
  },
  {
    row: 'S83', name: 'keys are searched for, and the address of the page says how', language: 'de',
    run: async (page, help) => {
      await help.go(KEYS);
      await help.fill('Suche', 'erin@');
      await help.press('Anzeigen');
      await help.see(help.given.erin.address);
      await help.gone(help.given.carol);
      await help.go(KEYS);
      await help.moves(() => help.fill('Herkunft', 'signierte E-Mail'));
      help.is(page.url().includes('origin='), page.url());
      await help.see(help.given.dan);
      await help.gone(help.given.erin.address);
      await help.go(`${KEYS}?search=nobody-has-this`);
      await help.see('Nichts gefunden');
    },
  },
  {
    row: ['trust', 'S84'], name: 'an authority of a partner is trusted', language: 'de',
    run: async (page, help) => {
      await help.go('trust');
      await help.attach('Zertifikate von Zertifizierungsstellen', help.given.root);
      await help.press('Diesen Zertifizierungsstellen vertrauen');
      await help.see('Der Zertifizierungsstelle wird vertraut.');
      const line = await help.text(help.row('another-partner-CA'));
      help.is(line.includes('Gültig') && line.includes('Nicht mehr vertrauen'), line);
    },
  },
  {
    row: ['S87', 'review'], name: 'keys of another issuer wait for a review: one is approved', language: 'de',
    run: async (page, help) => {
      for (const mail of help.given.newKeys) await handIn(help.given.inbound, mail);
      await help.go(KEYS);
      await help.wait('2 neue Schlüssel anderer ausstellender Stellen warten auf Ihre Prüfung.');
      await help.press('Jetzt prüfen');
      const line = await help.text(help.row(help.given.carol));
      help.is(line.includes('neu') && line.includes('another-partner-CA'), line);
      await help.tick(help.given.carol);
      await help.press('Einem Schlüssel zustimmen');
      await help.see('Der Schlüssel wird ab jetzt bevorzugt.');
    },
  },
  {
    row: 'review', name: 'the other one is blocked', language: 'en',
    run: async (page, help) => {
      await help.go(`${KEYS}?state=new`);
      await help.gone(help.given.carol);
      await help.tick(help.given.dan);
      await help.press('Block one key');
      await help.see('The key is blocked and not used any more.');
      await help.go(`${KEYS}?state=blocked`);
      await help.see(help.given.dan);
    },
  },
  {
    row: 'review', name: 'the former key is preferred again', language: 'en',
    run: async (page, help) => {
      await help.go(`${KEYS}?search=carol`);
      await help.press(help.given.carol, { within: key(page, help.given.carol, 'additional') });
      await help.press('Prefer');
      await help.see('The key is preferred from now on.');
      await help.go(`${KEYS}?search=carol`);
      await help.see('zqalpha-partner-CA', key(page, help.given.carol, 'preferred'));
    },
  },
  {
    row: 'review', name: 'a key is pinned and let go', language: 'en',
    run: async (page, help) => {
      await help.go(`${KEYS}?search=erin`);
      await help.press(help.given.erin.address);
      await help.press('Pin');
      await help.see('It is pinned: no other is used until that is taken back.');
      await help.press('Unpin');
      await help.see('Other keys of the address can be used again.');
    },
  },
  {
    row: 'S85', name: 'an imported key is removed, and the question says what follows', language: 'de',
    run: async (page, help) => {
      await help.go(`${KEYS}?search=erin`);
      await help.press(help.given.erin.address);
      await help.press('Importierten Schlüssel entfernen');
      const question = page.locator('dialog[open]');
      await help.see('Ohne anderen Schlüssel wird an diese Adresse nicht mehr verschlüsselt.', question);
      await help.press('Abbrechen', { within: question });
      await help.press('Importierten Schlüssel entfernen');
      await help.press('Importierten Schlüssel entfernen', { within: question });
      await help.see('Der importierte Schlüssel ist entfernt.');
    },
  },
  {
    row: 'S93', name: 'who may only read sees the keys and nothing to change', language: 'en', who: 'reader',
    run: async (page, help) => {
      await help.go(KEYS);
      await help.see(help.given.carol);
      await help.gone('Add public key');
      await help.press(help.given.carol);
      help.same(await page.getByRole('main').getByRole('button').count(), 0);
    },
  },
  {
    row: 'S83', name: 'the list is given as a file', language: 'en',
    run: async (page, help) => {
      await help.go(KEYS);
      const text = require('node:fs').readFileSync(await help.download('List as CSV'), 'utf8');
      help.is(text.includes(help.given.carol) && text.split('\n').length > 3, text.slice(0, 400));
    },
  },
  {
    row: 'S88', name: 'the help says how partners learn our key', language: 'de',
    run: async (page, help) => {
      await help.go('help');
      await help.press('Austausch der Schlüssel', { stays: true });
      await help.see('In der Gegenrichtung genügt eine signierte, unverschlüsselte E-Mail von Ihnen: Damit kennt Ihr Partner Ihren Schlüssel.');
    },
  },
  {
    row: 'trust', name: 'a certificate is blocked by its fingerprint, and not any more', language: 'de',
    run: async (page, help) => {
      await help.go('trust');
      await help.fill('Oder Fingerabdruck (SHA-256)', 'ab'.repeat(32));
      await help.fill('Grund', 'gestohlen');
      await help.press('Zertifikat sperren');
      await help.see('Das Zertifikat ist gesperrt.');
      await help.press('Sperre aufheben', { within: help.row('gestohlen') });
      await help.see('Die Sperre ist aufgehoben.');
    },
  },
  {
    row: 'trust', name: 'public authorities count no more, then again; an own root goes', language: 'en',
    run: async (page, help) => {
      await help.go('trust');
      await help.press('No longer trust public roots');
      await help.see('Only your own roots are trusted from now on.');
      await help.press('Trust public roots');
      await help.see("Mozilla's root certificates for e-mail are trusted");
      await help.press('No longer trust it', { within: help.row('another-partner-CA') });
      const question = page.locator('dialog[open]');
      await help.see('another-partner-CA', question);
      await help.press('No longer trust it', { within: question });
      await help.see('This root is trusted no longer.');
    },
  },
];

module.exports = { steps };
