//! Mail by Resend's API.

use std::fmt;

use domain::mail::{Mail, Mailer};
use futures::future::BoxFuture;
use kernel::effect::{Effect, Failed};
use lettre::message::Mailbox;
use reqwest::{Client, redirect};
use serde_json::json;

use super::LIMIT;

/// Where it is.
pub(super) const API: &str = "https://api.resend.com";

/// Resend.
pub(super) struct Resend {
    client: Client,
    url: String,
    key: String,
    from: String,
}

impl Resend {
    pub(super) fn new(api: &str, key: &str, from: &Mailbox) -> Result<Self, String> {
        // Installed already by whoever came first: the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("Holdfast/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(LIMIT)
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
        // Without the URL, which `Display` of the error would show; it holds no secret, but is no
        // news.
        let answer = post.send().await.map_err(|error| Failed::new(error.without_url()))?;
        let status = answer.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(Failed::new(format!("Resend answered {}", status.as_u16())))
        }
    }
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
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{body_json, header, method, path},
    };

    use super::*;

    #[tokio::test]
    async fn a_mail_is_posted_as_resend_wants_it() {
        let server = MockServer::start().await;
        let mail = Mail {
            to: "ada@example.com".parse().unwrap(),
            subject: "Hello".to_owned(),
            text: "there\n".to_owned(),
        };
        let wanted = json!({"from": "Holdfast <no-reply@example.com>", "to": ["ada@example.com"], "subject": "Hello", "text": "there\n"});
        Mock::given(method("POST"))
            .and(path("/emails"))
            .and(header("authorization", "Bearer re_secret"))
            .and(header("idempotency-key", mail.key().as_str()))
            .and(body_json(wanted))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": "1"})))
            .expect(1)
            .mount(&server)
            .await;
        let from = "Holdfast <no-reply@example.com>".parse().unwrap();
        let resend = Resend::new(&server.uri(), "re_secret", &from).unwrap();
        resend.send(&mail).await.unwrap();
        // Another text, as another attempt with another token has, is another mail to Resend.
        let other = Mail { text: "elsewhere\n".to_owned(), ..mail.clone() };
        assert_ne!(other.key(), mail.key());
        let refused = resend.send(&other).await.unwrap_err().to_string();
        assert_eq!(refused, "Resend answered 404");
        assert!(!format!("{resend:?}").contains("re_secret"));
    }
}
