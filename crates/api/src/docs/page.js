// Renders /openapi.json. Text is set as text, never as markup.
"use strict";

const element = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
};

// `code`, which is all the markup our descriptions use, and paragraphs of it.
const inline = (text = "") => text.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));
const prose = (text = "") => text.split(/\n\n+/).filter(Boolean).map((paragraph) => element("p", {}, inline(paragraph)));
const titled = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const listed = (words, last = "or") => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`);
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

// --- Schemas -----------------------------------------------------------------------------------------------------------------------------------

let schemas = {};
const named = (schema) => (schema?.$ref ? schema.$ref.split("/").pop() : null);
// A reference with what stands beside it, which is nearer to where it is used.
const resolved = (schema) => {
  if (!schema?.$ref) return schema ?? {};
  const { $ref, ...beside } = schema;
  return { ...resolved(schemas[named(schema)]), ...beside };
};
const isNull = (schema) => schema.type === "null";
const variants = (schema) => schema.oneOf ?? schema.anyOf;
const isNullable = (schema) => [].concat(schema.type ?? []).includes("null") || (variants(schema) ?? []).some(isNull);

// What a schema is when it is not null.
const core = (schema) => {
  const whole = resolved(schema);
  const others = (variants(whole) ?? []).filter((one) => !isNull(one));
  return others.length === 1 ? core(others[0]) : whole;
};

// Its parts' properties, and which of them must be there.
const properties = (schema) => {
  const whole = core(schema);
  return (whole.allOf ?? [whole]).map(core).flatMap((part) =>
    Object.entries(part.properties ?? {}).map(([name, property]) => ({ name, property, required: part.required?.includes(name) ?? false })));
};

const typeOf = (schema) => {
  if (!schema) return "any";
  if (schema.$ref) return named(schema);
  if (variants(schema)) return listed(variants(schema).map(typeOf));
  if (schema.allOf) return schema.allOf.map(typeOf).join(" and ");
  const types = [].concat(schema.type ?? "any JSON");
  if (types.includes("array")) return `array of ${typeOf(schema.items)}${types.includes("null") ? " or null" : ""}`;
  return listed(types.map((type) => (schema.format && type !== "null" ? `${type} (${schema.format})` : type)));
};

const between = (least, most, unit) => {
  const count = (n) => `${grouped(n)}${unit ? ` ${unit}${n === 1 ? "" : "s"}` : ""}`;
  if (least === undefined && most === undefined) return null;
  if (most === undefined) return least ? `at least ${count(least)}` : unit ? null : "0 or more";
  if (least === most) return `exactly ${count(most)}`;
  return least === undefined || (unit && !least) ? `at most ${count(most)}` : `${grouped(least)} to ${count(most)}`;
};

// Patterns in words, where it is known what they mean.
const PATTERNS = {
  "^[^\\u0000]*$": "no NUL",
  "^[^\\u0000-\\u001f\\u007f]*$": "no control characters",
  "^[^\\u0000-\\u001f\\u007f-\\u009f]*$": "no control characters",
  "^[A-Za-z0-9+/_-]{43}=?$": "32 bytes in base64 or base64url",
  "^[0-9]{3}$": "three digits",
  "^([0-7]|entries)$": "`0` to `7`, or `entries`",
  '^(\\*|"v[0-9]+")$': 'a version such as `"v1"`, or `*`',
  "^[A-Za-z0-9_-]{21}[AQgw]$": "as it was handed out",
  '^("[!#-~]{1,255}"|[!#-~]{1,255})$': "visible ASCII without quotes inside",
};
const inWords = (pattern) => {
  if (PATTERNS[pattern]) return PATTERNS[pattern];
  const [, id, digits] = /^\^([a-z]+_)\[0-9a-f\]\{(\d+)\}\$$/.exec(pattern) ?? [];
  if (id) return `\`${id}\` and ${digits} hexadecimal digits`;
  const [, token] = /^\^([a-z]+_)\[1-9A-HJ-NP-Za-km-z\]/.exec(pattern) ?? [];
  if (token) return `begins with \`${token}\``;
  if (pattern.startsWith("^did:")) return "`did:`, a method, `:` and an identifier";
  if (pattern.startsWith("^https?:")) return "an absolute URL without a fragment";
  if (pattern.includes("@[^@")) return "one `@`";
  return `matches \`${pattern}\``;
};

// What a value must be, in words; an array's items too.
const limits = (schema, depth = 0) => {
  const one = core(schema);
  const items = one.items && depth < 2 ? limits(one.items, depth + 1) : "";
  const isId = one.pattern && /\{\d+\}\$$/.test(one.pattern);
  return [
    one.enum && `${depth ? "" : "one of "}${listed(one.enum.map((value) => `\`${value}\``))}`,
    between(one.minItems, one.maxItems, "item"),
    isId ? null : between(one.minLength, one.maxLength, "character"),
    between(one.minimum, one.maximum, ""),
    one.pattern && inWords(one.pattern),
    items && `each ${core(one.items).enum ? "one of " : ""}${items}`,
    one.default !== undefined && `\`${JSON.stringify(one.default)}\` when left out`,
  ].filter(Boolean).join("; ");
};

const exampleOf = (schema) => schema.example ?? schema.examples?.[0];

const described = (schema) => {
  const one = core(schema);
  const [words, example] = [limits(schema), exampleOf(one)];
  const isPlain = typeof example === "string" || typeof example === "number";
  return [
    prose(resolved(schema).description ?? one.description),
    words ? element("p", { class: "limits" }, inline(`${titled(words)}.`)) : null,
    isPlain ? element("p", { class: "limits" }, "Such as ", element("code", {}, String(example)), ".") : null,
  ];
};

const row = (name, type, required, ...said) =>
  element("div", {},
    element("dt", {}, element("code", {}, name), " ", element("span", { class: "type" }, type), required ? element("span", { class: "required" }, " required") : null),
    element("dd", {}, ...said));

const fields = (schema, depth = 0) => {
  const all = properties(schema);
  const rows = [...all.filter((one) => one.required), ...all.filter((one) => !one.required)].map(({ name, property, required }) => {
    const one = core(property);
    const inner = one.items ?? one;
    const nested = depth < 3 && properties(inner).length
      ? element("details", {}, element("summary", {}, `Fields of ${named(inner) ?? named(property) ?? name}`), fields(inner, depth + 1)) : null;
    return row(name, typeOf(property), required, described(property), nested);
  });
  return rows.length ? element("dl", { class: "fields" }, rows) : element("div", {}, element("p", { class: "type" }, typeOf(schema)), described(schema));
};

// --- Examples ----------------------------------------------------------------------------------------------------------------------------------

// What stands for a value that the document has no example of, by its name; the first that is of the right type.
const HASH = "zBCtDm764G6ejhQu/16+kTegbnjNpcIz8Pso1USHuyo=";
const HEX = "ab1f0c27155ea0ce98806e6dbf40200315f2d31188aea8707c7d6451258d7d08";
const ORIGIN = "api.example.com/v1/vault/logs/log_019aa3f0c1d27abc8def0123456789ab";
const KEY_ID = "key_019aa3f0c1d27abc8def0123456789ab";
const SAMPLES = {
  payload: [{ amount: "129.00", currency: "EUR" }], personal: [{ name: "Ada Lovelace" }], value: [{ name: "Ada Lovelace" }], verdicts: [{ ALLOW: 12, DENY: 1 }],
  credential: [{ id: "…", type: "public-key", response: {} }], options: [{ publicKey: {} }],
  name: ["Ada Lovelace"], email: ["ada@example.com"], password: ["correct horse battery staple"], current_password: ["correct horse battery staple"],
  kind: ["payment.decision"], verdict: ["ALLOW"], proposal: [12], subject: ["order-7"], session_id: ["run-42"], correlation_id: ["run-42"], tag: ["refund"], tags: ["refund"], type: ["translation.request"],
  actor: [KEY_ID], created_by: ["usr_019aa3f0c1d27abc8def0123456789ab"], action: ["api_key.created"], method: ["password"], role: ["owner"],
  version: [1, "0.1.0"], commit: ["4f2a9c1"], environment: ["production"], status: [409, "ok"], index: [12], size: [13], from: [5, "2026-11-21T00:00:00Z"], to: [13, "2026-11-22T00:00:00Z"],
  attempt: [1], total: [13], seconds: [60], expires_in: [900], uptime_seconds: [86400], latency_ms: [0.8], delay_seconds: [30],
  root: [HASH], from_root: [HASH], to_root: [HASH], hashes: [HASH], inclusion_proof: [HASH], leaf_hash: [HEX], salt: [HEX], personal_sha256: [HEX],
  checkpoint: [`${ORIGIN}\n13\n${HASH}\n\n— ${ORIGIN} …\n`], receipt: ["c2sp.org/tlog-proof@v1\nextra …"], keys: [`${ORIGIN}+f680425e+AQNFlP8qead6QCnDJy4gS9cfBSqKpc5GxYztK0RhcO8n`],
  access_token: ["eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9…"], token_type: ["Bearer"], refresh_token: ["hfr_…"], token: ["hfm_…"], key: [`hf_production_${KEY_ID.slice(4)}_…`],
  address: ["203.0.113.7"], user_agent: ["curl/8.14.1"], reason: ["The recipient is overloaded"], detail: ["A mail is on its way"],
  kty: ["OKP"], crv: ["Ed25519"], alg: ["EdDSA"], use: ["sig"], level: ["0"], tile: ["000"], "If-Match": ['"v1"'], "Idempotency-Key": ["6b1f0c52-9d0e-4a53-8e7a-0c1d2e3f4a5b"],
};

const ABSENT = new Set(["replaces", "reply_to"]);
// By the operation's tag.
const GIVEN = {
  organizations: { name: "Ada's workshop" }, projects: { name: "Payments" }, keys: { name: "nightly import" }, agents: { name: "Translator" }, passkeys: { name: "Laptop" },
  vault: { detail: "The receipt is valid" }, audit: { subject: KEY_ID, actor: "usr_019aa3f0c1d27abc8def0123456789ab" },
};

// A value that the schema allows. Of a request only what it must have, and what the document has an example of.
// `given`: what fields of a name are known to be, such as those of the request in its answer.
const sample = (schema, name, { request, given = {}, depth = 0 } = {}) => {
  const one = core(schema);
  const deeper = { request, given, depth: depth + 1 };
  if (!request && ABSENT.has(name) && isNullable(resolved(schema))) return null;
  const example = exampleOf(resolved(schema)) ?? exampleOf(one);
  if (example !== undefined) return example;
  const types = one.properties || one.allOf ? ["object"] : [].concat(one.type ?? []);
  const isOf = (value) => !types.length || types.some((type) => (type === "integer" ? "number" : type) === typeof value);
  const known = [given[name], ...(SAMPLES[name] ?? [])].find((value) => value !== undefined && isOf(value));
  if (one.enum) return isNullable(resolved(schema)) && !request ? null : one.enum.includes(known) ? known : one.enum[0];
  if (one.format === "date-time") return isNullable(one) ? null : /expires|erase|visible/.test(name) ? "2026-12-21T11:06:29Z" : "2026-11-21T11:06:29Z";
  const inner = properties(one);
  if (known !== undefined && !inner.length) return known;
  if (isNullable(one)) return null;
  if (types.includes("array")) return depth < 7 ? [sample(one.items, name, deeper)] : [];
  if (inner.length && depth < 6) {
    const wanted = inner.filter(({ property, required }) => !request || required || exampleOf(property) !== undefined);
    return Object.fromEntries((wanted.length ? wanted : inner).map(({ name, property }) => [name, sample(property, name, deeper)]));
  }
  if (types.includes("integer") || types.includes("number")) return one.minimum ?? 0;
  if (types.includes("boolean")) return true;
  return types.includes("object") || !types.length ? {} : "…";
};

const json = (value) => JSON.stringify(value, null, 2);
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// Who a request can be from; the simplest to have at hand first.
const schemesOf = (item) => (item.security ?? []).map((scheme) => Object.keys(scheme));
const chosen = (item) => {
  const schemes = schemesOf(item);
  const isPlain = (scheme) => !scheme.includes("agent_signature");
  return schemes.find((scheme) => isPlain(scheme) && scheme.includes("api_key")) ?? schemes.find(isPlain) ?? schemes[0] ?? [];
};

const curl = (method, path, item) => {
  const parameters = item.parameters ?? [];
  const valueOf = (parameter) => String(sample(parameter.schema ?? {}, parameter.name, { request: true }) ?? "…");
  const filled = path.replace(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(valueOf(parameters.find((one) => one.in === "path" && one.name === name) ?? { name })).replace(/%(3A|2F)/g, decodeURIComponent));
  const query = parameters.filter((one) => one.in === "query" && one.required).map((one) => `${one.name}=${encodeURIComponent(valueOf(one))}`);
  const scheme = chosen(item);
  const [media, body] = Object.entries(item.requestBody?.content ?? {})[0] ?? [];
  const lines = [`curl${method === "get" ? "" : ` -X ${method.toUpperCase()}`} ${quoted(location.origin + filled + (query.length ? `?${query.join("&")}` : ""))}`];
  if (scheme.includes("api_key")) lines.push('-H "Authorization: Bearer $API_KEY"');
  else if (scheme.includes("access_token")) lines.push('-H "Authorization: Bearer $ACCESS_TOKEN"');
  if (scheme.includes("agent_signature")) {
    if (body) lines.push('-H "Content-Digest: $CONTENT_DIGEST"');
    lines.push('-H "Signature-Input: $SIGNATURE_INPUT"', '-H "Signature: $SIGNATURE"');
  }
  for (const parameter of parameters.filter((one) => one.in === "header")) {
    const isPerson = scheme.includes("access_token") && parameter.name === "Holdfast-Project";
    if (parameter.required || isPerson || parameter.name === "Idempotency-Key") lines.push(`-H ${quoted(`${parameter.name}: ${valueOf(parameter)}`)}`);
  }
  if (body) lines.push(`-H 'Content-Type: ${media}'`, `-d ${quoted(json(sample(body.schema, "", { request: true })))}`);
  return lines.join(" \\\n  ");
};

const said = (text) => {
  const place = document.getElementById("said");
  place.textContent = "";
  setTimeout(() => (place.textContent = text), 50);
};

const copyButton = (text, what) => {
  const button = element("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      said(`Copied ${what}.`);
    } catch {
      // Without the clipboard, which only pages from HTTPS have, it is selected to be copied by hand.
      getSelection().selectAllChildren(button.closest(".block").querySelector("pre"));
      button.textContent = "Selected";
      said("Selected; copy it with the keyboard.");
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
};

const block = (title, text, copied) =>
  element("div", { class: "block" },
    element("div", { class: "bar" }, element("span", {}, title), copied ? copyButton(text, copied) : null),
    element("pre", { tabindex: "0", role: "region", "aria-label": title }, text));

const example = (method, path, item) => {
  const [status, answer] = Object.entries(item.responses ?? {}).find(([status]) => status.startsWith("2")) ?? [];
  const [media, body] = Object.entries(answer?.content ?? {})[0] ?? [];
  const isSigned = chosen(item).includes("agent_signature");
  const asked = Object.values(item.requestBody?.content ?? {})[0];
  const given = { ...(path.endsWith("/members") ? {} : GIVEN[item.tags?.[0]]), ...(asked && sample(asked.schema, "", { request: true })) };
  const value = /json/.test(media ?? "") && sample(body.schema, "", { given });
  return element("div", { class: "example" },
    block("Request", curl(method, path, item), `the request of ${item.summary ?? path}`),
    isSigned ? element("p", { class: "limits" }, "An agent signs it (RFC 9421), best by a library; ", element("a", { href: "#credentials" }, "what it covers"), ".") : null,
    value ? block(`Answer · ${status}`, media.includes("ndjson") ? JSON.stringify(value) : json(value))
      : element("p", { class: "limits" }, `The answer is ${status}, ${media ? `${media}.` : "without a body."}`));
};

// --- Errors ------------------------------------------------------------------------------------------------------------------------------------

// The document lists each status' every code at each operation. Those that follow from what an operation takes are shown as its own where it takes
// that; the others, and those of statuses that almost all have, are folded away below, all of them. `names`: what it takes, by name.
const COMMON = new Set(["400", "401", "403", "408", "413", "415", "429", "500", "503"]);
const GENERAL = new Set(["validation_failed", "wrong_type", "missing_field", "unknown_field", "control_character", "nul_byte", "too_long", "too_short", "out_of_range"]);
const takes = (...wanted) => ({ names }) => wanted.some((name) => names.has(name));
const OWN = {
  nonce_replayed: ({ item }) => schemesOf(item).flat().includes("agent_signature"),
  idempotency_in_flight: takes("Idempotency-Key"), idempotency_key_reused: takes("Idempotency-Key"),
  agent_key_conflict: takes("public_key"), invalid_public_key: takes("public_key"), did_key_mismatch: takes("public_key"),
  lease_lost: takes("lease_token"), api_key_replaced: takes("overlap_seconds"), size_mismatch: takes("expected_size"), proposal_decided: takes("proposal"),
  already_member: ({ path, method }) => method === "post" && /invitations(\/accept)?$/.test(path),
  already_invited: ({ path, method }) => method === "post" && path.endsWith("/invitations"),
  passkey_taken: ({ path }) => path.endsWith("/me/passkeys/finish"),
  last_owner: ({ path, method }) => (method === "delete" && path.endsWith("/me")) || (method !== "get" && path.endsWith("/members/{user}")),
  limit_reached: ({ path, method }) => method === "post" && /\/(agents|organizations|projects|keys|rotate|invitations|accept|begin)$/.test(path),
  mail_token_invalid: takes("token"), weak_password: takes("Password"), invalid_email: takes("email"), unknown_scope: takes("scopes"),
  ttl_out_of_range: takes("ttl_seconds", "expires_in_seconds"), invalid_did: takes("Did", "did"), invalid_endpoint: takes("endpoint"),
  ambiguous_json: takes("personal"), invalid_cursor: takes("cursor"), unknown_recipient: takes("reply_to"),
};

// The names of all that an operation takes: parameters, fields of the body, and the schemas of both.
const namesOf = (path, item) => {
  const names = new Set(path.split("/"));
  const look = (schema, depth = 0) => {
    names.add(named(schema));
    const one = core(schema);
    for (const variant of [one, ...(variants(resolved(schema)) ?? [])]) names.add(named(variant));
    if (one.items) look(one.items, depth + 1);
    if (depth < 5) for (const { name, property } of properties(one)) names.add(name) && look(property, depth + 1);
  };
  for (const { name, schema } of item.parameters ?? []) names.add(name) && look(schema ?? {});
  for (const { schema } of Object.values(item.requestBody?.content ?? {})) look(schema ?? {});
  return names;
};

const isProblem = (response) => Object.keys(response.content ?? {}).some((media) => media.includes("problem"));
const codesOf = (response) => (response.description ?? "").split(", ").filter((code) => /^[a-z_]+$/.test(code));

const errors = (method, path, item) => {
  const what = { method, path, item, names: namesOf(path, item) };
  const [own, common] = [[], []];
  for (const [status, response] of Object.entries(item.responses ?? {}).filter(([status, response]) => status >= "400" && isProblem(response))) {
    const codes = codesOf(response);
    if (!codes.length) own.push([status, response.description]);
    const mine = codes.filter((code) => !COMMON.has(status) && !GENERAL.has(code) && (OWN[code]?.(what) ?? true));
    const rest = codes.filter((code) => !mine.includes(code));
    if (mine.length) own.push([status, mine]);
    if (rest.length) common.push([status, rest]);
  }
  const links = (codes) => codes.flatMap((code) => [element("a", { href: `/problems#${code}` }, element("code", {}, code)), " "]);
  const list = (rows) => rows.map(([status, codes]) => row(status, "", false, Array.isArray(codes) ? links(codes) : prose(codes)));
  return {
    own: list(own),
    common: common.length
      ? element("details", {}, element("summary", {}, `Errors of most operations · ${common.map(([status]) => status).join(", ")}`), element("dl", { class: "fields narrow" }, list(common)))
      : null,
  };
};

// --- The page ----------------------------------------------------------------------------------------------------------------------------------

const SCHEMES = { api_key: "an API key", access_token: "a person's access token", agent_signature: "an agent's signature" };

const permissionsOf = (item) => [...new Set((item.security ?? []).flatMap((scheme) => Object.values(scheme).flat()))];

const needs = (item) => {
  const schemes = schemesOf(item).map((scheme) => scheme.map((name) => SCHEMES[name] ?? name).join(" and "));
  const permissions = permissionsOf(item);
  return element("dl", { class: "needs" },
    element("dt", {}, "Credentials"), element("dd", {}, schemes.length ? element("a", { href: "#credentials" }, titled(listed(schemes))) : "None"),
    permissions.length ? [element("dt", {}, "Permission"), element("dd", {}, permissions.flatMap((one) => [element("code", {}, one), " "]))] : null);
};

const answers = (item) =>
  Object.entries(item.responses ?? {}).filter(([, response]) => !isProblem(response)).map(([status, response]) =>
    row(status, Object.keys(response.content ?? {}).join(", "), false, prose(response.description),
      Object.values(response.content ?? {}).map(({ schema }) =>
        properties(schema).length ? element("details", {}, element("summary", {}, `Fields of ${named(schema) ?? "it"}`), fields(schema)) : null)));

const operation = (method, path, item) => {
  const id = item.operationId;
  const parameters = (item.parameters ?? []).map((parameter) =>
    row(parameter.name, `${parameter.in} · ${typeOf(parameter.schema)}`, parameter.required, described({ ...parameter.schema, description: parameter.description })));
  const body = item.requestBody ? Object.values(item.requestBody.content ?? {})[0]?.schema : null;
  const { own, common } = errors(method, path, item);
  return element("section", { class: "operation", id, "aria-labelledby": `${id}-title` },
    element("h3", { id: `${id}-title` }, element("a", { href: `#${id}` }, item.summary ?? id)),
    element("div", { class: "route" }, element("span", { class: `method ${method}` }, method), " ", path.split(/(?=\/)/).flatMap((part) => [element("wbr"), part])),
    element("div", { class: "parts" },
      element("div", { class: "about" }, prose(item.description), needs(item)),
      example(method, path, item),
      element("div", { class: "reference" },
        parameters.length ? [element("h4", {}, "Parameters"), element("dl", { class: "fields" }, parameters)] : null,
        body ? [element("h4", {}, "Body ", element("span", { class: "type" }, typeOf(body))), fields(body)] : null,
        element("h4", {}, "Answers"), element("dl", { class: "fields narrow" }, answers(item), own), common)));
};

// The index stands open beside the text where there is room, and is folded above it where there is not.
const folded = document.getElementById("folded");
const isWide = matchMedia("(min-width: 56rem)");
const fold = () => (folded.open = isWide.matches);

const search = (links, groups) => {
  const [filter, found] = ["filter", "found"].map((id) => document.getElementById(id));
  const isShown = ({ link }) => !link.hidden;
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const one of links) one.link.hidden = !words.every((word) => one.text.includes(word));
    for (const { heading, tag } of groups) heading.hidden = !links.some((one) => one.tag === tag && isShown(one));
    const count = links.filter(isShown).length;
    found.textContent = words.length ? (count ? `${count} of ${links.length}` : "No operation has that.") : "";
  };
  filter.addEventListener("input", apply);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter") links.find(isShown)?.link.click();
  });
};

// Marks in the index what is being read, and keeps the mark in view there.
const follow = (sections, linkOf) => {
  const seen = new Set();
  let current = null;
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) isIntersecting ? seen.add(target) : seen.delete(target);
    const link = linkOf.get(sections.find((section) => seen.has(section)));
    if (!link || link === current) return;
    current?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "location");
    current = link;
    const list = document.querySelector(isWide.matches ? "nav" : "#index");
    const [inner, outer] = [link.getBoundingClientRect(), list.getBoundingClientRect()];
    // The box to search in lies over its top.
    if (inner.top < outer.top + 120 || inner.bottom > outer.bottom) list.scrollTop += inner.top - outer.top - outer.height / 3;
  }, { rootMargin: "-8% 0px -65% 0px" });
  for (const section of sections) observer.observe(section);
};

const render = (api) => {
  schemas = api.components?.schemas ?? {};
  document.getElementById("operations").hidden = false;
  const [page, index] = ["document", "index"].map((id) => document.getElementById(id));
  page.replaceChildren(
    element("h1", {}, `${api.info.title} API `, element("span", { class: "version" }, api.info.version)), ...prose(api.info.description),
    element("p", {}, element("a", { href: "/openapi.json" }, "openapi.json"), " · ", element("a", { href: "/problems" }, "Problems")),
    element("h2", { id: "credentials" }, "Credentials"),
    element("dl", { class: "fields" }, Object.entries(api.components?.securitySchemes ?? {}).map(([name, scheme]) =>
      row(name, scheme.bearerFormat ?? "", false, prose(scheme.description)))));
  const operations = Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item).map(([method, one]) => [method, path, one]));
  const [links, groups, linkOf] = [[], [], new Map()];
  for (const tag of api.tags ?? []) {
    const heading = element("h2", {}, element("a", { href: `#tag-${tag.name}` }, titled(tag.name)));
    groups.push({ heading, tag: tag.name });
    index.append(heading);
    page.append(element("h2", { id: `tag-${tag.name}`, class: "tag" }, titled(tag.name)), ...prose(tag.description));
    for (const [method, path, one] of operations.filter(([, , one]) => one.tags?.includes(tag.name))) {
      const link = element("a", { href: `#${one.operationId}` }, element("span", { class: `method ${method}` }, method === "delete" ? "del" : method), element("span", {}, one.summary ?? path));
      const section = operation(method, path, one);
      links.push({ link, tag: tag.name, text: [method, path, one.summary, one.operationId, tag.name, ...permissionsOf(one)].join(" ").toLowerCase() });
      linkOf.set(section, link);
      index.append(link);
      page.append(section);
    }
  }
  index.addEventListener("click", (event) => event.target.closest("a") && fold());
  search(links, groups);
  follow([...linkOf.keys()], linkOf);
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
};

const reading = document.getElementById("reading");
reading.textContent = "Reading openapi.json …";
fold();
isWide.addEventListener("change", fold);
fetch("/openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`/openapi.json answered ${answer.status}`))))
  .then(render)
  .catch((error) => (reading.isConnected ? reading : document.getElementById("document").appendChild(element("p"))).textContent = `The document could not be read: ${error.message}. Reload the page.`);
