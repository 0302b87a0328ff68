// The page at /vault/{log} in a real Chromium: a receipt is seen valid, a changed one by the name of what is wrong, and both without a network.
// node vault_page.mjs URL API_KEY
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { chromium } from "playwright-core";

const [url, key] = process.argv.slice(2);
const call = async (path, body) => {
  const headers = { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) };
  const answer = await fetch(url + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${path} answered ${answer.status}: ${text}`);
  return answer.headers.get("content-type").startsWith("application/json") ? JSON.parse(text) : text;
};

// What an entry holds is shown as it is: this would run, or look like something else, were it markup or unescaped.
const hostile = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>\u202egnp.exe";
let index;
for (const n of [0, 1, 2, 3, 4]) ({ index } = await call("/v1/vault/seals", { kind: "foreign.page", verdict: "ALLOW", payload: { n, hostile } }));
index -= 2;
const receipt = await call(`/v1/vault/seals/${index}/receipt`);
const { log, origin, keys } = await call("/v1/vault/log");

const policy = (await fetch(`${url}/vault/${log}`)).headers.get("content-security-policy");
for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'none'"]) assert.ok(policy.includes(part), policy);
for (const other of ["log_1", "prj_019aa3c0f2d47e0fb1c2d3e4f5061728", `${log}0`, log.toUpperCase()]) {
  const answer = await fetch(`${url}/vault/${other}`);
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [404, "application/problem+json"], other);
}

// A log of somebody else's, and a key of somebody else's for this log.
const stranger = (name) => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const encoded = Buffer.concat([Buffer.from([1]), publicKey.export({ format: "der", type: "spki" }).subarray(-32)]);
  const id = createHash("sha256").update(`${name}\n`).update(encoded).digest().subarray(0, 4);
  const line = (text) => `— ${name} ${Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString("base64")}\n`;
  return { vkey: `${name}+${id.toString("hex")}+${encoded.toString("base64")}`, line };
};
const elsewhere = stranger("example.com/v1/vault/logs/log_00000000000000000000000000000001");
const elsewhereText = receipt.slice(receipt.indexOf("\n\n") + 2, receipt.lastIndexOf("\n\n") + 1).replace(origin, "example.com/v1/vault/logs/log_00000000000000000000000000000001");
const ofElsewhere = `${receipt.slice(0, receipt.indexOf("\n\n") + 2)}${elsewhereText}\n${elsewhere.line(elsewhereText)}`;
const strangersKey = stranger(origin).vkey;

// The receipt with one bit changed in one of its lines, so that it stays well formed.
const lines = receipt.split("\n");
const blank = lines.indexOf("");
const flipped = (n, part, at) => {
  const words = lines[n].split(" ");
  const bytes = Buffer.from(words[part], "base64");
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  words[part] = bytes.toString("base64");
  return lines.with(n, words.join(" ")).join("\n");
};
const size = Number(lines[blank + 2]);
const changes = {
  "an entry with a bit flipped": [flipped(1, 1, 20), "proof"],
  "a hash with a bit flipped": [flipped(3, 0, 5), "proof"],
  "another index": [lines.with(2, `index ${index + 1}`).join("\n"), "proof"],
  "an index beyond the log": [lines.with(2, `index ${size}`).join("\n"), "index"],
  "an index with a zero before it": [lines.with(2, `index 0${index}`).join("\n"), "malformed"],
  "another size": [lines.with(blank + 2, `${size + 1}`).join("\n"), "signature"],
  "another root": [flipped(blank + 3, 0, 0), "signature"],
  "a signature with a bit flipped": [flipped(blank + 5, 2, -1), "signature"],
  "a signature's key id with a bit flipped": [flipped(blank + 5, 2, 0), "unknown_key"],
  "a receipt without its entry": [lines.toSpliced(1, 1).join("\n"), "entry_missing"],
  "one that was cut early": [receipt.slice(0, 80), "malformed"],
  "one that was cut late": [receipt.slice(0, -20), "malformed_checkpoint"],
  "something else": ["{}", "malformed"],
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const context = await browser.newContext({ viewport: { width: 375, height: 812 }, colorScheme: "dark" });
  const page = await context.newPage();
  const [asked, errors] = [[], []];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(`${url}/vault/${log}`);
  await page.waitForSelector("body[data-ready]");
  assert.equal(await page.getByLabel("Verifier keys").inputValue(), keys.join("\n"));
  assert.equal(await page.getByLabel("Log", { exact: true }).inputValue(), origin);
  await page.getByText("is a key of this log").first().waitFor();
  const fetched = asked.filter((path) => path !== "/favicon.ico").map((path) => path.replace(/assets\/[^/]+/, "assets"));
  assert.deepEqual(fetched.sort(), [`/v1/vault/logs/${log}/checkpoint`, `/v1/vault/logs/${log}/policy`, "/vault/assets/page.css", "/vault/assets/page.js", "/vault/assets/verify.js", `/vault/${log}`]);

  // What the log is, under the keys that are trusted; and nothing is said to have been checked.
  const keyId = keys[0].split("+")[1];
  const newest = (await (await fetch(`${url}/v1/vault/logs/${log}/checkpoint`)).text()).split("\n");
  const facts = await page.locator("#log dd").allTextContents();
  assert.deepEqual([facts[0], facts[1], facts[2].replace("…", "")], [log, newest[1], newest[2].slice(0, 12)]);
  assert.ok(facts[3].includes(keyId), facts[3]);
  assert.equal(await page.locator("#verdict").textContent(), "Nothing was checked yet.");

  // From here on there is no network: whatever is found, no server was asked.
  await context.setOffline(true);
  const before = asked.length;
  const verdict = page.locator("#verdict");
  const paste = async (text) => {
    await page.getByLabel("Receipt").fill(text);
    assert.match(await verdict.textContent(), /^(Not checked since|Nothing was checked)/, "what was found does not outlast a change");
    await page.getByRole("button", { name: "Check" }).press("Enter");
    await page.waitForSelector("#verdict[data-valid]");
    return verdict.evaluate(({ dataset }) => ({ ...dataset }));
  };
  const states = () => page.locator("#steps li").evaluateAll((steps) => steps.map(({ dataset }) => [dataset.step, dataset.state]));
  const steps = ["malformed", "malformed_checkpoint", "other_log", "unknown_key", "signature", "index", "entry_missing", "proof"];
  const isValid = async (text, why) => {
    assert.deepEqual(await paste(text), { valid: "true" }, `${why}: ${await verdict.textContent()}`);
    assert.deepEqual(await states(), steps.map((step) => [step, "right"]), why);
  };
  const sentences = new Map();
  const isWrong = async (text, flaw, why) => {
    assert.deepEqual(await paste(text), { valid: "false", flaw }, `${why}: ${await verdict.textContent()}`);
    const at = steps.indexOf(flaw);
    assert.deepEqual(await states(), steps.map((step, i) => [step, i < at ? "right" : i === at ? "wrong" : "skipped"]), why);
    // A sentence in plain words of its own for each; hashes and names are in the step that failed.
    const said = await verdict.textContent();
    assert.match(said, /^Not valid: [a-z][a-z ,']+\.$/);
    assert.equal(sentences.get(said) ?? flaw, flaw, `two flaws are said alike: ${said}`);
    sentences.set(said, flaw);
    assert.equal(await page.locator("#facts").isVisible(), false, `${why}: nor what it would say`);
    assert.equal(await page.locator("#entry").isVisible(), false, `${why}: an entry that nobody vouches for is not shown`);
  };

  await isValid(receipt, "a receipt");
  assert.equal(await verdict.textContent(), `Valid: entry ${index} is in this log.`);
  const said = await page.locator("#facts dd").allTextContents();
  assert.deepEqual([said[0], said[1], said[3]], ["foreign.page", "ALLOW", origin]);
  assert.equal(await page.locator("#facts time").getAttribute("datetime"), JSON.parse(Buffer.from(lines[1].split(" ")[1], "base64")).at);
  const shown = await page.locator("#entry").textContent();
  assert.ok(shown.includes('"kind": "foreign.page"') && shown.includes("<img src=x") && shown.includes("\\u202e") && !shown.includes("\u202e"), shown);
  assert.deepEqual(JSON.parse(shown), JSON.parse(Buffer.from(lines[1].split(" ")[1], "base64")));
  assert.deepEqual([await page.title(), await page.locator("img, main script, iframe").count()], ["Check a receipt · Holdfast", 0]);
  assert.equal(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), true, "nothing sticks out of a narrow screen");
  await isValid(receipt.trimEnd(), "without the newline at its end");

  for (const [why, [text, flaw]] of Object.entries(changes)) await isWrong(text, flaw, why);
  await isWrong(ofElsewhere, "other_log", "a receipt of another log");
  await page.getByLabel("Verifier keys").fill(strangersKey);
  await isWrong(receipt, "unknown_key", "signed with a key that is not among those trusted");
  await page.getByLabel("Verifier keys").fill(`${elsewhere.vkey}\nnonsense`);
  await page.getByText("is of another log").waitFor();
  await page.getByText("is not a verifier key").waitFor();
  await isWrong(receipt, "unknown_key", "with another log's key");
  await page.getByLabel("Log", { exact: true }).fill(elsewhere.vkey.split("+")[0]);
  assert.deepEqual((await paste(ofElsewhere)).valid, "true", "whoever trusts that log and its key sees it valid");
  await page.getByLabel("Log", { exact: true }).fill(origin);
  await page.getByLabel("Verifier keys").fill(keys.join("\n"));
  await isValid(receipt, "with the keys pasted by hand");

  // Pasted as a person does it, and from a file.
  await page.getByLabel("Receipt").fill(receipt);
  await page.getByLabel("Receipt").press("Control+A");
  await page.getByLabel("Receipt").press("Control+X");
  await page.getByLabel("Receipt").press("Control+V");
  await page.waitForSelector("#verdict[data-valid=true]");
  await page.getByLabel("or a file").setInputFiles({ name: "receipt", mimeType: "text/plain", buffer: Buffer.from(changes["another size"][0]) });
  await page.waitForSelector("#verdict[data-flaw=signature]");
  assert.deepEqual([asked.length, errors.filter((error) => !error.includes("favicon"))], [before, []]);

  // A checkpoint that does not verify under the keys is not shown as what the log is.
  await context.setOffline(false);
  await page.route("**/checkpoint", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace(/\n\d+\n/, "\n99999\n") });
  });
  await page.goto(`${url}/vault/${log}`);
  await page.getByText("its signature does not verify").waitFor();
  assert.ok(!(await page.locator("#log").textContent()).includes("99999"));
  await page.unroute("**/checkpoint");

  // Served, but without a policy: keys can still be pasted.
  await page.route("**/policy", (route) => route.abort());
  await page.goto(`${url}/vault/${log}`);
  await page.getByText("No key could be fetched").waitFor();
  await page.unroute("**/policy");

  // A log that the server does not have: it is said, and no key is passed off as that log's.
  await page.goto(`${url}/vault/log_${"f".repeat(32)}`);
  await page.getByText("This server knows no such log, or it is still empty.").waitFor();
  assert.deepEqual([await page.getByLabel("Verifier keys").inputValue(), await page.locator("#log").isVisible()], ["", false]);
  await page.getByLabel("Log", { exact: true }).fill(origin);
  await page.getByLabel("Verifier keys").fill(keys.join("\n"));
  await isValid(receipt, "on another log's page, with what is trusted pasted by hand");

  // The server and verify.js, as it is served, find the same wrong with many more.
  const asset = (await (await fetch(`${url}/vault/${log}`)).text()).match(/"(\/vault\/assets\/[^"]*verify\.js)"/)[1];
  const { verifyReceipt } = await import(`data:text/javascript;base64,${Buffer.from(await (await fetch(url + asset)).text()).toString("base64")}`);
  const found = {};
  for (let n = 0; n < 200; n += 1) {
    const bytes = Buffer.from(receipt);
    // Spread over the whole text, and the same at each run.
    bytes[Math.floor((n * bytes.length) / 200)] ^= n % 3 === 0 ? 1 : n % 3 === 1 ? 2 : 16;
    const text = bytes.toString();
    const here = await verifyReceipt(text, origin, keys);
    const there = await call("/v1/vault/verify", { receipt: text });
    assert.deepEqual([here.valid, there.valid], [false, false], text);
    // Which log is meant, the server learns from the receipt.
    if (![here.flaw, there.flaw].includes("other_log")) assert.equal(here.flaw, there.flaw, text);
    found[here.flaw] = (found[here.flaw] ?? 0) + 1;
  }
  console.log(`a receipt in Chromium: valid offline; ${Object.keys(changes).length + 3} changed ones named; 200 more as the server finds them: ${JSON.stringify(found)}`);
} finally {
  await browser.close();
}
