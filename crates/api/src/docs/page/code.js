// Blocks of code: colored, scrollable with the keyboard, and copied with a button.

import { byId, element } from "./dom.js";

const TOKENS =
  /("(?:[^"\\\n]|\\.)*")(\s*:)?|(?<=[\s[])(true|false|null|-?\d+(?:\.\d+)?)(?=[\s,\]}]|$)/g;

const token = ([text, string, colon]) => {
  if (string && colon) return [element("span", { class: "key" }, string), colon];
  return element("span", { class: string ? "string" : "literal" }, text);
};

/** Colors JSON, also within a command. */
const colored = (text) => {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    parts.push(text.slice(end, match.index), token(match));
    end = match.index + match[0].length;
  }
  return [parts, text.slice(end)];
};

/** Tells readers that listen what happened. */
const announce = (text) => {
  const place = byId("announcement");
  place.textContent = "";
  setTimeout(() => (place.textContent = text), 50);
};

const copy = async (button, pre, what) => {
  try {
    await navigator.clipboard.writeText(pre.textContent);
    button.textContent = "Copied";
    announce(`Copied ${what}.`);
  } catch {
    // Only pages served over HTTPS have a clipboard: elsewhere the text is selected, to be copied by hand.
    getSelection().selectAllChildren(pre);
    button.textContent = "Selected";
    announce("Selected. Copy it with the keyboard.");
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
};

/** Makes a block of code. `copied` names what its button copies; `controls` stand beside the title. */
export const block = ({ title, label = title, text, copied, controls }) => {
  const pre = element("pre", { tabindex: "0", role: "region", "aria-label": label });
  const show = (text) => pre.replaceChildren(...[colored(text)].flat(Infinity));
  show(text);
  const attributes = { type: "button", class: "copy", "aria-label": `Copy ${copied}` };
  const button = copied && element("button", attributes, "Copy");
  if (button) button.addEventListener("click", () => copy(button, pre, copied));
  const bar = element("div", { class: "bar" }, element("span", {}, title),
    element("span", { class: "controls" }, controls, button));
  return { node: element("div", { class: "block" }, bar, pre), show };
};
