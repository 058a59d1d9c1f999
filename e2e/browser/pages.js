// Opens pages as somebody and says what is wrong with each.
//
// In: { origin, screenshots, looks: [{ name, cookies, language, width, dark, axe, shoot, script, pages: [{ name, path, status }] }] }
// Out: [{ look, page, findings: [text] }], one entry for each look at each page.
'use strict';

const { cspReports, enter, hindrances, run, shoot } = require('./common.js');

// What every page has, whoever reads it and however wide it is.
const shape = () => {
  const heading = [...document.querySelectorAll('h1')].map((one) => one.textContent.trim());
  const root = document.scrollingElement;
  const wide = [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .filter((one) => {
      for (let up = one.parentElement; up && up !== document.body; up = up.parentElement) {
        if (getComputedStyle(up).overflowX !== 'visible') return false;
      }
      return true;
    })
    .map((one) => `${one.tagName.toLowerCase()}.${one.className}`);
  return {
    language: document.documentElement.lang,
    title: document.title.trim(),
    heading,
    overflow: root.scrollWidth - innerWidth,
    wide: wide.slice(0, 5),
    hostile: globalThis.hostile,
    text: document.body.innerText,
  };
};

function judge(seen, look) {
  const findings = [];
  if (seen.language !== look.language) findings.push(`lang is "${seen.language}", not "${look.language}"`);
  if (!seen.title || /^[–\s]/.test(seen.title)) findings.push(`title is "${seen.title}"`);
  if (seen.heading.length !== 1 || !seen.heading[0]) findings.push(`h1: ${JSON.stringify(seen.heading)}`);
  if (seen.overflow > 1) findings.push(`${seen.overflow} px wider than the window: ${seen.wide.join(', ')}`);
  if (seen.hostile !== undefined) findings.push(`a script from outside ran: ${seen.hostile}`);
  return findings;
}

async function visit(page, complaints, look, { origin, screenshots }, { name, path, status = 200 }) {
  complaints.length = 0;
  const findings = [];
  const answer = await page.goto(origin + path, { waitUntil: 'load' });
  if (answer.status() !== status) findings.push(`status ${answer.status()}`);
  if (look.script !== false) {
    findings.push(...judge(await page.evaluate(shape), look));
    if (look.axe) findings.push(...(await hindrances(page)));
    findings.push(...(await cspReports(page)));
  }
  if (look.shoot) await shoot(page, screenshots, `${name}-${look.name}`);
  // A page of a problem is a failed request to the browser's console.
  const own = complaints.filter((one) => status === 200 || !one.includes(`status of ${status}`));
  return findings.concat(own);
}

async function lookAt(browser, given, look) {
  const { context, page, complaints } = await enter(browser, given.origin, look);
  const results = [];
  for (const one of look.pages) {
    let findings;
    try {
      findings = await visit(page, complaints, look, given, one);
    } catch (error) {
      findings = [`${error}`];
    }
    results.push({ look: look.name, page: `${one.name} ${one.path}`, findings });
  }
  await context.close();
  return results;
}

run(async (browser, given) => {
  // Two at a time: the machine has two cores.
  const waiting = [...given.looks];
  const results = [];
  const worker = async () => {
    for (let look = waiting.shift(); look; look = waiting.shift()) {
      results.push(...(await lookAt(browser, given, look)));
    }
  };
  await Promise.all([worker(), worker()]);
  return results;
});
