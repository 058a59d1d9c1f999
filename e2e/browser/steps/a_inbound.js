// mail.security > Eingehend: routes, mailboxes, lists of them (S18 to S22).
'use strict';

const steps = [
  {
    row: 'S20', name: 'routes with what they are', language: 'de',
    run: async (page, help) => {
      await help.go(help.home);
      await help.press('Eingehend', { within: page.getByRole('navigation', { name: 'Navigation' }) });
      help.same(await help.columns(), ['Beschreibung', 'Zielserver', 'Domänen', 'Mailboxen', 'Wildcard', 'Aktionen']);
      await help.see('zqalpha.example', help.row('zqalpha-office'));
    },
  },
  {
    row: 'S20', name: 'a new route; what is wrong is said, and nothing typed is lost', language: 'de', statuses: [409, 422],
    run: async (page, help) => {
      await help.go('inbound');
      await help.press('Neue Route');
      await help.fill('Beschreibung', 'Werk');
      await help.fill('Domänen', 'werk.example, falsch..example');
      await help.fill('Server', '127.0.0.1');
      await help.press('Route anlegen');
      await help.see('falsch..example', page.getByRole('main'));
      await help.fill('Domänen', 'fremd.example');
      await help.press('Route anlegen');
      await help.see('Zeigen Sie zuerst, dass die Domäne Ihre ist');
      await help.see('_sealgate.fremd.example. TXT "organisation=zqalpha"');
      help.same(await (await help.field('Beschreibung')).inputValue(), 'Werk');
      await help.fill('Domänen', 'werk.example');
      await help.press('Route anlegen');
      await help.see('Die Route Werk ist angelegt.');
    },
  },
  {
    row: ['S18', 'S19'], name: 'the route says whether the MX record of its domain points here', language: 'de',
    run: async (page, help) => {
      await help.go('inbound/routes/Werk');
      await help.see('Zertifikate können nur für Domänen bestellt werden, deren MX-Eintrag hierher zeigt');
      await help.see('Zeigt nicht hierher', help.row('werk.example'));
      await help.go('inbound/routes/zqalpha-office');
      await help.see('Zeigt hierher', help.row('zqalpha.example'));
    },
  },
  {
    row: 'S21', name: 'a mailbox that is entered appears in the table', language: 'de',
    run: async (page, help) => {
      await help.go('smime/mailboxes?search=lager');
      await help.see('Nichts gefunden');
      await help.go('inbound/routes/Werk');
      await help.fill('Adressen', 'lager@werk.example');
      await help.press('Eintragen');
      await help.see('Eine Mailbox ist eingetragen.');
      await help.go('smime/mailboxes?search=lager');
      await help.see('Inaktiv', help.row('werk.example'));
    },
  },
  {
    row: 'S22', name: 'what only a wildcard covers is not shown, and the page says so', language: 'de',
    run: async (page, help) => {
      await help.go('inbound/routes/Werk/edit');
      await help.tick('Wildcard');
      await help.press('Speichern');
      await help.see('Die Route Werk ist geändert.');
      await help.go('inbound/routes/Werk');
      await help.see('Angezeigt und aktiviert werden können nur Mailboxen, die hier eingetragen sind; Regeln gelten für alle.');
      await help.go('smime/mailboxes?search=werk');
      await help.see('werk.example', help.row('lager'));
      help.same(await page.getByRole('row').count(), 2);
    },
  },
  {
    row: ['S20', 'S21'], name: 'a list is looked at before it is taken', language: 'de',
    run: async (page, help) => {
      await help.go('inbound/routes/zqalpha-office');
      await help.attach('CSV-Datei', {
        name: 'list.csv', mimeType: 'text/csv',
        buffer: Buffer.from('name,domain\nheinz,zqalpha.example\nida,zqalpha.example\njonas,zqalpha.example\nkarla,zqalpha.example\nanna,zqalpha.example\nx,elsewhere.example\n'),
      });
      await help.press('Liste prüfen');
      await help.see('Die Domäne gehört nicht zu dieser Route.', help.row('elsewhere.example'));
      await help.press('4 Mailboxen eintragen');
      await help.see('4 Mailboxen sind eingetragen.');
      const file = await help.download('Als CSV herunterladen');
      help.is(require('node:fs').readFileSync(file, 'utf8').includes('karla@zqalpha.example'), 'the list that is downloaded lacks one');
    },
  },
  {
    row: 'S20', name: 'mailboxes and a route are removed, with the consequence in the button', language: 'de',
    run: async (page, help) => {
      await help.go('inbound/routes/Werk');
      await help.fill('Adressen', 'tor@werk.example');
      await help.press('Eintragen');
      await help.tick('tor@werk.example');
      await help.press('1 Mailbox entfernen');
      await help.press('1 Mailbox entfernen, ihr Zertifikat widerrufen');
      await help.wait('1', () => page.getByRole('definition').last());
      await help.go('inbound');
      await help.press('Route Werk löschen');
      await help.see('E-Mails an ihre Domänen werden danach abgewiesen.');
      help.is(await (await help.control('Route löschen, 1 Mailboxen entfernen, 0 Zertifikate widerrufen')).isVisible(), 'the button names no consequence');
      await help.press('Abbrechen');
      await help.see('lager');
    },
  },
];

module.exports = { steps };
