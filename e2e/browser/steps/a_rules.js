// mail.security > S/MIME > Verschlüsselungsregeln (S50 to S77).
'use strict';

const LIST = 'smime/rules';
const twentyOne = (end) => Array.from({ length: 21 }, (_, at) => `${at + 1}.${end}`).join(', ');

const lines = (page) => page.locator('tbody').first().getByRole('row');
const words = async (help, page, place) => help.text(lines(page).nth(place - 1));

// The words of the choices of a group.
const choices = async (help, page, group) => {
  const all = await page.getByRole('group', { name: group, exact: true }).getByRole('radio').evaluateAll((radios) =>
    radios.map((radio) => radio.labels[0].querySelector('span').firstChild.textContent.trim()));
  return all;
};

const managed = (page) => page.getByRole('group', { name: 'Verwaltetes Postfach/Domäne' });
const external = (page) => page.getByRole('group', { name: 'Externes Postfach/Domäne' });

const steps = [
  {
    row: ['S50', 'S51', 'S52'], name: 'the list and its columns', language: 'de',
    run: async (page, help) => {
      await help.go(help.home);
      await help.press('Verschlüsselungsregeln', { within: page.getByRole('navigation', { name: 'Navigation' }) });
      help.same(await help.columns(page.getByRole('table')), [
        'Priorität', 'Verwaltetes Postfach/Domäne', 'Externes Postfach/Domäne', 'Eingehend', 'Ausgehend', 'Aktionen',
      ]);
      const first = await words(help, page, 1);
      for (const word of ['anna@zqalpha.example', 'stranger@zqalpha-partner.example', 'Optional entschlüsseln', 'Verschlüsselung erzwingen', 'Bearbeiten', 'Löschen']) {
        help.is(first.includes(word), `"${word}" is not in "${first}"`);
      }
      for (const arrow of ['Regel 1 nach unten', 'Regel 2 nach oben', 'Regel 1 bearbeiten', 'Regel 1 löschen']) await help.control(arrow);
    },
  },
  {
    row: ['S54', 'S60'], name: '1 is the highest; "All" as the seeds show it', language: 'en',
    run: async (page, help) => {
      await help.go(LIST);
      help.same(await help.columns(page.getByRole('table')), [
        'Priority', 'Managed mailbox/domain', 'External mailbox/domain', 'Inbound', 'Outbound', 'Actions',
      ]);
      const numbers = await Promise.all([1, 2, 3].map(async (place) => (await words(help, page, place)).match(/\d/)[0]));
      help.same(numbers, ['1', '2', '3']);
      const last = await lines(page).nth(2).getByRole('cell').allInnerTexts();
      help.same([last[1].trim(), last[2].trim()], ['All', 'any']);
    },
  },
  {
    row: ['S53', 'S57', 'S58', 'S65', 'S66', 'S67', 'S68', 'S69', 'S70', 'S71', 'S72', 'S73', 'S74'],
    name: 'the form for a new rule with every mode', language: 'de',
    run: async (page, help) => {
      await help.go(LIST);
      await help.press('Neue Regel erstellen');
      await help.see('Neue Verschlüsselungsregel erstellen', page.locator('h1'));
      await help.see('Verwaltet: Postfächer und Domänen dieser Organisation.', managed(page));
      await help.see('Extern: Postfächer und Domänen außerhalb dieser Organisation, an die gesendet oder von denen empfangen wird.', external(page));
      help.same(await choices(help, page, 'Eingehend'), [
        'Nicht definiert', 'Nicht entschlüsseln', 'Optional entschlüsseln', 'Verschlüsselte E-Mails immer entschlüsseln', 'Entschlüsselung erzwingen',
      ]);
      help.same(await choices(help, page, 'Ausgehend'), [
        'Nicht definiert', 'Weder signieren noch verschlüsseln', 'Nur signieren', 'Optional verschlüsseln', 'Verschlüsselung erzwingen',
      ]);
      // A7.
      for (const group of ['Eingehend', 'Ausgehend']) {
        const chosen = page.getByRole('group', { name: group, exact: true }).getByRole('radio', { checked: true });
        help.same(await chosen.getAttribute('value'), '');
      }
    },
  },
  {
    row: ['S59', 'S61'], name: 'managed: at most 20, said while one types', language: 'de',
    run: async (page, help) => {
      await help.go(`${LIST}/new`);
      const entries = managed(page).getByLabel('Postfächer und Domänen');
      await help.see('Höchstens 20 Einträge, mit Kommata getrennt.', managed(page));
      await entries.fill(twentyOne('zqalpha.example'));
      await help.see('21 Einträge; höchstens 20 sind möglich.', managed(page));
      help.same(await entries.getAttribute('aria-invalid'), 'true');
      await entries.fill('anna@zqalpha.example, zqalpha-second.example');
      await help.gone('höchstens 20 sind möglich.', managed(page));
      help.same(await entries.getAttribute('aria-invalid'), 'false');
      await entries.fill('kein Postfach');
      await help.see('weder ein Postfach', managed(page));
      await entries.fill('partner.example');
      await help.see('gehört zu keiner Domäne dieser Organisation', managed(page));
    },
  },
  {
    row: ['S60', 'S61'], name: 'external: at most 20, said while one types', language: 'de',
    run: async (page, help) => {
      await help.go(`${LIST}/new`);
      const entries = external(page).getByLabel('Postfächer und Domänen');
      await entries.fill(twentyOne('partner.example'));
      await help.see('21 Einträge; höchstens 20 sind möglich.', external(page));
      await entries.fill('carl@partner.example, partner2.example');
      await help.gone('höchstens 20 sind möglich.', external(page));
    },
  },
  {
    row: ['S59', 'S60'], name: 'Alle, or entries: one takes the place of the other', language: 'de',
    run: async (page, help) => {
      await help.go(`${LIST}/new`);
      for (const group of [managed(page), external(page)]) {
        const [all, entries] = [group.getByLabel('Alle', { exact: true }), group.getByLabel('Postfächer und Domänen')];
        help.is(!(await all.isChecked()), 'a new rule is for all');
        await entries.fill('zqalpha.example');
        await all.check();
        help.is(await entries.isHidden(), 'the field still shows beside "Alle"');
        help.same(await entries.inputValue(), '');
        await all.uncheck();
        help.same(await entries.inputValue(), 'zqalpha.example');
      }
    },
  },
  {
    row: ['S53', 'S54', 'S55', 'S63'], name: 'a new rule is the first, and is in force since a time', language: 'de',
    run: async (page, help) => {
      await help.go(`${LIST}/new`);
      await managed(page).getByLabel('Alle', { exact: true }).check();
      await external(page).getByLabel('Postfächer und Domänen').fill('neu.example, carl@neu2.example');
      await page.getByRole('group', { name: 'Ausgehend', exact: true }).getByLabel('Nur signieren').check();
      await help.press('Speichern');
      await help.see('Die Regel ist gespeichert.');
      help.is(/Aktiv seit \d\d:\d\d:\d\d\.|Das Gateway lädt sie gleich\./.test(await help.text()), 'it does not say since when');
      const first = await words(help, page, 1);
      for (const word of ['1', 'Alle', 'neu.example', 'carl@neu2.example', 'Nicht definiert', 'Nur signieren']) {
        help.is(first.includes(word), `"${word}" is not in "${first}"`);
      }
      help.is((await words(help, page, 2)).includes('stranger@zqalpha-partner.example'), 'the others did not move down');
    },
  },
  {
    row: 'S55', name: 'the same without script; what cannot be meant is asked', language: 'de', script: false, statuses: [422],
    run: async (page, help) => {
      await help.go(`${LIST}/new`);
      await help.press('Speichern');
      await help.see('Geben Sie mindestens ein Postfach oder eine Domäne an', managed(page));
      await managed(page).getByLabel('Postfächer und Domänen').fill('anna@zqalpha.example');
      await external(page).getByLabel('Postfächer und Domänen').fill(twentyOne('ohne.example'));
      await help.press('Speichern');
      await help.see('21 Einträge; höchstens 20 sind möglich.', external(page));
      await external(page).getByLabel('Alle', { exact: true }).check();
      await external(page).getByLabel('Postfächer und Domänen').fill('ohne-skript.example');
      await help.press('Speichern');
      await help.see('„Alle“ steht nur allein.', external(page));
      await help.see('Die Regel ist gespeichert.').catch(() => {});
      await external(page).getByLabel('Alle', { exact: true }).uncheck();
      await help.press('Speichern');
      await help.see('ohne-skript.example', lines(page).first());
    },
  },
  {
    row: 'S56', name: 'arrows', language: 'de',
    run: async (page, help) => {
      await help.go(LIST);
      await help.press('Regel 1 nach unten');
      await help.see('Die Regel hat jetzt Priorität 2.');
      await help.see('ohne-skript.example', lines(page).nth(1));
      await help.press('Regel 2 nach oben');
      await help.see('ohne-skript.example', lines(page).first());
      help.is(await (await help.control('Regel 1 nach oben')).isDisabled(), 'the first can go up');
    },
  },
  {
    row: 'S56', name: 'arrows without script', language: 'de', script: false,
    run: async (page, help) => {
      await help.go(LIST);
      await help.press('Regel 1 nach unten');
      await help.see('ohne-skript.example', lines(page).nth(1));
      await help.press('Regel 2 nach oben');
      await help.see('ohne-skript.example', lines(page).first());
    },
  },
  {
    row: 'S56', name: 'dragging a line', language: 'de',
    run: async (page, help) => {
      await help.go(LIST);
      await help.moves(() => lines(page).nth(0).dragTo(lines(page).nth(2)));
      await help.see('Die Regel hat jetzt Priorität 3.');
      await help.see('ohne-skript.example', lines(page).nth(2));
      await help.moves(() => lines(page).nth(2).dragTo(lines(page).nth(0)));
      await help.see('ohne-skript.example', lines(page).first());
    },
  },
  {
    row: 'S52', name: 'a rule is changed', language: 'de',
    run: async (page, help) => {
      await help.go(LIST);
      await help.press('Regel 1 bearbeiten');
      await help.see('Verschlüsselungsregel bearbeiten', page.locator('h1'));
      await page.getByRole('group', { name: 'Eingehend', exact: true }).getByLabel('Nicht entschlüsseln').check();
      await help.press('Speichern');
      await help.see('Die Änderung ist gespeichert.');
      await help.see('Nicht entschlüsseln', lines(page).first());
    },
  },
  {
    row: 'S52', name: 'a rule is deleted, and taken back', language: 'de',
    run: async (page, help) => {
      await help.go(LIST);
      await help.press('Regel 1 löschen');
      await help.see('Die Regel ist gelöscht.');
      await help.gone('ohne-skript.example', page.getByRole('table'));
      await help.see('Gelöscht wurde Regel 1');
      await help.press('Rückgängig');
      await help.see('Die Regel steht wieder an Priorität 1.');
      await help.see('ohne-skript.example', lines(page).first());
    },
  },
  {
    row: ['S77', 'S74'], name: 'who could not send under a rule is named', language: 'de',
    run: async (page, help) => {
      await help.go(`${LIST}/new`);
      await managed(page).getByLabel('Postfächer und Domänen').fill('boris@zqalpha.example');
      await external(page).getByLabel('Postfächer und Domänen').fill('streng.example');
      await page.getByRole('group', { name: 'Ausgehend', exact: true }).getByLabel('Verschlüsselung erzwingen').check();
      await help.press('Speichern');
      await help.see('Eine Mailbox kann nicht senden', lines(page).first());
      await help.press('Eine Mailbox kann nicht senden');
      await help.see('boris@zqalpha.example', page.locator('main'));
      await help.press('Mailboxen aktivieren');
      await help.see('boris', page.getByRole('table'));
    },
  },
  {
    row: ['S51', 'S64', 'S75'], name: 'the simulator stands beside the list and says which rule or default decides', language: 'de',
    run: async (page, help) => {
      await help.go(LIST);
      await help.see('Greift keine, gelten die Voreinstellungen.');
      const [table, simulator] = [await page.getByRole('table').boundingBox(), await page.getByRole('heading', { name: 'Simulator' }).boundingBox()];
      help.is(simulator.x >= table.x + table.width && simulator.y <= table.y + table.height, 'it is not beside the list');
      await help.fill('Verwaltete Adresse', 'anna@zqalpha.example');
      await help.fill('Externe Adresse', 'stranger@zqalpha-partner.example');
      await help.press('Zeigen');
      await help.see('Verschlüsselung erzwingen');
      await help.fill('Externe Adresse', 'jemand@neu.example');
      await help.press('Zeigen');
      await help.see('Nur signieren');
      await help.press('Verschlüsselungsregeln', { within: page.getByRole('navigation', { name: 'S/MIME' }) });
    },
  },
  {
    row: ['S62', 'S93'], name: 'who may write makes rules', language: 'en', who: 'writer',
    run: async (page, help) => {
      await help.go(LIST);
      await help.press('Create new rule');
      await help.see('Create new encryption rule', page.locator('h1'));
      await page.getByRole('group', { name: 'Managed mailbox/domain' }).getByLabel('All', { exact: true }).check();
      await page.getByRole('group', { name: 'External mailbox/domain' }).getByLabel('Mailboxes and domains').fill('writer.example');
      await help.press('Save');
      await help.see('The rule is saved.');
      await help.see('writer.example', lines(page).first());
    },
  },
  {
    row: ['S62', 'S93'], name: 'who may only read sees rules and no actions', language: 'en', who: 'reader', statuses: [403],
    run: async (page, help) => {
      await help.go(LIST);
      await help.see('writer.example', lines(page).first());
      for (const name of ['Edit', 'Delete', 'Move', 'Create']) {
        help.same(await page.locator('main').getByRole('button', { name }).count(), 0);
        help.same(await page.locator('main').getByRole('link', { name }).count(), 0);
      }
      await help.press('Look at rule 1');
      help.same(await page.locator('main').getByRole('button', { name: 'Save' }).count(), 0);
      await help.go(`${LIST}/new`);
      await help.gone('Save', page.locator('main'));
    },
  },
];

module.exports = { steps };
