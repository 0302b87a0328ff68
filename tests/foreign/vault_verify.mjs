// What the page at /vault/{log} decides by, held against a log that is built here with Node's own cryptography and by the definitions of RFC 6962:
// every right receipt is accepted, and not one of thousands of changed ones. Needs no server: node vault_verify.mjs
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";

const file = new URL("../../crates/api/src/vault_page/verify.js", import.meta.url);
const { FLAWS, decodeBase64, keysOfPolicy, parseCheckpoint, parseKey, parseNote, readable, rootOf, stated, unsupported, verifyCheckpoint, verifyReceipt } = await import(
  `data:text/javascript;base64,${readFileSync(file, "base64")}`
);
assert.equal(await unsupported(), null);

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest();
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const leafHash = (entry) => sha256([0], entry);

// RFC 6962, sections 2.1 and 2.1.1, word for word.
const half = (n) => 2 ** Math.ceil(Math.log2(n) - 1);
const rootHash = (leaves) => {
  if (leaves.length === 1) return leaves[0];
  const k = half(leaves.length);
  return sha256([1], rootHash(leaves.slice(0, k)), rootHash(leaves.slice(k)));
};
const path = (m, leaves) => {
  if (leaves.length === 1) return [];
  const k = half(leaves.length);
  return m < k ? [...path(m, leaves.slice(0, k)), rootHash(leaves.slice(k))] : [...path(m - k, leaves.slice(k)), rootHash(leaves.slice(0, k))];
};

const keyNamed = (name, kind = 1) => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const encoded = Buffer.concat([Buffer.from([kind]), publicKey.export({ format: "der", type: "spki" }).subarray(-32)]);
  const id = sha256(`${name}\n`, encoded).subarray(0, 4);
  const line = (text) => `— ${name} ${base64(Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]))}\n`;
  return { vkey: `${name}+${id.toString("hex")}+${base64(encoded)}`, id: id.toString("hex"), line };
};
const checkpoint = (origin, size, root, keys) => {
  const text = `${origin}\n${size}\n${base64(root)}\n`;
  return `${text}\n${keys.map((key) => key.line(text)).join("")}`;
};
const receiptOf = (entry, index, hashes, note) =>
  `c2sp.org/tlog-proof@v1\nextra ${base64(entry)}\nindex ${index}\n${hashes.map((hash) => `${base64(hash)}\n`).join("")}\n${note}`;

const origin = "api.example.com/v1/vault/logs/log_019aa3c0f2d47e0fb1c2d3e4f5061728";
const [ours, next, stranger] = [keyNamed(origin), keyNamed(origin), keyNamed(origin)];
const entries = Array.from({ length: 130 }, (_, n) => Buffer.from(`{"at":"2026-11-21T11:06:29Z","index":${n},"kind":"decision","verdict":"ALLOW"}`));
const leaves = entries.map(leafHash);
const of = (size, index, keys = [ours]) => {
  const log = leaves.slice(0, size);
  return receiptOf(entries[index], index, path(index, log), checkpoint(origin, size, rootHash(log), keys));
};

// A note that others made (golang.org/x/mod/sumdb/note).
{
  const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const note = parseNote(`${text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`);
  const key = await parseKey(vkey);
  assert.deepEqual([key.problem, note.text, note.signatures[0].id], [undefined, text, key.id]);
  const holds = (text) => crypto.subtle.verify("Ed25519", key.key, note.signatures[0].signature, Buffer.from(text));
  assert.deepEqual([await holds(text), await holds(`${text}\n`)], [true, false]);
}

// Every entry of every log up to 40 entries, and of some around powers of two.
let right = 0;
for (const size of [...Array.from({ length: 40 }, (_, n) => n + 1), 63, 64, 65, 127, 128, 129, 130]) {
  const root = rootHash(leaves.slice(0, size));
  for (let index = 0; index < size; index += 1) {
    const hashes = path(index, leaves.slice(0, size));
    const reached = await rootOf(leaves[index], BigInt(index), BigInt(size), hashes);
    assert.deepEqual(Buffer.from(reached), root, `${index} of ${size}`);
    if (hashes.length) assert.equal(await rootOf(leaves[index], BigInt(index), BigInt(size), hashes.slice(1)), null, "too few");
    assert.equal(await rootOf(leaves[index], BigInt(index), BigInt(size), [...hashes, leaves[0]]), null, "too many");
    right += 1;
  }
}
for (const [size, index] of [[1, 0], [2, 1], [37, 20], [37, 36], [130, 129]]) {
  const found = await verifyReceipt(of(size, index), origin, [ours.vkey]);
  assert.ok(found.valid, found.detail);
  assert.deepEqual([found.flaw, found.index, found.size, found.log], [null, BigInt(index), BigInt(size), origin]);
  assert.deepEqual(Buffer.from(found.entry), entries[index]);
  assert.equal(found.leafHash, leaves[index].toString("hex"));
  assert.deepEqual(found.steps.map(({ flaw, state }) => [flaw, state]), Object.keys(FLAWS).map((flaw) => [flaw, "right"]));
}
// While keys are exchanged either is enough, and what witnesses add does not disturb.
const witness = keyNamed("witness.example.com");
for (const trusted of [[ours.vkey], [next.vkey], [next.vkey, ours.vkey], [ours.vkey, ours.vkey], ["nonsense", ours.vkey]]) {
  const found = await verifyReceipt(of(37, 20, [witness, ours, next]), origin, trusted);
  assert.ok(found.valid && found.others >= 1, found.detail);
}

// Each flaw by its name; nothing after it is looked at, and no entry is handed out.
const good = of(37, 20);
const note = good.slice(good.indexOf("\n\n") + 2);
const signed = note.slice(note.indexOf("— "));
const hashes = path(20, leaves.slice(0, 37));
const [last, root] = [base64(hashes.at(-1)), base64(rootHash(leaves.slice(0, 37)))];
const resized = (size, root = leaves[0]) => receiptOf(entries[20], 20, hashes, checkpoint(origin, size, root, [ours]));
let wrong = 0;
const refuses = async (text, flaw, { of = origin, trusted = [ours.vkey], why = flaw } = {}) => {
  const found = await verifyReceipt(text, of, trusted);
  assert.equal(found.valid, false, why);
  assert.equal(found.flaw, flaw, `${why}: ${found.detail}`);
  const at = Object.keys(FLAWS).indexOf(flaw);
  assert.deepEqual(found.steps.map(({ state }) => state), Object.keys(FLAWS).map((_, i) => (i < at ? "right" : i === at ? "wrong" : "skipped")), why);
  assert.deepEqual([found.entry, found.keys], [null, []]);
  wrong += 1;
};
const change = (from, to) => {
  const changed = good.replace(from, to);
  assert.notEqual(changed, good, String(from));
  return changed;
};
const spare = (text) => text.replace(/.=$/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}=`);

const malformed = {
  "nothing": "", "a cut one": good.slice(0, 150), "cut before the checkpoint": good.slice(0, good.indexOf("\n\n") + 1),
  "another version": change("@v1", "@v2"), "a line before": `\n${good}`, "a space before": ` ${good}`, "carriage returns": good.replaceAll("\n", "\r\n"),
  "an index with a zero before it": change("index 20", "index 020"), "with a sign": change("index 20", "index +20"), "negative": change("index 20", "index -1"),
  "with a space": change("index 20", "index 20 "), "in hexadecimal": change("index 20", "index 0x14"), "as an exponent": change("index 20", "index 2e1"),
  "in other digits": change("index 20", "index ２０"), "of 2^64": change("index 20", "index 18446744073709551616"), "none": change("index 20\n", ""),
  "twice": change("index 20", "index 20\nindex 20"), "before the entry": good.replace(/(extra .*\n)(index .*\n)/, "$2$1"),
  "an entry twice": good.replace(/(extra .*\n)/, "$1$1"), "an entry without padding": good.replace(/(extra .*?)=+\n/, "$1\n"),
  "an entry in base64url": change(/extra ..../, "extra _-_-"), "an entry with a space": change("extra ", "extra  "),
  "a hash with stray bits": change(last, spare(last)), "a hash of 31 bytes": change(last, base64(hashes[0].subarray(1))), "a hash of 33 bytes": change(last, base64(Buffer.alloc(33))),
  "an empty hash": change(`${last}\n`, "====\n"), "65 hashes": change(last, `${last}${`\n${last}`.repeat(65 - hashes.length)}`),
  "half a letter": change("extra", "extr\ud800a"), "far too long": change("extra ", `extra ${"AAAA".repeat(70_000)}`),
};
for (const [why, text] of Object.entries(malformed)) await refuses(text, "malformed", { why });

const broken = {
  "no signature": good.slice(0, good.indexOf("— ")), "cut in its signature": good.slice(0, -30), "without its last newline": good.slice(0, -1),
  "a line after": `${good}\n`, "a size with a zero before it": change("\n37\n", "\n037\n"), "a size of 2^64": change("\n37\n", "\n18446744073709551616\n"),
  "a negative size": change("\n37\n", "\n-37\n"), "no size": change("\n37\n", "\n"), "a root with stray bits": change(root, spare(root)), "no root": change(`${root}\n`, ""),
  "no origin": change(`\n\n${origin}`, "\n\n"), "another dash": change("— ", "- "), "a signature without padding": good.replace(/=+\n$/, "\n"),
  "a signature of four bytes": change(/(— \S+ ).*\n/, "$1AAAAAA==\n"), "a tab": change("\n37\n", "\n37\t\n"), "a name with a plus": change(`— ${origin}`, `— ${origin}+`),
  "a name with a space": change(`— ${origin}`, `— ${origin}\u00a0x`), "101 signatures": good + signed.repeat(100), "an empty extension": change(`${root}\n`, `${root}\nabc\n\n`),
};
for (const [why, text] of Object.entries(broken)) await refuses(text, "malformed_checkpoint", { why });

const other = origin.replace("log_0", "log_1");
await refuses(good, "other_log", { of: other });
await refuses(good, "other_log", { of: "" });
await refuses(good, "other_log", { of: other, trusted: [keyNamed(other).vkey] });
await refuses(change(`\n\n${origin}`, `\n\n${other}`), "other_log");

await refuses(good, "unknown_key", { trusted: [] });
await refuses(good, "unknown_key", { trusted: [stranger.vkey] });
await refuses(good, "unknown_key", { trusted: [ours.vkey.replace(origin, other)], why: "a key of another name, whose id is not bound to it" });
await refuses(good, "unknown_key", { trusted: [`${origin}+${ours.id}+${stranger.vkey.split("+").slice(2).join("+")}`], why: "another key under our id" });
await refuses(good, "unknown_key", { trusted: [ours.vkey.replace(`+${ours.id}+`, "+00000000+")], why: "our key under another id" });
await refuses(good, "unknown_key", { trusted: [ours.vkey.slice(0, -1)], why: "a cut key" });
await refuses(of(37, 20, [witness]), "unknown_key", { trusted: [witness.vkey], why: "a trusted key that is not this log's" });
await refuses(of(37, 20, [witness]).replace("— witness.example.com", `— ${origin}`), "unknown_key", { trusted: [witness.vkey], why: "the same in this log's name" });
const cosigner = keyNamed(origin, 4);
await refuses(of(37, 20, [cosigner]), "unknown_key", { trusted: [cosigner.vkey], why: "another kind of key" });
await refuses(change(`— ${origin}`, "— example.com"), "unknown_key", { why: "our id under another name" });

await refuses(change("\n37\n", "\n38\n"), "signature");
await refuses(change(root, base64(leaves[0])), "signature");
await refuses(change(`${root}\n`, `${root}\nmore\n`), "signature", { why: "an extension line that was not signed" });
await refuses(change("\n37\n", "\n21\n"), "signature");
await refuses(of(37, 20, [ours, next]).replace(/.{4}(.{4}\n)$/, "AAAA$1"), "signature", { trusted: [ours.vkey, next.vkey], why: "one of two is wrong" });
await refuses(change(signed, `— ${origin} ${base64(Buffer.concat([Buffer.from(ours.id, "hex"), Buffer.alloc(63)]))}\n`), "signature", { why: "a short one" });

for (const index of ["37", "38", "18446744073709551615"]) await refuses(change("index 20", `index ${index}`), "index");
await refuses(resized(0), "index");
await refuses(resized(20), "index");
await refuses(resized(2n ** 63n), "index", { why: "a log that is larger than any" });
await refuses(change(/extra .*\n/, ""), "entry_missing");

for (const index of [0, 19, 21, 36]) await refuses(change("index 20", `index ${index}`), "proof");
await refuses(resized(2n ** 40n), "proof");
await refuses(resized(37, rootHash(leaves.slice(0, 38))), "proof");
await refuses(change(/extra .*\n/, `extra ${base64(entries[21])}\n`), "proof");
await refuses(change(/extra .*\n/, "extra \n"), "proof", { why: "an empty entry" });
await refuses(change(`${last}\n`, ""), "proof", { why: "a hash too few" });
await refuses(change(`${last}\n`, `${last}\n${last}\n`), "proof", { why: "a hash too many" });
await refuses(change(last, `${`${last}\n`.repeat(64 - hashes.length)}${last}`), "proof", { why: "64 hashes" });
await refuses(receiptOf(entries[20], 20, [...hashes].reverse(), note), "proof", { why: "another order" });
// A node passed off as a leaf: why the two are hashed apart.
await refuses(receiptOf(Buffer.concat([leaves[20], leaves[21]]), 10, hashes.slice(1), checkpoint(origin, 19, rootHash(leaves.slice(0, 37)), [ours])), "proof");

// Every bit of a whole receipt, one at a time, and every byte left out, doubled, or exchanged with its neighbour.
const bytes = Buffer.from(good);
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const counted = {};
const mutants = function* () {
  for (let at = 0; at < bytes.length; at += 1) {
    const [before, here, after] = [bytes.subarray(0, at), bytes.subarray(at, at + 1), bytes.subarray(at + 1)];
    for (let bit = 0; bit < 8; bit += 1) yield Buffer.concat([before, [here[0] ^ (1 << bit)], after].map((part) => Buffer.from(part)));
    yield Buffer.concat([before, after]);
    yield Buffer.concat([before, here, here, after]);
    if (after.length) yield Buffer.concat([before, after.subarray(0, 1), here, after.subarray(1)]);
    yield before;
  }
};
for (const mutant of mutants()) {
  if (mutant.equals(bytes)) continue;
  let text;
  try {
    text = strict.decode(mutant);
  } catch {
    continue;
  }
  const found = await verifyReceipt(text, origin, [ours.vkey]);
  assert.ok(!found.valid && found.flaw in FLAWS && found.entry === null, text);
  counted[found.flaw] = (counted[found.flaw] ?? 0) + 1;
}
const changed = Object.values(counted).reduce((sum, n) => sum + n, 0);
assert.ok(changed > 5000 && Object.keys(counted).length >= 7, JSON.stringify(counted));

// What the keys, the policy and an entry are read as.
assert.deepEqual(keysOfPolicy(`# ours\nlog ${ours.vkey} https://api.example.com/x\n  log ${next.vkey}\nwitness w ${witness.vkey}\nquorum none\n`), [ours.vkey, next.vkey]);
for (const text of ["", "a", "a+b", `${origin}+${ours.id}`, `${origin}+${ours.id.toUpperCase()}g+AQ==`, `${origin}+${ours.id}+`]) assert.ok((await parseKey(text)).problem, text);
assert.deepEqual([decodeBase64("AA=="), decodeBase64("AB=="), decodeBase64("AA"), decodeBase64("AA==\n"), decodeBase64("")], [new Uint8Array(1), null, null, null, new Uint8Array()]);
assert.equal(parseCheckpoint(`o\n${2n ** 64n - 1n}\n${root}\n`).size, 2n ** 64n - 1n);
assert.deepEqual(readable(Buffer.from('{"b":1.50e400,"a":[],"a":{"x":"<b>\u202e, :"},"index":9}')), {
  kind: "json", index: 9n, text: '{\n  "b": 1.50e400,\n  "a": [],\n  "a": {\n    "x": "<b>\\u202e, :"\n  },\n  "index": 9\n}',
});
assert.deepEqual(readable(Buffer.from([0xff, 0x00])), { kind: "bytes", index: null, text: "ff00" });
assert.deepEqual(readable(Buffer.from("a\u0000b")), { kind: "text", index: null, text: "a\\u0000b" });
assert.ok(readable(Buffer.from("[".repeat(30_000) + "]".repeat(30_000))).text.length < 4_000_000);

// A checkpoint alone.
assert.deepEqual(await verifyCheckpoint(note, origin, [ours.vkey]), { log: origin, size: 37n, root: new Uint8Array(rootHash(leaves.slice(0, 37))), keys: [ours.vkey] });
const flawOf = (text, of, trusted) => verifyCheckpoint(text, of, trusted).then(() => null, ({ flaw }) => flaw);
assert.equal(await flawOf(note, other, [ours.vkey]), "other_log");
assert.equal(await flawOf(note, origin, [stranger.vkey]), "unknown_key");
assert.equal(await flawOf(note, origin, []), "unknown_key");
assert.equal(await flawOf(note.replace("\n37\n", "\n38\n"), origin, [ours.vkey]), "signature");
assert.equal(await flawOf(note.slice(0, -1), origin, [ours.vkey]), "malformed_checkpoint");

// What an entry states once, as a text and of itself; not what it has twice in whatever spelling, nor what stands deeper in it.
const states = (text) => stated(Buffer.from(text), ["kind", "verdict", "at"]);
assert.deepEqual(states('{"kind":"a:\\"b\\"","verdict":7,"payload":{"at":"x"}}'), { kind: 'a:"b"' });
assert.deepEqual(states('{"kind":"a","at":"t","k\\u0069nd":"b"}'), { at: "t" });
for (const text of ['[{"kind":"a"}]', '["kind"]', "null", "7", "no JSON", '"kind"', '{"__proto__":{"kind":"a"}}']) assert.deepEqual(states(text), {}, text);
assert.deepEqual(stated(Buffer.from([0xff]), ["kind"]), {});

console.log(`verify.js: ${right} proofs right; ${wrong} receipts refused by the right name; ${changed} mutants of one receipt, none valid: ${JSON.stringify(counted)}`);
