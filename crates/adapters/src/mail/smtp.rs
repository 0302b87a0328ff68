//! Mail by SMTP (RFC 5321).

use std::fmt;

use domain::mail::{Mail, Mailer};
use futures::future::BoxFuture;
use kernel::effect::{Effect, Failed};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use url::Url;

use super::LIMIT;

/// A mail server.
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    host: String,
}

impl Smtp {
    pub(super) fn new(url: &Url, from: Mailbox) -> Result<Self, String> {
        // Installed already by whoever came first: the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(|error| format!("SMTP_URL cannot be used: {error}"))?
            .timeout(Some(LIMIT))
            .build();
        Ok(Self { transport, from, host: url.host_str().unwrap_or_default().to_owned() })
    }

    async fn attempt(&self, mail: &Mail) -> Effect {
        let to = Mailbox::new(None, mail.to.as_str().parse().map_err(Failed::new)?);
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&mail.subject)
            // The same for each attempt, so that a mailbox shows a repeat once.
            .message_id(Some(format!("<{}@{}>", mail.key(), self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(Failed::new)?;
        self.transport.send(message).await.map(drop).map_err(Failed::new)
    }
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Effect> {
        Box::pin(async move {
            match tokio::time::timeout(LIMIT, self.attempt(mail)).await {
                Ok(sent) => sent,
                Err(_) => {
                    Err(Failed::new(format!("the mail server did not answer within {} s", LIMIT.as_secs())))
                }
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

    /// Takes one mail as a server does, and returns what was said to it.
    async fn take_one(listener: TcpListener) -> Vec<String> {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut said = Vec::new();
        let mut data = false;
        write.write_all(b"220 test\r\n").await.unwrap();
        while let Some(line) = lines.next_line().await.unwrap() {
            let answer: &[u8] = match line.as_str() {
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
            if line == "." {
                break;
            }
        }
        said
    }

    #[tokio::test]
    async fn a_mail_goes_out_whole_and_nothing_in_it_becomes_a_header() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = tokio::spawn(take_one(listener));
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
