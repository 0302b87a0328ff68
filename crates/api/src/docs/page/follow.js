// Follows the reader: tells which operation is in view, and leads to what the address names.

import { byId } from "./dom.js";

/** Calls `mark` with the id of the operation that is being read. */
export const followReading = (sections, mark) => {
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) seen.add(target);
      else seen.delete(target);
    }
    const first = sections.find((section) => seen.has(section));
    if (first) mark(first.id);
  }, { rootMargin: "-8% 0px -65% 0px" });
  for (const section of sections) observer.observe(section);
};

/** Goes to the part that the address names, and puts its name into the page's title. */
export const followAddress = (name) => {
  const title = document.title;
  const apply = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    const heading = target?.matches("h2") ? target : target?.querySelector(":scope > h3 > a");
    document.title = heading ? `${heading.textContent} · ${name}` : title;
    return target;
  };
  addEventListener("hashchange", apply);
  if (location.hash) apply()?.scrollIntoView();
};
