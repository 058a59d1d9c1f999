// What the script of the pages adds: ticking, counting, asking first, sending once, following work, the versions of the files.
'use strict';

const TABLE = 'smime/mailboxes';

const boxes = (page) => page.locator('tbody').first().getByRole('checkbox');

const steps = [
  {
    row: 'S37', name: 'the box above ticks all, and says when only some are', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      const master = page.getByRole('checkbox', { name: 'Alle Zeilen auf dieser Seite auswählen' });
      const all = await boxes(page).count();
      await master.check();
      await help.see(`${all} ausgewählt`);
      await boxes(page).first().uncheck();
      await help.see(`${all - 1} ausgewählt`);
      help.is(await master.evaluate((box) => box.indeterminate), 'it is not half ticked');
      await master.check();
      await master.uncheck();
      await help.gone('ausgewählt');
      for (const words of ['Aktivieren', 'Deaktivieren']) {
        help.is(await page.getByRole('button', { name: words, exact: true }).isVisible(), `${words} has not its words again`);
      }
    },
  },
  {
    row: 'S37', name: 'Shift ticks what lies between', language: 'de',
    run: async (page, help) => {
      await help.go(TABLE);
      await boxes(page).nth(1).click();
      await boxes(page).nth(4).click({ modifiers: ['Shift'] });
      await help.see('4 ausgewählt');
    },
  },
  {
    name: 'a form is sent once, however often one presses', language: 'de',
    run: async (page, help) => {
      await help.go('smime/rules');
      let sent = 0;
      const count = (request) => { sent += request.method() === 'POST' ? 1 : 0; };
      page.on('request', count);
      await help.moves(async () => {
        await (await help.control('Regel 1 nach unten')).dblclick();
      });
      await help.see('Die Regel hat jetzt Priorität 2.');
      page.off('request', count);
      help.same(sent, 1);
      await help.press('Regel 2 nach oben');
    },
  },
  {
    row: 'S38', name: 'bulk work is followed without anybody looking again', language: 'de',
    run: async (page, help) => {
      // More than is done while somebody waits.
      const list = Array.from({ length: 520 }, (_, at) => `viele${at}@zqalpha.example`).join('\n');
      await help.go('inbound/routes/zqalpha-office');
      await help.fill('Adressen', list);
      await help.press('Eintragen');
      await help.see('520 Mailboxen sind eingetragen.');
      await help.go(`${TABLE}?search=viele`);
      await help.tick('Alle 520 gefundenen Mailboxen');
      await help.press('Aktivieren');
      await help.see('von 520 Mailboxen');
      await help.see('520 von 520 Mailboxen');
      await help.see('Mailboxen war es nicht möglich');
      const bar = page.getByRole('progressbar').first();
      help.same([await bar.getAttribute('value'), await bar.getAttribute('max')], ['520', '520']);
    },
  },
  {
    name: 'files of the pages are kept for good under an address of their own', language: 'de',
    run: async (page, help) => {
      const files = [];
      const note = (answer) => { if (answer.url().includes('/static/')) files.push(answer); };
      page.on('response', note);
      await page.context().newCDPSession(page).then((session) => session.send('Network.setCacheDisabled', { cacheDisabled: true }));
      await help.go(TABLE);
      page.off('response', note);
      help.is(files.length >= 3, `${files.length} files`);
      for (const file of files) {
        const age = (await file.allHeaders())['cache-control'];
        help.is(age.includes('immutable') && /\?v=[0-9a-f]{16}$/.test(file.url()), `${file.url()}: ${age}`);
      }
    },
  },
  {
    name: 'what cannot be taken back is asked first', language: 'de',
    run: async (page, help) => {
      await help.go('users');
      const line = help.row('reader@zqalpha.example');
      const question = page.getByRole('dialog');
      for (const leave of ['Abbrechen', 'Escape']) {
        await help.press('Entfernen', { within: line });
        await help.see('reader@zqalpha.example', question);
        if (leave === 'Escape') await page.keyboard.press('Escape');
        else await help.press(leave, { within: question });
        await question.waitFor({ state: 'detached' });
      }
      await help.go('users');
      await help.see('reader@zqalpha.example');
    },
  },
];

module.exports = { steps };
