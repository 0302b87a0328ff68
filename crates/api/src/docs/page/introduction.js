// Shows what holds for every operation: the base URL, credentials and common headers.

import { block } from "./code.js";
import { code, element, prose } from "./dom.js";
import { row } from "./fields.js";

const placeOf = ({ type, in: place, name }) =>
  type === "http" ? "Authorization: Bearer" : `${place} ${name}`;

const format = ({ bearerFormat }) =>
  bearerFormat && element("p", { class: "limits" }, "Format: ", code(bearerFormat));

const credentials = (schemes) => [
  element("h2", { id: "credentials" }, "Credentials"),
  element("dl", { class: "fields" }, schemes.map(({ id, ...scheme }) =>
    row(id, placeOf(scheme), false, prose(scheme.description), format(scheme)))),
];

const headers = (list) => list.length > 0 && [
  element("h2", { id: "headers" }, "Headers of responses"),
  element("dl", { class: "fields" },
    list.map(({ name, description }) => row(name, "", false, prose(description)))),
];

/** Shows the page's beginning. */
export const introduction = ({ info, schemes, commonHeaders }) => {
  const url = block({ title: "Base URL", text: location.origin, copied: "the base URL" });
  return element("div", { class: "introduction" },
    element("h1", {}, `${info.title} API `, element("span", { class: "version" }, info.version)),
    prose(info.description),
    element("p", {}, element("a", { href: "/openapi.json" }, "openapi.json"), " · ",
      element("a", { href: "/problems" }, "All problems")),
    url.node, credentials(schemes), headers(commonHeaders));
};
