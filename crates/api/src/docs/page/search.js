// Searches the index: by words, with the keyboard.

import { byId } from "./dom.js";
import { core, properties } from "./schema.js";

// The fields of an object, and of the rows of a page.
const fieldsOf = (schema) => properties(schema).flatMap(({ name, property }) =>
  [name, ...properties(core(property).items).map((field) => field.name)]);

/** Collects what an operation is found by: its names, fields, permissions and error codes. */
export const searchText = (operation) => {
  const { method, path, id, tag, summary, permissions, parameters, body, responses, problems } = operation;
  const bodies = [body, ...responses].flatMap((one) => fieldsOf(one?.schema));
  const names = [...parameters.map(({ name }) => name), ...bodies];
  const codes = problems.flatMap((problem) => problem.codes);
  return [method, path, id, tag, summary, ...permissions, ...names, ...codes].join(" ").toLowerCase();
};

/** Says how many operations were found. */
const showCount = (count, total) => {
  byId("found").textContent = count ? `${count} of ${total} operations` : "No operation matches";
};

/** Hides what does not have all words, and opens every group that has. */
const filter = (groups, words) => {
  let [count, total] = [0, 0];
  for (const { details, tally, entries } of groups) {
    const found = new Set(entries.filter(({ text }) => words.every((word) => text.includes(word))));
    for (const entry of entries) entry.link.hidden = !found.has(entry);
    details.hidden = !found.size;
    tally.textContent = String(found.size);
    if (words.length) details.open = true;
    count += found.size;
    total += entries.length;
  }
  if (words.length) showCount(count, total);
  else byId("found").textContent = "";
};

const shownLinks = (groups) =>
  groups
    .filter(({ details }) => details.open && !details.hidden)
    .flatMap(({ entries }) => entries.map(({ link }) => link))
    .filter((link) => !link.hidden);

/** Moves among the links with the arrow keys; above the first one is the search field. */
const moveFocus = (event, links) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = links.indexOf(document.activeElement) + step;
  (next < 0 ? byId("search") : links[next])?.focus();
};

const isShortcut = (event) =>
  event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;

/** Connects the search field. `onEnd` is called when the field is empty again. */
export const connectSearch = (groups, onEnd) => {
  const field = byId("search");
  field.addEventListener("input", () => {
    filter(groups, field.value.toLowerCase().split(/\s+/).filter(Boolean));
    if (!field.value.trim()) onEnd();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") shownLinks(groups)[0]?.click();
    if (event.key === "ArrowDown") moveFocus(event, shownLinks(groups));
  });
  byId("index").addEventListener("keydown", (event) => moveFocus(event, shownLinks(groups)));
  document.addEventListener("keydown", (event) => {
    if (!isShortcut(event)) return;
    event.preventDefault();
    byId("menu").open = true;
    field.focus();
    field.select();
  });
};
