//! The names of a request: `x-request-id`, and W3C Trace Context's `traceparent`.

use axum::http::HeaderMap;
use kernel::Ids;
use uuid::Uuid;

/// Returns the client's `x-request-id` when it is fit for logs and rows, and a new one otherwise.
pub(super) fn request_id(headers: &HeaderMap, ids: &Ids) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let fit = |id: &&str| {
        (8..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    };
    given.filter(fit).map_or_else(|| ids.next::<Uuid>().simple().to_string(), str::to_owned)
}

/// Returns the trace that this request belongs to, with a span of our own. Jobs and outgoing calls
/// continue it.
pub(super) fn traceparent(headers: &HeaderMap, ids: &Ids) -> String {
    let given = headers.get("traceparent").and_then(|value| value.to_str().ok()).and_then(parse);
    let span = u64::from_be_bytes(ids.bytes::<8>()) | 1;
    match given {
        Some((trace, flags)) => format!("00-{trace}-{span:016x}-{flags}"),
        None => format!("00-{:032x}-{span:016x}-00", u128::from_be_bytes(ids.bytes::<16>()) | 1),
    }
}

/// Returns the trace id of a `traceparent` that [`traceparent`] made.
pub(super) fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap_or_default()
}

/// Returns the trace id and flags of a valid header (Trace Context, section 3.2). Later versions
/// may append fields.
fn parse(header: &str) -> Option<(&str, &str)> {
    let mut fields = header.split('-');
    let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let whole = hex(version, 2) && version != "ff" && (version != "00" || fields.next().is_none());
    let sound = whole && hex(trace, 32) && !zero(trace) && hex(span, 16) && !zero(span) && hex(flags, 2);
    sound.then_some((trace, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sound_traceparent_is_carried_on() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(parse(&format!("00-{trace}-b7ad6b7169203331-01")), Some((trace, "01")));
        for bad in [
            "",
            "00-0-0-0",
            &format!("ff-{trace}-b7ad6b7169203331-01"),
            &format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            &format!("00-{trace}-b7ad6b7169203331-01-x"),
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
