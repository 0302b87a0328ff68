//! The codes of credentials, by the way in which they prove who asks.

use kernel::Code;

/// The codes of an `Authorization` header.
pub(super) const BEARER_ERRORS: &[Code] =
    &[Code::CredentialsMissing, Code::CredentialsMalformed, Code::ApiKeyInvalid, Code::AccessTokenInvalid];

/// The codes of a project that the request names.
pub(super) const PROJECT_ERRORS: &[Code] = &[Code::ProjectMissing, Code::MalformedRequest, Code::NotFound];

/// The codes of an agent's signature.
pub(super) const SIGNATURE_ERRORS: &[Code] = &[
    Code::SignatureMissing,
    Code::SignatureMalformed,
    Code::SignatureCoverage,
    Code::SignatureStale,
    Code::SignatureInvalid,
    Code::AgentUnknown,
    Code::ProjectAmbiguous,
    // The API key beside the signature is of another project than the header names.
    Code::Forbidden,
];

/// The codes of the digest of a body that may be signed.
pub(super) const DIGEST_ERRORS: &[Code] = &[Code::DigestMissing, Code::DigestMismatch];
