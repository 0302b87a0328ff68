// The reference page in Chromium: complete, accessible with the keyboard, and allowed by its own policy.
// node reference_page.mjs URL
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [url] = process.argv.slice(2);
const api = await (await fetch(`${url}/openapi.json`)).json();
const operations = Object.values(api.paths).flatMap((item) => Object.values(item));
// What is said beside a reference goes before what the shared part says.
const follow = ({ $ref, ...beside }) => ({
  ...$ref?.slice(2).split("/").reduce((node, step) => node[step], api),
  ...beside,
});

/** The codes that the document lists for an operation. */
const codesOf = (operation) =>
  Object.values(operation.responses)
    .map(follow)
    .filter(({ content = {} }) => content["application/problem+json"])
    .flatMap(({ description }) => description.split(", "));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  const [errors, origins] = [[], new Set()];
  // What the policy forbids is an error on the console.
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("request", (request) => origins.add(new URL(request.url()).origin));

  // A deep link leads to its operation.
  await page.goto(`${url}/docs#send_intent`);
  await page.locator("#send_intent").waitFor();
  await page.locator("#index [aria-current]").waitFor();
  assert.equal(await page.locator("#index [aria-current]").getAttribute("href"), "#send_intent");
  assert.match(await page.title(), /^Send an intent/);

  // Every operation is there once, in the index too, with exactly its codes.
  const ids = operations.map(({ operationId }) => operationId).sort();
  const shown = await page.locator("section.operation").evaluateAll((all) => all.map(({ id }) => id));
  assert.deepEqual(shown.sort(), ids);
  const links = await page.locator("#index a").evaluateAll((all) => all.map(({ hash }) => hash.slice(1)));
  assert.deepEqual(links.sort(), ids);
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("main details")) details.open = true;
  });
  await page.waitForFunction(() =>
    [...document.querySelectorAll("main details[open]")].every(({ children }) => children.length > 1));
  for (const operation of operations) {
    const found = await page.locator(`#${operation.operationId} a[href^="/problems#"]`).allTextContents();
    assert.deepEqual(found.sort(), codesOf(operation).sort(), operation.operationId);
  }

  // Nothing was left out for want of a reference, and nothing is shown as a value of JavaScript.
  assert.doesNotMatch(await page.locator("#document").textContent(), /undefined|\[object|NaN/);

  // The keyboard finds an operation by a field of its body.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("lease_token ack");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), "#ack_delivery");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#ack_delivery$/);

  // A request is shown for each kind of caller.
  const seal = page.locator("#seal_record");
  const request = seal.locator("pre").first();
  assert.match(await request.textContent(), /Bearer \$API_KEY/);
  await seal.getByRole("combobox").selectOption({ label: "Agent" });
  assert.match(await request.textContent(), /Signature-Input/);

  // A narrow screen scrolls in one direction only; the theme outlasts the page.
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.setViewportSize({ width: 1400, height: 900 });
  await page.getByLabel("Theme").selectOption("dark");
  await page.goto(`${url}/problems#not_found`);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  assert.equal(await page.locator("tr:target code").textContent(), "not_found");

  assert.deepEqual(errors, []);
  assert.deepEqual([...origins], [new URL(url).origin]);
  console.log(`The reference page shows ${ids.length} operations with exactly their codes.`);
} finally {
  await browser.close();
}
