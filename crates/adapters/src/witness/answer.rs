//! The answers of a witness, as tlog-witness defines them.

use kernel::effect::{Effect, Failed};
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use vault::WitnessAnswer;

/// The type of the answer that states the size which the witness knows.
const SIZE: &str = "text/x.tlog.size";

/// Returns whether the body states a size.
pub(super) fn is_size(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(SIZE))
}

/// Reads a number without sign, spaces and leading zeros, and a newline.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('\n')?;
    digits.parse().ok().filter(|size: &u64| size.to_string() == digits)
}

/// Reads one or more lines that begin as those of signatures do, each ended by a newline.
pub(super) fn lines(text: &str) -> Option<Vec<String>> {
    let lines: Vec<_> = text.strip_suffix('\n')?.split('\n').map(str::to_owned).collect();
    lines.iter().all(|line| line.starts_with("— ")).then_some(lines)
}

/// Creates a refusal, in words for the operator.
pub(super) fn refused(reason: &str) -> WitnessAnswer {
    WitnessAnswer::Refused(reason.to_owned())
}

/// Explains every status but 200 and 409: what it means by tlog-witness, and what to do.
pub(super) fn explain(status: StatusCode) -> Effect<WitnessAnswer> {
    let code = status.as_u16();
    let reason = match code {
        400 => "it cannot read the checkpoint, or does not take one of this form (400)",
        403 => {
            "it trusts none of the keys that signed the checkpoint (403): give its operator this log's \
             verifier keys"
        }
        404 => {
            "it does not know this log, or its URL is wrong (404): give its operator the log's origin and \
             verifier keys"
        }
        422 => {
            let reason = "the log does not continue what it cosigned before (422): was a backup restored, \
                          or the log changed?";
            return Ok(WitnessAnswer::Forked(reason.to_owned()));
        }
        300..400 => return Ok(refused(&format!("it answered {code}: redirects are not followed"))),
        408 | 425 | 429 | 500.. => return Err(Failed::new(format!("it answered {code}"))),
        _ => return Ok(refused(&format!("it answered {code}"))),
    };
    Ok(refused(reason))
}
