// The browser of the tests: started without a network of its own, watched for everything a page of the portal must never do.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { chromium } = require('playwright-core');

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

// Longest wait for a page or an element.
const WAIT = 20000;

const given = () => JSON.parse(fs.readFileSync(0, 'utf8'));

const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });

// A browser of its own with the cookies of a visitor. `complaints` fills with what pages did and must not.
async function enter(browser, origin, options) {
  const { cookies = {}, width = 1280, height = 900, language = 'en', dark = false, script = true } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    locale: language,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    javaScriptEnabled: script,
  });
  context.setDefaultTimeout(WAIT);
  const pairs = Object.entries(cookies).map(([name, value]) => ({ name, value, url: origin }));
  await context.addCookies(pairs);
  const complaints = [];
  if (script) {
    await context.addInitScript(() => {
      globalThis.cspReports = [];
      addEventListener('securitypolicyviolation', (event) => {
        globalThis.cspReports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    await context.addInitScript({ path: require.resolve('axe-core/axe.min.js') });
  }
  await context.route(
    (url) => url.origin !== origin && !['data:', 'blob:'].includes(url.protocol),
    (route) => {
      complaints.push(`foreign request: ${route.request().url()}`);
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => complaints.push(`script: ${error}`));
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    // A stream that stays open ends when the page is left.
    if (why !== 'net::ERR_ABORTED') {
      complaints.push(`request failed: ${request.url()} ${why}`);
    }
  });
  page.on('dialog', async (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return { context, page, complaints };
}

async function cspReports(page) {
  const reports = await page.evaluate(() => globalThis.cspReports ?? []);
  return reports.map((report) => `CSP: ${report}`);
}

// What axe finds that hinders somebody seriously.
async function hindrances(page) {
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter((one) => ['serious', 'critical'].includes(one.impact))
      .map((one) => `axe: ${one.id} (${one.impact}): ${one.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(' | ')}`);
  });
  return found;
}

async function shoot(page, directory, name) {
  fs.mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: path.join(directory, `${name}.png`), fullPage: true, animations: 'disabled' });
}

function tell(value) {
  process.stdout.write(JSON.stringify(value));
}

// Runs a script's `main` and ends the browser whatever happens.
async function run(main) {
  const browser = await launch();
  try {
    tell(await main(browser, given()));
  } finally {
    await browser.close();
  }
}

module.exports = { WAIT, cspReports, enter, hindrances, run, shoot };
