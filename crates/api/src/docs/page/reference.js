// Reads the OpenAPI document into what the page shows. References to shared parts are followed.

const METHODS = ["get", "post", "put", "patch", "delete"];
// The part of all operations that a common code has, and of all responses that a common header has.
const COMMON_CODES = 0.2;
const COMMON_HEADERS = 0.9;

// Credentials are named in this order.
const CREDENTIALS = ["api_key", "access_token", "agent_signature"];
const byOrder = (one, other) => CREDENTIALS.indexOf(one) - CREDENTIALS.indexOf(other);

// What is said beside a reference goes before what the shared part says.
const follower = (document) => (part) => {
  if (!part?.$ref) return part;
  const { $ref, ...beside } = part;
  const steps = $ref.slice(2).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return { ...steps.reduce((node, step) => node?.[step], document), ...beside };
};

const contentOf = (part) => {
  const [media, content] = Object.entries(part?.content ?? {})[0] ?? [];
  return { media: media ?? null, schema: content?.schema ?? null };
};

const readResponses = (item, follow) =>
  Object.entries(item.responses ?? {}).map(([status, reference]) => {
    const response = follow(reference);
    const headers = Object.entries(response.headers ?? {})
      .map(([name, header]) => ({ name, ...follow(header) }));
    const { media, schema } = contentOf(response);
    const codes = media?.includes("problem") ? response.description.split(", ") : [];
    const isListed = codes.length > 0 && codes.every((code) => /^[a-z0-9_]+$/.test(code));
    const { description } = response;
    return { status, description, headers, media, schema, codes: isListed ? codes : [] };
  });

const readOperation = (method, path, item, follow) => {
  const security = item.security ?? [];
  const responses = readResponses(item, follow);
  const body = follow(item.requestBody);
  return {
    id: item.operationId,
    method,
    path,
    tag: item.tags?.[0] ?? "",
    summary: item.summary ?? path,
    description: item.description ?? "",
    deprecated: item.deprecated ?? false,
    parameters: (item.parameters ?? []).map(follow),
    body: body ? { ...contentOf(body), required: body.required ?? false } : null,
    credentials: security.map((scheme) => Object.keys(scheme).sort(byOrder)),
    permissions: [...new Set(security.flatMap((scheme) => Object.values(scheme).flat()))],
    responses: responses.filter(({ codes }) => !codes.length),
    problems: responses.filter(({ codes }) => codes.length).map(({ status, codes }) => ({ status, codes })),
  };
};

const tally = (names) => {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

const frequent = (names, least) =>
  new Set([...tally(names)].filter(([, count]) => count >= least).map(([name]) => name));

const groupsOf = (tags, operations) => {
  const described = new Map(tags.map((tag) => [tag.name, tag.description]));
  const names = [...new Set([...described.keys(), ...operations.map(({ tag }) => tag)])];
  return names
    .map((name) => ({
      name,
      description: described.get(name),
      operations: operations.filter(({ tag }) => tag === name),
    }))
    .filter((group) => group.operations.length);
};

/** Reads the document. */
export const read = (document) => {
  const follow = follower(document);
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method])
      .map((method) => readOperation(method, path, item[method], follow)));
  const responses = operations.flatMap((operation) => operation.responses);
  const headers = responses.flatMap((response) => response.headers);
  const codes = operations.flatMap(({ problems }) => problems.flatMap((problem) => problem.codes));
  const commonHeaders = frequent(headers.map(({ name }) => name), responses.length * COMMON_HEADERS);
  return {
    info: document.info,
    schemes: Object.entries(document.components?.securitySchemes ?? {}).map(([id, one]) => ({ id, ...one })),
    groups: groupsOf(document.tags ?? [], operations),
    commonCodes: frequent(codes, operations.length * COMMON_CODES),
    commonHeaders: [...commonHeaders].map((name) => headers.find((header) => header.name === name)),
  };
};
