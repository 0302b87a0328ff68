//! The kinds of servers: how each is started, stopped and asked.

use std::path::Path;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use sqlx::{Connection, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Valkey,
    Nats,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Postgres => "Postgres",
            Kind::Valkey => "Valkey",
            Kind::Nats => "NATS",
        }
    }

    /// The command of an accelerator; Postgres' is in its own module.
    pub(crate) fn command(self, program: &Path, port: u16, folder: &Path) -> Vec<String> {
        let arguments = match self {
            Kind::Postgres => String::new(),
            Kind::Valkey => format!(
                "--bind 127.0.0.1 --port {port} --dir {} --appendonly no --databases 16 --maxmemory 64mb \
                --save",
                folder.display()
            ),
            Kind::Nats => {
                format!("--addr 127.0.0.1 --port {port} --jetstream --store_dir {}", folder.display())
            }
        };
        let mut command = vec![program.display().to_string()];
        command.extend(arguments.split(' ').map(str::to_owned));
        if self == Kind::Valkey {
            // The value of `--save`: never.
            command.push(String::new());
        }
        command
    }

    pub(super) fn url(self, port: u16) -> String {
        match self {
            Kind::Postgres => format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            Kind::Valkey => format!("redis://127.0.0.1:{port}"),
            Kind::Nats => format!("nats://127.0.0.1:{port}"),
        }
    }

    /// Returns the signal that asks the server to end at once, but in order.
    pub(super) fn stop_signal(self) -> Signal {
        match self {
            Kind::Postgres => Signal::SIGINT,
            Kind::Valkey | Kind::Nats => Signal::SIGTERM,
        }
    }

    /// Asks the server in its own protocol, and fails when it does not answer.
    pub(super) async fn answers(self, port: u16) -> Result<()> {
        if self == Kind::Postgres {
            let mut connection = PgConnection::connect(&self.url(port)).await?;
            connection.ping().await?;
            return Ok(connection.close().await?);
        }
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let greeting: &[u8] = if self == Kind::Valkey { b"PING\r\n" } else { b"" };
        stream.write_all(greeting).await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        ensure!(answer == *b"+PONG" || answer == *b"INFO ", "something else answers on port {port}");
        Ok(())
    }
}
