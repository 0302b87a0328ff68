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

const copy = async (label, pre, what) => {
  try {
    await navigator.clipboard.writeText(pre.textContent);
    label.textContent = "Copied";
    announce(`Copied ${what}.`);
  } catch {
    // Only pages served over HTTPS have a clipboard. Elsewhere the text is selected, to be copied by
    // hand.
    getSelection().selectAllChildren(pre);
    label.textContent = "Selected";
    announce("Selected. Copy it with the keyboard.");
  }
  setTimeout(() => (label.textContent = "Copy"), 2000);
};

const copyButton = (pre, what) => {
  const label = element("span", {}, "Copy");
  const button = element("button", { type: "button", class: "copy" }, label,
    element("span", { class: "unseen" }, ` ${what}`));
  button.addEventListener("click", () => copy(label, pre, what));
  return button;
};

/** Makes a block of code. `copied` names what its button copies; `controls` stand beside it. */
export const block = ({ title, label = title, text, copied, controls }) => {
  const pre = element("pre", { tabindex: "0", role: "region", "aria-label": label });
  const show = (text) => pre.replaceChildren(...[colored(text)].flat(Infinity));
  show(text);
  const bar = element("div", { class: "bar" }, element("span", {}, title),
    element("span", { class: "controls" }, controls, copyButton(pre, copied)));
  return { node: element("div", { class: "block" }, bar, pre), show };
};
