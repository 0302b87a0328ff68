// Shows an operation's example: the request as curl, and the response.

import { block } from "./code.js";
import { element } from "./dom.js";
import { curl } from "./curl.js";
import { responseSample } from "./sample.js";
import { capitalized } from "./text.js";

const CALLERS = { api_key: "API key", access_token: "person", agent_signature: "agent" };

const callerOf = (credentials) =>
  capitalized(credentials.map((name) => CALLERS[name] ?? name).join(" plus "));

// The credential that is easiest to have at hand comes first.
const effort = (credentials) => {
  if (credentials.includes("agent_signature")) return 2;
  return credentials.includes("api_key") ? 0 : 1;
};

const signatureNote = () =>
  element("p", { class: "limits" }, "An agent signs the request (RFC 9421), best with a library. ",
    element("a", { href: "#credentials" }, "What the signature covers"), ".");

const requestBlock = (operation) => {
  const callers = [...operation.credentials].sort((one, other) => effort(one) - effort(other));
  const select = callers.length > 1 && element("select", { "aria-label": `Caller of ${operation.summary}` },
    callers.map((credentials, i) => element("option", { value: i }, callerOf(credentials))));
  const first = callers[0] ?? [];
  const request = block({
    title: "Request",
    label: `Request of ${operation.summary}`,
    text: curl(operation, first),
    copied: `the request of ${operation.summary}`,
    controls: select,
  });
  const note = signatureNote();
  note.hidden = !first.includes("agent_signature");
  if (select) {
    select.addEventListener("change", () => {
      const credentials = callers[Number(select.value)];
      request.show(curl(operation, credentials));
      note.hidden = !credentials.includes("agent_signature");
    });
  }
  return [request.node, note];
};

const responseBlock = (operation) => {
  const response = operation.responses.find(({ status }) => status.startsWith("2"));
  if (!response) return null;
  const title = `Response · ${response.status}`;
  if (!/json/.test(response.media ?? "")) {
    const body = response.media ? `a body of type ${response.media}` : "no body";
    return element("p", { class: "limits" }, `The response is ${response.status} with ${body}.`);
  }
  const sample = responseSample(operation, response.schema);
  const isLines = response.media.includes("ndjson");
  return block({
    title,
    label: `Response to ${operation.summary}`,
    text: isLines ? JSON.stringify(sample) : JSON.stringify(sample, null, 2),
    copied: `the response to ${operation.summary}`,
  }).node;
};

/** Shows an operation's example. */
export const examples = (operation) =>
  element("div", { class: "example" }, requestBlock(operation), responseBlock(operation));
