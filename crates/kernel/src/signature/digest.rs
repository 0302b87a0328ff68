//! `Content-Digest` (RFC 9530).

use sfv::{BareItem, Dictionary, ListEntry, Parser};
use sha2::{Digest, Sha256, Sha512};

use super::base::RequestParts;
use crate::error::{Code, Error, Result};

/// Requires that the body is the one the signature covers: every digest of an algorithm known here
/// must match, and there must be one.
///
/// # Errors
/// [`Code::DigestMissing`], [`Code::DigestMismatch`].
pub fn check_content_digest(request: &RequestParts<'_>, body: &[u8]) -> Result<()> {
    let Some(header) = request.header("content-digest")? else {
        return Err(digest_missing());
    };
    let dictionary = Parser::new(&header).parse::<Dictionary>().map_err(|_| {
        Error::new(Code::DigestMissing, "`Content-Digest` must be a dictionary such as `sha-256=:<base64>:`")
    })?;
    let mut matched = false;
    for (algorithm, entry) in &dictionary {
        let expected = match algorithm.as_str() {
            "sha-256" => Sha256::digest(body).to_vec(),
            "sha-512" => Sha512::digest(body).to_vec(),
            _ => continue,
        };
        let ListEntry::Item(item) = entry else { continue };
        if !matches!(&item.bare_item, BareItem::ByteSequence(given) if *given == expected) {
            let detail =
                format!("The body's {} digest is not the one in `Content-Digest`", algorithm.as_str());
            return Err(Error::new(Code::DigestMismatch, detail));
        }
        matched = true;
    }
    if matched {
        Ok(())
    } else {
        Err(Error::new(Code::DigestMissing, "`Content-Digest` must hold a sha-256 or sha-512 digest"))
    }
}

/// Returns the error for a signed request that has a body and no digest of it.
pub fn digest_missing() -> Error {
    Error::new(Code::DigestMissing, "Send `Content-Digest: sha-256=:<base64>:` of the body, and cover it")
}
