// The index of operations: a group for each tag, of which the current one is open.

import { byId, element } from "./dom.js";
import { methodBadge } from "./operation.js";
import { connectSearch, searchText } from "./search.js";
import { capitalized } from "./text.js";

const isWide = matchMedia("(min-width: 56rem)");

const entryOf = (operation) => ({
  id: operation.id,
  text: searchText(operation),
  link: element("a", { href: `#${operation.id}` },
    methodBadge(operation.method), element("span", {}, operation.summary)),
});

const groupOf = ({ name, operations }) => {
  const entries = operations.map(entryOf);
  const tally = element("span", { class: "count" }, String(entries.length));
  const details = element("details", { class: "group" },
    element("summary", {}, capitalized(name), " ", tally), entries.map(({ link }) => link));
  return { details, tally, entries };
};

/** Scrolls the list, not the page, until the link is in sight below the search field. */
const reveal = (link) => {
  const list = byId(isWide.matches ? "navigation" : "index");
  const [inner, outer] = [link.getBoundingClientRect(), list.getBoundingClientRect()];
  if (inner.top < outer.top + 150 || inner.bottom > outer.bottom) {
    list.scrollTop += inner.top - outer.top - outer.height / 3;
  }
};

/** Returns what marks an operation as the current one. */
const marker = (groups) => {
  const places = new Map(
    groups.flatMap(({ details, entries }) => entries.map(({ id, link }) => [id, { link, details }])));
  let current = null;
  // The group that opened by itself, which closes by itself.
  let opened = null;
  const open = () => {
    if (byId("search").value || !current || current.details === opened) return;
    if (opened) opened.open = false;
    opened = current.details.open ? null : current.details;
    current.details.open = true;
  };
  const mark = (id) => {
    const next = places.get(id);
    if (!next || next === current) return;
    current?.link.removeAttribute("aria-current");
    next.link.setAttribute("aria-current", "location");
    current = next;
    open();
    reveal(next.link);
  };
  const reset = () => {
    for (const { details } of groups) details.open = false;
    opened = null;
    open();
    if (current) reveal(current.link);
  };
  return { mark, reset };
};

/** Shows the index and returns what marks an operation in it. */
export const navigation = (reference) => {
  const groups = reference.groups.map(groupOf);
  const { mark, reset } = marker(groups);
  const index = byId("index");
  // It stands beside the document where there is room, and is folded above it where there is not.
  const fold = () => (byId("menu").open = isWide.matches);
  index.replaceChildren(...groups.map(({ details }) => details));
  index.addEventListener("click", (event) => event.target.closest("a") && fold());
  isWide.addEventListener("change", fold);
  connectSearch(groups, reset);
  if (/Mac|iPhone|iPad/.test(navigator.platform)) byId("shortcut").textContent = "⌘ K";
  byId("navigation").hidden = false;
  fold();
  return mark;
};
