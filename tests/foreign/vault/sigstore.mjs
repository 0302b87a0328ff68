// Holds a vault's checkpoints and inclusion proofs to npm's @sigstore/verify, which none of us wrote: node sigstore.mjs URL API_KEY [SEED]
//
// Theirs is what decides: verifyTLogInclusion opens the checkpoint, checks the log's signature on it, hashes the entry and leads the proof up to
// the root that was signed, as for an entry of Rekor. Theirs too is what reads the key (as of a trusted root) and the entry (as of a bundle). It is
// not among what the package exports, since whole bundles also need a certificate, which a seal has not. Sigstore knows Ed25519 logs: a key's id is
// the start of SHA-256 over name and key, as in every signed note.
//
// What it does not look at is not spoiled: the base64 of a signature beyond its bytes, a name that is part of the log's, and the root that stands
// beside a proof (it takes the one that was signed).

import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { TransparencyLogEntry, TrustedRoot } from "@sigstore/protobuf-specs";
import { VerificationError, toTrustMaterial } from "@sigstore/verify";
import { verifyTLogInclusion } from "@sigstore/verify/dist/tlog/index.js";

const LEAST_MUTANTS = 500;
const [url, apiKey, seed = "1"] = process.argv.slice(2);
assert.ok(apiKey, "usage: sigstore.mjs URL API_KEY [SEED]");

async function ask(path, options = {}) {
  const answer = await fetch(url + path, { ...options, signal: AbortSignal.timeout(40_000) });
  assert.ok(answer.ok, `${path}: ${answer.status} ${answer.ok ? "" : await answer.text()}`);
  return answer;
}

const authorization = { Authorization: `Bearer ${apiKey}` };
const get = async (path) => (await ask(path, { headers: authorization })).json();
const post = async (path, value) =>
  (await ask(path, { method: "POST", headers: { ...authorization, "Content-Type": "application/json" }, body: JSON.stringify(value) })).json();

const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const bytes = (text) => Buffer.from(text, "base64");
const keyId = (name, key) => createHash("sha256").update(`${name}\n`).update(Buffer.concat([Buffer.of(1), key])).digest();
const spki = (key) => createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") }, format: "jwk" }).export({ format: "der", type: "spki" });

// What Sigstore trusts: one log, by its name, the id of its key and the key.
function trust(name, id, key) {
  const log = { baseUrl: `https://${name}`, hashAlgorithm: "SHA2_256", logId: { keyId: base64(id) }, publicKey: { rawBytes: base64(spki(key)), keyDetails: "PKIX_ED25519" } };
  return { id, logs: toTrustMaterial(TrustedRoot.fromJSON({ tlogs: [log], certificateAuthorities: [], timestampAuthorities: [], ctlogs: [] })).tlogs };
}

// Throws what they throw.
function verify({ index, entry, hashes, checkpoint }, { id, logs }) {
  const inclusionProof = { logIndex: String(index), rootHash: "", treeSize: "0", hashes: hashes.map(base64), checkpoint: { envelope: checkpoint } };
  verifyTLogInclusion(TransparencyLogEntry.fromJSON({ logIndex: String(index), logId: { keyId: base64(id) }, canonicalizedBody: base64(entry), inclusionProof }), logs);
}

// Taking apart what the vault says.

const sizeOf = (checkpoint) => Number(checkpoint.split("\n")[1]);

// One signature alone: spoiling one of two leaves a checkpoint that is rightly accepted.
function alone(checkpoint, id) {
  const [text, lines] = [checkpoint.slice(0, checkpoint.indexOf("\n\n") + 2), checkpoint.slice(checkpoint.indexOf("\n\n") + 2).split("\n")];
  return text + lines.find((line) => bytes(line.split(" ")[2] ?? "").subarray(0, 4).equals(id.subarray(0, 4))) + "\n";
}

// A receipt (C2SP tlog-proof).
function receipt(text) {
  const end = text.indexOf("\n\n");
  const [head, extra, index, ...hashes] = text.slice(0, end).split("\n");
  assert.equal(head, "c2sp.org/tlog-proof@v1");
  assert.match(`${extra}\n${index}`, /^extra \S+\nindex \d+$/);
  return { index: Number(index.slice(6)), entry: bytes(extra.slice(6)), hashes: hashes.map(bytes), checkpoint: text.slice(end + 2) };
}

// All entries of the tree, from its bundles.
async function entries(log, size) {
  const all = [];
  for (let n = 0; n * 256 < size; n++) {
    const width = Math.min(256, size - n * 256);
    const name = String(n % 1000).padStart(3, "0");
    const path = n < 1000 ? name : `x${String(Math.floor(n / 1000)).padStart(3, "0")}/${name}`;
    const bundle = Buffer.from(await (await ask(`/v1/vault/logs/${log}/tile/entries/${path}${width < 256 ? `.p/${width}` : ""}`)).arrayBuffer());
    for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at)) all.push(bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at)));
  }
  assert.equal(all.length, size);
  return all;
}

// Sealing: one alone, then enough that a tile fills, then proofs for the sizes in between.
const seal = (n) => ({ kind: "foreign.check", verdict: "SEAL", payload: { n, text: "zwölf Boxkämpfer 😀" } });
const one = await post("/v1/vault/seals", seal(0));
const seals = [{ ...one }];
for (const count of [40, 256, 9]) {
  const { checkpoint, seals: batch } = await post("/v1/vault/seals/batch", { seals: Array.from({ length: count }, (_, n) => seal(n)) });
  assert.equal(batch.length, count);
  seals.push(...batch.map((answered) => ({ ...answered, checkpoint })));
}

const { log, origin, keys } = await get("/v1/vault/log");
const trusted = keys.map((vkey) => {
  const [name, id, ...rest] = vkey.split("+");
  const key = bytes(rest.join("+")).subarray(1);
  assert.deepEqual([name, id], [origin, keyId(name, key).toString("hex").slice(0, 8)]);
  return trust(name, keyId(name, key), key);
});

const last = seals.at(-1).checkpoint;
const all = await entries(log, sizeOf(last));
const proofs = seals.map(({ index, inclusion_proof, checkpoint }) => ({ index, entry: all[index], hashes: inclusion_proof.map(bytes), checkpoint }));
for (const { index, checkpoint } of seals.filter((_, n) => n % 10 === 0)) {
  const later = seals.findLast((other) => other.checkpoint !== checkpoint)?.checkpoint ?? checkpoint;
  const checked = sizeOf(later) > index ? later : checkpoint;
  const { hashes } = await get(`/v1/vault/proof/inclusion?index=${index}&size=${sizeOf(checked)}`);
  proofs.push({ index, entry: all[index], hashes: hashes.map(bytes), checkpoint: checked });
  const given = receipt(await (await ask(`/v1/vault/seals/${index}/receipt`, { headers: authorization })).text());
  assert.deepEqual([given.index, given.entry], [index, all[index]]);
  proofs.push(given);
}
for (const proof of proofs) for (const authority of trusted) verify(proof, authority);

// Spoiling what was accepted. Deterministic: mulberry32.
let state = Number(seed) >>> 0;
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}

const flipped = (buffer, from = 0, to = buffer.length) => {
  const changed = Buffer.from(buffer);
  changed[from + random(to - from)] ^= 1 << random(8);
  return changed;
};

const counts = {};
function refused(name, mutant, authority) {
  try {
    verify(mutant, authority);
  } catch (error) {
    assert.ok(error instanceof VerificationError, `${name}: ${error.stack}`);
    counts[name] = (counts[name] ?? 0) + 1;
    return;
  }
  assert.fail(`a mutant passed (${name}): ${JSON.stringify(mutant)}`);
}

function spoil(good, other, authority) {
  const { id } = authority;
  const { index, entry, hashes, checkpoint } = { ...good, checkpoint: alone(good.checkpoint, id) };
  const mutant = (name, change) => refused(name, { index, entry, hashes, checkpoint, ...change }, authority);
  verify({ index, entry, hashes, checkpoint }, authority);

  const text = Buffer.from(checkpoint);
  const start = text.lastIndexOf(" ") + 1;
  const signature = bytes(checkpoint.slice(checkpoint.lastIndexOf(" ") + 1));
  const resigned = (bytes) => text.subarray(0, start) + base64(bytes) + "\n";
  mutant("checkpoint bit", { checkpoint: flipped(text, 0, start).toString() });
  mutant("checkpoint cut", { checkpoint: text.subarray(0, random(text.length)).toString() });
  mutant("checkpoint size", { checkpoint: checkpoint.replace(`\n${sizeOf(checkpoint)}\n`, `\n${sizeOf(checkpoint) + 1 + random(1000)}\n`) });
  mutant("signature bit", { checkpoint: resigned(flipped(signature)) });
  mutant("entry bit", { entry: flipped(entry) });
  mutant("entry cut", { entry: entry.subarray(0, random(entry.length)) });
  mutant("index", { index: index ^ 1 });
  mutant("index", { index: sizeOf(checkpoint) + random(1000) });
  mutant("hashes", { hashes: [...hashes, Buffer.alloc(32)] });
  if (hashes.length > 0) {
    const at = random(hashes.length);
    mutant("hash bit", { hashes: hashes.with(at, flipped(hashes[at])) });
    mutant("hashes", { hashes: hashes.toSpliced(at, 1) });
    mutant("hashes", { hashes: hashes.toSpliced(at, 0, hashes[at]) });
  }
  if (other.index !== index) {
    mutant("another's entry", { entry: other.entry });
    mutant("another's index", { index: other.index });
    mutant("another's proof", { index: other.index, hashes: other.hashes, checkpoint: alone(other.checkpoint, id) });
  }
  if (sizeOf(other.checkpoint) !== sizeOf(checkpoint)) {
    const elsewhere = alone(other.checkpoint, id);
    mutant("another's checkpoint", { checkpoint: elsewhere });
    mutant("another's signature", { checkpoint: checkpoint.slice(0, checkpoint.lastIndexOf(" ") + 1) + elsewhere.slice(elsewhere.lastIndexOf(" ") + 1) });
  }

  // A stranger's key: signing as the log, and trusted in the log's place.
  const stranger = generateKeyPairSync("ed25519");
  const key = bytes(stranger.publicKey.export({ format: "jwk" }).x);
  mutant("forgery", { checkpoint: resigned(Buffer.concat([id.subarray(0, 4), sign(null, text.subarray(0, text.indexOf("\n\n") + 1), stranger.privateKey)])) });
  refused("strange key", { index, entry, hashes, checkpoint }, trust(origin, id, key));
  refused("strange key", { index, entry, hashes, checkpoint }, trust(origin, keyId(origin, key), key));
}

const chosen = Array.from({ length: 60 }, () => proofs[random(proofs.length)]);
chosen.forEach((good, n) => spoil(good, chosen[(n + 1) % chosen.length], trusted[n % trusted.length]));
const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
assert.ok(total >= LEAST_MUTANTS, `only ${total} mutants were tried`);
const classes = Object.entries(counts).map(([name, count]) => `${name} ${count}`).sort().join(", ");
console.log(`sigstore: ${proofs.length} inclusion proofs under ${new Set(proofs.map(({ checkpoint }) => checkpoint)).size} checkpoints hold; of ${total} mutants (seed ${seed}) none passed: ${classes}`);
