// mail.security > the mail overview (S89, S90), why a mail became what it is, new lines as they come, and held mail.
'use strict';

const fs = require('node:fs');
const { handIn } = require('./b_mailing.js');

// The words of the column in all lines of the list.
const column = (page, name) => page.locator(`tbody td[data-label="${name}"]`).allInnerTexts();

// Every status by which the list can be filtered.
const statuses = async (help, label) => {
  const words = await (await help.field(label)).locator('option').allInnerTexts();
  return words.slice(1);
};

// Chooses one after the other; gives how many lines each has.
async function eachStatus(page, help, label, nothing) {
  const counts = {};
  await help.go('mails');
  for (const status of await statuses(help, label)) {
    await help.moves(() => help.fill(label, status));
    help.is(page.url().includes('status='), page.url());
    const found = await column(page, label);
    help.is(found.every((one) => one === status), `${status}: ${found}`);
    if (!found.length) await help.see(nothing);
    counts[status] = found.length;
  }
  return counts;
}

const first = (page) => page.locator('tbody tr').first();

// What is held, each line with its box.
const boxes = (page) => page.locator('tbody').getByRole('checkbox');

const steps = [
  {
    row: 'S89', name: 'the overview shows what was encrypted, decrypted or signed', language: 'de',
    run: async (page, help) => {
      await help.go(help.home);
      await help.press('E-Mail-Übersicht');
      help.same(await help.columns(), ['Zeit', 'Richtung', 'Von', 'An', 'Status', 'Zustellung']);
      const found = await column(page, 'Status');
      for (const status of ['Signiert', 'Entschlüsselt', 'Signiert und verschlüsselt', 'Fehlgeschlagen']) {
        help.is(found.includes(status), `${status} is not among ${found}`);
      }
    },
  },
  {
    row: 'S90', name: 'it is filtered by each status', language: 'de',
    run: async (page, help) => {
      const counts = await eachStatus(page, help, 'Status', 'Nichts gefunden');
      for (const status of ['Signiert', 'Entschlüsselt', 'Signiert und verschlüsselt', 'Fehlgeschlagen']) {
        help.is(counts[status] > 0, JSON.stringify(counts));
      }
      help.is('Unverändert' in counts && 'Verschlüsselt' in counts, JSON.stringify(counts));
    },
  },
  {
    row: 'S90', name: 'in English, too', language: 'en',
    run: async (page, help) => {
      const counts = await eachStatus(page, help, 'Status', 'Nothing found');
      help.is(counts.Decrypted > 0 && counts['Signed and encrypted'] > 0, JSON.stringify(counts));
    },
  },
  {
    row: 'filter', name: 'by direction, address, delivery and time, each in the address of the page', language: 'de',
    run: async (page, help) => {
      await help.go('mails');
      await help.moves(() => help.fill('Richtung', 'Ausgehend'));
      const ways = await column(page, 'Richtung');
      help.is(ways.length >= 3 && ways.every((way) => way.includes('Ausgehend')), `${ways}`);
      await help.fill('Von oder an', help.given.carol);
      await help.press('Anzeigen');
      const to = await column(page, 'An');
      help.is(to.length >= 1 && to.every((one) => one === help.given.carol), `${to}`);
      const seen = await help.text(page.locator('tbody'));
      await help.go(new URL(page.url()).pathname + new URL(page.url()).search);
      help.same(await help.text(page.locator('tbody')), seen);
      await help.press('Filter aufheben');
      await help.moves(() => help.fill('Zustellung', 'Zurückgehalten'));
      help.same(new Set(await column(page, 'Zustellung')).size, 1);
      await help.go('mails');
      await help.moves(() => help.fill('Seit', '2035-01-01'));
      await help.see('Nichts gefunden');
      await help.go('mails');
      await help.moves(() => help.fill('Bis', '2035-01-01'));
      help.is((await column(page, 'An')).length >= 9, 'mails before 2035 are missing');
    },
  },
  {
    row: 'why', name: 'why a mail was not encrypted is two clicks from the overview', language: 'de',
    run: async (page, help) => {
      await help.go(help.home);
      await help.press('E-Mail-Übersicht');
      const line = help.row(help.given.stranger);
      await help.press(await help.text(line.getByRole('link')), { within: line });
      await help.see(`Nicht gesendet: Regel 1 verlangt „Verschlüsselung erzwingen“, und kein öffentlicher Schlüssel von ${help.given.stranger} ist bekannt.`);
    },
  },
  {
    row: 'why', name: 'from what needs attention, too; the way out stands beside it', language: 'de',
    run: async (page, help) => {
      await help.go(help.home);
      await help.see('Was Aufmerksamkeit braucht');
      await help.press('eine E-Mail nicht bekommen');
      const line = help.row(help.given.stranger);
      await help.press(await help.text(line.getByRole('link')), { within: line });
      await help.press('Importieren Sie den öffentlichen Schlüssel des Empfängers');
      help.is(page.url().endsWith('/smime/keys'), page.url());
      await help.see('Pubkey hinzufügen');
    },
  },
  {
    row: 'why', name: 'the whole explanation, rule by rule, with the way to the rule and to the simulator', language: 'en',
    run: async (page, help) => {
      await help.go(`mails?party=${help.given.world}`);
      await help.press(await help.text(first(page).getByRole('link')), { within: first(page) });
      await help.see('Signed, not encrypted: rule 3 asks for “Sign only”.');
      for (const word of ['Way:', 'Passed over:', 'Decided by:', 'Outcome:']) await help.see(word);
      await help.press('rule 3: Sign only');
      help.is(page.url().includes('/smime/rules/'), page.url());
      await page.goBack();
      await help.press("Try the rules of today for these addresses");
      help.is(page.url().includes('simulator'), page.url());
      await help.see('rule 3');
    },
  },
  {
    row: 'live', name: 'a mail that comes in while the page is open is shown', language: 'de',
    run: async (page, help) => {
      await help.go('mails');
      await page.evaluate(() => { globalThis.stayed = true; });
      await help.press('Neue E-Mails laufend zeigen', { stays: true });
      await handIn(help.given.inbound, help.given.live);
      await help.see(help.given.live.from, first(page));
      help.is(await page.evaluate(() => globalThis.stayed), 'the page was loaded again');
      const line = help.row(help.given.live.from);
      await help.see('Unverändert', line);
      await help.press('Neue E-Mails laufend zeigen', { stays: true });
      await help.press(await help.text(line.getByRole('link')), { within: line });
      await help.see('Zugestellt, wie sie kam: Die E-Mail war nicht verschlüsselt.');
    },
  },
  {
    row: 'filter', name: 'the list is given as a file', language: 'en',
    run: async (page, help) => {
      await help.go('mails?status=decrypted');
      const text = fs.readFileSync(await help.download('Export as CSV'), 'utf8');
      help.is(text.includes(help.given.carol) && text.trim().split('\n').length === 2, text.slice(0, 400));
    },
  },
  {
    row: 'held', name: 'held mail stands with its reason', language: 'de',
    run: async (page, help) => {
      await help.go(help.home);
      await help.press('E-Mails für 3 Empfänger werden zurückgehalten.');
      await help.see('Zurückgehaltene E-Mails', page.locator('h1'));
      help.same(await boxes(page).count(), 3);
      await help.see('Ihr Absender ist nicht nachgewiesen', first(page));
    },
  },
  {
    row: 'W13', name: 'it is looked at as text only', language: 'de',
    run: async (page, help) => {
      await help.go('held');
      await help.press(await help.text(first(page).getByRole('link')), { within: first(page) });
      await help.see('zqalpha text of a mail');
      await help.see('Dass Sie diese E-Mail angesehen haben, steht im Änderungsprotokoll.');
      help.same(await page.getByRole('main').locator('img, iframe, object, embed, script, style').count(), 0);
      const file = fs.readFileSync(await help.download('Als Datei herunterladen'), 'utf8');
      help.is(/^Subject: zqalpha held/m.test(file), file.slice(0, 400));
    },
  },
  {
    row: 'held', name: 'one is tried again and delivered', language: 'de',
    run: async (page, help) => {
      await help.go('held');
      await boxes(page).first().check();
      await help.press('1 E-Mail erneut versuchen');
      await help.see('Eine E-Mail wird erneut versucht.');
      await help.go('held');
      help.same(await boxes(page).count(), 2);
    },
  },
  {
    row: 'held', name: 'one is released from its page, after a question', language: 'en',
    run: async (page, help) => {
      await help.go('held');
      await help.press(await help.text(first(page).getByRole('link')), { within: first(page) });
      await help.press('Release: send it as it is');
      const question = page.locator('dialog[open]');
      await help.see('What a rule asks for is not done to it any more.', question);
      await help.press('Release: send it as it is', { within: question });
      await help.see('One mail is released and on its way.');
      await help.go(`mails?party=${help.given.boris}&delivery=delivered`);
      await help.wait(help.given.boris, () => page.locator('main'));
    },
  },
  {
    row: 'held', name: 'the last is deleted, and the button says so', language: 'de',
    run: async (page, help) => {
      await help.go('held');
      await boxes(page).first().check();
      await help.press('1 E-Mail endgültig löschen');
      const question = page.locator('dialog[open]');
      await help.see('Niemand bekommt sie, und niemand erfährt davon.', question);
      await help.press('1 E-Mail endgültig löschen', { within: question });
      await help.see('Eine E-Mail ist gelöscht.');
      await help.see('Nichts wird zurückgehalten');
    },
  },
  {
    row: 'overview', name: 'numbers over time are drawn and written', language: 'en',
    run: async (page, help) => {
      await help.go(help.home);
      help.is(await page.getByRole('img', { name: /^Signed: / }).count(), 'no lane of signed mails');
      await help.press('30 days');
      help.is(page.url().includes('span=month'), page.url());
      await help.press('The same in numbers', { stays: true });
      await help.see('Signed', page.getByRole('table').nth(1));
    },
  },
];

module.exports = { steps };
