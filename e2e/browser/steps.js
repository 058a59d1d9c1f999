// Runs steps that people take in the portal, one after the other in one browser, and says of each whether it went well.
//
// In: { origin, screenshots, home, files: [name under `steps/`], people: { name: { cookies, language } }, given: { ... } }
//     `people` has at least `de` and `en`: who takes the steps of that language unless a step names somebody else in `who`.
// Out: [{ row, name, language, findings: [text], look, page, picture }], in the order taken
//
// A file of steps exports `steps = [{ row: 'S36' or ['S36', 'S38'], name, language: 'de'|'en', run: async (page, help) => {} }]`.
// A step that shows no row of the requirements has none. A step may also name `who` takes it, `script: false`, a `width`, and `statuses`: refusals it provokes ([422]).
'use strict';

const path = require('node:path');
const { cspReports, enter, run, shoot } = require('./common.js');

// Longest wait for what a step expects; shorter than a page may take, so that a file of failures still ends.
const PATIENCE = 8000;

// What leads to another page: a link, or a button that sends a form.
const leads = (element) => {
  const control = element.closest('a[href], button, input[type=submit], summary');
  if (control instanceof HTMLAnchorElement) {
    return !control.hasAttribute('download') && !control.getAttribute('href').startsWith('#');
  }
  return control instanceof HTMLButtonElement && control.type === 'submit' && Boolean(control.form);
};

const squeezed = (text) => text.replace(/\s+/g, ' ').trim();

class Help {
  constructor(page, { origin, home, given }) {
    Object.assign(this, { page, origin, home, given });
  }

  // `/login` is meant from the root, `smime/rules` within the organisation.
  async go(to) {
    await this.page.goto(this.origin + (to.startsWith('/') ? to : `${this.home}/${to}`), { waitUntil: 'load' });
  }

  // A link, button or switch by its words: exactly these, else words that contain them. `within` a part of the page.
  async control(name, within = this.page) {
    const found = [true, false].flatMap((exact) =>
      ['button', 'link', 'checkbox', 'radio'].map((role) => within.getByRole(role, { name, exact })));
    found.push(within.locator('summary', { hasText: name }));
    const end = Date.now() + PATIENCE;
    do {
      for (const one of found) {
        const first = one.filter({ visible: true }).first();
        if (await first.count()) return first;
      }
      await this.page.waitForTimeout(50);
    } while (Date.now() < end);
    throw new Error(`nothing to press is called "${name}"`);
  }

  // Presses it; waits for the page it leads to, or for the question it asks. `stays`: it leads nowhere.
  async press(name, { within, stays = false } = {}) {
    const control = await this.control(name, within);
    if (stays || !(await control.evaluate(leads))) return control.click();
    await this.moves(() => control.click());
  }

  // Does what leads to another page or opens a dialog, and waits for either.
  async moves(act) {
    const load = this.page.waitForEvent('load', { timeout: PATIENCE });
    const question = this.page.locator('dialog[open]').waitFor({ timeout: PATIENCE });
    const either = Promise.any([load, question]);
    await act();
    await either.catch(() => { throw new Error('nothing came of it'); });
  }

  // The field of that label: exactly this, else a label that contains it.
  async field(label, within = this.page) {
    const found = [true, false].map((exact) => within.getByLabel(label, { exact })
      .and(this.page.locator('input, select, textarea')).filter({ visible: true }).first());
    for (const one of found) {
      if (await one.count()) return one;
    }
    await found[1].waitFor();
    return found[1];
  }

  // Types into a field, or chooses what a list offers by its words.
  async fill(label, value, within) {
    const field = await this.field(label, within);
    const isList = await field.evaluate((one) => one instanceof HTMLSelectElement);
    if (isList) await field.selectOption({ label: value });
    else await field.fill(value);
  }

  async tick(label, wanted = true, within = this.page) {
    const field = await this.field(label, within);
    await field.setChecked(wanted);
  }

  async attach(label, file, within) {
    const field = await this.field(label, within);
    await field.setInputFiles(file);
  }

  // The text of a part as one reads it.
  async text(within = this.page.locator('body')) {
    return squeezed(await within.innerText());
  }

  async until(holds, complaint) {
    const end = Date.now() + PATIENCE;
    for (;;) {
      try {
        if (await holds()) return;
      } catch (error) {
        // The page is just being left.
        if (Date.now() > end) throw error;
      }
      if (Date.now() > end) throw new Error(await complaint());
      await this.page.waitForTimeout(50);
    }
  }

  async see(text, within) {
    await this.until(
      async () => (await this.text(within)).includes(text),
      async () => `"${text}" is not seen; there is: ${(await this.text(within)).slice(0, 600)}`,
    );
  }

  async gone(text, within) {
    await this.until(async () => !(await this.text(within)).includes(text), () => `"${text}" is still seen`);
  }

  // Looks the page up again until the text is there: for what the gateway does in its own time.
  async wait(text, within) {
    const end = Date.now() + 3 * PATIENCE;
    while (!(await this.text(within?.())).includes(text)) {
      if (Date.now() > end) throw new Error(`"${text}" does not come`);
      await this.page.waitForTimeout(200);
      await this.page.reload({ waitUntil: 'load' });
    }
  }

  // The line of a table that has these words.
  row(text) {
    return this.page.getByRole('row').filter({ hasText: text }).first();
  }

  // The words above the columns of the (first) table.
  async columns(within = this.page) {
    return (await within.getByRole('columnheader').allInnerTexts()).map(squeezed);
  }

  // A file that a link gives.
  async download(name, within) {
    const control = await this.control(name, within);
    const [file] = await Promise.all([this.page.waitForEvent('download', { timeout: PATIENCE }), control.click()]);
    return file.path();
  }

  // Says what is wrong unless it holds.
  is(holds, complaint) {
    if (!holds) throw new Error(complaint);
  }

  same(found, wanted) {
    const [one, other] = [found, wanted].map((value) => JSON.stringify(value));
    if (one !== other) throw new Error(`${one} is not ${other}`);
  }
}

// A page for each person, width and whether scripts run; kept for all steps of theirs.
class Seats {
  constructor(browser, given) {
    Object.assign(this, { browser, given, seats: new Map() });
  }

  async of({ who, language, script = true, width = 1280 }) {
    const name = who ?? language;
    const key = JSON.stringify([name, language, script, width]);
    if (!this.seats.has(key)) {
      const person = this.given.people[name];
      if (!person) throw new Error(`nobody is ${name}`);
      const seat = await enter(this.browser, this.given.origin, { ...person, language, script, width });
      seat.context.setDefaultTimeout(PATIENCE);
      this.seats.set(key, seat);
    }
    return this.seats.get(key);
  }
}

const expected = (complaint, statuses) => statuses.some((status) => complaint.includes(`status of ${status}`));

async function take(seats, step, given, place) {
  const { page, complaints } = await seats.of(step);
  complaints.length = 0;
  const findings = [];
  try {
    await step.run(page, new Help(page, given));
  } catch (error) {
    findings.push(`${error.message ?? error}`.split('\n').slice(0, 4).join(' '));
  }
  findings.push(...complaints.filter((one) => !expected(one, step.statuses ?? [])));
  if (step.script !== false) findings.push(...(await cspReports(page).catch(() => [])));
  const picture = findings.length ? `step-${place}-failed` : null;
  if (picture) await shoot(page, given.screenshots, picture);
  const { row, name, language } = step;
  return { row: [row ?? []].flat(), name, language, findings, look: `${language}: ${name}`, page: page.url().replace(given.origin, ''), picture };
}

run(async (browser, given) => {
  const seats = new Seats(browser, given);
  const results = [];
  for (const file of given.files) {
    const { steps } = require(path.join(__dirname, 'steps', file));
    for (const [place, step] of steps.entries()) {
      results.push(await take(seats, step, given, `${path.parse(file).name}-${place + 1}`));
    }
  }
  return results;
});
