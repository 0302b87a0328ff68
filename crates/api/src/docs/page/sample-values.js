// Example values for names that the document has no example of.

const HASH = "zBCtDm764G6ejhQu/16+kTegbnjNpcIz8Pso1USHuyo=";
const HEX = "ab1f0c27155ea0ce98806e6dbf40200315f2d31188aea8707c7d6451258d7d08";
const ORIGIN = "api.example.com/v1/vault/logs/log_019aa3f0c1d27abc8def0123456789ab";
const KEY_ID = "key_019aa3f0c1d27abc8def0123456789ab";
const USER_ID = "usr_019aa3f0c1d27abc8def0123456789ab";

/** Values by name; of several, the first one of the right type is used. */
export const SAMPLES = {
  // People and credentials
  name: ["Ada Lovelace"],
  email: ["ada@example.com"],
  password: ["correct horse battery staple"],
  current_password: ["correct horse battery staple"],
  access_token: ["eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9…"],
  token_type: ["Bearer"],
  refresh_token: ["hfr_…"],
  token: ["hfm_…"],
  key: [`hf_production_${KEY_ID.slice(4)}_…`],
  credential: [{ id: "…", type: "public-key", response: {} }],
  options: [{ publicKey: {} }],
  role: ["owner"],
  kty: ["OKP"],
  crv: ["Ed25519"],
  alg: ["EdDSA"],
  use: ["sig"],
  // Messages
  type: ["translation.request"],
  payload: [{ text: "Good morning", to: "de" }],
  session_id: ["run-42"],
  correlation_id: ["run-42"],
  attempt: [1],
  delay_seconds: [30],
  reason: ["The recipient is overloaded"],
  // The vault
  kind: ["payment.decision"],
  verdict: ["ALLOW"],
  verdicts: [{ ALLOW: 12, DENY: 1 }],
  proposal: [12],
  subject: ["order-7"],
  tag: ["refund"],
  tags: ["refund"],
  personal: [{ name: "Ada Lovelace" }],
  value: [{ name: "Ada Lovelace" }],
  index: [12],
  size: [13],
  total: [13],
  from: [5, "2026-11-21T00:00:00Z"],
  to: [13, "2026-11-22T00:00:00Z"],
  root: [HASH],
  from_root: [HASH],
  to_root: [HASH],
  hashes: [HASH],
  inclusion_proof: [HASH],
  leaf_hash: [HEX],
  salt: [HEX],
  personal_sha256: [HEX],
  checkpoint: [`${ORIGIN}\n13\n${HASH}\n\n— ${ORIGIN} …\n`],
  receipt: ["c2sp.org/tlog-proof@v1\nextra …"],
  keys: [`${ORIGIN}+f680425e+AQNFlP8qead6QCnDJy4gS9cfBSqKpc5GxYztK0RhcO8n`],
  level: ["0"],
  tile: ["000"],
  // The audit log and sessions
  actor: [KEY_ID],
  created_by: [USER_ID],
  action: ["api_key.created"],
  method: ["password"],
  address: ["203.0.113.7"],
  user_agent: ["curl/8.14.1"],
  // The service
  version: [1, "0.1.0"],
  commit: ["4f2a9c1"],
  environment: ["production"],
  status: [409, "ok"],
  detail: ["A mail is on its way"],
  seconds: [60],
  expires_in: [900],
  uptime_seconds: [86400],
  latency_ms: [0.8],
  request_id: ["7d1c5f0a9b3e4c2d8f6a1b2c3d4e5f60"],
  // Headers
  "If-Match": ['"v1"'],
  "Idempotency-Key": ["6b1f0c52-9d0e-4a53-8e7a-0c1d2e3f4a5b"],
};

/** Values by name that fit the operations of one tag better. */
export const SAMPLES_OF_TAG = {
  organizations: { name: "Ada's workshop" },
  projects: { name: "Payments" },
  keys: { name: "nightly import" },
  agents: { name: "Translator", tags: "translation" },
  passkeys: { name: "Laptop" },
  vault: {
    detail: "The receipt is valid",
    payload: { amount: "129.00", currency: "EUR" },
    reason: "The amount is over the limit",
  },
  audit: { subject: KEY_ID, actor: USER_ID },
};

/** Nullable fields that most values do not have. */
export const ABSENT = new Set(["replaces", "reply_to"]);
