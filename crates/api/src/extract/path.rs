//! Values of the path. Each type knows the placeholder that it fills, so that a template and its
//! handler cannot disagree.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use domain::agents::AgentName;
use kernel::{
    Code, Error, Result,
    ids::{
        ApiKeyId, DeliveryId, IntentId, InvitationId, LogId, OrganizationId, PasskeyId, ProjectId, SessionId,
        UserId,
    },
};
use utoipa::ToSchema;

use crate::{
    problem::Problem,
    route::{Describe, OperationDoc},
};

/// A type that fills a placeholder.
pub trait PathValue: FromStr + ToSchema + Send {
    /// The placeholder's name.
    const NAME: &'static str;
    /// The value, for the documentation.
    const DESCRIPTION: &'static str;
}

macro_rules! path_values {
    ($($type:ty = $name:literal, $description:literal;)*) => {
        $(impl PathValue for $type {
            const NAME: &'static str = $name;
            const DESCRIPTION: &'static str = $description;
        })*
    };
}

path_values! {
    AgentName = "agent", "The agent's id, or its DID";
    ApiKeyId = "key", "The API key";
    DeliveryId = "delivery", "The delivery";
    IntentId = "intent", "The intent";
    InvitationId = "invitation", "The invitation";
    LogId = "log", "The log";
    OrganizationId = "organization", "The organization";
    PasskeyId = "passkey", "The passkey";
    ProjectId = "project", "The project";
    SessionId = "session", "The session";
    UserId = "user", "The member";
}

/// One value of the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: PathValue, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(path_value(parts).await?))
    }
}

impl<T: PathValue> Describe for Path<T> {
    fn describe(doc: &mut OperationDoc) {
        assert!(
            doc.has_placeholder(T::NAME),
            "a handler reads {{{}}}, which its path does not have",
            T::NAME
        );
        doc.path_parameter::<T>(T::NAME, T::DESCRIPTION);
        doc.codes(&[Code::NotFound]);
    }
}

/// Reads a value of the path. A text that cannot be an identifier finds nothing.
pub async fn path_value<T: PathValue>(parts: &mut Parts) -> Result<T> {
    let none = || {
        Error::new(
            Code::NotFound,
            format!("There is nothing of that name: `{}` in the path is not valid", T::NAME),
        )
    };
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| none())?;
    let found = params.iter().find(|(name, _)| *name == T::NAME);
    found.and_then(|(_, text)| text.parse().ok()).ok_or_else(none)
}
