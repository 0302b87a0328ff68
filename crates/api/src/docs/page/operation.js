// Shows one operation.

import { code, element, prose, wrappable } from "./dom.js";
import { examples } from "./examples.js";
import { fields, parameterRows } from "./fields.js";
import { errors, responses } from "./responses.js";
import { isObject, nameOf, typeName } from "./schema.js";
import { alternatives, capitalized } from "./text.js";

const CREDENTIALS = {
  api_key: "an API key",
  access_token: "a person's access token",
  agent_signature: "an agent's signature",
};

const PLACES = { path: "Path parameters", query: "Query parameters", header: "Headers", cookie: "Cookies" };

export const methodBadge = (method) =>
  element("span", { class: `method ${method}` }, method === "delete" ? "del" : method);

const credentialsOf = ({ credentials }) => {
  const choices = credentials.map((names) => names.map((name) => CREDENTIALS[name] ?? name).join(" plus "));
  return choices.length
    ? element("a", { href: "#credentials" }, capitalized(alternatives(choices)))
    : "None";
};

const needs = (operation) =>
  element("dl", { class: "needs" },
    element("dt", {}, "Credentials"), element("dd", {}, credentialsOf(operation)),
    operation.permissions.length > 0 && [
      element("dt", {}, "Permission"),
      element("dd", {}, operation.permissions.flatMap((name) => [code(name), " "])),
    ]);

const parameters = (operation) =>
  Object.entries(PLACES).map(([place, title]) => {
    const there = operation.parameters.filter((one) => one.in === place);
    return there.length > 0 && [element("h4", {}, title), parameterRows(there)];
  });

const body = ({ body }) => {
  if (!body) return null;
  const type = isObject(body.schema ?? {}) ? nameOf(body.schema) ?? "object" : typeName(body.schema);
  return [
    element("h4", {}, "Body ", element("span", { class: "type" }, `${body.media} · ${type}`),
      !body.required && element("span", { class: "type" }, " · optional")),
    fields(body.schema),
  ];
};

/** Shows an operation. */
export const section = (operation, reference, titles) => {
  const { id, method, path, summary, description, deprecated } = operation;
  return element("section", { class: "operation", id, "aria-labelledby": `${id}-title` },
    element("h3", { id: `${id}-title` }, element("a", { href: `#${id}` }, summary),
      deprecated && element("span", { class: "required" }, " deprecated")),
    element("div", { class: "route" }, element("span", { class: `method ${method}` }, method), " ",
      element("span", {}, wrappable(path))),
    element("div", { class: "parts" },
      element("div", { class: "about" }, prose(description), needs(operation)),
      examples(operation),
      element("div", { class: "details" },
        parameters(operation), body(operation),
        element("h4", {}, "Responses"), responses(operation, reference),
        errors(operation, reference, titles))));
};
