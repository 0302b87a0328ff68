//! Issuing and checking access tokens.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kernel::{
    Ids,
    clock::Timestamp,
    error::{Code, Error, Result},
    ids::{SessionId, UserId},
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    ed25519::ED25519_ALONE,
    key_set::Jwks,
    keys::{TokenKey, TokenRing},
};

/// The time for which a token is valid.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// The most that the clocks of two replicas may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);
/// The header's `typ` (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";

/// The codes of [`AccessTokens::check`].
pub const CHECK_ERRORS: &[Code] = &[Code::AccessTokenInvalid];

/// The person whom a token proves, and their login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    /// The person.
    pub user: UserId,
    /// Their login.
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

/// Issues and checks access tokens. Cloning copies keys.
#[derive(Clone)]
pub struct AccessTokens {
    issuer: String,
    /// The first key signs, all verify. There is at least one.
    keys: Vec<TokenKey>,
}

impl AccessTokens {
    /// Creates the issuer at `public_url`, which is also the only audience of the tokens.
    pub fn new(ring: &TokenRing, public_url: &Url) -> Self {
        // Fails when the same provider was installed before.
        let _ = ED25519_ALONE.install_default();
        let issuer = public_url.as_str().trim_end_matches('/').to_owned();
        Self { issuer, keys: ring.keys().iter().map(TokenKey::new).collect() }
    }

    /// Issues a token for `bearer`, valid from `now` on.
    ///
    /// # Errors
    /// `Internal` when the library refuses the key.
    pub fn issue(&self, bearer: Bearer, now: Timestamp, ids: &Ids) -> Result<String> {
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
        let key = self.keys.first().ok_or_else(|| Error::internal("a key ring is empty"))?;
        let header =
            Header { typ: Some(TYPE.to_owned()), kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let secret = EncodingKey::from_ed_der(key.secret.as_bytes());
        jsonwebtoken::encode(&header, &claims, &secret).map_err(Error::internal)
    }

    /// Returns the person whom `token` proves at `now`.
    ///
    /// # Errors
    /// [`CHECK_ERRORS`]; the detail says only that it has expired or that it was not issued here.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<Bearer> {
        let refused = |why: &'static str| Error::new(Code::AccessTokenInvalid, why);
        let foreign = || refused("The access token was not issued by this service, or was changed");
        let header = jsonwebtoken::decode_header(token).map_err(|_| foreign())?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return Err(foreign());
        }
        let key = self.keys.iter().find(|key| header.kid.as_deref() == Some(&key.id)).ok_or_else(foreign)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Times are compared with our clock, which a test can hold still.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        let public = DecodingKey::from_ed_der(key.secret.verifying_key().as_bytes());
        let claims =
            jsonwebtoken::decode::<Claims>(token, &public, &validation).map_err(|_| foreign())?.claims;
        if claims.exp <= (now - LEEWAY).timestamp() {
            return Err(refused("The access token has expired; refresh it with POST /v1/auth/refresh"));
        }
        if claims.nbf > (now + LEEWAY).timestamp() {
            return Err(refused("The access token is not valid yet"));
        }
        Ok(Bearer { user: claims.sub, session: claims.sid })
    }

    /// Returns the public keys.
    pub fn key_set(&self) -> Jwks {
        Jwks::new(&self.keys)
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessTokens(by {}, {} keys)", self.issuer, self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use kernel::Clock;
    use sha2::Sha256;

    use super::*;

    fn tokens(seed: u64) -> (AccessTokens, Ids, Bearer, Timestamp) {
        let ids = Ids::seeded(Clock::system(), seed);
        let url = "https://api.example.com/".parse().unwrap();
        let bearer = Bearer { user: ids.next(), session: ids.next() };
        (AccessTokens::new(&TokenRing::generate(&ids), &url), ids, bearer, Clock::system().now())
    }

    #[test]
    fn a_token_is_valid_for_fifteen_minutes() {
        let (tokens, ids, bearer, now) = tokens(1);
        let token = tokens.issue(bearer, now, &ids).unwrap();
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
        let (old, new) = (TokenRing::generate(&ids), TokenRing::generate(&ids));
        let both: TokenRing = format!("{},{}", new.reveal(), old.reveal()).parse().unwrap();
        let (before, during, after) =
            (AccessTokens::new(&old, &url), AccessTokens::new(&both, &url), AccessTokens::new(&new, &url));
        let token = before.issue(bearer, now, &ids).unwrap();
        assert_eq!(during.check(&token, now).unwrap(), bearer);
        assert!(after.check(&token, now).is_err());
        let token = during.issue(bearer, now, &ids).unwrap();
        assert_eq!(after.check(&token, now).unwrap(), bearer);
        assert_eq!(during.key_set().keys.len(), 2);
    }

    #[test]
    fn a_forged_token_is_refused() {
        let (tokens, ids, bearer, now) = tokens(3);
        let good = tokens.issue(bearer, now, &ids).unwrap();
        let [header, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let kid = tokens.key_set().keys[0].kid.clone();
        // The public key as the secret of an HMAC: the classic confusion.
        let public = URL_SAFE_NO_PAD.decode(&tokens.key_set().keys[0].x).unwrap();
        let confused = {
            let signed =
                format!("{}.{claims}", encode(&format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#)));
            let mac = Hmac::<Sha256>::new_from_slice(&public).unwrap().chain_update(&signed).finalize();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
        };
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let flipped = format!("{header}.{claims}.{first}{}", &signature[1..]);
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
        let ring = TokenRing::generate(&ids);
        let at = |url: &str| AccessTokens::new(&ring, &url.parse().unwrap());
        let (bearer, now) = (Bearer { user: ids.next(), session: ids.next() }, Clock::system().now());
        let token = at("https://staging.example.com").issue(bearer, now, &ids).unwrap();
        assert!(at("https://api.example.com").check(&token, now).is_err());
    }
}
