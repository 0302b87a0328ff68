//! The settings of this program, from the environment.

use adapters::{
    settings::{self, Dependencies, Invalid, Masked, public_url},
    vault::VaultSettings,
};
use clap::Parser;
use domain::identity::access_token::TokenRing;
use url::Url;

/// The configuration of `api`.
#[derive(Debug, Clone, Parser)]
#[command(name = "api", disable_help_flag = true)]
pub struct Config {
    /// The settings that both programs share.
    #[command(flatten)]
    pub dependencies: Dependencies,

    /// The port to listen on, on every address, IPv6 and IPv4.
    #[arg(long, env = "PORT", default_value = "8080")]
    pub port: u16,

    /// The URL that clients use. Signatures are checked against its scheme and host;
    /// http://127.0.0.1:PORT when unset.
    #[arg(long, env = "PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<Url>,

    /// The Ed25519 key that signs people's access tokens, jwtk_…; `api keygen jwt` generates one.
    /// Up to 4, separated by commas: the first signs, all verify.
    #[arg(long, env = "JWT_SIGNING_KEY", value_parser = token_keys)]
    pub jwt_signing_key: Masked<TokenRing>,

    /// The vault and its secrets.
    #[command(flatten)]
    pub vault: VaultSettings,

    /// The origins whose pages may call the API from a browser, separated by commas; `*` for all.
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,

    /// The requests a minute that each person, key, agent and anonymous address may make on the
    /// smallest plan; 0 for no limit.
    #[arg(long, env = "RATE_LIMIT_PER_MINUTE", default_value = "100")]
    pub rate_limit_per_minute: u32,

    /// The attempts at signing up and logging in that each address, and each account, may make in
    /// 15 minutes; 0 for no limit.
    #[arg(long, env = "AUTH_RATE_LIMIT", default_value = "10")]
    pub auth_rate_limit: u32,

    /// The number of proxies in front of this process that append to X-Forwarded-For. 0 trusts none
    /// of it.
    #[arg(long, env = "TRUSTED_PROXY_DEPTH", default_value = "0")]
    pub trusted_proxy_depth: usize,
}

impl Config {
    /// Reads variables and nothing else.
    ///
    /// # Errors
    /// Fails with the first variable that is missing or wrong.
    pub fn from_pairs(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Invalid> {
        settings::parse(variables)
    }

    /// Returns the URL that clients use.
    pub fn public_url(&self) -> Url {
        self.public_url.clone().unwrap_or_else(|| local_url(self.port))
    }

    /// Returns the origins whose pages may use the refresh token's cookie: our own, the frontend's,
    /// and those named. Never `*`.
    pub(crate) fn cookie_origins(&self) -> Vec<String> {
        let ours =
            [&self.public_url(), &self.dependencies.app_url].map(|url| url.origin().ascii_serialization());
        ours.into_iter()
            .chain(
                self.cors_origins
                    .iter()
                    .filter(|origin| *origin != "*")
                    .map(|origin| origin.trim().to_owned()),
            )
            .collect()
    }
}

fn local_url(port: u16) -> Url {
    let mut url = LOCAL.clone();
    // This fails only for URLs without a host.
    let _ = url.set_port(Some(port));
    url
}

#[expect(clippy::expect_used, reason = "a literal")]
static LOCAL: std::sync::LazyLock<Url> =
    std::sync::LazyLock::new(|| Url::parse("http://127.0.0.1").expect("a URL"));

fn token_keys(text: &str) -> Result<Masked<TokenRing>, String> {
    text.parse()
        .map(Masked::new)
        .map_err(|error| format!("held *** ({error}); `api keygen jwt` generates one"))
}

fn origin(text: &str) -> Result<String, String> {
    let origin = text.trim();
    let named = || Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == origin);
    let wants =
        "it wants origins such as https://app.example.com, without a path, separated by commas, or `*`";
    if origin == "*" || named() { Ok(origin.to_owned()) } else { Err(wants.to_owned()) }
}
