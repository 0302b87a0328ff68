// Reads JSON Schemas of the document.

import { alternatives } from "./text.js";

let schemas = {};

/** Sets the schemas that references point to. */
export const load = (components) => {
  schemas = components.schemas ?? {};
};

export const nameOf = (schema) => (schema?.$ref ? schema.$ref.split("/").pop() : null);

/** Follows a reference. What stands beside it wins, since it is nearer to the place of use. */
export const resolved = (schema) => {
  if (!schema?.$ref) return schema ?? {};
  const { $ref, ...beside } = schema;
  return { ...resolved(schemas[nameOf(schema)]), ...beside };
};

const isNull = (schema) => schema.type === "null";
const variants = (schema) => schema.oneOf ?? schema.anyOf ?? [];
export const typesOf = (schema) => [].concat(schema.type ?? []);

export const isNullable = (schema) => typesOf(schema).includes("null") || variants(schema).some(isNull);

/** Returns the schema of a value that is not null. */
export const core = (schema) => {
  const whole = resolved(schema);
  const others = variants(whole).filter((one) => !isNull(one));
  return others.length === 1 ? core(others[0]) : whole;
};

/** Lists an object's properties, those of all parts of an `allOf`. */
export const properties = (schema) => {
  const whole = core(schema);
  return (whole.allOf ?? [whole]).map(core).flatMap((part) =>
    Object.entries(part.properties ?? {}).map(([name, property]) =>
      ({ name, property, required: part.required?.includes(name) ?? false })));
};

export const isObject = (schema) => properties(schema).length > 0;

export const descriptionOf = (schema) => resolved(schema).description ?? core(schema).description;

export const exampleOf = (schema) => {
  const [near, far] = [resolved(schema), core(schema)];
  return near.example ?? near.examples?.[0] ?? far.example ?? far.examples?.[0];
};

/** Finds the name of the object that a value, or each item of an array, is. */
export const objectName = (schema) => {
  const whole = resolved(schema);
  const [only] = variants(whole).filter((one) => !isNull(one));
  return nameOf(schema) ?? nameOf(only) ?? null;
};

/** Returns the schema of a map's values. */
export const valuesOf = ({ additionalProperties: values }) => (typeof values === "object" ? values : null);

/** Names a value's type, such as `array of Agent` or `string (date-time) or null`. */
export const typeName = (schema) => {
  if (!schema) return "any JSON";
  if (schema.$ref && isObject(schema)) return nameOf(schema);
  const whole = resolved(schema);
  if (variants(whole).length) return alternatives(variants(whole).map(typeName));
  if (whole.allOf) return "object";
  const types = typesOf(whole);
  if (!types.length) return "any JSON";
  return alternatives(types.map((type) => {
    if (type === "array") return `array of ${typeName(whole.items)}`;
    if (type === "object" && valuesOf(whole)) return `map of ${typeName(valuesOf(whole))}`;
    return whole.format && type !== "null" ? `${type} (${whole.format})` : type;
  }));
};
