// Puts values into words.

export const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Joins words with commas and a last "or". */
export const alternatives = (words) => {
  const unique = [...new Set(words)];
  return unique.length < 2 ? unique.join("") : `${unique.slice(0, -1).join(", ")} or ${unique.at(-1)}`;
};

/** Writes 262144 as 262,144. */
export const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

/** Says between which bounds a number lies, or null without bounds. */
export const bounds = (least, most, unit) => {
  const count = (n) => `${grouped(n)}${unit ? ` ${unit}${n === 1 ? "" : "s"}` : ""}`;
  if (least === undefined && most === undefined) return null;
  if (most === undefined) return least ? `at least ${count(least)}` : unit ? null : "0 or more";
  if (least === most) return `exactly ${count(most)}`;
  if (least === undefined || (unit && !least)) return `at most ${count(most)}`;
  return `${grouped(least)} to ${count(most)}`;
};

// Patterns whose meaning is known.
const PATTERNS = {
  "^[^\\u0000]*$": "no NUL",
  "^[^\\u0000-\\u001f\\u007f]*$": "no control characters",
  "^[^\\u0000-\\u001f\\u007f-\\u009f]*$": "no control characters",
  "^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f-\\u009f]*$": "no control characters, and not `.` or `..`",
  "^[A-Za-z0-9+/_-]{43}=?$": "32 bytes in base64 or base64url",
  "^[0-9]{3}$": "three digits",
  "^([0-7]|entries)$": "`0` to `7`, or `entries`",
  '^(\\*|"v[0-9]+")$': 'a version such as `"v1"`, or `*`',
  "^[A-Za-z0-9_-]{21}[AQgw]$": "an unchanged `next_cursor`",
  '^("[!#-~]{1,255}"|[!#-~]{1,255})$': "visible ASCII without inner quotes",
};

/** Describes a pattern, or quotes it when its meaning is not known. */
export const patternInWords = (pattern) => {
  if (PATTERNS[pattern]) return PATTERNS[pattern];
  const [, id, digits] = /^\^([a-z]+_)\[0-9a-f\]\{(\d+)\}\$$/.exec(pattern) ?? [];
  if (id) return `\`${id}\` and ${digits} hexadecimal digits`;
  const [, token] = /^\^([a-z]+_)\[1-9A-HJ-NP-Za-km-z\]/.exec(pattern) ?? [];
  if (token) return `begins with \`${token}\``;
  if (pattern.startsWith("^agt_")) return "an id (`agt_…`) or a DID (`did:…`)";
  if (pattern.startsWith("^did:")) return "a DID: `did:`, a method, `:` and an identifier";
  if (pattern.startsWith("^https?:")) return "an absolute URL without a fragment";
  if (pattern.includes("@[^@")) return "exactly one `@`";
  return `matches \`${pattern}\``;
};
