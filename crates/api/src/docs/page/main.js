// Shows /openapi.json.

import { byId, element, prose } from "./dom.js";
import { followAddress, followReading } from "./follow.js";
import { introduction } from "./introduction.js";
import { navigation } from "./navigation.js";
import { section } from "./operation.js";
import { read } from "./reference.js";
import { load } from "./schema.js";
import { capitalized } from "./text.js";

const fetchJson = async (address) => {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.json();
};

const render = (document, titles) => {
  load(document.components ?? {});
  const reference = read(document);
  const sections = [];
  const groups = reference.groups.map((group) => {
    const shown = group.operations.map((operation) => section(operation, reference, titles));
    sections.push(...shown);
    return [
      element("h2", { id: `tag-${group.name}`, class: "tag" }, capitalized(group.name)),
      prose(group.description),
      shown,
    ];
  });
  byId("document").replaceChildren(...[introduction(reference), groups].flat(Infinity));
  const mark = navigation(reference);
  followReading(sections, mark);
  followAddress(`${reference.info.title} API`);
};

const main = async () => {
  try {
    const problems = new URL("problems.json", import.meta.url);
    render(...(await Promise.all([fetchJson("/openapi.json"), fetchJson(problems)])));
  } catch (error) {
    const message = `The document could not be loaded: ${error.message}. Reload the page to try again.`;
    byId("document").replaceChildren(
      element("h1", {}, "Holdfast API"), element("p", { class: "notice", role: "alert" }, message));
  }
};

await main();
