//! The last line of defense: strikes secrets out of whatever reaches a log line or an error report.

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::LazyLock,
};

use regex::Regex;
use tracing_subscriber::fmt::MakeWriter;

/// API keys, signing keys, bearer tokens and the passwords of URLs. No match crosses a quotation
/// mark, so JSON stays JSON.
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<key>hf_[a-z]+_[0-9a-f]{32}_)[0-9A-Za-z]+",
        r"|(?P<signing>whsk_|jwtk_|vsk_|vkek_)[0-9A-Za-z+/=_-]+",
        r"|\b(?P<api>hfr_|re_)[0-9A-Za-z_]{16,}",
        r"|(?P<jwt>eyJ)[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]*",
        r"|(?P<bearer>(?:[Bb]earer|[Bb]asic) )[0-9A-Za-z._~+/=-]+",
        r#"|(?P<url>://[^\s:/@"\\]*:)[^\s/@"\\]+@"#,
    ))
    .ok()
});

/// Returns `text` with secrets replaced by `***`.
pub fn redact(text: &str) -> Cow<'_, str> {
    match SECRETS.as_ref() {
        Some(secrets) => secrets.replace_all(text, |found: &regex::Captures<'_>| {
            let kept = ["key", "signing", "api", "jwt", "bearer"].iter().find_map(|name| found.name(name));
            match (kept, found.name("url")) {
                (Some(kept), _) => format!("{}***", kept.as_str()),
                (None, Some(url)) => format!("{}***@", url.as_str()),
                (None, None) => "***".to_owned(),
            }
        }),
        None => Cow::Borrowed("(a log line was withheld: the redaction pattern is broken)\n"),
    }
}

/// Writes redacted lines to standard error. `tracing_subscriber` hands over one whole event at a
/// time.
#[derive(Clone, Copy)]
pub(super) struct Redacting;

impl Write for Redacting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(redact(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Redacting {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_struck_out_and_the_rest_stays() {
        for (line, wanted) in [
            (
                "key hf_live_0123456789abcdef0123456789abcdef_Abc123 used",
                "key hf_live_0123456789abcdef0123456789abcdef_*** used",
            ),
            ("at postgres://me:pass@db:5432/x", "at postgres://me:***@db:5432/x"),
            ("redis://:pass@cache", "redis://:***@cache"),
            ("authorization: Bearer abc.def", "authorization: Bearer ***"),
            ("WEBHOOK_SIGNING_KEY=whsk_AbC+/=", "WEBHOOK_SIGNING_KEY=whsk_***"),
            ("JWT_SIGNING_KEY=jwtk_AbC+/=,jwtk_x", "JWT_SIGNING_KEY=jwtk_***,jwtk_***"),
            ("VAULT_KEK=vkek_AbC+/= VAULT_SIGNING_KEY=vsk_x", "VAULT_KEK=vkek_*** VAULT_SIGNING_KEY=vsk_***"),
            ("hfr_4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi spent", "hfr_*** spent"),
            ("code signature_verification_failed", "code signature_verification_failed"),
            ("token eyJhbGci.eyJpc3Mi.Si-g_ refused", "token eyJ*** refused"),
            ("at https://example.com/a:b@c", "at https://example.com/a:b@c"),
            (r#"{"at":"http://host:80","by":"a@b"}"#, r#"{"at":"http://host:80","by":"a@b"}"#),
        ] {
            assert_eq!(redact(line), wanted);
        }
    }
}
