// Shows an operation's responses and its errors.

import { code, element, folded, prose } from "./dom.js";
import { fields, row } from "./fields.js";
import { isObject, nameOf, typeName } from "./schema.js";

const headerList = (headers) =>
  headers.length > 0 && element("p", { class: "limits" }, "Headers: ",
    headers.flatMap(({ name, description }, i) =>
      [i > 0 && ", ", element("code", { title: description }, name)]));

const bodyFields = (schema) => {
  if (!schema || !isObject(schema)) return null;
  return folded(`Fields of ${nameOf(schema) ?? "the response"}`, () => fields(schema, 1));
};

/** Shows the responses that are no problems. */
export const responses = (operation, { commonHeaders }) => {
  const common = new Set(commonHeaders.map(({ name }) => name));
  return element("dl", { class: "fields narrow" }, operation.responses.map((response) => {
    const type = [response.media, response.schema && typeName(response.schema)].filter(Boolean).join(" · ");
    const own = response.headers.filter(({ name }) => !common.has(name));
    return row(response.status, "", false,
      prose(response.description), type && element("p", { class: "type" }, type), headerList(own),
      bodyFields(response.schema));
  }));
};

const link = (name, titles) =>
  element("a", { href: `/problems#${name}`, title: titles[name] }, code(name));

const pick = (problems, isWanted) =>
  problems
    .map(({ status, codes }) => ({ status, codes: codes.filter(isWanted) }))
    .filter(({ codes }) => codes.length);

const ownErrors = (problems, titles) =>
  element("dl", { class: "errors" }, problems.flatMap(({ status, codes }) => codes.map((name) =>
    element("div", {},
      element("dt", {}, element("span", { class: "status" }, status), " ", link(name, titles)),
      element("dd", {}, titles[name] ?? "")))));

const commonErrors = (problems, titles, hasOwn) => {
  const count = problems.reduce((sum, { codes }) => sum + codes.length, 0);
  const title = `${count} errors that many operations ${hasOwn ? "share" : "have"}`;
  return folded(title, () =>
    element("dl", { class: "fields narrow" }, problems.map(({ status, codes }) =>
      row(status, "", false, codes.flatMap((name) => [link(name, titles), " "])))));
};

/** Shows exactly the codes that the operation lists: its own first, the common ones folded. */
export const errors = (operation, { commonCodes }, titles) => {
  const own = pick(operation.problems, (name) => !commonCodes.has(name));
  const common = pick(operation.problems, (name) => commonCodes.has(name));
  if (!own.length && !common.length) return null;
  return [
    element("h4", {}, "Errors"),
    own.length > 0 && ownErrors(own, titles),
    common.length > 0 && commonErrors(common, titles, own.length > 0),
  ];
};
