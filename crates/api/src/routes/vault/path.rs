//! The values of the vault's paths.

use std::str::FromStr;

use utoipa::ToSchema;

use crate::extract::PathValue;

/// A seal's place in the log.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(minimum = 0, maximum = 1_099_511_627_776_u64)]
pub(super) struct SealIndex(pub(super) u64);

/// A proposal's place in the log.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(minimum = 0, maximum = 1_099_511_627_776_u64)]
pub(super) struct ProposalIndex(pub(super) u64);

/// A subject, as its seals name it.
#[derive(Debug, Clone, ToSchema)]
#[schema(min_length = 1, max_length = 128, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
pub(super) struct Subject(pub(super) String);

macro_rules! path_values {
    ($($type:ident($of:ty) = $name:literal, $description:literal;)*) => {
        $(
            impl FromStr for $type {
                type Err = <$of as FromStr>::Err;

                fn from_str(text: &str) -> Result<Self, Self::Err> {
                    text.parse().map(Self)
                }
            }

            impl PathValue for $type {
                const NAME: &'static str = $name;
                const DESCRIPTION: &'static str = $description;
            }
        )*
    };
}

path_values! {
    SealIndex(u64) = "index", "The seal's place in the log";
    ProposalIndex(u64) = "proposal", "The proposal's place in the log";
    Subject(String) = "subject", "The subject, as its seals name it";
}
