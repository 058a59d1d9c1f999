// What an organisation sets up beside mail: authorities, sending clients, users, API tokens, webhooks, settings, its records; and
// what its licences are (S9, S16, S17), who may do what (S93), and the two languages (S92).
'use strict';

const URL_OF_WEBHOOK = 'https://hooks.zqalpha.example/second';

const question = (page) => page.locator('dialog[open]');

// What a script gets with a token.
async function asked(help, token) {
  const answer = await fetch(`${help.origin}/api/v1/organisations/zqalpha/mailboxes`, { headers: { authorization: `Bearer ${token}` } });
  return answer.status;
}

// What is shown once on this page.
const secret = async (help, page) => help.text(page.locator('main code').last());

const kept = {};

const steps = [
  {
    row: 'S9', name: 'the licence counter, and whom to turn to: an organisation cannot correct it', language: 'de', statuses: [403],
    run: async (page, help) => {
      await help.go('smime/mailboxes');
      for (const word of ['Belegte Lizenzen', 'von 10 S/MIME-Lizenzen', 'Freies Kontingent']) await help.see(word);
      await help.see('Die Zahl der Lizenzen kann nur der Vertrieb ändern.');
      for (const word of ['support@operator.example', '+43 1 2345', '8 to 17']) await help.see(word);
      await help.go('licence');
      await help.see('Ihre Rolle erlaubt das nicht.');
    },
  },
  {
    row: 'S16', name: 'support: contact, hours, telephone', language: 'en',
    run: async (page, help) => {
      await help.go('help');
      await help.press('Support', { stays: true });
      for (const word of ['Support', 'support@operator.example', '+43 1 2345', '8 to 17']) await help.see(word);
      help.same(await (await help.control('support@operator.example')).getAttribute('href'), 'mailto:support@operator.example');
    },
  },
  {
    row: 'S17', name: 'help and questions are linked from the S/MIME page', language: 'de',
    run: async (page, help) => {
      await help.go('smime/mailboxes');
      help.same(await (await help.control('Häufige Fragen')).getAttribute('href'), 'https://operator.example/faq');
      await help.press('Hilfe zu S/MIME');
      await help.see('Was ist S/MIME?');
      await help.press('Was bedeutet „in Deaktivierung“?', { stays: true });
      await help.see('14 Tage');
    },
  },
  {
    row: 'authorities', name: 'an authority is added, made the standard, and goes', language: 'de',
    run: async (page, help) => {
      await help.go('authorities');
      await help.press('Zertifizierungsstelle hinzufügen');
      await help.press('Von Hand', { within: page.getByRole('navigation', { name: 'Art' }) });
      await help.fill('Name', 'zweite');
      await help.press('Speichern');
      await help.see('zweite ist gespeichert.');
      await help.press('Zum Standard machen', { within: help.row('zweite') });
      await help.see('zweite ist jetzt der Standard.');
      const former = page.getByRole('row').filter({ hasText: 'Eingebaute Zertifizierungsstelle' });
      await help.press('Zum Standard machen', { within: former });
      await help.press('zweite entfernen');
      await help.see('Was dort ausgestellt wurde, gilt weiter und kann widerrufen werden.', question(page));
      await help.press('zweite entfernen', { within: question(page) });
      await help.see('Bei zweite wird nichts mehr bestellt.');
    },
  },
  {
    row: 'clients', name: 'a sending client is made, and its password is shown once', language: 'de',
    run: async (page, help) => {
      await help.go('clients');
      await help.press('Neuer Client');
      await help.fill('Name', 'zqalpha-drucker');
      await help.press('Client anlegen');
      await help.see('Das wird nur dieses eine Mal gezeigt.');
      const password = await secret(help, page);
      help.is(password.length >= 16, password);
      await help.press('Ich habe es eingetragen');
      await help.gone(password);
      await help.press('Neues Geheimnis erzeugen, bisheriges ungültig machen');
      if (await question(page).count()) await help.press('Neues Geheimnis erzeugen, bisheriges ungültig machen', { within: question(page) });
      await help.see('Das wird nur dieses eine Mal gezeigt.');
      help.is((await secret(help, page)) !== password, 'the password is the same');
    },
  },
  {
    row: 'clients', name: 'it is deleted, and the button names it', language: 'de',
    run: async (page, help) => {
      await help.go('clients');
      await help.press('Client zqalpha-drucker löschen', { within: help.row('zqalpha-drucker') });
      await help.see('Was dieser Client danach übergeben will, wird abgewiesen.');
      await help.press('Client zqalpha-drucker löschen');
      await help.see('Der Client zqalpha-drucker ist gelöscht.');
      await help.gone('Passwort, Benutzername zqalpha-drucker');
    },
  },
  {
    row: 'tokens', name: 'an API token is made, works and is shown once', language: 'en',
    run: async (page, help) => {
      await help.go('tokens');
      await help.fill('Name', 'monitoring');
      await help.press('Make an API token');
      await help.see('Copy the token now. It is not shown again.');
      kept.token = await secret(help, page);
      help.same(await asked(help, kept.token), 200);
      await help.press('Done');
      await help.see('monitoring');
      await help.gone(kept.token);
    },
  },
  {
    row: 'tokens', name: 'it is revoked', language: 'de',
    run: async (page, help) => {
      await help.go('tokens');
      await help.press('Widerrufen', { within: help.row('monitoring') });
      await help.see('Skripte, die es benutzen, kommen dann nicht mehr herein.', question(page));
      await help.press('Widerrufen', { within: question(page) });
      await help.see('Das API-Token gilt nicht mehr.');
      help.same(await asked(help, kept.token), 401);
    },
  },
  {
    row: 'webhooks', name: 'a webhook for one kind of events, its secret shown once', language: 'en',
    run: async (page, help) => {
      await help.go('webhooks');
      await help.fill('Address', URL_OF_WEBHOOK);
      await help.press('Choose kinds of events', { stays: true });
      await page.getByRole('group', { name: 'Kinds of events' }).getByRole('checkbox').first().check();
      await help.press('Add webhook');
      await help.see('Copy its secret now: it is never shown again.');
      const own = await secret(help, page);
      help.is(own.length >= 24, own);
      await help.go('webhooks');
      await help.gone(own);
      help.same(await help.text(help.row(URL_OF_WEBHOOK).locator('td').nth(1)), '1');
    },
  },
  {
    row: 'webhooks', name: 'it is removed', language: 'de',
    run: async (page, help) => {
      await help.go('webhooks');
      await help.press('Entfernen', { within: help.row(URL_OF_WEBHOOK) });
      await help.see('Ereignisse werden dann nicht mehr an ihn weitergegeben.', question(page));
      await help.press('Entfernen', { within: question(page) });
      await help.see('Der Webhook ist entfernt.');
      await help.gone(URL_OF_WEBHOOK);
    },
  },
  {
    row: 'settings', name: 'a switch is set, stays and is set back', language: 'de',
    run: async (page, help) => {
      for (const wanted of [true, false]) {
        await help.go('settings');
        await help.tick('Alle oder keiner', wanted);
        await help.fill('Kalendereinladungen', wanted ? 'Unverändert lassen' : 'Wie alle E-Mails');
        await help.press('Einstellungen speichern');
        await help.see('Die Einstellungen sind gespeichert.');
        await help.go('settings');
        help.same(await (await help.field('Alle oder keiner')).isChecked(), wanted);
      }
    },
  },
  {
    row: 'audit', name: 'the audit log says who did it, and is searched', language: 'en',
    run: async (page, help) => {
      await help.go('audit');
      await help.fill('By whom', 'verwalter@zqalpha.example');
      await help.fill('What', 'zqalpha-drucker');
      await help.press('Show');
      await help.see('verwalter@zqalpha.example', page.getByRole('table'));
      const lines = await page.locator('tbody tr').allInnerTexts();
      help.is(lines.length >= 2 && lines.every((line) => line.includes('zqalpha-drucker')), lines.join(' | '));
    },
  },
  {
    row: 'events', name: 'events, one kind of them', language: 'de',
    run: async (page, help) => {
      await help.go(help.home);
      await help.press('Alle Ereignisse');
      await help.see('Ein öffentlicher Schlüssel eines Kommunikationspartners wurde gelernt.', page.getByRole('table'));
      await help.moves(() => help.fill('Art', 'Eine E-Mail wird zurückgehalten.'));
      const kinds = await page.locator('tbody td[data-label="Ereignis"]').allInnerTexts();
      help.is(kinds.length >= 3 && kinds.every((one) => one === 'Eine E-Mail wird zurückgehalten.'), `${kinds}`);
    },
  },
  {
    row: 'S92', name: 'one press changes the language of page, states and dates', language: 'en', who: 'writer',
    run: async (page, help) => {
      await help.go('smime/mailboxes');
      await help.see('Revoke pending', page.getByRole('table'));
      await help.press('DE');
      await help.see('in Deaktivierung', page.getByRole('table'));
      help.same(await page.locator('html').getAttribute('lang'), 'de');
      help.is(page.url().endsWith('/smime/mailboxes'), page.url());
      await help.go('certificates');
      help.is(/\d\d\.\d\d\.20\d\d/.test(await help.text(page.getByRole('table'))), 'no German dates');
      await help.press('EN');
      help.is(/\d [A-Z][a-z]+ 20\d\d/.test(await help.text(page.getByRole('table'))), 'no English dates');
    },
  },
  {
    row: 'S93', name: 'who may only read, or write, is not offered more', language: 'en', who: 'reader', statuses: [403],
    run: async (page, help) => {
      await help.go('smime/rules');
      await help.gone('Create new rule');
      for (const word of ['Users', 'API tokens', 'Audit log', 'Settings', 'Sending clients']) {
        help.same(await page.getByRole('link', { name: word, exact: true }).count(), 0);
      }
      await help.go('users');
      await help.see('Your role does not allow this.');
      await help.go('held');
      help.same(await page.getByRole('main').getByRole('checkbox').count(), 0);
    },
  },
  {
    row: 'directories', name: 'a directory that does not answer says so when it is tried', language: 'en',
    run: async (page, help) => {
      await help.go('smime/keys');
      await help.press('Directories');
      await help.see('zqalpha-directory');
      await help.fill('External address', 'somebody@zqalpha-nowhere.example');
      await help.press('Ask');
      await help.see('zqalpha-directory', page.getByRole('main'));
    },
  },
  {
    row: 'partners', name: 'a profile is agreed on with a partner, and taken back', language: 'de',
    run: async (page, help) => {
      await help.go('smime/keys');
      await help.press('Partner');
      await help.fill('Externe Adresse oder Domäne', 'stadtwerke.example');
      await page.getByLabel('edi-energy').check();
      await help.press('Speichern');
      await help.see('edi-energy', help.row('stadtwerke.example'));
      await help.press('Entfernen', { within: help.row('stadtwerke.example') });
      if (await question(page).count()) await help.press('Entfernen', { within: question(page) });
      await help.gone('stadtwerke.example', page.getByRole('table'));
    },
  },
];

module.exports = { steps };
