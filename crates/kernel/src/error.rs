//! One error for every use case, independent of the transport: a stable code, a sentence for the
//! person, a cause for the log.

use std::{borrow::Cow, error::Error as StdError, fmt, time::Duration};

use serde::Serialize;

/// The result of every use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The codes that a use case can fail with, beside those of its extractors and of the edge, in
/// groups. Documentation lists them, and a full run of the tests meets each.
pub type Codes = &'static [&'static [Code]];

/// The kind of a failure; the HTTP layer turns each into one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read at all (400).
    Malformed,
    /// The caller has not proved who they are (401).
    Unauthenticated,
    /// The caller may not do this (403).
    Forbidden,
    /// There is nothing of that name for this caller (404).
    NotFound,
    /// The resource does not have that method (405).
    MethodNotAllowed,
    /// The client was too slow to send its request (408).
    Timeout,
    /// The request collides with the current state (409).
    Conflict,
    /// The resource is no longer in the version that the request names (412).
    PreconditionFailed,
    /// The change does not say which version it was made from (428).
    PreconditionRequired,
    /// The request is larger than the route takes (413).
    TooLarge,
    /// The body is not of a type the route takes (415).
    UnsupportedType,
    /// The request can be read, but breaks a rule (422).
    Invalid,
    /// Too many requests (429).
    RateLimited,
    /// Something needed is away; the same request may succeed later (503).
    Unavailable,
    /// A fault of ours (500).
    Internal,
}

/// Defines the catalog of codes: name on the wire, kind, and title.
macro_rules! codes {
    ($($name:ident = $wire:literal, $kind:ident, $title:literal;)*) => {
        /// A stable, documented name of one way to fail. The whole catalog is served at
        /// `/problems`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// Returns the code on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $wire,)* }
            }

            /// Returns the kind of the failure.
            pub fn kind(self) -> Kind {
                match self { $(Code::$name => Kind::$kind,)* }
            }

            /// Returns the short, constant text that RFC 9457 calls `title`.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    MalformedRequest = "malformed_request", Malformed, "The request cannot be read";
    MalformedJson = "malformed_json", Malformed, "The body is not JSON";
    ProjectMissing = "project_missing", Malformed, "The request does not say which project it means";
    DigestMissing = "digest_missing", Malformed, "A signed body needs a Content-Digest";
    DigestMismatch = "digest_mismatch", Malformed, "The Content-Digest does not match the body";
    CredentialsMissing = "credentials_missing", Unauthenticated, "The request carries no credentials this \
        route takes";
    CredentialsMalformed = "credentials_malformed", Unauthenticated, "The credentials cannot be read";
    AccessTokenInvalid = "access_token_invalid", Unauthenticated, "The access token is not valid";
    RefreshTokenInvalid = "refresh_token_invalid", Unauthenticated, "The refresh token is not valid";
    PasskeyInvalid = "passkey_invalid", Unauthenticated, "The passkey's answer does not verify";
    LoginFailed = "login_failed", Unauthenticated, "E-mail address or password is wrong";
    ApiKeyInvalid = "api_key_invalid", Unauthenticated, "The API key is not valid";
    SignatureMissing = "signature_missing", Unauthenticated, "The request must be signed by an agent";
    SignatureMalformed = "signature_malformed", Unauthenticated, "The signature headers cannot be read";
    SignatureCoverage = "signature_coverage", Unauthenticated, "The signature covers too little of \
        the request";
    SignatureStale = "signature_stale", Unauthenticated, "The signature was made too long ago, has expired, \
        or lies in the future";
    SignatureInvalid = "signature_invalid", Unauthenticated, "The signature does not verify";
    AgentUnknown = "agent_unknown", Unauthenticated, "The signing agent is not registered";
    ProjectAmbiguous = "project_ambiguous", Unauthenticated, "The signing agent is registered in several \
        projects";
    Forbidden = "forbidden", Forbidden, "The caller is not allowed to do this";
    EmailUnverified = "email_unverified", Forbidden, "The e-mail address is not verified";
    OriginRefused = "origin_refused", Forbidden, "The origin of the page is not allowed";
    PermissionMissing = "permission_missing", Forbidden, "The caller lacks a permission";
    RoleTooHigh = "role_too_high", Forbidden, "The role is above the caller's own";
    NotFound = "not_found", NotFound, "The resource does not exist";
    MethodNotAllowed = "method_not_allowed", MethodNotAllowed, "The resource does not have this method";
    RequestTimeout = "request_timeout", Timeout, "The request took too long to arrive";
    NonceReplayed = "nonce_replayed", Conflict, "The signature's nonce was used before";
    AgentKeyConflict = "agent_key_conflict", Conflict, "The DID is registered with another key";
    LeaseLost = "lease_lost", Conflict, "The lease is no longer held";
    ApiKeyReplaced = "api_key_replaced", Conflict, "The API key is no longer in use";
    AlreadyMember = "already_member", Conflict, "The person is already a member";
    AlreadyInvited = "already_invited", Conflict, "The address has an open invitation";
    PasskeyTaken = "passkey_taken", Conflict, "The passkey already belongs to an account";
    LastOwner = "last_owner", Conflict, "An organization must keep an owner";
    LimitReached = "limit_reached", Conflict, "The limit is reached";
    SizeMismatch = "size_mismatch", Conflict, "The log has another size than the caller expects";
    ProposalDecided = "proposal_decided", Conflict, "The proposal is already decided";
    IdempotencyInFlight = "idempotency_in_flight", Conflict, "A request with this Idempotency-Key is under \
        way";
    VersionMismatch = "version_mismatch", PreconditionFailed, "The resource was changed in the meantime";
    PreconditionRequired = "precondition_required", PreconditionRequired, "The change must say which version \
        it was made from";
    PayloadTooLarge = "payload_too_large", TooLarge, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", UnsupportedType, "The media type of the body is not \
        supported";
    IdempotencyKeyReused = "idempotency_key_reused", Invalid, "The Idempotency-Key was used for another \
        request";
    ValidationFailed = "validation_failed", Invalid, "A value breaks a rule";
    WrongType = "wrong_type", Invalid, "A value has the wrong type";
    MissingField = "missing_field", Invalid, "A required field is missing";
    UnknownField = "unknown_field", Invalid, "A field is not known";
    MailTokenInvalid = "mail_token_invalid", Invalid, "The mailed token is not valid";
    WeakPassword = "weak_password", Invalid, "The password is easy to guess";
    ControlCharacter = "control_character", Invalid, "Text must be one line";
    NulByte = "nul_byte", Invalid, "Text must not contain a NUL byte";
    TooLong = "too_long", Invalid, "A value is too long";
    TooShort = "too_short", Invalid, "A value is too short";
    OutOfRange = "out_of_range", Invalid, "A number is out of range";
    TtlOutOfRange = "ttl_out_of_range", Invalid, "The time to live is out of range";
    InvalidDid = "invalid_did", Invalid, "The text is not a DID";
    InvalidPublicKey = "invalid_public_key", Invalid, "The text is not an Ed25519 public key";
    DidKeyMismatch = "did_key_mismatch", Invalid, "The did:key names another key";
    InvalidEmail = "invalid_email", Invalid, "The text is not an e-mail address that is accepted";
    UnknownScope = "unknown_scope", Invalid, "No API key can have such a scope";
    InvalidEndpoint = "invalid_endpoint", Invalid, "The endpoint is not an acceptable URL";
    AmbiguousJson = "ambiguous_json", Invalid, "The JSON could be read in two ways, or is larger than a \
        seal's may be";
    InvalidCursor = "invalid_cursor", Invalid, "The cursor was not made by this API";
    UnknownRecipient = "unknown_recipient", Invalid, "No agent of that DID is registered in the project";
    RateLimited = "rate_limited", RateLimited, "Too many requests";
    Unavailable = "unavailable", Unavailable, "The service cannot answer right now";
    LogBehind = "log_behind", Unavailable, "The vault was rolled back, and signs nothing";
    Overloaded = "overloaded", Unavailable, "The service has more work than it takes";
    LogDamaged = "log_damaged", Internal, "The vault's log is not as it was sealed";
    Internal = "internal", Internal, "Something went wrong on our side";
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One broken rule, tied to the place in the request that broke it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// RFC 6901 JSON pointer into the body, or the parameter's name.
    pub pointer: String,
    /// The stable code of this rule.
    #[schema(value_type = String)]
    pub code: Code,
    /// An explanation of what was wrong and what is expected.
    pub detail: String,
}

/// A failure: the outer message is for the caller, the inner cause only for the log.
#[derive(Debug)]
pub struct Error {
    code: Code,
    detail: Cow<'static, str>,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates a failure of this code, with a sentence that says what was wrong, with what, and
    /// what to do.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), fields: Vec::new(), retry_after: None, cause: None }
    }

    /// Creates a failure of one field that breaks a rule.
    pub fn field(code: Code, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::fields(code, vec![field_error(code, pointer, detail)])
    }

    /// Creates a failure of several fields that break rules; `code` is that of the first.
    pub fn fields(code: Code, fields: Vec<FieldError>) -> Self {
        let detail = match fields.as_slice() {
            [one] if one.pointer.is_empty() => format!("The body {}", one.detail),
            [one] => format!("`{}`: {}", one.pointer, one.detail),
            many => format!("{} values break a rule; `errors` names each", many.len()),
        };
        Self { fields, ..Self::new(code, detail) }
    }

    /// Creates the error for a name that does not exist or belongs to another project: the caller
    /// cannot tell which.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("There is no {what} in this project"))
    }

    /// Creates the error for Postgres or a needed service that is away.
    pub fn unavailable(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Code::Unavailable, "A service this needs does not answer; try again shortly")
            .retry_after(Duration::from_secs(2))
            .because(cause)
    }

    /// Creates the error for a fault of ours: the cause goes to the log, never to the caller.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "Something went wrong on our side; `request_id` lets us find it")
            .because(cause)
    }

    /// Adds the inner cause.
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Tells the caller when trying again makes sense.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Returns the same error without the inner cause, for a further caller.
    pub fn without_cause(&self) -> Self {
        let (detail, fields) = (self.detail.clone(), self.fields.clone());
        Self { code: self.code, detail, fields, retry_after: self.retry_after, cause: None }
    }

    /// Returns the stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the outer sentence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the fields that broke a rule.
    pub fn field_errors(&self) -> &[FieldError] {
        &self.fields
    }

    /// Returns when trying again makes sense, where that is known.
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// Creates a [`FieldError`] of a code from the catalog.
pub fn field_error(code: Code, pointer: impl Into<String>, detail: impl Into<String>) -> FieldError {
    FieldError { pointer: pointer.into(), code, detail: detail.into() }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

/// The one place that classifies a database failure: away (503, try again) or a fault of ours
/// (500).
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) { Self::unavailable(error) } else { Self::internal(error) }
    }
}

/// Returns true for SQLSTATE classes that pass by themselves: connection (08), resources (53),
/// operator intervention such as a shutdown or a canceled statement (57), serialization failures,
/// deadlocks and lock timeouts (40, 55P03), and a transaction that idled for too long (25P03).
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|state| {
            ["08", "40", "53", "57"].iter().any(|class| state.starts_with(class))
                || ["25P03", "55P03"].contains(&&*state)
        }),
        _ => false,
    }
}
