// Shows parameters and the fields of a schema.

import { code, element, folded, inline, prose } from "./dom.js";
import {
  core, descriptionOf, exampleOf, isObject, objectName, properties, resolved, typeName, valuesOf,
} from "./schema.js";
import { alternatives, bounds, capitalized, patternInWords } from "./text.js";

const MAX_DEPTH = 3;

/** Says in words what a value must be, and what each item of an array must be. */
const limits = (schema, depth = 0) => {
  const one = core(schema);
  const items = one.items && depth < 2 ? limits(one.items, depth + 1) : "";
  const isId = one.pattern && /\{\d+\}\$$/.test(one.pattern);
  const fallback = resolved(schema).default ?? one.default;
  return [
    one.enum && `${depth ? "" : "one of "}${alternatives(one.enum.map((value) => `\`${value}\``))}`,
    bounds(one.minItems, one.maxItems, "item"),
    isId ? null : bounds(one.minLength, one.maxLength, "character"),
    bounds(one.minimum, one.maximum, ""),
    one.pattern && patternInWords(one.pattern),
    items && `each ${core(one.items).enum ? "one of " : ""}${items}`,
    fallback !== undefined && `\`${JSON.stringify(fallback)}\` by default`,
  ].filter(Boolean).join("; ");
};

const details = (schema) => {
  const [words, example] = [limits(schema), exampleOf(schema)];
  const isPlain = typeof example === "string" || typeof example === "number";
  return [
    prose(descriptionOf(schema)),
    words && element("p", { class: "limits" }, inline(`${capitalized(words)}.`)),
    isPlain && element("p", { class: "limits" }, "Example: ", code(String(example))),
  ];
};

/** Shows one named value: its name, type and whether it is required, then what is said of it. */
export const row = (name, type, required, ...content) =>
  element("div", {},
    element("dt", {}, code(name), " ", element("span", { class: "type" }, type),
      required && element("span", { class: "required" }, " required")),
    element("dd", {}, ...content));

/** Shows the fields of a value that is an object, or an array or a map of objects. */
const nested = (name, property, depth) => {
  const value = core(property);
  const inner = value.items ?? valuesOf(value);
  const object = inner && isObject(inner) ? inner : value;
  if (depth >= MAX_DEPTH || !isObject(object)) return null;
  const title = `Fields of ${objectName(object) ?? objectName(property) ?? name}`;
  return folded(title, () => fields(object, depth + 1));
};

/** Shows a schema: its fields, required ones first, or what its value must be. */
export const fields = (schema, depth = 0) => {
  const all = properties(schema);
  if (!all.length) {
    const type = element("p", { class: "type" }, typeName(schema));
    return element("div", { class: "value" }, type, details(schema));
  }
  const sorted = [...all.filter((one) => one.required), ...all.filter((one) => !one.required)];
  return element("dl", { class: "fields" }, sorted.map(({ name, property, required }) =>
    row(name, typeName(property), required, details(property), nested(name, property, depth))));
};

/** Shows parameters of one place, such as the query. */
export const parameterRows = (parameters) =>
  element("dl", { class: "fields" }, parameters.map(({ name, schema, description, required }) => {
    const described = { ...resolved(schema), ...(description && { description }) };
    return row(name, typeName(schema), required, details(described));
  }));
