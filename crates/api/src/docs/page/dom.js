// Builds elements. Text is set as text, never as markup.

const isEmpty = (child) => child === null || child === undefined || child === false || child === "";

/** Creates an element. Empty children and attributes are left out; arrays are flattened. */
export const element = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (!isEmpty(value)) node.setAttribute(key, value);
  }
  node.append(...children.flat(Infinity).filter((child) => !isEmpty(child)));
  return node;
};

export const code = (text) => element("code", {}, text);

/** Creates a part that is folded, and built when it is first opened: readers open few of them. */
export const folded = (title, build) => {
  const details = element("details", {}, element("summary", {}, title));
  details.addEventListener("toggle", () => details.append(build()), { once: true });
  return details;
};

/** Splits a text at its `code` spans, the only markup that our descriptions use. */
export const inline = (text = "") => text.split("`").map((part, i) => (i % 2 ? code(part) : part));

/** Turns a description into paragraphs. */
export const prose = (text = "") =>
  text.split(/\n\n+/).filter(Boolean).map((paragraph) => element("p", {}, inline(paragraph)));

/** Lets a path wrap before each slash. */
export const wrappable = (path) => path.split(/(?=\/)/).flatMap((part) => [element("wbr"), part]);

export const byId = (id) => document.getElementById(id);
