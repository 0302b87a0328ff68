//! Signs requests as an agent does: RFC 9421 with Ed25519, and Content-Digest (RFC 9530).
//!
//! It is written from the RFCs and not from the server's code, so that each checks the other. Every
//! part of a signature can be made wrong on purpose.

use std::fmt::{self, Write};

use anyhow::{Context, Result, bail};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use kernel::{Clock, Ids};
use reqwest::{Method, Url, header::HeaderMap};
use sha2::{Digest, Sha256};

/// The multicodec prefix of an Ed25519 public key.
const ED25519_PUB: [u8; 2] = [0xed, 0x01];

/// An Ed25519 key and its `did:key`.
#[derive(Clone)]
pub struct Identity {
    key: SigningKey,
    did: String,
}

impl Identity {
    /// Generates an identity.
    pub fn generate() -> Self {
        Self::from_seed(Ids::new(Clock::system()).bytes())
    }

    /// Generates the same identity for the same seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(&seed);
        let did = format!(
            "did:key:z{}",
            bs58::encode([&ED25519_PUB, &key.verifying_key().as_bytes()[..]].concat()).into_string()
        );
        Self { key, did }
    }

    /// Returns the DID, `did:key:z6Mk…`.
    pub fn did(&self) -> &str {
        &self.did
    }

    /// Returns the public key in base64url.
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    /// Returns the Ed25519 signature of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.did)
    }
}

/// Returns whether the key of a `did:key` made `signature` (base64) over `message`. A recipient
/// checks a sender in this way, offline.
///
/// # Errors
/// Fails on a DID that is not a `did:key` of Ed25519, and on text that is not base64.
pub fn verifies(did: &str, message: &[u8], signature: &str) -> Result<bool> {
    let encoded = did.strip_prefix("did:key:z").context("not a did:key in base58btc")?;
    let bytes = bs58::decode(encoded).into_vec()?;
    let key: [u8; 32] = bytes.strip_prefix(&ED25519_PUB).context("not an Ed25519 key")?.try_into()?;
    let signature = STANDARD.decode(signature).or_else(|_| URL_SAFE_NO_PAD.decode(signature))?;
    let signature = ed25519_dalek::Signature::from_slice(&signature)?;
    Ok(VerifyingKey::from_bytes(&key)?.verify_strict(message, &signature).is_ok())
}

/// The content of a signature. [`Signing::by`] makes a correct one; change a field to make it
/// wrong, or clear it to leave it out.
#[derive(Debug, Clone)]
pub struct Signing {
    /// The signing identity.
    pub signer: Identity,
    /// The label in both headers.
    pub label: String,
    /// The covered components, in order.
    pub components: Vec<String>,
    /// Seconds since 1970.
    pub created: Option<i64>,
    /// Seconds since 1970.
    pub expires: Option<i64>,
    /// At least eight characters that were never used before.
    pub nonce: Option<String>,
    /// The signer's DID.
    pub keyid: Option<String>,
    /// `ed25519`.
    pub alg: Option<String>,
}

impl Signing {
    /// Creates a correct signature: method, target and body are covered, it was made now, and its
    /// nonce is new.
    pub fn by(signer: &Identity, clock: &Clock) -> Self {
        let nonce: [u8; 16] = Ids::new(clock.clone()).bytes();
        Self {
            signer: signer.clone(),
            label: "sig1".to_owned(),
            components: ["@method", "@target-uri", "content-digest"].map(str::to_owned).to_vec(),
            created: Some(clock.now().timestamp()),
            expires: None,
            nonce: Some(URL_SAFE_NO_PAD.encode(nonce)),
            keyid: Some(signer.did.clone()),
            alg: Some("ed25519".to_owned()),
        }
    }

    /// Returns the values of `Signature-Input` and `Signature` for a request with these headers.
    ///
    /// # Errors
    /// Fails on a covered component that the request does not have.
    pub fn sign(&self, method: &Method, url: &Url, headers: &HeaderMap) -> Result<(String, String)> {
        let params = self.params();
        let base = self.base(&params, method, url, headers)?;
        let signature = STANDARD.encode(self.signer.sign(base.as_bytes()));
        Ok((format!("{}={params}", self.label), format!("{}=:{signature}:", self.label)))
    }

    /// Returns the parameters, `("@method" …);created=…;keyid="…"` (section 2.3).
    fn params(&self) -> String {
        let covered: Vec<_> = self.components.iter().map(|component| format!("\"{component}\"")).collect();
        let mut params = format!("({})", covered.join(" "));
        for (name, value) in [("created", self.created), ("expires", self.expires)] {
            if let Some(value) = value {
                let _ = write!(params, ";{name}={value}");
            }
        }
        for (name, value) in [("nonce", &self.nonce), ("keyid", &self.keyid), ("alg", &self.alg)] {
            if let Some(value) = value {
                let _ = write!(params, ";{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
            }
        }
        params
    }

    /// Returns the signature base (section 2.5).
    fn base(&self, params: &str, method: &Method, url: &Url, headers: &HeaderMap) -> Result<String> {
        let mut base = String::new();
        for component in &self.components {
            let value = component_value(component, method, url, headers)?;
            let _ = writeln!(base, "\"{component}\": {value}");
        }
        let _ = write!(base, "\"@signature-params\": {params}");
        Ok(base)
    }
}

/// Returns the value of a component: section 2.2 for what starts with `@`, 2.1 for headers.
fn component_value(component: &str, method: &Method, url: &Url, headers: &HeaderMap) -> Result<String> {
    let host = url.host_str().unwrap_or_default();
    Ok(match component {
        "@method" => method.as_str().to_owned(),
        "@target-uri" => url.as_str().to_owned(),
        "@scheme" => url.scheme().to_owned(),
        "@authority" => url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
        "@path" => url.path().to_owned(),
        "@query" => format!("?{}", url.query().unwrap_or_default()),
        "@request-target" => {
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
        }
        // It is not a component of requests; the API must refuse it.
        odd if odd.starts_with('@') => String::new(),
        header => {
            let values = headers.get_all(header).into_iter().map(|value| Ok(value.to_str()?.trim()));
            let values = values.collect::<Result<Vec<_>>>()?;
            if values.is_empty() {
                bail!("the request has no header `{header}` to cover");
            }
            values.join(", ")
        }
    })
}

/// Returns the value of `Content-Digest` for a body.
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks appendix B.2.6 of RFC 9421 with the key of B.1.4.
    #[test]
    fn the_example_of_the_rfc_comes_out_byte_for_byte() {
        let seed = URL_SAFE_NO_PAD.decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU").unwrap();
        let signing = Signing {
            signer: Identity::from_seed(seed.try_into().unwrap()),
            label: "sig-b26".to_owned(),
            components: ["date", "@method", "@path", "@authority", "content-type", "content-length"]
                .map(str::to_owned)
                .to_vec(),
            created: Some(1_618_884_473),
            expires: None,
            nonce: None,
            keyid: Some("test-key-ed25519".to_owned()),
            alg: None,
        };
        let mut headers = HeaderMap::new();
        headers.insert("date", "Tue, 20 Apr 2021 02:07:55 GMT".parse().unwrap());
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("content-length", "18".parse().unwrap());
        let url = Url::parse("https://example.com/foo?param=Value&Pet=dog").unwrap();
        let (input, signature) = signing.sign(&Method::POST, &url, &headers).unwrap();
        assert_eq!(
            input,
            "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")\
             ;created=1618884473;keyid=\"test-key-ed25519\""
        );
        assert_eq!(
            signature,
            "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDn\
             QCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
        );
    }

    /// Checks appendix D of RFC 9530.
    #[test]
    fn the_digest_of_the_rfc() {
        assert_eq!(
            content_digest(b"{\"hello\": \"world\"}\n"),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }

    #[test]
    fn a_did_key_verifies_what_its_key_signed() {
        let identity = Identity::from_seed([7; 32]);
        let signature = STANDARD.encode(identity.sign(b"hello"));
        assert!(verifies(identity.did(), b"hello", &signature).unwrap());
        assert!(!verifies(identity.did(), b"hullo", &signature).unwrap());
        assert!(!verifies(Identity::from_seed([8; 32]).did(), b"hello", &signature).unwrap());
    }
}
