// Writes an operation's request as a curl command.

import { parameterSample, requestSample } from "./sample.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const pathOf = ({ path, parameters }) =>
  path.replace(/\{(\w+)\}/g, (_, name) => {
    const parameter = parameters.find((one) => one.in === "path" && one.name === name) ?? { name };
    return encodeURIComponent(parameterSample(parameter)).replace(/%(3A|2F)/g, decodeURIComponent);
  });

const queryOf = ({ parameters }) => {
  const required = parameters.filter((one) => one.in === "query" && one.required);
  const pairs = required.map((one) => `${one.name}=${encodeURIComponent(parameterSample(one))}`);
  return pairs.length ? `?${pairs.join("&")}` : "";
};

const credentialHeaders = (credentials, body) => {
  const headers = [];
  if (credentials.includes("api_key")) headers.push('"Authorization: Bearer $API_KEY"');
  if (credentials.includes("access_token")) headers.push('"Authorization: Bearer $ACCESS_TOKEN"');
  if (credentials.includes("agent_signature")) {
    if (body) headers.push('"Content-Digest: $CONTENT_DIGEST"');
    headers.push('"Signature-Input: $SIGNATURE_INPUT"', '"Signature: $SIGNATURE"');
  }
  return headers;
};

// The project is in an API key; a person, who may be in several, names it.
const isSent = (header, credentials) => {
  if (header.name === "Holdfast-Project") return credentials.includes("access_token");
  return header.required || header.name === "Idempotency-Key";
};

/** Writes the command of a caller with these credentials. */
export const curl = (operation, credentials) => {
  const { method, parameters, body } = operation;
  const url = location.origin + pathOf(operation) + queryOf(operation);
  const headers = parameters.filter((one) => one.in === "header" && isSent(one, credentials));
  const lines = [
    `curl${method === "get" ? "" : ` -X ${method.toUpperCase()}`} ${quoted(url)}`,
    ...credentialHeaders(credentials, body).map((header) => `-H ${header}`),
    ...headers.map((header) => `-H ${quoted(`${header.name}: ${parameterSample(header)}`)}`),
  ];
  if (body) {
    const sample = requestSample(operation);
    const text = typeof sample === "string" ? sample : JSON.stringify(sample, null, 2);
    lines.push(`-H ${quoted(`Content-Type: ${body.media}`)}`, `-d ${quoted(text)}`);
  }
  return lines.join(" \\\n  ");
};
