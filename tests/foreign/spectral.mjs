// The OWASP API Security Top 10 (2023) as Stoplight's rules for Spectral, and the few places where we differ, each with its reason.

import owasp from "@stoplight/spectral-owasp-ruleset";

// Bounds protect us from what is sent. In what we answer, the bound is that of what was sent, and repeating it on every field of every answer would
// only make the document longer.
const SENT = ["$.paths[*][*].requestBody..", "$.paths[*][*].parameters.."];
const sentOnly = (name) => {
  const rule = owasp.rules[name];
  // The last of an alias' targets is that of OpenAPI 3.1.
  const everywhere = owasp.aliases[rule.given.replace("#", "")].targets.at(-1).given;
  const given = everywhere.flatMap((path) => SENT.map((place) => path.replace("$..", place)));
  return { ...rule, given };
};

// A time is as long as its format lets it be.
const timesAreBounded = (rule) => {
  const { schema } = rule.then.functionOptions;
  const time = { required: ["format"], properties: { format: { const: "date-time" } } };
  return { ...rule, then: { ...rule.then, functionOptions: { schema: { ...schema, anyOf: [...schema.anyOf, time] } } } };
};

export default {
  extends: [owasp],
  rules: {
    "owasp:api4:2023-string-limit": timesAreBounded(sentOnly("owasp:api4:2023-string-limit")),
    "owasp:api4:2023-string-restricted": sentOnly("owasp:api4:2023-string-restricted"),
    "owasp:api4:2023-integer-limit": sentOnly("owasp:api4:2023-integer-limit"),
    "owasp:api4:2023-integer-format": sentOnly("owasp:api4:2023-integer-format"),
    "owasp:api4:2023-array-limit": sentOnly("owasp:api4:2023-array-limit"),
    // The document's one server is whichever deployment serves it.
    "owasp:api9:2023-inventory-access": "off",
    "owasp:api9:2023-inventory-environment": "off",
    // Which origins may call is each deployment's own: CORS_ORIGINS, none by default. crates/api/tests/api/cors.rs holds it.
    "owasp:api8:2023-define-cors-origin": "off",
    // An operation that reads no body and no query answers no 400 and no 422. The tests and the
    // last step of .ci/run check that each operation lists exactly the codes it answers with.
    "owasp:api8:2023-define-error-validation": "off",
  },
  overrides: [
    {
      // Asked every few seconds by platforms that bring no credentials, and answered above all when the rest is full: never counted, never refused.
      files: ["**#/paths/~1health", "**#/paths/~1health~1live", "**#/paths/~1health~1ready"],
      rules: {
        "owasp:api2:2023-read-restricted": "off",
        "owasp:api4:2023-rate-limit": "off",
        "owasp:api4:2023-rate-limit-responses-429": "off",
        "owasp:api8:2023-define-error-responses-401": "off",
      },
    },
    {
      // Public by their nature, and they take nothing that could be wrong: the keys that access tokens and pushes verify under, and which build runs.
      files: ["**#/paths/~1.well-known~1jwks.json", "**#/paths/~1v1~1webhook-keys", "**#/paths/~1version"],
      rules: {
        "owasp:api2:2023-read-restricted": "off",
        "owasp:api8:2023-define-error-responses-401": "off",
      },
    },
    {
      // Logs are for everybody to hold us to, and a receipt is checked for whoever has one: nothing is looked up that is not public.
      files: [
        "**#/paths/~1v1~1vault~1logs~1%7Blog%7D~1checkpoint",
        "**#/paths/~1v1~1vault~1logs~1%7Blog%7D~1policy",
        "**#/paths/~1v1~1vault~1logs~1%7Blog%7D~1tile~1%7Blevel%7D~1%7Btile%7D",
        "**#/paths/~1v1~1vault~1verify",
      ],
      rules: {
        "owasp:api2:2023-read-restricted": "off",
        "owasp:api2:2023-write-restricted": "off",
        "owasp:api8:2023-define-error-responses-401": "off",
      },
    },
    {
      // What is asked before one can log in: the secret is in the body or the cookie, and attempts are counted against a quota of their own.
      files: [
        "**#/paths/~1v1~1auth~1login",
        "**#/paths/~1v1~1auth~1logout",
        "**#/paths/~1v1~1auth~1passkeys~1begin",
        "**#/paths/~1v1~1auth~1passkeys~1finish",
        "**#/paths/~1v1~1auth~1password~1forgot",
        "**#/paths/~1v1~1auth~1password~1reset",
        "**#/paths/~1v1~1auth~1refresh",
        "**#/paths/~1v1~1auth~1signup",
        "**#/paths/~1v1~1auth~1verify-email",
        "**#/paths/~1v1~1auth~1verify-email~1send",
      ],
      rules: {
        "owasp:api2:2023-write-restricted": "off",
        "owasp:api8:2023-define-error-responses-401": "off",
      },
    },
  ],
};
