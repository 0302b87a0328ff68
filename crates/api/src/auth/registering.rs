//! A registration. The project's API key or a person determines the project; the signature of the
//! key in the body proves that the caller holds it.

use std::sync::Arc;

use axum::{
    RequestExt,
    extract::{FromRequest, Request},
};
use domain::agents::Registration;
use kernel::{
    Code, Error,
    caller::{Allows as _, Authorized, HasRequest as _, allow},
    ids::ProjectId,
};
use utoipa::PartialSchema;

use super::{
    bearer::credential,
    codes::{BEARER_ERRORS, DIGEST_ERRORS, PROJECT_ERRORS, SIGNATURE_ERRORS},
    idempotency, request, signature,
};
use crate::{
    extract::{self, BODY_ERRORS, JSON_ERRORS},
    problem::Problem,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// A registration whose signature verifies under the key it names.
#[derive(Debug)]
pub struct Registering {
    /// The caller in the project, with the proof of possession in their request.
    pub by: Authorized<allow::AgentsWrite>,
    /// The registration.
    pub registration: Registration,
}

impl FromRequest<AppState> for Registering {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.with_limited_body().into_parts();
        let Some(credential) = credential(&parts, state).await? else {
            let detail = "Registering takes the project's API key, or the access token of a person beside \
                          `Holdfast-Project`, as `Authorization: Bearer …`, and the agent's signature";
            return Err(Error::new(Code::CredentialsMissing, detail).into());
        };
        let principal = credential.in_project(&parts, state, request::header_project(&parts)?).await?;
        let mut by = Authorized::check(principal)?;
        let bytes = extract::body_bytes(body).await?;
        let has_body = !bytes.is_empty();
        let signature = signature::signature(&parts, state, has_body)?;
        signature::check_digest(&parts, state, &bytes)?;
        let registration: Registration = extract::json(&parts.headers, &bytes)?;
        let (_, public_key) = registration.identity()?;
        let proof = signature::verify(&parts, state, has_body, &signature, &public_key)?;
        let request = by.request_mut();
        request.proof = Some(Arc::new(proof));
        request.idempotency_key = idempotency::read(&parts, &bytes)?;
        Ok(Self { by, registration })
    }
}

impl Describe for Registering {
    fn describe(doc: &mut OperationDoc) {
        let permission = allow::AgentsWrite::PERMISSION.as_str();
        doc.security([("api_key", &[permission]), ("agent_signature", &[])]);
        doc.security([("access_token", &[permission]), ("agent_signature", &[])]);
        let detail = "The project that a person means.";
        doc.header("Holdfast-Project", false, detail, <ProjectId as PartialSchema>::schema());
        doc.body::<Registration>();
        for codes in
            [BEARER_ERRORS, PROJECT_ERRORS, SIGNATURE_ERRORS, DIGEST_ERRORS, BODY_ERRORS, JSON_ERRORS]
        {
            doc.codes(codes);
        }
        doc.codes(&[Code::PermissionMissing, Code::NonceReplayed]);
    }
}
