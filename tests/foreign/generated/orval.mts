// Calls through the client that npm's orval writes: node orval.mts TOKEN PROJECT

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as holdfast from "./orval_client.ts";

const [token = "", project = ""] = process.argv.slice(2);
const as = (bearer: string): RequestInit => ({ headers: { Authorization: `Bearer ${bearer}` } });
let calls = 0;

type Answer = { status: number; data: unknown };

/** Returns the answer, by the type of those with this status. */
function expected<A extends Answer, S extends A["status"]>(answer: A, status: S): Extract<A, { status: S }> {
  calls += 1;
  assert.equal(answer.status, status, JSON.stringify(answer.data));
  return answer as Extract<A, { status: S }>;
}

const person = as(token);
const { data: health } = expected(await holdfast.getHealth(), 200);
assert.ok(health.status === "ok" && health.checks.database.status === "ok", JSON.stringify(health));
assert.equal(expected(await holdfast.getVersion(), 200).data.version, health.version);

// A change is made from the version that was read.
const before = expected(await holdfast.getProject(project, person), 200);
assert.equal(before.data.id, project);
const seen = { "If-Match": before.headers.get("ETag") ?? "" };
const rename = () => holdfast.updateProject(project, { name: "orval" }, seen, person);
const after = expected(await rename(), 200);
assert.deepEqual([after.data.name, after.data.version], ["orval", before.data.version + 1]);
assert.equal(expected(await rename(), 412).data.code, "version_mismatch");

// A request that is repeated creates one key.
const once = { "Idempotency-Key": randomUUID() };
const wanted: holdfast.ApiKeyRequest = {
  name: "orval",
  scopes: [holdfast.Scope["vault:read"], holdfast.Scope["vault:write"]],
};
const first = expected(await holdfast.createApiKey(project, wanted, once, person), 201);
const again = expected(await holdfast.createApiKey(project, wanted, once, person), 201);
assert.deepEqual([again.data, again.headers.get("Idempotency-Replayed")], [first.data, "true"]);
const listed = expected(await holdfast.listApiKeys(project, {}, person), 200).data.data;
assert.ok(listed.some((key) => key.id === first.data.id && key.name === "orval"));

const program = as(first.data.key);
const session_id = randomUUID();
for (const n of [1, 2, 3]) {
  const seal = { kind: "foreign.call", verdict: holdfast.Verdict.DENY, payload: { n }, session_id };
  expected(await holdfast.sealRecord(seal, {}, program), 201);
}
const pages: unknown[][] = [];
let newest: holdfast.Seal | undefined;
let cursor: string | null | undefined;
do {
  const query = { session_id, limit: 2, ...(cursor ? { cursor } : {}) };
  const { data: page } = expected(await holdfast.listSeals(query, {}, program), 200);
  pages.push(page.data.map((seal) => seal.payload));
  newest ??= page.data[0];
  cursor = page.next_cursor;
} while (cursor);
assert.deepEqual(pages, [[{ n: 3 }, { n: 2 }], [{ n: 1 }]]);
assert.ok(newest);

const { data: counted } = expected(await holdfast.countSeals({ session_id }, {}, program), 200);
assert.deepEqual([counted.verdicts, counted.complete], [{ DENY: 3 }, true]);
const { data: receipt } = expected(await holdfast.getReceipt(newest.index, {}, program), 200);
const { data: checked } = expected(await holdfast.verifyReceipt({ receipt }), 200);
assert.deepEqual([checked.valid, checked.flaw, checked.index], [true, null, newest.index]);
const { data: problem } = expected(await holdfast.getSeal(2 ** 40, {}, program), 404);
assert.deepEqual([problem.code, problem.status], ["not_found", 404]);
const { data: wrong } = expected(await holdfast.listSeals({ limit: 201 }, {}, program), 422);
assert.equal(wrong.errors?.[0]?.code, "out_of_range");

expected(await holdfast.revokeApiKey(project, first.data.id, person), 204);
console.log(`orval: its client compiles, and ${calls} calls by it hold`);
