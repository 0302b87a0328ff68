//! The texts for models.

/// The purpose of the server.
pub(super) const INSTRUCTIONS: &str = "The vault of one Holdfast project: a log that only grows, in which \
    decisions, actions and facts are sealed so that a stranger can later check that they were recorded, \
    when, by whom, and that nothing was changed or left out. Seal what you decide or do with vault_seal; \
    find what was sealed with vault_query; prove a seal with vault_receipt; check a proof with vault_verify. \
    A refusal is an object with a stable `code` and a sentence, `detail`, that says what to do; `errors` \
    names the arguments that break a rule, as JSON pointers.";

pub(super) const SEAL: &str = "Appends one record to the project's tamper-evident log: a decision you made, \
    an action you took or refused, a fact that must be provable later. Use it once what is recorded is \
    settled, or with the verdict HOLD before acting on what a person must approve. It cannot be undone or \
    changed; a mistake is corrected by a further seal with the verdict VOID. The result comes after the \
    commit: `index`, the seal's place in the log, with the signed checkpoint and the proof that the seal is \
    in it. Requires the permission vault:write.";

pub(super) const QUERY: &str = "Finds seals of the project's log, newest first: those that all given filters \
    select, or the newest when none is given. Use it to see what was recorded or decided before, in this \
    session or in others. The result has `data`, up to `limit` seals with what they record, and \
    `next_cursor`, to be passed as `cursor` for older ones; null when there are none. Personal data is never \
    shown. Requires the permission vault:read.";

pub(super) const RECEIPT: &str = "Gets the receipt of one seal, by its `index`: a text that proves, offline \
    and to anybody who knows the log's keys, that the seal is in the log (C2SP tlog-proof). Use it when \
    somebody must be able to check a seal without trusting this service. Pass the text on unchanged, line \
    breaks included. Requires the permission vault:read.";

pub(super) const VERIFY: &str = "Checks a receipt, as vault_receipt gives it, of any log of this service. \
    Use it before relying on a receipt that somebody handed you. The result has `valid`; and when it is not, \
    `flaw` and `detail` say the first thing that is wrong. The answer is as good as this server: whoever \
    trusts nobody checks receipts with a tool of their own. Requires no permission.";
