// Calls through npm's openapi-fetch, by the types that npm's openapi-typescript writes:
// node typescript.mts URL TOKEN PROJECT

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.ts";

type Problem = components["schemas"]["Problem"];
const [url = "", token = "", project = ""] = process.argv.slice(2);
const connect = (bearer: string) =>
  createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${bearer}` } });
let calls = 0;

/** Returns the data of a call that succeeded. */
function given<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  calls += 1;
  assert.ok(answer.response.ok && answer.data !== undefined, JSON.stringify(answer.error));
  return answer.data;
}

/** Returns the code of a call that was refused with `status`. */
function refused(answer: { error?: Problem; response: Response }, status: number): string {
  calls += 1;
  assert.equal(answer.response.status, status);
  assert.ok(answer.error && answer.error.status === status && answer.error.request_id);
  return answer.error.code;
}

const person = connect(token);
const health = given(await person.GET("/health"));
assert.ok(health.status === "ok" && health.checks.database.status === "ok", JSON.stringify(health));
assert.equal(given(await person.GET("/version")).version, health.version);

// A change is made from the version that was read.
const path = { project };
const before = await person.GET("/v1/projects/{project}", { params: { path } });
assert.equal(given(before).id, project);
const seen = { path, header: { "If-Match": before.response.headers.get("ETag") ?? "" } };
const body = { name: "OpenAPI in TypeScript" };
const after = given(await person.PATCH("/v1/projects/{project}", { params: seen, body }));
assert.deepEqual([after.name, after.version], [body.name, given(before).version + 1]);
const late = await person.PATCH("/v1/projects/{project}", { params: seen, body });
assert.equal(refused(late, 412), "version_mismatch");

// A request that is repeated creates one key.
type Wanted = components["schemas"]["ApiKeyRequest"];
const wanted: Wanted = { name: "typescript", scopes: ["vault:read", "vault:write"] };
const once = { path, header: { "Idempotency-Key": randomUUID() } };
const create = () => person.POST("/v1/projects/{project}/keys", { params: once, body: wanted });
const first = given(await create());
const again = await create();
assert.deepEqual([given(again), again.response.headers.get("Idempotency-Replayed")], [first, "true"]);
const keyPath = { path: { project, key: first.id } };
const kept = given(await person.GET("/v1/projects/{project}/keys/{key}", { params: keyPath }));
assert.deepEqual([kept.name, kept.scopes], [wanted.name, wanted.scopes]);

const program = connect(first.key);
const session_id = randomUUID();
for (const n of [1, 2, 3]) {
  const seal = { kind: "foreign.call", verdict: "ALLOW", payload: { n }, session_id } as const;
  given(await program.POST("/v1/vault/seals", { body: seal }));
}
const pages: unknown[][] = [];
let newest: components["schemas"]["Seal"] | undefined;
let cursor: string | null | undefined;
do {
  const query = { session_id, limit: 2, ...(cursor ? { cursor } : {}) };
  const page = given(await program.GET("/v1/vault/seals", { params: { query } }));
  pages.push(page.data.map((seal) => seal.payload));
  newest ??= page.data[0];
  cursor = page.next_cursor;
} while (cursor);
assert.deepEqual(pages, [[{ n: 3 }, { n: 2 }], [{ n: 1 }]]);
assert.ok(newest);

const counted = given(await program.GET("/v1/vault/seals/counts", { params: { query: { session_id } } }));
assert.deepEqual([counted.verdicts, counted.complete], [{ ALLOW: 3 }, true]);
const place = { path: { index: newest.index } };
const found = given(await program.GET("/v1/vault/seals/{index}", { params: place }));
assert.equal(found.leaf_hash, newest.leaf_hash);
const asText = { params: place, parseAs: "text" } as const;
const receipt = given(await program.GET("/v1/vault/seals/{index}/receipt", asText));
const checked = given(await program.POST("/v1/vault/verify", { body: { receipt } }));
assert.deepEqual([checked.valid, checked.flaw, checked.index], [true, null, newest.index]);
const nowhere = { path: { index: 2 ** 40 } };
assert.equal(refused(await program.GET("/v1/vault/seals/{index}", { params: nowhere }), 404), "not_found");
assert.equal(refused(await program.GET("/v1/agents"), 403), "permission_missing");

const over = { params: keyPath, body: { overlap_seconds: 0 } };
const next = given(await person.POST("/v1/projects/{project}/keys/{key}/rotate", over));
assert.equal(next.replaces, first.id);
const last = { path: { project, key: next.id } };
const revoked = await person.DELETE("/v1/projects/{project}/keys/{key}", { params: last });
calls += 1;
assert.equal(revoked.response.status, 204);
console.log(`openapi-typescript: its types hold, and ${calls} calls through openapi-fetch do`);
