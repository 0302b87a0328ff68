// Checks that railway.ts, railway.*.toml, the grace periods of compose.yaml, the Dockerfile and the
// programs agree: npm test
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DeployConfig, type ResourceNode, createRailwayContext, project, RAILWAY_GRAPH_VERSION, validateGraph } from "railway/iac";
import { parse } from "smol-toml";

process.env.HOLDFAST_REPOSITORY ??= "acme/holdfast";
const { default: program } = await import("./railway.ts");

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
/** Returns what `pattern` captures in a file, and fails if the source no longer matches. */
const find = (path: string, pattern: RegExp): string => {
  const found = read(path).match(pattern)?.[1];
  assert(found !== undefined, `${path} no longer matches ${pattern}`);
  return found;
};
const seconds = (path: string, pattern: RegExp) => Number(find(path, pattern));

/** The longest time that each program takes from SIGTERM to its end, added up from its source. */
const bounds = {
  api:
    seconds("crates/api/src/listener.rs", /const SHUTDOWN_GRACE: Duration = Duration::from_secs\((\d+)\)/) +
    seconds("crates/api/src/listener.rs", /const IDLE_TIMEOUT: Duration = Duration::from_secs\((\d+)\)/) +
    seconds("crates/api/src/listener.rs", /const DRAIN_TIMEOUT: Duration = Duration::from_secs\((\d+)\)/) +
    seconds("crates/adapters/src/connect.rs", /const CLOSE_LIMIT: Duration = Duration::from_secs\((\d+)\)/) +
    seconds("crates/api/src/serve.rs", /const CLOSE_TIMEOUT: Duration = Duration::from_secs\((\d+)\)/) +
    seconds("crates/api/src/commands/mod.rs", /shutdown_timeout\(std::time::Duration::from_secs\((\d+)\)\)/),
  worker: seconds("crates/worker/src/timing.rs", /With the other bounds of a shutdown it\s+\/\/\s+makes (\d+) s/),
};

type Toml = { deploy: DeployConfig; environments?: Record<string, { deploy?: DeployConfig }> };
const toml = (name: string, environment: string): DeployConfig => {
  const file = parse(read(`railway.${name}.toml`)) as unknown as Toml;
  return { ...file.deploy, ...file.environments?.[environment]?.deploy };
};
const flat = (nodes: unknown[]): ResourceNode[] =>
  nodes.flatMap((node) => (Array.isArray(node) ? flat(node) : [node as ResourceNode]));
const variables = new Set([...read(".env.example").matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map((line) => line[1]));

for (const environment of ["staging", "production"]) {
  const context = createRailwayContext({ command: "plan", environment });
  const definition = await program(context, project);
  const resources = flat(definition.resources ?? []);
  const graph = { version: RAILWAY_GRAPH_VERSION, project: { name: definition.name }, environments: [], resources, edges: [] };
  assert.deepEqual(validateGraph(graph), [], `${environment}: the SDK rejects the graph`);

  for (const name of ["api", "worker"] as const) {
    const node = resources.find((resource) => resource.type === "service" && resource.name === name);
    assert(node?.type === "service" && node.deploy, `${environment}: no service ${name}`);
    const deploy = node.deploy;
    const about = `${environment}, ${name}`;

    // The SDK may write one number as a count for each region.
    const { multiRegionConfig: _, ...plain } = deploy;
    assert.deepEqual(plain, toml(name, environment), `${about}: railway.ts (left) and railway.${name}.toml differ`);

    assert.equal(deploy.startCommand, `/usr/local/bin/${name}`, about);
    assert.match(read("Dockerfile"), new RegExp(`^COPY --from=build .*/out/${name}\\b.* /usr/local/bin/$`, "m"), `${about}: not in the image`);
    assert.equal(typeof deploy.overlapSeconds, "number", `${about}: left out, Railway takes overlapSeconds for 0`);
    assert((deploy.drainingSeconds ?? 0) > bounds[name], `${about}: drained for ${deploy.drainingSeconds} s, may take ${bounds[name]} s`);
    const grace = seconds("compose.yaml", new RegExp(`^  ${name}:\\n(?:    .*\\n|\\n)*?    stop_grace_period: (\\d+)s$`, "m"));
    assert.equal(grace, deploy.drainingSeconds, `${about}: compose.yaml gives another time to stop`);

    const health = name === "api" ? "crates/api/src/routes/health.rs" : "crates/worker/src/health.rs";
    assert(read(health).includes(`"${deploy.healthcheckPath}"`), `${about}: ${health} has no ${deploy.healthcheckPath}`);
    for (const variable of Object.keys(node.variables ?? {})) {
      assert(variables.has(variable), `${about}: sets ${variable}, which .env.example does not know`);
    }
  }

  const [api, worker] = ["api", "worker"].map((name) => resources.find((node) => node.type === "service" && node.name === name));
  assert(api?.type === "service" && worker?.type === "service");
  assert.deepEqual(api.source, worker.source, `${environment}: one image for both`);
  assert.deepEqual(api.deploy?.preDeployCommand, ["/usr/local/bin/api migrate"], environment);
  assert.match(read("crates/api/src/commands/mod.rs"), /^ {4}Migrate \{/m, "api has no command migrate");
  assert.equal(worker.deploy?.numReplicas, 1, `${environment}: one worker`);
  assert.equal(worker.deploy?.overlapSeconds, 0, `${environment}: the old worker goes first`);
}
console.log(`railway.ts, railway.api.toml, railway.worker.toml, compose.yaml and the programs agree (stops: api ≤ ${bounds.api} s, worker ≤ ${bounds.worker} s)`);
