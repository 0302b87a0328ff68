// Makes an example of a schema.

import { ABSENT, SAMPLES, SAMPLES_OF_TAG } from "./sample-values.js";
import { core, exampleOf, isNullable, properties, resolved, typesOf } from "./schema.js";

const MAX_DEPTH = 6;

const typesOfValue = (schema) => (schema.properties || schema.allOf ? ["object"] : typesOf(schema));

const isOfType = (value, types) =>
  !types.length || types.some((type) => (type === "integer" ? "number" : type) === typeof value);

const time = (name) => (/expires|erase|visible/.test(name) ? "2026-12-21T11:06:29Z" : "2026-11-21T11:06:29Z");

const ofEnum = (schema, known, { request, optional }) => {
  if (optional && !request) return null;
  return schema.enum.includes(known) ? known : schema.enum[0];
};

const ofObject = (schema, context) => {
  const all = properties(schema);
  const given = ({ property, required }) => !context.request || required || exampleOf(property) !== undefined;
  const wanted = all.filter(given);
  const deeper = { ...context, depth: context.depth + 1 };
  return Object.fromEntries(
    (wanted.length ? wanted : all).map(({ name, property }) => [name, value(property, name, deeper)]));
};

const value = (schema, name, context) => {
  const { request, given, depth } = context;
  const one = core(schema);
  const optional = isNullable(resolved(schema));
  if (!request && optional && ABSENT.has(name)) return null;
  const example = exampleOf(schema);
  if (example !== undefined) return example;
  const types = typesOfValue(one);
  const known = [given[name], ...(SAMPLES[name] ?? [])]
    .find((candidate) => candidate !== undefined && isOfType(candidate, types));
  if (one.enum) return ofEnum(one, known, { request, optional });
  if (one.format === "date-time") return isNullable(one) ? null : time(name);
  const hasFields = properties(one).length > 0;
  if (known !== undefined && !hasFields) return known;
  if (isNullable(one)) return null;
  if (types.includes("array")) {
    return depth <= MAX_DEPTH ? [value(one.items, name, { ...context, depth: depth + 1 })] : [];
  }
  if (hasFields && depth < MAX_DEPTH) return ofObject(one, context);
  if (types.includes("integer") || types.includes("number")) return one.minimum ?? 0;
  if (types.includes("boolean")) return true;
  return types.includes("object") || !types.length ? {} : "…";
};

const givenBy = ({ tag, path }) => (path.endsWith("/members") ? {} : SAMPLES_OF_TAG[tag]) ?? {};

/** Makes the body of a request: what it must have, and what the document has an example of. */
export const requestSample = (operation) =>
  value(operation.body.schema, "", { request: true, given: givenBy(operation), depth: 0 });

/** Makes the body of a response, in which fields of the request return. */
export const responseSample = (operation, schema) => {
  const sent = operation.body && requestSample(operation);
  const given = { ...givenBy(operation), ...(sent && typeof sent === "object" ? sent : {}) };
  return value(schema, "", { request: false, given, depth: 0 });
};

/** Makes a parameter's value. */
export const parameterSample = ({ name, schema }) =>
  String(value(schema ?? {}, name, { request: true, given: {}, depth: 0 }) ?? "…");
