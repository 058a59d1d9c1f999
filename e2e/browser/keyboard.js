// Once through the portal with the keyboard alone: sign in, activate a mailbox, make a rule, move it with the arrows, sign out.
//
// In: { origin, screenshots, invitation, name, password, mailbox, managed, external, words: { ... } }
// Out: { findings: [text], steps: [text] }
'use strict';

const { WAIT, cspReports, enter, run, shoot } = require('./common.js');

// Most presses of Tab until something must have the focus.
const MOST = 300;

// What has the focus, as a screen reader says it, and whether one sees that it has.
const focused = () => {
  const one = document.activeElement;
  if (!one || one === document.body) return { name: '', visible: true, tag: 'body' };
  const labels = [...(one.labels ?? [])].map((label) => label.textContent);
  const name = one.getAttribute('aria-label') ?? ([...labels, one.textContent].join(' ') || one.getAttribute('name'));
  const style = getComputedStyle(one);
  const around = one.closest('label') ? getComputedStyle(one.closest('label')) : style;
  const seen = (own) => (own.outlineStyle !== 'none' && parseFloat(own.outlineWidth) > 0) || own.boxShadow !== 'none';
  return {
    tag: one.tagName.toLowerCase(),
    type: one.type ?? '',
    value: one.getAttribute('value') ?? '',
    id: one.closest('[id]')?.id ?? '',
    name: `${name}`.replace(/\s+/g, ' ').trim(),
    visible: seen(style) || seen(around),
  };
};

class Keyboard {
  constructor(page, origin) {
    this.page = page;
    this.origin = origin;
    this.findings = [];
    this.steps = [];
  }

  async press(key) {
    await this.page.keyboard.press(key);
  }

  // Goes on with Tab until `is` says that the focused element is meant.
  async reach(what, is) {
    this.steps.push(what);
    const passed = [];
    for (let count = 0; count < MOST; count += 1) {
      const now = await this.page.evaluate(focused);
      if (is(now)) {
        if (!now.visible) this.findings.push(`no focus is seen on ${now.tag} "${now.name}"`);
        return now;
      }
      passed.push(now.name.slice(0, 30));
      await this.press('Tab');
    }
    throw new Error(`"${what}" is not reached by Tab on ${this.page.url()}; passed: ${[...new Set(passed)].join(' | ')}`);
  }

  // A key that leads to another page.
  async leave(key) {
    await Promise.all([this.page.waitForEvent('load', { timeout: WAIT }), this.press(key)]);
  }

  async fill(name, text) {
    await this.reach(name, (now) => ['input', 'textarea'].includes(now.tag) && now.name.startsWith(name));
    await this.press('Control+A');
    await this.page.keyboard.type(text);
  }

  async go(tag, name) {
    await this.reach(name, (now) => now.tag === tag && now.name === name);
    await this.leave('Enter');
  }

  async see(text) {
    const page = await this.page.locator('body').innerText();
    if (!page.includes(text)) this.findings.push(`"${text}" is not on ${this.page.url()}`);
  }
}

async function signIn(hands, given) {
  const { words } = given;
  await hands.page.goto(given.origin + given.invitation);
  await hands.fill(words.newPassword, given.password);
  await hands.fill(words.again, given.password);
  await hands.leave('Enter');
  await hands.go('button', words.signOut);
  await hands.page.goto(`${given.origin}/login`);
  await hands.fill(words.name, given.name);
  await hands.fill(words.password, given.password);
  await hands.leave('Enter');
}

async function activate(hands, given) {
  const { words } = given;
  await hands.go('a', 'S/MIME');
  await hands.reach(given.mailbox, (now) => now.type === 'checkbox' && now.name === given.mailbox);
  await hands.press('Space');
  // The buttons stand above the table: back.
  await hands.page.evaluate(() => document.activeElement.blur());
  await hands.reach(words.activate, (now) => now.tag === 'button' && now.name.includes(words.activateOne));
  await Promise.race([
    hands.leave('Enter'),
    hands.page.locator('dialog[open]').waitFor().then(() => hands.leave('Enter')),
  ]);
  await hands.see(words.activated);
}

async function makeRule(hands, given) {
  const { words } = given;
  await hands.go('a', words.rules);
  await hands.go('a', words.newRule);
  for (const text of [given.managed, given.external]) {
    await hands.reach(words.all, (now) => now.type === 'checkbox' && now.name === words.all);
    const isTicked = await hands.page.evaluate(() => document.activeElement.checked);
    if (isTicked) await hands.press('Space');
    await hands.reach(words.entries, (now) => now.tag === 'textarea');
    await hands.page.keyboard.type(text);
    await hands.press('Tab');
  }
  await hands.reach(words.notDefined, (now) => now.type === 'radio');
  await hands.press('ArrowDown');
  await hands.go('button', words.save);
  await hands.see(given.external);
  const first = () => hands.page.locator('tbody tr').first().innerText();
  if (!(await first()).includes(given.external)) hands.findings.push('a new rule is not the first');
  await hands.reach(words.down, (now) => now.tag === 'button' && now.name === words.down);
  await hands.leave('Enter');
  const second = await hands.page.locator('tbody tr').nth(1).innerText();
  if (!second.includes(given.external)) hands.findings.push('the arrow did not move the rule');
}

run(async (browser, given) => {
  const look = { width: 1280, language: 'de' };
  const { page, complaints } = await enter(browser, given.origin, look);
  const hands = new Keyboard(page, given.origin);
  try {
    await signIn(hands, given);
    await activate(hands, given);
    await makeRule(hands, given);
    await shoot(page, given.screenshots, 'keyboard-rules');
    await hands.go('button', given.words.signOut);
    await page.goto(`${given.origin}/account`);
    if (!page.url().includes('/login')) hands.findings.push('signed out, and the account is still shown');
  } catch (error) {
    hands.findings.push(`${error}`);
    await shoot(page, given.screenshots, 'keyboard-failed');
  }
  hands.findings.push(...complaints, ...(await cspReports(page)));
  return { findings: hands.findings, steps: hands.steps };
});
