// The page around verify.js: reads the form, shows what was found. Text is set as text, never as markup; of the server it asks the keys alone.
import { keysOfPolicy, parseKey, readable, unsupported, verifyReceipt, visible } from "./verify.js";

const [form, origin, keys, receipt, file] = ["form", "origin", "keys", "receipt", "file"].map((id) => document.getElementById(id));
const [verdict, result, steps, proved] = ["verdict", "result", "steps", "proved"].map((id) => document.getElementById(id));
const [source, keysRead, note, entry] = ["keys-source", "keys-read", "note", "entry"].map((id) => document.getElementById(id));

// What each step asks, in the words of who reads it.
const STEPS = {
  malformed: "The text is a receipt",
  malformed_checkpoint: "It holds a signed checkpoint",
  other_log: "The checkpoint is of the log that is meant",
  unknown_key: "It was signed with a trusted key",
  signature: "The signature verifies",
  index: "The entry's index is below the log's size",
  entry_missing: "The entry is there, and has a leaf hash",
  proof: "The proof leads from the entry to the checkpoint's root",
};
const STATES = { right: "✓ yes", wrong: "✗ no", skipped: "– not looked at" };

const element = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

const trusted = () => keys.value.split("\n").map((line) => line.trim()).filter(Boolean);

// A text area loses no letter but may be given one too few: the newline at the end, which is easily not selected. It is no part of what is signed.
const pasted = () => `${receipt.value.trim()}\n`;

// Answers of checks that were overtaken are dropped.
let turn = 0;

// What was found is of what was there then; it must not stand beside another text.
const forget = () => {
  turn += 1;
  result.hidden = true;
  delete verdict.dataset.flaw;
  delete verdict.dataset.valid;
  verdict.textContent = "Not checked since it was changed.";
};

const show = (found) => {
  verdict.dataset.valid = found.valid;
  if (found.flaw) verdict.dataset.flaw = found.flaw;
  verdict.textContent = found.valid
    ? `Valid: the entry stands at index ${found.index} in a log of ${found.size}, ${visible(found.log)}, as key ${found.keys.map((key) => key.split("+")[1]).join(" and ")} vouches.`
    : `Not valid: ${found.flaw}. ${visible(found.detail)}.`;
  steps.replaceChildren(...found.steps.map(({ flaw, state, detail }) =>
    element("li", { "data-step": flaw, "data-state": state },
      element("span", { class: "state" }, STATES[state]), " ", element("span", {}, STEPS[flaw]), element("div", { class: "detail" }, visible(detail)))));
  proved.hidden = !found.valid;
  note.hidden = true;
  entry.textContent = "";
  if (found.valid) {
    const read = readable(found.entry);
    entry.textContent = read.text;
    document.getElementById("entry-help").textContent = {
      json: "Every token as it was sealed; lines and indentation are added, and letters that cannot be seen are written as \\u….",
      text: "It is not JSON; letters that cannot be seen are written as \\u….",
      bytes: "It is not text; these are its bytes in hexadecimal.",
    }[read.kind];
    if (read.index !== null && read.index !== found.index) {
      note.textContent = `The entry says of itself that its index is ${read.index}, but it stands at ${found.index}.`;
      note.hidden = false;
    }
  }
  result.hidden = false;
};

const check = async () => {
  turn += 1;
  const mine = turn;
  try {
    const found = await verifyReceipt(pasted(), origin.value.trim(), trusted());
    if (mine === turn) show(found);
  } catch (error) {
    if (mine === turn) verdict.textContent = `It could not be checked: ${error.message}.`;
  }
};

let reading = 0;
const readKeys = async () => {
  reading += 1;
  const mine = reading;
  const read = await Promise.all(trusted().map(parseKey));
  if (mine !== reading) return;
  keysRead.replaceChildren(...read.map(({ text, problem, name, id }) => {
    if (problem) return element("li", { class: "bad" }, `${visible(text.slice(0, 60))}… ${problem}. It is ignored.`);
    if (name !== origin.value.trim()) return element("li", { class: "bad" }, `Key ${id} is of another log, ${visible(name)}. It is ignored.`);
    return element("li", {}, `Key ${id} is a key of this log.`);
  }));
};

const changed = () => {
  forget();
  readKeys();
};

const start = async () => {
  const id = location.pathname.split("/").pop();
  origin.value = `${location.host}/v1/vault/logs/${id}`;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    check().then(() => verdict.scrollIntoView({ block: "nearest" }));
  });
  for (const field of [origin, keys]) field.addEventListener("input", changed);
  receipt.addEventListener("input", forget);
  // What is pasted whole is what is to be checked. The input event, which makes it stale, comes after this one.
  receipt.addEventListener("paste", () => setTimeout(check));
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    const text = await file.files[0].slice(0, 1024 * 1024).text();
    receipt.value = text;
    forget();
    await check();
  });

  const problem = await unsupported();
  if (problem) {
    const warning = document.getElementById("unsupported");
    warning.textContent = problem;
    warning.hidden = false;
    document.getElementById("check").disabled = true;
    return;
  }
  try {
    const answer = await fetch(`/v1/vault/logs/${id}/policy`, { credentials: "omit" });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    const found = keysOfPolicy(await answer.text());
    if (!found.length) throw new Error("it named none");
    // Whoever was quicker, and pasted keys of their own, keeps them.
    if (!keys.value) {
      keys.value = found.join("\n");
      const names = new Set(found.map((key) => key.split("+")[0]));
      if (names.size === 1 && [...names][0].endsWith(`/v1/vault/logs/${id}`)) origin.value = [...names][0];
      source.textContent = "These were fetched from this server.";
      changed();
    }
  } catch (error) {
    source.textContent = `No key could be fetched from this server (${error.message}); paste those that you have.`;
  }
  document.body.dataset.ready = "true";
};

start();
