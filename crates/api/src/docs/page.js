// Renders /openapi.json. Text is set as text, never as markup.
"use strict";

const element = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

// Paragraphs and `code`, which is all the markup our descriptions use.
const prose = (text = "") =>
  text.split(/\n\n+/).filter(Boolean).map((paragraph) =>
    element("p", {}, ...paragraph.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part))));

let schemas = {};
const named = (schema) => (schema?.$ref ? schema.$ref.split("/").pop() : null);
const resolved = (schema) => (schema?.$ref ? schemas[named(schema)] : schema) ?? {};

const typeOf = (schema) => {
  if (!schema) return "any";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.oneOf || schema.anyOf) return (schema.oneOf || schema.anyOf).map(typeOf).join(" | ");
  if (schema.allOf) return schema.allOf.map(typeOf).join(" & ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const type = [].concat(schema.type ?? "any").join(" | ");
  if (type.includes("array")) return `${typeOf(schema.items)}[]`;
  return schema.format ? `${type} (${schema.format})` : type;
};

const limits = (schema) =>
  ["minimum", "maximum", "minLength", "maxLength", "maxItems", "pattern", "default"]
    .filter((key) => schema[key] !== undefined)
    .map((key) => `${key} ${schema[key]}`)
    .join(", ");

const fields = (schema, depth = 0) => {
  const whole = resolved(schema);
  const parts = whole.allOf ? whole.allOf.map(resolved) : [whole];
  const rows = parts.flatMap((part) =>
    Object.entries(part.properties ?? {}).map(([name, property]) => {
      const inner = property.items ?? property;
      const nested = depth < 3 && Object.keys(resolved(inner).properties ?? {}).length
        ? element("details", {}, element("summary", {}, named(inner) ?? "fields"), fields(inner, depth + 1)) : null;
      const required = part.required?.includes(name) ? element("span", { class: "required" }, " required") : null;
      return element("tr", {},
        element("td", {}, element("code", {}, name), required),
        element("td", { class: "type" }, typeOf(property)),
        element("td", {}, ...prose(property.description ?? resolved(property).description), limits(property), nested));
    }));
  return rows.length ? element("table", {}, element("tbody", {}, ...rows)) : element("p", { class: "type" }, typeOf(schema));
};

const content = (holder) =>
  Object.entries(holder?.content ?? {}).map(([media, { schema }]) =>
    element("details", {}, element("summary", {}, `${named(schema) ?? typeOf(schema)} · ${media}`), fields(schema)));

const operation = (method, path, item) => {
  const id = item.operationId;
  const parameters = (item.parameters ?? []).map((parameter) =>
    element("tr", {},
      element("td", {}, element("code", {}, parameter.name), parameter.required ? element("span", { class: "required" }, " required") : null),
      element("td", { class: "type" }, `${parameter.in} · ${typeOf(parameter.schema)}`),
      element("td", {}, ...prose(parameter.description), limits(parameter.schema ?? {}))));
  const responses = Object.entries(item.responses ?? {}).map(([status, response]) =>
    element("tr", {}, element("td", {}, element("code", {}, status)), element("td", {}, ...prose(response.description), ...content(response))));
  const schemes = (item.security ?? []).map((scheme) => Object.keys(scheme).join(" and ")).join(", or ");
  const body = item.requestBody ? Object.values(item.requestBody.content ?? {})[0]?.schema : null;
  return element("section", { class: "operation", id },
    element("h3", {}, item.summary ?? id),
    element("div", { class: "route" }, element("span", { class: `method ${method}` }, method), ` ${path}`),
    ...prose(item.description),
    schemes ? element("p", {}, "Credentials: ", element("code", {}, schemes)) : null,
    parameters.length ? element("h4", {}, "Parameters") : null,
    parameters.length ? element("table", {}, element("tbody", {}, ...parameters)) : null,
    body ? element("h4", {}, `Body · ${typeOf(body)}`) : null,
    body ? fields(body) : null,
    element("h4", {}, "Answers"),
    element("table", {}, element("tbody", {}, ...responses)));
};

const render = (api) => {
  schemas = api.components?.schemas ?? {};
  const page = document.getElementById("document");
  const index = document.getElementById("index");
  page.replaceChildren(element("h1", {}, `${api.info.title} API ${api.info.version}`), ...prose(api.info.description));
  page.append(element("p", {}, element("a", { href: "/openapi.json" }, "openapi.json"), " · ", element("a", { href: "/problems" }, "problems")));
  page.append(element("h2", {}, "Credentials"));
  for (const [name, scheme] of Object.entries(api.components?.securitySchemes ?? {})) {
    page.append(element("p", {}, element("code", {}, name)), ...prose(scheme.description));
  }
  const operations = Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item).map(([method, one]) => [method, path, one]));
  for (const tag of api.tags ?? []) {
    index.append(element("h2", {}, tag.name));
    page.append(element("h2", { id: `tag-${tag.name}` }, tag.name), ...prose(tag.description));
    for (const [method, path, one] of operations.filter(([, , one]) => one.tags?.includes(tag.name))) {
      index.append(element("a", { href: `#${one.operationId}` }, element("span", { class: `method ${method}` }, method), one.summary ?? path));
      page.append(operation(method, path, one));
    }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
};

fetch("/openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`/openapi.json answered ${answer.status}`))))
  .then(render)
  .catch((error) => document.getElementById("document").replaceChildren(element("p", {}, `The document could not be read: ${error.message}. Reload the page.`)));
