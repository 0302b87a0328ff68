//! Mail by SMTP (RFC 5321).

use std::fmt;

use domain::mail::{Mail, Mailer};
use futures::future::BoxFuture;
use kernel::effect::{Effect, Failed};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp,
};
use url::Url;

use super::limits::ATTEMPT_TIMEOUT;

/// A mail server.
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    host: String,
}

impl Smtp {
    pub(super) fn new(url: &Url, from: Mailbox) -> Result<Self, String> {
        // If it is installed already, it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(|error| format!("SMTP_URL cannot be used: {error}"))?
            .timeout(Some(ATTEMPT_TIMEOUT))
            .build();
        Ok(Self { transport, from, host: url.host_str().unwrap_or_default().to_owned() })
    }

    async fn attempt(&self, mail: &Mail) -> Effect {
        let to = Mailbox::new(None, mail.to.as_str().parse().map_err(Failed::new)?);
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&mail.subject)
            // The id is the same for each attempt, so that a mailbox shows a repeat once.
            .message_id(Some(format!("<{}@{}>", mail.key(), self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(Failed::new)?;
        self.transport.send(message).await.map(drop).map_err(|error| failed(&error))
    }
}

/// Reads a refusal. A mailbox that the server does not have or does not take would be refused again
/// (550, 551 and 553, RFC 5321, section 4.2.3); anything else may pass, a wrong password included,
/// which an operator can replace.
fn failed(error: &smtp::Error) -> Failed {
    let code = error.status().map_or(0, u16::from);
    if matches!(code, 550 | 551 | 553) { Failed::for_good(error) } else { Failed::new(error) }
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Effect> {
        Box::pin(async move {
            match tokio::time::timeout(ATTEMPT_TIMEOUT, self.attempt(mail)).await {
                Ok(sent) => sent,
                Err(_) => Err(Failed::new(format!(
                    "the mail server did not answer within {} s",
                    ATTEMPT_TIMEOUT.as_secs()
                ))),
            }
        })
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({})", self.host)
    }
}

#[cfg(test)]
mod tests {
    use kernel::effect::Retry;
    use tokio::{
        io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
        net::TcpListener,
    };

    use super::*;

    /// Takes one mail as a server does, and returns what was said to it. A recipient gets `answer`.
    async fn take_one(listener: TcpListener, answer: &'static str) -> Vec<String> {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut said = Vec::new();
        let mut data = false;
        write.write_all(b"220 test\r\n").await.unwrap();
        let rcpt = format!("{answer}\r\n");
        while let Some(line) = lines.next_line().await.unwrap() {
            let answer: &[u8] = match line.as_str() {
                line if line.starts_with("RCPT") => rcpt.as_bytes(),
                "." => {
                    data = false;
                    b"250 taken\r\n"
                }
                _ if data => b"",
                "DATA" => {
                    data = true;
                    b"354 go on\r\n"
                }
                "QUIT" => b"221 bye\r\n",
                _ => b"250 ok\r\n",
            };
            said.push(line.clone());
            write.write_all(answer).await.unwrap();
            if line == "." || line == "QUIT" {
                break;
            }
        }
        said
    }

    #[tokio::test]
    async fn a_mail_goes_out_whole_and_nothing_in_it_becomes_a_header() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = tokio::spawn(take_one(listener, "250 ok"));
        let smtp = Smtp::new(&url, "Holdfast <no-reply@example.com>".parse().unwrap()).unwrap();
        let mail = Mail {
            to: "ada@example.com".parse().unwrap(),
            subject: "Join Acme\r\nBcc: eve@example.com".to_owned(),
            text: "Hello,\n.\nthere\n".to_owned(),
        };
        smtp.send(&mail).await.unwrap();
        let said = server.await.unwrap();
        assert!(said.contains(&"RCPT TO:<ada@example.com>".to_owned()), "{said:?}");
        assert!(said.iter().any(|line| line.contains(&format!("<{}@example.com>", mail.key()))), "{said:?}");
        assert!(
            !said.iter().any(|line| line.starts_with("Bcc") || line.contains("RCPT TO:<eve")),
            "{said:?}"
        );
        assert!(
            said.contains(&"there".to_owned()),
            "a line of one full stop does not end the mail: {said:?}"
        );
    }

    #[tokio::test]
    async fn a_mailbox_that_is_not_there_is_not_tried_again_and_what_may_pass_is() {
        for (answer, retry) in [
            ("550 no such user", Retry::Never),
            ("553 not allowed", Retry::Never),
            ("450 mailbox busy", Retry::Backoff),
            ("535 wrong password", Retry::Backoff),
            ("552 mailbox full", Retry::Backoff),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("smtp://{}", listener.local_addr().unwrap()).parse().unwrap();
            let server = tokio::spawn(take_one(listener, answer));
            let smtp = Smtp::new(&url, "a@example.com".parse().unwrap()).unwrap();
            let mail =
                Mail { to: "b@example.com".parse().unwrap(), subject: "s".to_owned(), text: "t".to_owned() };
            assert_eq!(smtp.send(&mail).await.unwrap_err().retry, retry, "{answer}");
            server.abort();
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told() {
        let smtp =
            Smtp::new(&"smtp://127.0.0.1:1".parse().unwrap(), "a@example.com".parse().unwrap()).unwrap();
        let mail =
            Mail { to: "b@example.com".parse().unwrap(), subject: "s".to_owned(), text: "t".to_owned() };
        let failed = smtp.send(&mail).await.unwrap_err();
        assert!(failed.to_string().starts_with("Connection error"), "{failed}");
        assert_eq!(failed.retry, Retry::Backoff);
    }
}
