// Enhances pages that work without it. Attributes it looks for:
//   data-confirm="text"      on a form or a button: asks in a dialog before sending; "#" becomes the number of ticked lines
//   data-tick-all            checkbox that ticks every line of its table; data-count="# chosen": says how many are ticked
//   data-one, data-many      on a button of a bulk bar: its text for one and for several ticked lines ("#"); data-for="WORD": counts
//                            only ticked boxes with data-state="WORD", and is off where others only are ticked
//   data-auto                on a filter form: a changed choice is shown at once
//   data-validate="URL"      on a field: asks URL?name=NAME&value=VALUE while one types; the answer is plain text: why not, or nothing
//   data-instead="NAME"      on a checkbox that stands for a field of its form: ticked, that field is empty; typing there unticks it
//   data-sortable="URL"      on a tbody: lines with data-id and data-place can be dragged; sends id and place to URL
//   data-live="URL"          on a tbody or list with an id: each event is one line in HTML and goes where its time belongs; data-most:
//                            longest length; data-live-switch="ID" is the button that turns it on and off; ID-none, which says that there is
//                            nothing, goes with the first
//   data-refresh="SECONDS"   on an element with an id: looked up again on the same page until the attribute is gone
//   data-relative            on a <time>: kept right; data-copy="ID": copies that element's text; data-dialog="ID": opens that dialog;
//                            data-back: goes back to the page before
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (type, selector, act) =>
  document.addEventListener(type, (event) => {
    const found = event.target instanceof Element && event.target.closest(selector);
    if (found) act(found, event);
  });
const language = document.documentElement.lang;
const number = (value) => value.toLocaleString(language);

// Ticked lines

const boxes = (form) => all('tbody td.tick input[type="checkbox"]:not(:disabled)', form);

function tell(form) {
  const ticked = boxes(form).filter((box) => box.checked);
  for (const master of all("[data-tick-all]", form)) {
    master.checked = ticked.length > 0 && ticked.length === boxes(form).length;
    master.indeterminate = ticked.length > 0 && !master.checked;
  }
  for (const place of all("[data-count]", form)) {
    place.hidden = ticked.length === 0;
    place.textContent = place.dataset.count.replaceAll("#", number(ticked.length));
  }
  for (const button of all("button[data-many]", form)) {
    const meant = button.dataset.for ? ticked.filter((box) => box.dataset.state === button.dataset.for) : ticked;
    button.dataset.none ??= button.textContent;
    button.dataset.meant = meant.length;
    const every = form.elements.namedItem("all")?.checked;
    button.disabled = !every && ticked.length > 0 && meant.length === 0;
    const text = [button.dataset.none, button.dataset.one][every ? 0 : meant.length] ?? button.dataset.many;
    button.textContent = text.replaceAll("#", number(meant.length));
  }
}

let lastTicked = null;
on("click", 'td.tick input[type="checkbox"]', (box, event) => {
  const own = boxes(box.form);
  if (event.shiftKey && own.includes(lastTicked)) {
    const [from, to] = [own.indexOf(lastTicked), own.indexOf(box)].sort((a, b) => a - b);
    own.slice(from, to + 1).forEach((other) => { other.checked = box.checked; });
  }
  lastTicked = box;
});
on("change", 'td.tick input[type="checkbox"]', (box) => tell(box.form));
on("change", '.bulk input[name="all"]', (box) => tell(box.form));
on("change", "[data-tick-all]", (master) => {
  boxes(master.form).forEach((box) => { box.checked = master.checked; });
  tell(master.form);
});

// Sending: ask first, and only once

function ask(text, button, then) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const question = document.createElement("p");
  question.textContent = text;
  question.id = "question";
  dialog.setAttribute("aria-labelledby", "question");
  const row = document.createElement("div");
  row.className = "buttons";
  const cancel = document.createElement("button");
  cancel.textContent = document.body.dataset.cancel;
  cancel.type = "button";
  const go = document.createElement("button");
  go.textContent = button ? button.textContent.trim() : "OK";
  go.type = "button";
  go.className = button && button.classList.contains("danger") ? "danger" : "primary";
  cancel.addEventListener("click", () => dialog.close());
  go.addEventListener("click", () => { dialog.close(); then(); });
  dialog.addEventListener("close", () => dialog.remove());
  row.append(cancel, go);
  dialog.append(question, row);
  document.body.append(dialog);
  dialog.showModal();
}

const agreed = new WeakSet();
document.addEventListener("submit", (event) => {
  const [form, button] = [event.target, event.submitter];
  const text = button?.dataset.confirm ?? form.dataset.confirm;
  if (text && !agreed.has(form)) {
    event.preventDefault();
    const count = Number(button?.dataset.meant ?? boxes(form).filter((box) => box.checked).length);
    ask(text.replaceAll("#", number(count)), button, () => {
      agreed.add(form);
      form.requestSubmit(button);
      agreed.delete(form);
    });
    return;
  }
  if (form.method === "post" && button) {
    setTimeout(() => { button.disabled = true; button.setAttribute("aria-busy", "true"); });
  }
});
addEventListener("pageshow", () =>
  all('[aria-busy="true"]').forEach((button) => { button.disabled = false; button.removeAttribute("aria-busy"); }));

// Filters, dialogs, copying

on("change", "form[data-auto] :is(select, input:not([type=search], [type=text]))", (field) => field.form.requestSubmit());
on("click", "[data-dialog]", (opener, event) => {
  const dialog = document.getElementById(opener.dataset.dialog);
  if (dialog instanceof HTMLDialogElement) { event.preventDefault(); dialog.showModal(); }
});
on("click", "dialog [data-close]", (button) => button.closest("dialog").close());
on("click", "[data-back]", () => history.back());
on("click", "[data-copy]", async (button) => {
  const source = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  } catch {
    getSelection().selectAllChildren(source);
  }
});

// Checking a field while one types

const waiting = new WeakMap();
function check(field) {
  const label = field.closest("label") ?? field.parentElement;
  let place = label.querySelector("[data-why]");
  if (!place) {
    place = document.createElement("small");
    place.className = "wrong";
    place.dataset.why = "";
    place.setAttribute("aria-live", "polite");
    label.append(place);
  }
  waiting.get(field)?.abort();
  const abort = new AbortController();
  waiting.set(field, abort);
  const query = new URLSearchParams({ name: field.name, value: field.value });
  setTimeout(async () => {
    if (abort.signal.aborted) return;
    try {
      const answer = await fetch(`${field.dataset.validate}?${query}`, { signal: abort.signal });
      const why = answer.ok ? await answer.text() : "";
      place.textContent = why;
      field.setAttribute("aria-invalid", why ? "true" : "false");
    } catch { /* The answer to the form will tell. */ }
  }, 300);
}
on("input", "[data-validate]", check);

// A choice in place of what one types

on("change", "[data-instead]", (box) => {
  const field = box.form.elements.namedItem(box.dataset.instead);
  if (box.checked) field.dataset.before = field.value;
  field.value = box.checked ? "" : field.dataset.before ?? field.value;
  check(field);
});
on("input", "textarea, input", (field) => {
  const box = field.form?.querySelector(`[data-instead="${CSS.escape(field.name)}"]`);
  if (box && field.value.trim()) box.checked = false;
});

// Dragging lines to another place

let dragged = null;
on("dragstart", "[data-sortable] > [data-id]", (line, event) => {
  dragged = line;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", line.dataset.id);
  line.classList.add("is-dragged");
});
on("dragover", "[data-sortable] > [data-id]", (line, event) => {
  if (!dragged || dragged.parentElement !== line.parentElement) return;
  event.preventDefault();
  all(".is-target").forEach((other) => other.classList.remove("is-target"));
  if (line !== dragged) line.classList.add("is-target");
});
on("drop", "[data-sortable] > [data-id]", (line, event) => {
  if (!dragged || dragged.parentElement !== line.parentElement) return;
  event.preventDefault();
  if (line === dragged) return;
  const form = document.createElement("form");
  form.method = "post";
  form.action = line.parentElement.dataset.sortable;
  form.hidden = true;
  const fields = { csrf: document.body.dataset.csrf, id: dragged.dataset.id, place: line.dataset.place };
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  document.body.append(form);
  form.submit();
});
document.addEventListener("dragend", () => {
  all(".is-target, .is-dragged").forEach((line) => line.classList.remove("is-target", "is-dragged"));
  dragged = null;
});

// Lines that arrive, and parts that change

const streams = new Map();
const words = (line) => line.textContent.replace(/\s+/g, " ").trim();
const moment = (line) => line.querySelector("time")?.dateTime ?? "";
function live(list, wanted) {
  streams.get(list)?.close();
  streams.delete(list);
  if (!wanted) return;
  const source = new EventSource(list.dataset.live);
  source.addEventListener("message", (event) => {
    const fragment = document.createElement("template");
    fragment.innerHTML = event.data;
    const line = fragment.content.firstElementChild;
    if (!line) return;
    const before = line.id && document.getElementById(line.id);
    if (before && words(before) === words(line)) return;
    line.classList.add("is-fresh");
    list.closest(".table")?.removeAttribute("hidden");
    document.getElementById(`${list.id}-none`)?.remove();
    if (before) before.replaceWith(line);
    else list.insertBefore(line, [...list.children].find((other) => moment(other) <= moment(line)) ?? null);
    relative(list);
    const most = Number(list.dataset.most ?? 100);
    while (list.children.length > most) list.lastElementChild.remove();
  });
  streams.set(list, source);
}
on("click", "[data-live-switch]", (button) => {
  const wanted = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(wanted));
  live(document.getElementById(button.dataset.liveSwitch), wanted);
});

async function refresh(id) {
  const old = document.getElementById(id);
  if (!old?.dataset.refresh) return;
  if (!document.hidden && !old.contains(document.activeElement) && boxes(old).every((box) => !box.checked)) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html", "x-refresh": "1" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = answer.ok && !answer.redirected && page.getElementById(id);
      if (fresh && fresh.outerHTML !== old.outerHTML) { old.replaceWith(fresh); begin(fresh); }
    } catch { /* Next time. */ }
  }
  setTimeout(() => refresh(id), Number(old.dataset.refresh) * 1000);
}

// Times

const spoken = new Intl.RelativeTimeFormat(language, { numeric: "always" });
const units = [[86400, "day"], [3600, "hour"], [60, "minute"]];
function relative(root = document) {
  for (const time of all("time[data-relative]", root)) {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const unit = units.find(([length], place) => Math.abs(seconds) >= length * (place === 0 ? 1 : 2));
    if (unit) time.textContent = spoken.format(Math.trunc(seconds / unit[0]), unit[1]);
  }
}

function begin(root) {
  all("[data-tick-all], [data-copy], [data-live-switch]", root).forEach((control) => { control.hidden = false; });
  all("[data-sortable] > [data-id]", root).forEach((line) => { line.draggable = true; });
  if (history.length > 1) all("[data-back]", root).forEach((button) => { button.hidden = false; });
  relative(root);
  all(".table", root).forEach((table) => sized.observe(table));
}

// What scrolls sideways can be reached by keyboard.
const sized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

begin(document);
all(".menu [aria-current], .tabs [aria-current]").forEach((link) => link.scrollIntoView({ block: "nearest", inline: "nearest" }));
all("form:has(td.tick)").forEach(tell);
all("[data-live]").forEach((list) => {
  const button = document.querySelector(`[data-live-switch="${CSS.escape(list.id)}"]`);
  live(list, !button || button.getAttribute("aria-pressed") === "true");
});
all("[data-refresh][id]").forEach((part) => setTimeout(() => refresh(part.id), Number(part.dataset.refresh) * 1000));
setInterval(relative, 30000);
