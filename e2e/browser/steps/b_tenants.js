// The tiers above an organisation: a reseller's licences, and the installation as its operator sees it.
'use strict';

const steps = [
  {
    row: 'S9', name: 'a reseller books licences, and the organisation sees the new count', language: 'de', who: 'haendler',
    run: async (page, help) => {
      await help.go('/reseller');
      await help.see('zqalpha', page.getByRole('table'));
      await help.gone('zqbeta');
      await help.press('Buchen: zqalpha');
      await help.fill('S/MIME-Lizenzen', '12');
      await help.press('Lizenzen buchen');
      await help.see('Die Lizenzen sind gebucht.');
      await help.go('/reseller');
      await help.see('31.12.2027', help.row('zqalpha'));
    },
  },
  {
    row: 'S9', name: 'the new count is there', language: 'de',
    run: async (page, help) => {
      await help.go('smime/mailboxes');
      await help.see('von 12 S/MIME-Lizenzen');
    },
  },
  {
    row: 'reseller', name: 'more S/MIME licences than base licences are refused', language: 'de', who: 'haendler', statuses: [422],
    run: async (page, help) => {
      await help.go('licence');
      await help.fill('S/MIME-Lizenzen', '21');
      await help.press('Lizenzen buchen');
      await help.gone('Die Lizenzen sind gebucht.');
      await help.go('/reseller');
      await help.see('12', help.row('zqalpha'));
    },
  },
  {
    row: 'system', name: 'nodes, version and health', language: 'de', who: 'betreiber',
    run: async (page, help) => {
      await help.go('/system');
      for (const word of ['Sealgate 0.', 'Prozesse', 'In Betrieb', 'Warten auf Zustellung', 'Datenbank', 'Eingebaute Zertifizierungsstelle']) await help.see(word);
      await help.press('Änderungsprotokoll');
      await help.press('Ganzes Protokoll prüfen');
      await help.wait('Das Protokoll ist vollständig: Keine Zeile fehlt, keine wurde geändert.');
    },
  },
  {
    row: 'queue', name: 'the queue of all organisations, without what is in the mails', language: 'de', who: 'betreiber',
    run: async (page, help) => {
      await help.go('/system/queue');
      await help.see('zqbeta', page.getByRole('table'));
      await help.gone('zqbeta text of a mail');
      await help.press('Zurückgehalten');
      await help.see('Ihr Absender ist nicht nachgewiesen');
    },
  },
  {
    row: 'S91', name: 'an organisation is created, entered and left for another', language: 'de', who: 'betreiber',
    run: async (page, help) => {
      await help.go('/system/organisations');
      await help.fill('Kurzname', 'zqgamma');
      await help.press('Organisation anlegen');
      await help.see('Die Organisation zqgamma ist angelegt.');
      await help.press('zqgamma', { within: page.getByRole('table') });
      await help.see('Erste Schritte');
      await help.press('E-Mail-Übersicht');
      await help.see('Noch keine E-Mails');
      await help.press('Organisation wechseln');
      await help.press('zqbeta', { within: page.getByRole('table') });
      await help.see('zqbeta', page.getByRole('navigation', { name: 'Navigation' }));
      await help.press('E-Mail-Übersicht');
      await help.see('zqbeta-partner.example');
      await help.gone('zqalpha');
    },
  },
  {
    row: 'reseller', name: 'a reseller is made and gets an organisation', language: 'de', who: 'betreiber',
    run: async (page, help) => {
      await help.go('/system/resellers');
      const part = page.getByRole('region', { name: 'Neuer Reseller' }).or(page.locator('section').filter({ hasText: 'Neuer Reseller' })).first();
      await help.fill('Name', 'zqgamma-haus', part);
      await help.press('Reseller anlegen');
      await help.see('zqgamma-haus', page.getByRole('table'));
      await help.fill('Organisation', 'zqgamma');
      await help.fill('Reseller', 'zqgamma-haus');
      await help.press('Zuordnen');
      await help.see('Die Organisation ist zugeordnet.');
    },
  },
];

module.exports = { steps };
