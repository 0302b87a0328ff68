// A passkey in a real Chromium with its virtual authenticator: added, logged in with, and refused where it must be.
// node passkey.mjs URL ACCESS_TOKEN — URL being APP_URL as well, whose host is the relying party.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [url, token] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  // The page is only there to have the right origin; its policy lets no script of ours run.
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`${url}/docs`);
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", { options });

  await page.evaluate(() => {
    globalThis.post = async (path, body, token) => {
      const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
      const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
      return { status: answer.status, body: await answer.json() };
    };
    globalThis.ask = async () => {
      const begun = await post("/v1/auth/passkeys/begin", {});
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.body.options.publicKey);
      const credential = await navigator.credentials.get({ publicKey });
      return { ceremony_id: begun.body.ceremony_id, credential: credential.toJSON() };
    };
  });

  const add = (token) =>
    page.evaluate(async (token) => {
      const begun = await post("/v1/me/passkeys/begin", {}, token);
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.body.options.publicKey);
      const credential = (await navigator.credentials.create({ publicKey })).toJSON();
      const finish = () => post("/v1/me/passkeys/finish", { ceremony_id: begun.body.ceremony_id, name: "Laptop", credential }, token);
      return [await finish(), await finish()];
    }, token);
  const [added, again] = await add(token);
  assert.deepEqual([added.status, added.body.name], [200, "Laptop"], JSON.stringify(added));
  assert.deepEqual([again.status, again.body.code], [401, "passkey_invalid"], "a ceremony is finished once");
  await assert.rejects(add(token), /InvalidStateError/, "the device is not asked to hold two for one account");

  const logIn = () => page.evaluate(async () => post("/v1/auth/passkeys/finish", await ask()));
  const login = await logIn();
  assert.equal(login.status, 200, JSON.stringify(login));
  const get = (path, token) => fetch(url + path, { headers: { authorization: `Bearer ${token}` } }).then((answer) => answer.json());
  assert.equal((await get("/v1/me", login.body.access_token)).id, (await get("/v1/me", token)).id);
  const sessions = await get("/v1/auth/sessions", login.body.access_token);
  assert.equal(sessions.data[0].method, "passkey");

  const refused = await page.evaluate(async () => {
    const finish = (answer) => post("/v1/auth/passkeys/finish", answer).then(({ status, body }) => [status, body.code]);
    const flip = (text) => (text[0] === "A" ? "B" : "A") + text.slice(1);
    const change = async (change) => {
      const answer = await ask();
      change(answer.credential.response);
      return finish(answer);
    };
    const twice = await ask();
    await finish(twice);
    const [one, other] = [await ask(), await ask()];
    return {
      replayed: await finish(twice),
      "of another ceremony": await finish({ ...one, ceremony_id: other.ceremony_id }),
      "with another signature": await change((response) => (response.signature = response.signature.slice(0, -8) + flip(response.signature.slice(-8)))),
      "with other data": await change((response) => (response.authenticatorData = flip(response.authenticatorData))),
      "for somebody else": await change((response) => (response.userHandle = flip(response.userHandle))),
    };
  });
  for (const [how, answer] of Object.entries(refused)) assert.deepEqual(answer, [401, "passkey_invalid"], how);

  // A copy of the device, whose counter stands where it stood.
  const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
  assert.ok(credentials[0].signCount > 0);
  await devtools.send("WebAuthn.removeCredential", { authenticatorId, credentialId: credentials[0].credentialId });
  await devtools.send("WebAuthn.addCredential", { authenticatorId, credential: { ...credentials[0], signCount: 0 } });
  assert.deepEqual(await logIn().then(({ status, body }) => [status, body.code]), [401, "passkey_invalid"], "an older counter");
  await devtools.send("WebAuthn.removeCredential", { authenticatorId, credentialId: credentials[0].credentialId });
  await devtools.send("WebAuthn.addCredential", { authenticatorId, credential: { ...credentials[0], signCount: 1000 } });
  assert.equal((await logIn()).status, 200);

  const removed = await fetch(`${url}/v1/me/passkeys/${added.body.id}`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
  assert.equal(removed.status, 204);
  assert.deepEqual(await logIn().then(({ status, body }) => [status, body.code]), [401, "passkey_invalid"], "a removed passkey");
  console.log("a passkey in Chromium: added, logged in with, refused when replayed, changed, copied or removed");
} finally {
  await browser.close();
}
