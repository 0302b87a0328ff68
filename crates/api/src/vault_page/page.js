// The page around verify.js: reads the form, shows what was found. Text is set as text, never as markup; of the server it asks the log's keys and
// its newest checkpoint alone.
import { encodeBase64, keysOfPolicy, parseKey, readable, stated, unsupported, verifyCheckpoint, verifyReceipt, visible } from "./verify.js";

const [form, origin, keys, receipt, file] = ["form", "origin", "keys", "receipt", "file"].map((id) => document.getElementById(id));
const [verdict, result, facts, steps, proved] = ["verdict", "result", "facts", "steps", "proved"].map((id) => document.getElementById(id));
const [source, keysRead, note, entry] = ["keys-source", "keys-read", "note", "entry"].map((id) => document.getElementById(id));
const [log, unknown] = ["log", "unknown"].map((id) => document.getElementById(id));

const id = location.pathname.split("/").pop();

// What each step asks, and what is wrong where it fails, in the words of who reads it.
const STEPS = {
  malformed: ["The text is a receipt", "this is no receipt, or not the whole of one."],
  malformed_checkpoint: ["It holds a signed checkpoint", "the receipt's signed checkpoint is damaged or was cut off."],
  other_log: ["The checkpoint is of the log that is meant", "this is a receipt of another log."],
  unknown_key: ["It was signed with a trusted key", "none of the keys above signed it."],
  signature: ["The signature verifies", "the receipt's signed checkpoint was changed."],
  index: ["The entry's index is below the log's size", "the log has no entry of that index."],
  entry_missing: ["The entry is there, and has a leaf hash", "it lacks the entry that it is about."],
  proof: ["The proof leads from the entry to the checkpoint's root", "the entry, its index or the proof was changed."],
};
const STATES = { right: ["✓", "Yes:"], wrong: ["✗", "No:"], skipped: ["–", "Not looked at:"] };

const element = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

const fact = (name, ...value) => element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
const keyId = (key) => key.split("+")[1];
const sentence = (text) => (text ? `${text.charAt(0).toUpperCase()}${text.slice(1)}.` : "");
const trusted = () => keys.value.split("\n").map((line) => line.trim()).filter(Boolean);

// A text area loses no letter but may be given one too few: the newline at the end, which is easily not selected. It is no part of what is signed.
const pasted = () => `${receipt.value.trim()}\n`;

// Answers of checks that were overtaken are dropped.
let turn = 0;
let wasChecked = false;

// What was found is of what was there then; it must not stand beside another text.
const forget = () => {
  turn += 1;
  result.hidden = true;
  delete verdict.dataset.flaw;
  delete verdict.dataset.valid;
  verdict.textContent = wasChecked ? "Not checked since it was changed." : "Nothing was checked yet.";
};

// A time for reading, where it is one: what it says is in the entry below to the last digit.
const time = (text) => {
  const date = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) || Number.isNaN(date.valueOf())) return visible(text);
  const words = date.toLocaleString("en-GB", { timeZone: "UTC", dateStyle: "long", timeStyle: "medium" });
  return element("time", { datetime: text }, `${words} UTC`);
};

// What the entry says of itself, then whose log it is in.
const showFacts = (found) => {
  const { kind, verdict, at } = stated(found.entry, ["kind", "verdict", "at"]);
  facts.replaceChildren(
    ...(kind === undefined ? [] : [fact("Kind", visible(kind))]),
    ...(verdict === undefined ? [] : [fact("Verdict", element("strong", {}, visible(verdict)))]),
    ...(at === undefined ? [] : [fact("Sealed", time(at))]),
    fact("Log", visible(found.log)),
    fact("Signed", `by key ${found.keys.map(keyId).join(" and ")}, when the log had ${found.size} ${found.size === 1n ? "entry" : "entries"}`),
  );
};

const show = (found) => {
  verdict.dataset.valid = found.valid;
  if (found.flaw) verdict.dataset.flaw = found.flaw;
  verdict.textContent = found.valid ? `Valid: entry ${found.index} is in this log.` : `Not valid: ${STEPS[found.flaw][1]}`;
  steps.replaceChildren(...found.steps.map(({ flaw, state, detail }) => {
    const [sign, words] = STATES[state];
    return element("li", { "data-step": flaw, "data-state": state },
      element("span", { class: "state", role: "img", "aria-label": words }, sign), element("span", {}, STEPS[flaw][0]),
      element("div", { class: "detail" }, state === "wrong" ? sentence(visible(detail)) : visible(detail)));
  }));
  facts.hidden = proved.hidden = !found.valid;
  note.hidden = true;
  entry.textContent = "";
  facts.replaceChildren();
  if (found.valid) {
    showFacts(found);
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
  wasChecked = true;
  try {
    const found = await verifyReceipt(pasted(), origin.value.trim(), trusted());
    if (mine === turn) show(found);
  } catch (error) {
    if (mine === turn) verdict.textContent = `It could not be checked: ${error.message}.`;
  }
};

// The newest checkpoint, as it was fetched; null where there was none.
let newest = null;

// What the log is now, and whether that was signed with the keys that are trusted.
const showLog = async (mine) => {
  // Whoever means another log is not told about this one.
  log.hidden = !newest || !origin.value.trim().endsWith(`/v1/vault/logs/${id}`);
  if (log.hidden) return;
  const signed = document.getElementById("log-signed");
  try {
    const { size, root, keys: by } = await verifyCheckpoint(newest, origin.value.trim(), trusted());
    if (mine !== reading) return;
    document.getElementById("log-size").textContent = String(size);
    const text = encodeBase64(root);
    document.getElementById("log-root").replaceChildren(element("code", { title: text }, `${text.slice(0, 12)}…`));
    signed.replaceChildren(`by key ${by.map(keyId).join(" and ")}, as the newest checkpoint`);
  } catch (error) {
    if (mine !== reading) return;
    for (const field of ["log-size", "log-root"]) document.getElementById(field).textContent = "–";
    const words = {
      unknown_key: "none of the keys below signed the newest",
      signature: "the newest was changed: its signature does not verify",
      other_log: `this server's newest is of another log, ${visible(error.message).replace(/^it is of /, "")}`,
    }[error.flaw] ?? `this server's newest cannot be read: ${visible(error.message)}`;
    signed.replaceChildren(element("span", { class: "bad" }, words));
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
  await showLog(mine);
};

const changed = () => {
  forget();
  return readKeys();
};

const ask = async (what) => {
  const answer = await fetch(`/v1/vault/logs/${id}/${what}`, { credentials: "omit" });
  if (!answer.ok) throw Object.assign(new Error(`it answered ${answer.status}`), { status: answer.status });
  return answer.text();
};

// The log's keys and its newest checkpoint. Of a log that the server does not have it would make up keys all the same: they are not taken then.
const fetchLog = async () => {
  const [policy, checkpoint] = await Promise.allSettled([ask("policy"), ask("checkpoint")]);
  document.getElementById("log-id").textContent = id;
  if (checkpoint.reason?.status === 404) {
    unknown.textContent = "This server knows no such log, or it is still empty.";
    unknown.hidden = false;
    source.textContent = "No key was fetched; paste those that you have.";
    return;
  }
  newest = checkpoint.value ?? null;
  try {
    if (policy.reason) throw policy.reason;
    const found = keysOfPolicy(policy.value);
    if (!found.length) throw new Error("it named none");
    // Whoever was quicker, and pasted keys of their own, keeps them.
    if (!keys.value) {
      keys.value = found.join("\n");
      const names = new Set(found.map((key) => key.split("+")[0]));
      if (names.size === 1 && [...names][0].endsWith(`/v1/vault/logs/${id}`)) origin.value = [...names][0];
      source.textContent = "These were fetched from this server.";
    }
  } catch (error) {
    source.textContent = `No key could be fetched from this server (${error.message}); paste those that you have.`;
  }
  if (keys.value) await changed();
};

const start = async () => {
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
  await fetchLog();
  document.body.dataset.ready = "true";
};

start();
