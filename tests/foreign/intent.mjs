// An intent end to end, signed by npm's http-message-signatures: node intent.mjs URL API_KEY

import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, randomUUID, verify } from "node:crypto";
import { createSigner, httpbis } from "http-message-signatures";

const [url, apiKey] = process.argv.slice(2);
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function base58(bytes) {
  let number = BigInt("0x" + bytes.toString("hex"));
  let text = "";
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text;
  return text;
}

class Agent {
  constructor(name) {
    this.name = name;
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.privateKey = privateKey;
    this.public = Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url");
    this.did = "did:key:z" + base58(Buffer.concat([Buffer.from([0xed, 0x01]), this.public]));
  }

  async sign(method, path, body, headers = {}) {
    const fields = ["@method", "@authority", "@path"];
    if (path.includes("?")) fields.push("@query");
    if (body !== undefined) {
      const digest = createHash("sha512").update(body).digest("base64");
      headers = { ...headers, "Content-Type": "application/json", "Content-Digest": `sha-512=:${digest}:` };
      fields.push("content-digest");
    }
    const key = createSigner(this.privateKey, "ed25519", this.did);
    const config = { key, fields, params: ["keyid", "alg", "created", "expires", "nonce"], paramValues: { nonce: randomUUID() } };
    return httpbis.signMessage(config, { method, url: url + path, headers });
  }

  async call(method, path, status, value, headers) {
    const body = value === undefined ? undefined : JSON.stringify(value);
    const signed = await this.sign(method, path, body, headers);
    const answer = await fetch(url + path, { method, headers: signed.headers, body, signal: AbortSignal.timeout(40_000) });
    const text = await answer.text();
    assert.equal(answer.status, status, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  register() {
    const body = { did: this.did, public_key: this.public.toString("base64url"), name: this.name };
    return this.call("POST", "/v1/agents", 201, body, { Authorization: `Bearer ${apiKey}` });
  }
}

// What a recipient checks for itself, with nothing but the sender's DID.
function senderIsProven({ envelope, intent }, sender) {
  const body = Buffer.from(envelope.body, "base64");
  const digest = createHash("sha512").update(body).digest("base64");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: sender.public.toString("base64url") }, format: "jwk" });
  const signed = verify(null, Buffer.from(envelope.signature_base), key, Buffer.from(envelope.signature, "base64"));
  assert.deepEqual(JSON.parse(body).payload, intent.payload);
  return signed && envelope.signature_base.includes(`sha-512=:${digest}:`);
}

const [alice, bob] = [new Agent("Alice, in JavaScript"), new Agent("Bob, in JavaScript")];
await alice.register();
await bob.register();
const sent = await alice.call("POST", "/v1/intents", 202, { to: bob.did, type: "greeting", payload: ["hello", { deep: null }] });
const { data: [delivery] } = await bob.call("GET", "/v1/inbox?wait=10&max=5", 200);
assert.equal(delivery.intent.id, sent.id);
assert.ok(senderIsProven(delivery, alice));
assert.ok(!senderIsProven(delivery, bob));
await bob.call("POST", `/v1/inbox/${delivery.id}/ack`, 204, { lease_token: delivery.lease_token });
assert.equal((await alice.call("GET", `/v1/intents/${sent.id}`, 200)).state, "acked");

// The same signed request a second time is refused.
const body = JSON.stringify({ to: bob.did, type: "x", payload: 1 });
const once = await alice.sign("POST", "/v1/intents", body);
const send = () => fetch(url + "/v1/intents", { method: "POST", headers: once.headers, body });
assert.equal((await send()).status, 202);
const replay = await send();
assert.deepEqual([replay.status, (await replay.json()).code], [409, "nonce_replayed"]);
console.log(`node: intent ${sent.id} travelled, and a replay was refused`);
