// The protocol's own conformance suite, npm's @modelcontextprotocol/conformance: node mcp_conformance.mjs URL API_KEY
//
// Of its scenarios, those for a server that has tools and nothing else. It knows no credentials: a relay adds the key to each request and leaves
// everything else as it is, so that a Host or Origin that is not ours arrives as such.

import { spawn } from "node:child_process";
import { createServer, request } from "node:http";
import { fileURLToPath } from "node:url";

const [url, key] = process.argv.slice(2);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const SCENARIOS = {
  "2025-11-25": ["server-initialize", "ping", "tools-list", "dns-rebinding-protection"],
  "2026-07-28": [
    "server-stateless",
    "tools-list",
    "http-header-validation",
    "server-sse-multiple-streams",
    "input-required-result-unsupported-methods",
    "dns-rebinding-protection",
  ],
};

const relay = createServer((asked, answer) => {
  const own = `127.0.0.1:${relay.address().port}`;
  const headers = { ...asked.headers, authorization: `Bearer ${key}` };
  for (const name of ["host", "origin"]) {
    if (headers[name]?.endsWith(own)) headers[name] = headers[name].replace(own, new URL(url).host);
  }
  const options = { method: asked.method, headers, setHost: false };
  const onward = request(new URL(asked.url, url), options, (got) => {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  asked.pipe(onward);
});
await new Promise((listening) => relay.listen(0, "127.0.0.1", listening));

const run = (scenario, version) =>
  new Promise((ended) => {
    const program = here("node_modules/@modelcontextprotocol/conformance/dist/index.js");
    const at = `http://127.0.0.1:${relay.address().port}/mcp`;
    const asked = ["server", "--url", at, "--scenario", scenario, "--spec-version", version];
    const child = spawn(process.execPath, [program, ...asked, "--expected-failures", here("mcp_conformance.yaml")]);
    let said = "";
    child.stdout.on("data", (text) => (said += text));
    child.stderr.on("data", (text) => (said += text));
    child.on("close", (code) => ended({ code, said }));
  });

let checks = 0;
for (const [version, scenarios] of Object.entries(SCENARIOS)) {
  for (const scenario of scenarios) {
    const { code, said } = await run(scenario, version);
    const passed = Number(said.match(/Passed: (\d+)\//)?.[1] ?? 0);
    if (code !== 0 || passed === 0) {
      console.error(said, `${scenario} by ${version} ended with ${code}`);
      process.exit(1);
    }
    checks += passed;
  }
}
relay.close();
console.log(`mcp: ${checks} checks of its conformance suite pass`);
