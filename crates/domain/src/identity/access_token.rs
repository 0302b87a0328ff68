//! Access tokens of people: JWTs (RFC 7519, RFC 9068) that EdDSA signs (RFC 8037), good for 15 minutes, checked without a look at Postgres.

use std::{fmt, str::FromStr};

use chrono::TimeDelta;
use ed25519_dalek::{SigningKey, VerifyingKey};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result as JwtResult},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use signature::{Signer, Verifier};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use kernel::{
    Ids,
    clock::Timestamp,
    crypto::{decode_base64, sha256},
    error::{Code, Error, Result},
    ids::{SessionId, UserId},
};

/// How long one is good for.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// How far the clocks of two replicas may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);
/// RFC 9068, section 2.1.
const TYPE: &str = "at+jwt";
const PREFIX: &str = "jwtk_";
/// Keys that are kept while tokens of the old one are still about, and one to spare.
const MAX_KEYS: usize = 4;

/// The keys: the first signs, all of them verify. So a new key goes in front, and the old one goes once its last token has expired: nobody is
/// logged out.
#[derive(Clone)]
pub struct TokenKeys(Vec<SigningKey>);

/// A text that is not a list of keys; it is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `jwtk_` and the base64 of 32 secret bytes; up to 4 of them, separated by commas, of which the first signs"
)]
pub struct NotTokenKeys;

impl TokenKeys {
    /// One new key.
    pub fn generate(ids: &Ids) -> Self {
        Self(vec![SigningKey::from_bytes(&ids.bytes())])
    }

    /// The secret text, as [`FromStr`] reads it.
    pub fn reveal(&self) -> String {
        self.0.iter().map(|key| format!("{PREFIX}{}", STANDARD.encode(key.to_bytes()))).collect::<Vec<_>>().join(",")
    }

    /// For each key, a secret that is of use for `purpose` alone.
    pub fn derive(&self, purpose: &str) -> Vec<[u8; 32]> {
        let derive = |key: &SigningKey| {
            Sha256::new().chain_update(purpose).chain_update([0]).chain_update(key.to_bytes()).finalize().into()
        };
        self.0.iter().map(derive).collect()
    }
}

impl FromStr for TokenKeys {
    type Err = NotTokenKeys;

    fn from_str(text: &str) -> Result<Self, NotTokenKeys> {
        let key = |text: &str| {
            let bytes = text.trim().strip_prefix(PREFIX).and_then(decode_base64).ok_or(NotTokenKeys)?;
            Ok(SigningKey::from_bytes(&bytes.try_into().map_err(|_| NotTokenKeys)?))
        };
        let keys = text.split(',').map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.len() > MAX_KEYS { Err(NotTokenKeys) } else { Ok(Self(keys)) }
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKeys({} keys)", self.0.len())
    }
}

/// Whom a token proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    /// Who.
    pub user: UserId,
    /// By which login.
    pub session: SessionId,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

/// Mints and checks access tokens. Cloning copies keys.
#[derive(Clone)]
pub struct AccessTokens {
    issuer: String,
    signing: Key,
    verifying: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    id: String,
    secret: SigningKey,
}

impl AccessTokens {
    /// Of the issuer at `public_url`, which is their audience as well: they are for nobody else.
    pub fn new(keys: &TokenKeys, public_url: &url::Url) -> Self {
        // Fails when it was installed before: the same one.
        let _ = ED25519_ALONE.install_default();
        let verifying: Vec<Key> = keys
            .0
            .iter()
            .map(|secret| Key { id: thumbprint(&secret.verifying_key()), secret: secret.clone() })
            .collect();
        // `TokenKeys` has at least one.
        let signing = verifying[0].clone();
        Self { issuer: public_url.as_str().trim_end_matches('/').to_owned(), signing, verifying }
    }

    /// A token for `bearer`, good from `now` on.
    ///
    /// # Errors
    /// None that is known.
    pub fn mint(&self, bearer: Bearer, now: Timestamp, ids: &Ids) -> Result<String> {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            sub: bearer.user,
            sid: bearer.session,
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + LIFETIME).timestamp(),
            jti: URL_SAFE_NO_PAD.encode(ids.bytes::<16>()),
        };
        let header =
            Header { typ: Some(TYPE.to_owned()), kid: Some(self.signing.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let key = EncodingKey::from_ed_der(self.signing.secret.as_bytes());
        jsonwebtoken::encode(&header, &claims, &key).map_err(Error::internal)
    }

    /// Whom `token` proves at `now`.
    ///
    /// # Errors
    /// [`Code::AccessTokenInvalid`], which says only whether it has expired or is none of ours.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<Bearer> {
        let refused = |why: &'static str| Error::new(Code::AccessTokenInvalid, why);
        let none_of_ours = || refused("The access token was not issued by this service, or was changed");
        let header = jsonwebtoken::decode_header(token).map_err(|_| none_of_ours())?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return Err(none_of_ours());
        }
        let key = self.verifying.iter().find(|key| header.kid.as_deref() == Some(&key.id)).ok_or_else(none_of_ours)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Times are held against our clock, which a test can hold still.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        let public = DecodingKey::from_ed_der(key.secret.verifying_key().as_bytes());
        let claims = jsonwebtoken::decode::<Claims>(token, &public, &validation).map_err(|_| none_of_ours())?.claims;
        if claims.exp <= (now - LEEWAY).timestamp() {
            return Err(refused("The access token has expired; refresh it with POST /v1/auth/refresh"));
        }
        if claims.nbf > (now + LEEWAY).timestamp() {
            return Err(refused("The access token is not good yet"));
        }
        Ok(Bearer { user: claims.sub, session: claims.sid })
    }

    /// The public keys, for others to verify with.
    pub fn key_set(&self) -> Jwks {
        let key = |key: &Key| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            r#use: "sig",
            kid: key.id.clone(),
            x: URL_SAFE_NO_PAD.encode(key.secret.verifying_key().as_bytes()),
        };
        Jwks { keys: self.verifying.iter().map(key).collect() }
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessTokens(by {}, {} keys)", self.issuer, self.verifying.len())
    }
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Jwks {
    /// The keys that verify; the first also signs.
    pub keys: Vec<Jwk>,
}

/// An Ed25519 public key as a JSON Web Key (RFC 8037).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Jwk {
    /// `OKP`.
    pub kty: &'static str,
    /// `Ed25519`.
    pub crv: &'static str,
    /// `EdDSA`.
    pub alg: &'static str,
    /// `sig`.
    pub r#use: &'static str,
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// The 32 bytes, base64url.
    pub x: String,
}

/// RFC 7638: SHA-256 over the required members, in lexicographic order.
fn thumbprint(key: &VerifyingKey) -> String {
    let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
    URL_SAFE_NO_PAD.encode(sha256(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes()))
}

/// Ed25519 and nothing else, so that there is no other algorithm that a token could talk us into. Keys come as their 32 bytes.
static ED25519_ALONE: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => {
            let secret = key.as_bytes().try_into().map_err(|_| ErrorKind::InvalidEddsaKey)?;
            Ok(Box::new(Signing(SigningKey::from_bytes(secret))))
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => Ok(Box::new(verifying(key)?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn verifying(key: &DecodingKey) -> JwtResult<Verifying> {
    let public = key.try_get_as_bytes()?.try_into().map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Verifying(VerifyingKey::from_bytes(public).map_err(|_| ErrorKind::InvalidEddsaKey)?))
}

struct Signing(SigningKey);

impl Signer<Vec<u8>> for Signing {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).to_vec())
    }
}

impl JwtSigner for Signing {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Verifying(VerifyingKey);

impl Verifier<Vec<u8>> for Verifying {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_slice(signature)?)
    }
}

impl JwtVerifier for Verifying {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Clock;

    fn tokens(seed: u64) -> (AccessTokens, Ids, Bearer, Timestamp) {
        let ids = Ids::seeded(Clock::system(), seed);
        let url = "https://api.example.com/".parse().unwrap();
        let bearer = Bearer { user: ids.next(), session: ids.next() };
        (AccessTokens::new(&TokenKeys::generate(&ids), &url), ids, bearer, Clock::system().now())
    }

    #[test]
    fn a_token_is_good_for_fifteen_minutes() {
        let (tokens, ids, bearer, now) = tokens(1);
        let token = tokens.mint(bearer, now, &ids).unwrap();
        assert_eq!(tokens.check(&token, now).unwrap(), bearer);
        assert_eq!(tokens.check(&token, now + LIFETIME - TimeDelta::seconds(1)).unwrap(), bearer);
        for wrong in [now + LIFETIME + LEEWAY + TimeDelta::seconds(1), now - LEEWAY - TimeDelta::seconds(1)] {
            assert_eq!(tokens.check(&token, wrong).unwrap_err().code(), Code::AccessTokenInvalid);
        }
    }

    #[test]
    fn nobody_is_logged_out_by_a_new_key() {
        let (_, ids, bearer, now) = tokens(2);
        let url = "https://api.example.com".parse().unwrap();
        let (old, new) = (TokenKeys::generate(&ids), TokenKeys::generate(&ids));
        let both: TokenKeys = format!("{},{}", new.reveal(), old.reveal()).parse().unwrap();
        let (before, during, after) =
            (AccessTokens::new(&old, &url), AccessTokens::new(&both, &url), AccessTokens::new(&new, &url));
        let token = before.mint(bearer, now, &ids).unwrap();
        assert_eq!(during.check(&token, now).unwrap(), bearer);
        assert!(after.check(&token, now).is_err());
        let token = during.mint(bearer, now, &ids).unwrap();
        assert_eq!(after.check(&token, now).unwrap(), bearer);
        assert_eq!(during.key_set().keys.len(), 2);
    }

    /// RFC 2104, for keys of no more than a block.
    fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
        let pad = |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect() };
        let inner = sha256(&[pad(0x36).as_slice(), message].concat());
        sha256(&[pad(0x5c).as_slice(), &inner].concat())
    }

    #[test]
    fn the_hmac_of_the_attack_is_one() {
        // RFC 4231, test case 2.
        let mac = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(mac[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let (tokens, ids, bearer, now) = tokens(3);
        let good = tokens.mint(bearer, now, &ids).unwrap();
        let [header, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let kid = tokens.key_set().keys[0].kid.clone();
        // The public key as the secret of an HMAC: the classic confusion.
        let public = URL_SAFE_NO_PAD.decode(&tokens.key_set().keys[0].x).unwrap();
        let confused = {
            let signed = format!("{}.{claims}", encode(&format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#)));
            let mac = hmac_sha256(&public, signed.as_bytes());
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
        };
        let flipped = format!(
            "{header}.{claims}.{}",
            if signature.starts_with('A') { "B" } else { "A" }.to_owned() + &signature[1..]
        );
        for bad in [
            String::new(),
            "..".to_owned(),
            format!("{header}.{claims}."),
            format!("{}.{claims}.", encode(&format!(r#"{{"alg":"none","typ":"at+jwt","kid":"{kid}"}}"#))),
            format!("{}.{claims}.{signature}", encode(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"another"}"#)),
            format!("{}.{claims}.{signature}", encode(r#"{"alg":"EdDSA","typ":"at+jwt"}"#)),
            confused,
            flipped,
        ] {
            assert_eq!(tokens.check(&bad, now).unwrap_err().code(), Code::AccessTokenInvalid, "{bad}");
        }
    }

    #[test]
    fn another_issuers_token_is_refused_even_under_the_same_key() {
        let ids = Ids::seeded(Clock::system(), 4);
        let keys = TokenKeys::generate(&ids);
        let at = |url: &str| AccessTokens::new(&keys, &url.parse().unwrap());
        let (bearer, now) = (Bearer { user: ids.next(), session: ids.next() }, Clock::system().now());
        let token = at("https://staging.example.com").mint(bearer, now, &ids).unwrap();
        assert!(at("https://api.example.com").check(&token, now).is_err());
    }
}
