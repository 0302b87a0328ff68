//! E-mail addresses: plain ASCII, so that two accounts can never look like one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An address (RFC 5321) that mail can be sent to. Its local part is ASCII; an international domain
/// is kept in its ASCII form (UTS 46), in which confusable letters differ. `Display` shows it as
/// typed except for the domain; [`Email::key`] tells accounts apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(into = "String", try_from = "String")]
#[sqlx(transparent)]
pub struct Email(String);

/// The error for text that is not such an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address such as ada@example.com, of ASCII letters before the @")]
pub struct NotAnEmail;

/// The longest local part (RFC 5321, section 4.5.3.1).
const MAX_LOCAL: usize = 64;
const MAX_LENGTH: usize = 254;

impl Email {
    /// Returns the key that tells accounts apart: the address in lower case.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = NotAnEmail;

    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        if text.len() > MAX_LENGTH {
            return Err(NotAnEmail);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnEmail)?;
        // A dot-atom (RFC 5322): no quoting, comments or control characters, so nothing that could
        // break out of a header.
        let atom = |atom: &str| {
            !atom.is_empty()
                && atom
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
        };
        if local.len() > MAX_LOCAL || !local.split('.').all(atom) {
            return Err(NotAnEmail);
        }
        let domain = match url::Host::parse(domain) {
            Ok(url::Host::Domain(domain)) if is_host_name(&domain) => domain,
            _ => return Err(NotAnEmail),
        };
        let whole = format!("{local}@{domain}");
        if whole.len() > MAX_LENGTH { Err(NotAnEmail) } else { Ok(Self(whole)) }
    }
}

/// Returns true when a domain has at least two labels of letters, digits and inner hyphens.
fn is_host_name(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.contains('.') && domain.split('.').all(label)
}

impl TryFrom<String> for Email {
    type Error = NotAnEmail;

    fn try_from(text: String) -> Result<Self, NotAnEmail> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_key() {
        let key = |text: &str| text.parse::<Email>().map(|email| email.key());
        assert_eq!(key("Ada@Example.COM"), Ok("ada@example.com".to_owned()));
        assert_eq!(key("a.b+c@bücher.example"), Ok("a.b+c@xn--bcher-kva.example".to_owned()));
        // A Cyrillic а is another letter, in the local part and in the domain.
        assert_eq!(key("аda@example.com"), Err(NotAnEmail));
        assert_ne!(key("ada@exаmple.com").unwrap(), "ada@example.com");
    }

    #[test]
    fn what_could_break_out_of_a_header_is_no_address() {
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@127.0.0.1",
            "ada@[::1]",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada\r\n@example.com",
            "\"ada\"@example.com",
            "ada @example.com",
            "ada..b@example.com",
            "ada@exa_mple.com",
            "Ada <ada@example.com>",
            "ada\0@example.com",
            "ada,eve@example.com",
        ] {
            assert_eq!(bad.parse::<Email>(), Err(NotAnEmail), "{bad:?}");
        }
        assert!(format!("{}@example.com", "a".repeat(65)).parse::<Email>().is_err());
    }
}
