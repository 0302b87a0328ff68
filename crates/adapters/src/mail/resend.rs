//! Mail by Resend's API.

use std::{fmt, time::Duration};

use domain::mail::{Mail, Mailer};
use futures::future::BoxFuture;
use kernel::effect::{Effect, Failed};
use lettre::message::Mailbox;
use reqwest::{
    Client, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
    redirect,
};
use serde_json::json;

use super::limits::ATTEMPT_TIMEOUT;

/// The address of the API.
pub(super) const API: &str = "https://api.resend.com";

/// The client of Resend's API.
pub(super) struct Resend {
    client: Client,
    url: String,
    key: String,
    from: String,
}

impl Resend {
    pub(super) fn new(api: &str, key: &str, from: &Mailbox) -> Result<Self, String> {
        // If it is installed already, it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("Holdfast/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(ATTEMPT_TIMEOUT)
            .build()
            .map_err(|error| format!("RESEND_API_KEY cannot be used: {error}"))?;
        Ok(Self { client, url: format!("{api}/emails"), key: key.to_owned(), from: from.to_string() })
    }

    async fn attempt(&self, mail: &Mail) -> Effect {
        let body =
            json!({"from": self.from, "to": [mail.to.as_str()], "subject": mail.subject, "text": mail.text});
        let post = self
            .client
            .post(&self.url)
            .bearer_auth(&self.key)
            .header("idempotency-key", mail.key())
            .json(&body);
        // Without the URL, which `Display` of the error would show. It holds no secret, but says
        // nothing new.
        let answer = post.send().await.map_err(|error| Failed::new(error.without_url()))?;
        read(answer.status(), answer.headers())
    }
}

/// Reads the answer: its status alone decides, with the wait that it asks for. A mail whose form is
/// refused (422) would be refused again; anything else may pass, a wrong key included, which an
/// operator can replace.
fn read(status: StatusCode, headers: &HeaderMap) -> Effect {
    let detail = || format!("Resend answered {}", status.as_u16());
    match status {
        _ if status.is_success() => Ok(()),
        StatusCode::UNPROCESSABLE_ENTITY => Err(Failed::for_good(detail())),
        _ => Err(Failed::new(detail()).retry_after(wait(headers))),
    }
}

/// Returns the wait that `Retry-After` asks for, in seconds, as Resend writes it; a date counts as
/// none.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

impl Mailer for Resend {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Effect> {
        Box::pin(self.attempt(mail))
    }
}

impl fmt::Debug for Resend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resend")
    }
}

#[cfg(test)]
mod tests {
    use kernel::effect::Retry;
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{body_json, header, method, path},
    };

    use super::*;

    fn resend(server: &MockServer) -> Resend {
        Resend::new(&server.uri(), "re_secret", &"Holdfast <no-reply@example.com>".parse().unwrap()).unwrap()
    }

    fn mail() -> Mail {
        Mail {
            to: "ada@example.com".parse().unwrap(),
            subject: "Hello".to_owned(),
            text: "there\n".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_mail_is_posted_as_resend_wants_it() {
        let (server, mail) = (MockServer::start().await, mail());
        let wanted = json!({
            "from": "Holdfast <no-reply@example.com>",
            "to": ["ada@example.com"],
            "subject": "Hello",
            "text": "there\n",
        });
        Mock::given(method("POST"))
            .and(path("/emails"))
            .and(header("authorization", "Bearer re_secret"))
            .and(header("idempotency-key", mail.key().as_str()))
            .and(body_json(wanted))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": "1"})))
            .expect(1)
            .mount(&server)
            .await;
        let resend = resend(&server);
        resend.send(&mail).await.unwrap();
        // Another text, as another attempt with another token has, is another mail to Resend.
        let other = Mail { text: "elsewhere\n".to_owned(), ..mail.clone() };
        assert_ne!(other.key(), mail.key());
        let refused = resend.send(&other).await.unwrap_err();
        assert_eq!((refused.to_string().as_str(), refused.retry), ("Resend answered 404", Retry::Backoff));
        assert!(!format!("{resend:?}").contains("re_secret"));
    }

    #[tokio::test]
    async fn a_refusal_says_when_another_attempt_makes_sense() {
        let after = |seconds| Retry::After(Duration::from_secs(seconds));
        for (status, retry_after, retry) in [
            (429, Some("7"), after(7)),
            (429, None, Retry::Backoff),
            (429, Some("Wed, 21 Oct 2026 07:28:00 GMT"), Retry::Backoff),
            (503, Some("0"), after(0)),
            (401, None, Retry::Backoff),
            (422, None, Retry::Never),
        ] {
            let server = MockServer::start().await;
            let answer = ResponseTemplate::new(status);
            let answer = retry_after
                .into_iter()
                .fold(answer, |answer, wait| answer.insert_header("retry-after", wait));
            Mock::given(method("POST")).respond_with(answer).mount(&server).await;
            assert_eq!(
                resend(&server).send(&mail()).await.unwrap_err().retry,
                retry,
                "{status} {retry_after:?}"
            );
        }
    }
}
