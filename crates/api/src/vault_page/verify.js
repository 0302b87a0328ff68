// Verifies a receipt (C2SP tlog-proof) offline: one file, no dependency, nothing fetched. Runs in browsers and in Node 20 or later, by WebCrypto.
// What is wrong has the names that the API gives it, and is looked for in the same order; nothing is accepted here that the API refuses.

// The first thing that is wrong with a receipt, one for each step of the check.
export const FLAWS = {
  malformed: "the text is not a c2sp.org/tlog-proof@v1: it was cut, or is of another kind",
  malformed_checkpoint: "the checkpoint is not a signed note",
  other_log: "the checkpoint is of another log than the one that was to be checked",
  unknown_key: "no signature on the checkpoint is of a key that is trusted for this log",
  signature: "the checkpoint's signature does not verify: the checkpoint was changed",
  index: "the index lies beyond the size that the checkpoint states",
  entry_missing: "the receipt does not carry its entry",
  proof: "the proof does not lead from the entry to the checkpoint's root: entry, index or proof was changed",
};

const HEADER = "c2sp.org/tlog-proof@v1";
const MAX_BYTES = 256 * 1024;
// More hashes than a proof in a tree of 2^64 leaves has.
const MAX_HASHES = 64;
const MAX_SIGNATURES = 100;
// The largest size of a log.
const MAX_SIZE = 1n << 40n;
const ED25519 = 1;

class Flawed extends Error {
  constructor(flaw, detail) {
    super(detail);
    this.flaw = flaw;
  }
}

const utf8 = (text) => new TextEncoder().encode(text);
const join = (...parts) => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};
const equal = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const encodeBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

// The one spelling of some bytes: padded, no stray bits, no spaces. Null otherwise.
export const decodeBase64 = (text) => {
  if (text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  let binary;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  return btoa(binary) === text ? Uint8Array.from(binary, (letter) => letter.charCodeAt(0)) : null;
};

// A number below 2^64, without leading zeros, signs or spaces. Null otherwise.
const decimal = (text) => {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(text)) return null;
  const number = BigInt(text);
  return number < 1n << 64n ? number : null;
};

const hash32 = (text) => {
  const bytes = decodeBase64(text);
  return bytes?.length === 32 ? bytes : null;
};

const isName = (name) => name !== "" && !/[\p{White_Space}+]/u.test(name);

// Takes a receipt apart: {entry, index, hashes, checkpoint}, the entry being null when it carries none.
export const parseReceipt = (text) => {
  const malformed = (detail) => new Flawed("malformed", detail);
  // Half a surrogate pair would be hashed as another letter than the one that is seen.
  if (/\p{Surrogate}/u.test(text)) throw malformed("it has letters that are none");
  if (utf8(text).length > MAX_BYTES) throw malformed(`it is longer than ${MAX_BYTES} bytes`);
  const end = text.indexOf("\n\n");
  if (end < 0) throw malformed("there is no empty line before a checkpoint");
  const [header, ...lines] = text.slice(0, end).split("\n");
  if (header !== HEADER) throw malformed(`the first line is not ${HEADER}`);
  let entry = null;
  if (lines[0]?.startsWith("extra ")) {
    entry = decodeBase64(lines.shift().slice("extra ".length));
    if (!entry) throw malformed("the entry is not canonical base64");
  }
  const line = lines.shift() ?? "";
  const index = line.startsWith("index ") ? decimal(line.slice("index ".length)) : null;
  if (index === null) throw malformed("there is no index, or it is not a plain number");
  if (lines.length > MAX_HASHES) throw malformed(`there are more than ${MAX_HASHES} hashes`);
  const hashes = lines.map(hash32);
  if (hashes.includes(null)) throw malformed(`hash ${hashes.indexOf(null) + 1} is not 32 bytes in canonical base64`);
  return { entry, index, hashes, checkpoint: text.slice(end + 2) };
};

// Takes a signed note apart: the text that is signed, and {name, id, signature} of each signature.
export const parseNote = (note) => {
  const malformed = (detail) => new Flawed("malformed_checkpoint", detail);
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note) || /\p{Surrogate}/u.test(note)) throw malformed("it has control characters");
  const end = note.lastIndexOf("\n\n");
  if (end < 0) throw malformed("there is no empty line before its signatures");
  if (!note.endsWith("\n")) throw malformed("its last line does not end: it was cut");
  const lines = note.slice(end + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw malformed(`it has more than ${MAX_SIGNATURES} signatures`);
  const signatures = lines.map((line) => {
    const [dash, name, base64, ...rest] = line.split(" ");
    const bytes = decodeBase64(base64 ?? "");
    if (dash !== "—" || !isName(name ?? "") || rest.length || !bytes || bytes.length < 5) throw malformed("one of its signature lines is damaged or was cut off");
    return { name, id: hex(bytes.slice(0, 4)), signature: bytes.slice(4) };
  });
  return { text: note.slice(0, end + 1), signatures };
};

// Reads the text of a checkpoint: {origin, size, root}.
export const parseCheckpoint = (text) => {
  const malformed = (detail) => new Flawed("malformed_checkpoint", detail);
  if (!text.endsWith("\n")) throw malformed("its text was cut");
  const [origin, sizeLine, rootLine, ...extensions] = text.slice(0, -1).split("\n");
  const [size, root] = [decimal(sizeLine ?? ""), hash32(rootLine ?? "")];
  if (!origin) throw malformed("it does not name its log");
  if (size === null) throw malformed("its size is not a plain number");
  if (!root) throw malformed("its root is not 32 bytes in canonical base64");
  if (extensions.includes("")) throw malformed("it has an empty line");
  return { origin, size, root };
};

// Reads a verifier key, `<name>+<key id>+<base64 of 0x01 and 32 bytes>`: {text, name, id, key}, or {text, problem} saying why it is none.
export const parseKey = async (text) => {
  const [, name, id, base64] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const bytes = base64 ? decodeBase64(base64) : null;
  if (!bytes?.length || !isName(name)) return { text, problem: "is not a verifier key: name+id+base64" };
  // The id is bound to name and key; were it not, a key could be passed off as another.
  const bound = hex(await sha256(utf8(`${name}\n`), bytes)).slice(0, 8);
  if (bound !== id) return { text, problem: `its id does not belong to its name and key: that would be ${bound}` };
  if (bytes[0] !== ED25519 || bytes.length !== 33) return { text, problem: "is of a kind that is not checked here: only Ed25519 is" };
  try {
    const key = await crypto.subtle.importKey("raw", bytes.slice(1), { name: "Ed25519" }, false, ["verify"]);
    return { text, name, id, key };
  } catch (error) {
    if (error.name === "NotSupportedError") throw error;
    return { text, problem: "is not a point on the curve" };
  }
};

// The verifier keys of the log in a C2SP tlog-policy file.
export const keysOfPolicy = (policy) =>
  policy.split("\n").map((line) => line.trim().split(/[ \t]+/)).filter(([word, key]) => word === "log" && key).map(([, key]) => key);

// Which of `keys` signed the note in the name of `origin`. A signature of a trusted key that does not verify spoils the note, whatever others there are.
const signers = async (note, origin, keys) => {
  const trusted = new Map(), twice = new Set();
  for (const key of keys.filter(({ problem, name }) => !problem && name === origin)) {
    const same = trusted.get(key.id);
    if (same && same.text !== key.text) twice.add(key.id);
    trusted.set(key.id, key);
  }
  const named = note.signatures.map(({ name, id }) => `${name}+${id}`);
  const found = [], seen = new Set();
  for (const signature of note.signatures) {
    const key = signature.name === origin ? trusted.get(signature.id) : undefined;
    if (!key || seen.has(key.id)) continue;
    if (twice.has(key.id)) throw new Flawed("unknown_key", `two trusted keys have the id ${key.id}`);
    seen.add(key.id);
    found.push({ key, signature: signature.signature });
  }
  if (!found.length) throw new Flawed("unknown_key", `it was signed by ${named.join(", ")}; keys trusted for this log: ${trusted.size}`);
  return { found, others: new Set(named).size - found.length };
};

const isSignedBy = async (text, { key, signature }) =>
  signature.length === 64 && crypto.subtle.verify({ name: "Ed25519" }, key.key, signature, utf8(text));

// Follows an inclusion proof from the leaf up (RFC 9162, section 2.1.3.2): the root it leads to, or null when it has too few or too many hashes.
export const rootOf = async (leaf, index, size, hashes) => {
  let [node, last, root] = [index, size - 1n, leaf];
  for (const hash of hashes) {
    if (last === 0n) return null;
    if (node & 1n || node === last) {
      root = await sha256([1], hash, root);
      while (!(node & 1n) && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      root = await sha256([1], root, hash);
    }
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? root : null;
};

// Whether WebCrypto is here and knows Ed25519: the first test of RFC 8032, section 7.1, and the same with one bit changed. Null, or why not.
export const unsupported = async () => {
  if (!globalThis.crypto?.subtle) return "The browser offers its cryptography to pages that came over HTTPS (or from this machine) alone.";
  try {
    const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
    const raw = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const signature = bytes(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
    const key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
    const holds = () => crypto.subtle.verify({ name: "Ed25519" }, key, signature, new Uint8Array());
    const right = await holds();
    signature[0] ^= 1;
    if (right && !(await holds())) return null;
  } catch {
    // Said below.
  }
  return "This browser cannot verify Ed25519. Chrome 137, Firefox 129, Safari 17 and later can.";
};

// Checks a checkpoint alone: which keys of `trusted` the log called `origin` signed it with. Throws what is wrong with it, whose `flaw` has the name
// that a receipt of it would be refused by.
export const verifyCheckpoint = async (text, origin, trusted) => {
  const note = parseNote(text);
  const { origin: named, size, root } = parseCheckpoint(note.text);
  if (named !== origin) throw new Flawed("other_log", `it is of ${named}`);
  const { found } = await signers(note, origin, await Promise.all(trusted.map(parseKey)));
  for (const signed of found) {
    if (!(await isSignedBy(note.text, signed))) throw new Flawed("signature", `it is not of key ${signed.key.id}`);
  }
  return { log: named, size, root, keys: found.map(({ key }) => key.text) };
};

// Checks that the log called `origin`, under one of the verifier keys `trusted`, signed a checkpoint whose tree has the entry at the index.
// Resolves to {valid, flaw, detail, steps, log, index, size, leafHash, entry, keys, others}. The steps are those of FLAWS, in its order; after the
// first that is wrong they are "skipped". What could not be read is null.
export const verifyReceipt = async (text, origin, trusted) => {
  const result = { valid: false, flaw: null, detail: null, steps: [], log: null, index: null, size: null, leafHash: null, entry: null, keys: [], others: 0 };
  const order = Object.keys(FLAWS);
  const passed = (detail) => result.steps.push({ flaw: order[result.steps.length], state: "right", detail });
  try {
    const receipt = parseReceipt(text);
    result.index = receipt.index;
    passed(`${HEADER}, index ${receipt.index}, ${receipt.hashes.length} hashes`);

    const note = parseNote(receipt.checkpoint);
    const { origin: named, size, root } = parseCheckpoint(note.text);
    Object.assign(result, { log: named, size });
    passed(`size ${size}, root ${encodeBase64(root)}`);

    if (named !== origin) throw new Flawed("other_log", `it is of ${named}`);
    passed(named);

    const { found, others } = await signers(note, origin, await Promise.all(trusted.map(parseKey)));
    passed(found.map(({ key }) => key.text).join(", ") + (others ? ` (and ${others} more that are not checked here)` : ""));

    for (const signed of found) {
      if (!(await isSignedBy(note.text, signed))) throw new Flawed("signature", `it is not of key ${signed.key.id}`);
    }
    passed("Ed25519, over the checkpoint's text");

    if (receipt.index >= size) throw new Flawed("index", `${receipt.index} is not below ${size}`);
    if (size > MAX_SIZE) throw new Flawed("index", `no log has ${size} entries`);
    passed(`${receipt.index} is below ${size}`);

    if (!receipt.entry) throw new Flawed("entry_missing", "there is no line that begins with `extra`");
    const leaf = await sha256([0], receipt.entry);
    result.leafHash = hex(leaf);
    passed(`${receipt.entry.length} bytes, leaf hash ${result.leafHash}`);

    const reached = await rootOf(leaf, receipt.index, size, receipt.hashes);
    if (!reached) throw new Flawed("proof", `${receipt.hashes.length} hashes are not as many as lead from entry ${receipt.index} to the root of ${size}`);
    if (!equal(reached, root)) throw new Flawed("proof", `it leads to ${encodeBase64(reached)}, the root is ${encodeBase64(root)}`);
    passed(`${receipt.hashes.length} hashes lead to the checkpoint's root`);
    return { ...result, valid: true, entry: receipt.entry, keys: found.map(({ key }) => key.text), others };
  } catch (error) {
    if (!(error instanceof Flawed)) throw error;
    Object.assign(result, { flaw: error.flaw, detail: `${FLAWS[error.flaw]} (${error.message})` });
    result.steps.push({ flaw: error.flaw, state: "wrong", detail: error.message });
    for (const flaw of order.slice(result.steps.length)) result.steps.push({ flaw, state: "skipped", detail: "" });
    return result;
  }
};

// Letters that are not seen, or that reorder those around them, would let an entry look like another.
export const visible = (text) =>
  text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, (letter) =>
    letter === "\n" ? letter : letter.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""));

const tokensOf = (json) => json.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},:]|[^\s"[\]{},:]+/g) ?? [];

// What an entry that is a JSON object states in fields of its own: each of `names` that it has once, as a text. Of what it has twice, one reader
// would take the first and another the last.
export const stated = (entry, names) => {
  let text, value;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(entry);
    value = JSON.parse(text);
  } catch {
    return {};
  }
  const counts = new Map();
  let depth = 0;
  tokensOf(text).forEach((token, i, tokens) => {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (depth === 1 && tokens[i + 1] === ":") counts.set(JSON.parse(token), (counts.get(JSON.parse(token)) ?? 0) + 1);
  });
  return Object.fromEntries(names.filter((name) => counts.get(name) === 1 && typeof value[name] === "string").map((name) => [name, value[name]]));
};

// An entry for reading: {kind: "json" | "text" | "bytes", text, index}. JSON is set in lines of its own with every token as it stands: nothing is
// rounded, reordered or dropped, as parsing and writing again would. `index` is what the entry itself says its place is, where it does.
export const readable = (entry) => {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(entry);
  } catch {
    return { kind: "bytes", text: hex(entry).replace(/.{64}(?=.)/g, "$&\n"), index: null };
  }
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "text", text: visible(text), index: null };
  }
  let [out, depth] = ["", 0];
  // Bounded, so that many brackets do not make very many spaces.
  const line = () => `\n${"  ".repeat(Math.min(depth, 24))}`;
  const tokens = tokensOf(text);
  tokens.forEach((token, i) => {
    if (token === "}" || token === "]") {
      depth -= 1;
      out += tokens[i - 1] === "{" || tokens[i - 1] === "[" ? token : line() + token;
    } else if (token === "{" || token === "[") {
      depth += 1;
      out += token + (tokens[i + 1] === "}" || tokens[i + 1] === "]" ? "" : line());
    } else {
      out += token === "," ? token + line() : token === ":" ? ": " : token;
    }
  });
  const index = Number.isSafeInteger(value?.index) ? BigInt(value.index) : null;
  return { kind: "json", text: visible(out), index };
};
