// mail.security > S/MIME > S/MIME: the table of mailboxes and what is done in it (S25 to S42), and their certificates (S44 to S49).
'use strict';

const TABLE = 'smime/mailboxes';
const address = (name) => `${name}@zqalpha.example`;

// The line of a mailbox, by the name of its checkbox or link.
const line = (page, name) =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) }).first();

// What a line says, cell by cell.
const cells = async (page, name) => (await line(page, name).getByRole('cell').allInnerTexts()).map((text) => text.trim());

// What one can press in a line.
const offers = async (page, name) =>
  (await line(page, name).locator('td').last().getByRole('button').or(line(page, name).locator('td').last().getByRole('link')).allInnerTexts())
    .map((text) => text.replace(/\s+\S+@\S+$/, '').trim());

// A number to look at, by the words above it.
const figure = async (page, words) => {
  const own = page.locator('div').filter({ has: page.getByRole('term').filter({ hasText: words }) }).last();
  return Number(await own.getByRole('definition').first().innerText());
};

const choose = async (page, names) => {
  for (const name of names) await page.getByRole('checkbox', { name: address(name), exact: true }).check();
};

const above = async (page, button) => {
  const [own, table] = [await button.boundingBox(), await page.getByRole('table').first().boundingBox()];
  return own.y + own.height <= table.y;
};

const steps = [
  {
    row: 'S25', name: 'the page is found in the menu and lists the mailboxes', language: 'de',
    run: async (page, help) => {
      await help.go(help.home);
      const menu = page.getByRole('navigation', { name: 'Navigation' });
      await help.see('mail.security > S/MIME', menu);
      await help.press('S/MIME', { within: menu });
      await help.see('S/MIME', page.locator('h1'));
      await help.see('Die Mailboxen, die unter „Eingehend“ angelegt sind');
      for (const name of ['anna', 'boris', 'dora', 'emil', 'frida', 'gustav', 'heinz']) await help.see(name, line(page, name));
    },
  },
  {
    row: ['S26', 'S27', 'S28', 'S29', 'S30'], name: 'the columns', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      help.same((await help.columns()).filter(Boolean), ['Zertifikats-ID', 'Mailbox', 'Domäne', 'S/MIME', 'Aktionen']);
      const [, , mailbox, domain] = await cells(page, 'anna');
      help.same([mailbox, domain], ['anna', 'zqalpha.example']);
    },
  },
  {
    row: ['S26', 'S31', 'S32', 'S33', 'S34'], name: 'states by their words; a number only for what is active', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      const states = { anna: 'Aktiv', boris: 'Inaktiv', emil: 'In Aktivierung', gustav: 'in Deaktivierung' };
      for (const [name, state] of Object.entries(states)) {
        const [, id, , , own] = await cells(page, name);
        help.is(own.startsWith(state), `${name} is "${own}"`);
        help.is(state === 'Aktiv' ? /^\d+$/.test(id) : id === '', `${name}: the certificate's number is "${id}"`);
      }
    },
  },
  {
    row: ['S31', 'S32', 'S33', 'S34'], name: 'the same states in English', language: 'en',
    run: async (page, help) => {
      await help.go(TABLE);
      help.same((await help.columns()).filter(Boolean), ['Certificate ID', 'Mailbox', 'Domain', 'S/MIME', 'Actions']);
      const states = { anna: 'Active', boris: 'Inactive', emil: 'Activation pending', gustav: 'Revoke pending' };
      for (const [name, state] of Object.entries(states)) await help.see(state, line(page, name));
    },
  },
  {
    row: ['S36', 'S39', 'S40', 'S42'], name: 'each state has its own actions and no other', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      const all = {
        anna: ['Zertifikat hochladen', 'Deaktivieren'],
        boris: ['Aktivieren', 'Mit Zertifikat aktivieren'],
        emil: ['Bestellung zurückziehen'],
        gustav: ['Widerruf bestätigen'],
      };
      for (const [name, actions] of Object.entries(all)) help.same(await offers(page, name), actions);
    },
  },
  {
    row: ['S32', 'S33', 'S36', 'S26'], name: 'one mailbox: Inaktiv, ordered, Aktiv', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      await help.press(`${address('boris')} aktivieren`);
      await help.see('Ein Zertifikat ist bestellt.');
      help.is(!(await offers(page, 'boris')).includes('Deaktivieren') || (await cells(page, 'boris'))[4].startsWith('Aktiv'), 'it can be deactivated while it is activated');
      await help.wait('Aktiv bis', () => line(page, 'boris'));
      help.is(/^\d+$/.test((await cells(page, 'boris'))[1]), 'it has no number');
    },
  },
  {
    row: ['S37', 'S38', 'S41'], name: 'the buttons stand above the table and count what they would do', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      await choose(page, ['heinz', 'ida', 'anna']);
      await help.see('3 ausgewählt');
      for (const words of ['2 Mailboxen aktivieren', '1 Mailbox deaktivieren, Zertifikat widerrufen']) {
        help.is(await above(page, await help.control(words)), `"${words}" is not above the table`);
      }
    },
  },
  {
    row: ['S37', 'S38'], name: 'several at once', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      await choose(page, ['heinz', 'ida']);
      await help.press('2 Mailboxen aktivieren');
      await help.see('2 Zertifikate sind bestellt.');
      for (const name of ['heinz', 'ida']) await help.wait('Aktiv bis', () => line(page, name));
    },
  },
  {
    row: 'S42', name: 'nothing can be done to what is on its way', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      await choose(page, ['emil', 'gustav']);
      for (const words of ['Aktivieren', 'Deaktivieren']) {
        const button = page.getByRole('button', { name: words, exact: true });
        help.is(await button.isDisabled(), `${words} can be pressed`);
      }
    },
  },
  {
    row: 'S42', name: 'and the gateway refuses it where no script holds one back', language: 'de', script: false,
    run: async (page, help) => {
      await help.go(TABLE);
      await choose(page, ['gustav']);
      await help.press('Aktivieren');
      await help.see('Kein Zertifikat wurde bestellt.');
      await help.see(`${address('gustav')}:`);
      await help.see('in Deaktivierung', line(page, 'gustav'));
    },
  },
  {
    row: ['S39', 'S47'], name: 'with an uploaded certificate', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      const before = await figure(page, 'Belegte Lizenzen');
      await help.press('Mit Zertifikat aktivieren', { within: line(page, 'dora') });
      await help.see('Auch hochgeladene Zertifikate belegen eine Lizenz.');
      await help.attach('Datei', help.given.dora);
      await help.fill('Passwort der Datei', 'wrong');
      await help.press('Hochladen');
      await help.see('Passwort', page.getByRole('alert'));
      await help.attach('Datei', help.given.dora);
      await help.fill('Passwort der Datei', help.given.password);
      await help.press('Hochladen');
      await help.see(`${address('dora')} verwendet von jetzt an das hochgeladene Zertifikat.`);
      await help.go(TABLE);
      await help.see('Aktiv bis', line(page, 'dora'));
      help.same(await offers(page, 'dora'), await offers(page, 'anna'));
      help.same(await figure(page, 'Belegte Lizenzen'), before + 1);
    },
    statuses: [422],
  },
  {
    row: 'S38', name: 'all at once', language: 'de',
    run: async (page, help) => {
      await help.go(`${TABLE}?state=inactive`);
      await help.tick('Alle Zeilen auf dieser Seite auswählen');
      const count = await page.getByRole('checkbox', { checked: true }).count() - 1;
      help.is(count >= 2, `${count} are inactive`);
      await help.press(`${count} Mailboxen aktivieren`);
      // Of these, one is in a domain whose MX record points elsewhere (S18).
      await help.see(`${count - 1} Zertifikate sind bestellt.`);
      await help.see('lager@werk.example:');
      for (const name of ['jonas', 'karla']) {
        await help.go(TABLE);
        await help.wait('Aktiv bis', () => line(page, name));
      }
    },
  },
  {
    row: ['S40', 'S49', 'S35'], name: 'deactivation names its consequence', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      await help.press(`${address('boris')} deaktivieren`);
      await help.see('Mailbox deaktivieren', page.locator('h1'));
      await help.see('Bis der Widerruf bestätigt ist, längstens 14 Tage, bleibt die Lizenz belegt.');
      await help.press('Abbrechen');
      await help.see('Aktiv bis', line(page, 'boris'));
      await help.press(`${address('boris')} deaktivieren`);
      await help.press('1 Mailbox deaktivieren, 1 Zertifikat widerrufen');
      await help.see('Die Mailbox ist deaktiviert, ihr Zertifikat wird widerrufen.');
      await help.wait('Inaktiv', () => line(page, 'boris'));
      help.same((await cells(page, 'boris'))[1], '');
    },
  },
  {
    row: 'S41', name: 'several are deactivated', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      await choose(page, ['heinz', 'ida']);
      await help.press('2 Mailboxen deaktivieren, 2 Zertifikate widerrufen');
      for (const name of ['heinz', 'ida']) await help.see(address(name));
      await help.press('2 Mailboxen deaktivieren, 2 Zertifikate widerrufen');
      await help.see('2 Mailboxen sind deaktiviert, ihre Zertifikate werden widerrufen.');
      for (const name of ['heinz', 'ida']) await help.wait('Inaktiv', () => line(page, name));
    },
  },
  {
    row: ['S37', 'S41'], name: 'the same without script', language: 'de', script: false,
    run: async (page, help) => {
      await help.go(TABLE);
      await choose(page, ['heinz']);
      await help.press('Aktivieren');
      await help.see('Ein Zertifikat ist bestellt.');
      await help.wait('Aktiv bis', () => line(page, 'heinz'));
      await choose(page, ['heinz']);
      await help.press('Deaktivieren');
      await help.press('1 Mailbox deaktivieren, 1 Zertifikat widerrufen');
      await help.see('Die Mailbox ist deaktiviert');
      await help.wait('Inaktiv', () => line(page, 'heinz'));
    },
  },
  {
    row: ['S34', 'S35', 'S42'], name: 'in Deaktivierung until the revocation is confirmed; then Inaktiv, and the licence is free', language: 'de',
    run: async (page, help) => {
      await help.go(`${TABLE}?search=gustav`);
      const [held, free] = [await figure(page, 'Belegte Lizenzen'), await figure(page, 'Freies Kontingent')];
      await help.press('Widerruf bestätigen');
      await help.see('Der Widerruf ist bestätigt.');
      await help.wait('Inaktiv', () => line(page, 'gustav'));
      help.same([await figure(page, 'Belegte Lizenzen'), await figure(page, 'Freies Kontingent')], [held - 1, free + 1]);
      help.same(await offers(page, 'gustav'), ['Aktivieren', 'Mit Zertifikat aktivieren']);
    },
  },
  {
    row: ['S32', 'S42'], name: 'an order is withdrawn', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      await help.see('Bestellt bei zqalpha-hand', line(page, 'emil'));
      await help.press(`Bestellung zurückziehen: ${address('emil')}`);
      await help.see('Die Bestellung ist zurückgezogen.');
      await help.see('Inaktiv', line(page, 'emil'));
    },
  },
  {
    row: ['S25', 'S31'], name: 'sorting and filters stand in the address', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      await help.fill('S/MIME', 'Inaktiv');
      await help.until(() => page.url().includes('state=inactive'), () => 'a chosen state does not filter at once');
      await help.gone('frida', page.getByRole('table'));
      await help.press('Mailbox', { within: page.getByRole('columnheader', { name: 'Mailbox' }) });
      help.is(/state=inactive/.test(page.url()) && /sort=/.test(page.url()), `the address is ${page.url()}`);
      help.same(await page.getByRole('columnheader', { name: 'Mailbox' }).getAttribute('aria-sort'), 'ascending');
    },
  },
  {
    row: ['S44', 'S45', 'S46'], name: 'one certificate for each mailbox, for a year, renewed by itself', language: 'de',
    run: async (page, help) => {
      await help.go('certificates');
      help.same(await page.getByRole('row').filter({ hasText: address('frida') }).count(), 1);
      await help.go(TABLE);
      await help.press('karla', { within: line(page, 'karla') });
      await help.see('Erneuert wird von selbst, bevor das Zertifikat endet.');
      const [from, until] = (await help.text(page.getByRole('table'))).match(/\d\d\.\d\d\.\d{4}/g)
        .map((day) => day.split('.').reverse().map(Number));
      help.is(until[0] - from[0] === 1 || (until - from) / 86400000 <= 366, `${from} to ${until}`);
    },
  },
  {
    row: ['S46', 'S49'], name: 'orders and revocations are seen under the certificates', language: 'de',
    run: async (page, help) => {
      await help.go('certificates');
      await help.press('Aufträge', { within: page.getByRole('navigation', { name: 'Zertifikate' }) });
      await help.see('Nächstes Zertifikat', help.row(address('frida')));
      await help.press('Anforderung zeigen', { within: help.row(address('frida')) });
      help.is((await page.getByLabel('Zertifikatsanforderung (PKCS #10)').inputValue()).startsWith('-----BEGIN CERTIFICATE REQUEST'), 'there is no request');
      await help.press('Auftrag zurückziehen');
      await help.see('ist zurückgezogen');
      await help.go('certificates/orders');
      await help.fill('Aufträge', 'Alle');
      await help.see('Zurückgezogen', help.row(address('emil')));
    },
  },
  {
    row: 'S47', name: 'an uploaded certificate is managed like an issued one', language: 'de',
    run: async (page, help) => {
      await help.go('certificates?search=dora');
      await help.see('Hochgeladen', help.row(address('dora')));
      await help.go(TABLE);
      await help.press(`${address('dora')} deaktivieren`);
      await help.press('1 Mailbox deaktivieren, 1 Zertifikat widerrufen');
      await help.see('in Deaktivierung', line(page, 'dora'));
      await help.see('Lassen Sie das Zertifikat bei seinem Aussteller widerrufen', line(page, 'dora'));
    },
  },
  {
    row: 'S48', name: 'no certificate and no key can be downloaded', language: 'de',
    run: async (page, help) => {
      for (const [place, words] of [
        ['certificates', 'Zertifikate und Schlüssel lassen sich aus Sicherheitsgründen nicht herunterladen.'],
        [`${TABLE}/${address('frida')}`, 'Zertifikate und private Schlüssel können aus Sicherheitsgründen nicht heruntergeladen werden.'],
        [TABLE, ''],
      ]) {
        await help.go(place);
        await help.see(words);
        const links = await page.getByRole('link').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
        const wrong = links.filter((one) => /\.(pem|p12|pfx|crt|cer|der|key)|download/i.test(one));
        help.same(wrong, []);
      }
    },
  },
  {
    row: ['S36', 'S37', 'S40', 'S41', 'S62'], name: 'who may only read sees states and no actions', language: 'en', who: 'reader',
    run: async (page, help) => {
      await help.go(TABLE);
      await help.see('Active', line(page, 'anna'));
      help.same(await page.locator('main').getByRole('checkbox').count(), 0);
      for (const words of ['Activate', 'Deactivate', 'Upload']) {
        help.same(await page.locator('main').getByRole('button', { name: words }).count(), 0);
      }
    },
  },
];

module.exports = { steps };
