//! A TCP proxy before Postgres that breaks at a chosen statement. It reads the client's messages
//! and cuts the connection before the statement, while it runs, or after it ended and before its
//! answer is delivered ("fails though persisted").

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use reqwest::Url;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// The requests for encryption that a client sends first; the proxy declines them.
const WANTS_TLS: [u32; 2] = [80_877_103, 80_877_104];
/// The time for which the connection to Postgres stays open after its client was cut off during a
/// statement, so that Postgres reads the statement.
const LINGER: Duration = Duration::from_millis(200);

/// The point at which a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Postgres never sees the statement.
    Before,
    /// Postgres gets the statement, and the client is cut off at once.
    During,
    /// Postgres runs the statement, and the client never learns how it ended.
    After,
}

/// One kind of fault.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Strikes statements that contain this text.
    pub statement: &'static str,
    /// Strikes only in a transaction that has run a statement with this text.
    pub within: Option<&'static str>,
    /// The point at which the connection is cut.
    pub cut: Cut,
    /// Strikes each n-th of these statements, counted over all connections.
    pub every: usize,
}

/// A running proxy. Its connections end when it is dropped.
#[derive(Debug)]
pub struct PgFault {
    port: u16,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    faults: Mutex<Vec<Armed>>,
    /// True while struck connections hang instead of being cut.
    held: watch::Sender<bool>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    met: usize,
    struck: usize,
}

impl PgFault {
    /// Starts a proxy before the Postgres on `port`. Nothing breaks yet.
    ///
    /// # Errors
    /// Fails when no port is free.
    pub async fn before(port: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let own = listener.local_addr()?.port();
        let shared = Arc::new(Shared { faults: Mutex::default(), held: watch::Sender::new(false) });
        let behind = Arc::clone(&shared);
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&behind);
                // A connection may end in any way.
                connections.spawn(async move { carry(client, port, &shared).await.is_ok() });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { port: own, shared, serving })
    }

    /// Returns the URL of the same database through this proxy.
    ///
    /// # Errors
    /// Fails on a text that is not a URL.
    pub fn url(&self, database_url: &str) -> Result<String> {
        let mut url: Url = database_url.parse()?;
        url.set_port(Some(self.port)).ok().context("the URL of a database has a port")?;
        Ok(url.into())
    }

    /// Arms these faults, replacing those before.
    pub fn arm(&self, faults: &[Fault]) {
        *self.shared.faults() =
            faults.iter().map(|fault| Armed { fault: *fault, met: 0, struck: 0 }).collect();
    }

    /// Disarms all faults.
    pub fn disarm(&self) {
        self.arm(&[]);
    }

    /// Returns how often each fault struck since it was armed.
    pub fn struck(&self) -> Vec<(Fault, usize)> {
        self.shared.faults().iter().map(|armed| (armed.fault, armed.struck)).collect()
    }

    /// With `true`, struck connections hang, open and silent, until this is called with `false`.
    pub fn hold(&self, held: bool) {
        self.shared.held.send_replace(held);
    }
}

impl Drop for PgFault {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn faults(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns where to cut the connection at a statement, given those that its transaction ran
    /// before.
    fn strike(&self, statement: &str, before: &[Arc<str>]) -> Option<Cut> {
        for armed in self.faults().iter_mut() {
            let Fault { statement: wanted, within, cut, every } = armed.fault;
            let inside = within.is_none_or(|within| before.iter().any(|earlier| earlier.contains(within)));
            if !inside || !statement.contains(wanted) {
                continue;
            }
            armed.met += 1;
            if armed.met.is_multiple_of(every) {
                armed.struck += 1;
                return Some(cut);
            }
        }
        None
    }

    async fn let_go(&self) {
        // The sender lives as long as `self`.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
    }
}

/// The progress of a connection, shared by its two directions.
#[derive(Default)]
struct Progress {
    /// The number of answers that were asked for, the greeting included.
    asked: AtomicU64,
    /// The number of the answer that is held back; 0 for none.
    kept_back: AtomicU64,
}

async fn carry(mut client: TcpStream, port: u16, shared: &Shared) -> Result<()> {
    client.set_nodelay(true)?;
    let greeting = greeting(&mut client).await?;
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    server.set_nodelay(true)?;
    server.write_all(&greeting).await?;
    let progress = Progress { asked: AtomicU64::new(1), kept_back: AtomicU64::new(0) };
    let during = {
        let ((client_read, client_write), (server_read, server_write)) = (client.split(), server.split());
        tokio::select! {
            asked = ask(client_read, server_write, shared, &progress) => asked?,
            answered = answer(server_read, client_write, shared, &progress) => answered.map(|()| false)?,
        }
    };
    drop(client);
    if during {
        tokio::time::sleep(LINGER).await;
    }
    Ok(())
}

/// The startup message, or a request to cancel: neither has a type.
async fn greeting(client: &mut TcpStream) -> Result<Vec<u8>> {
    loop {
        let length = client.read_u32().await?;
        let mut message = length.to_be_bytes().to_vec();
        message.resize(usize::try_from(length)?.clamp(8, 10_000), 0);
        client.read_exact(&mut message[4..]).await?;
        let code = message[4..8].try_into().map(u32::from_be_bytes)?;
        if !WANTS_TLS.contains(&code) {
            return Ok(message);
        }
        client.write_all(b"N").await?;
    }
}

/// Copies from the client to Postgres. Returns when the connection is to be cut, with `true` if a
/// statement is under way.
async fn ask(
    from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
    shared: &Shared,
    progress: &Progress,
) -> Result<bool> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    let mut statements: HashMap<Vec<u8>, Arc<str>> = HashMap::new();
    let mut bound: Option<Arc<str>> = None;
    let mut transaction: Vec<Arc<str>> = Vec::new();
    loop {
        let (kind, body) = message(&mut from).await?;
        let mut parts = body.splitn(3, |byte| *byte == 0);
        let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let run = match kind {
            b'P' => {
                statements.insert(first.to_vec(), String::from_utf8_lossy(second).into());
                None
            }
            b'B' => {
                bound = statements.get(second).cloned();
                None
            }
            b'E' => bound.clone(),
            b'Q' => Some(String::from_utf8_lossy(first).into()),
            _ => None,
        };
        let cut = run.as_ref().and_then(|statement| shared.strike(statement, &transaction));
        if let Some(statement) = run {
            if statement.starts_with("BEGIN") {
                transaction.clear();
            }
            transaction.push(statement);
        }
        match cut {
            Some(Cut::Before) => {
                shared.let_go().await;
                return Ok(false);
            }
            Some(Cut::After) => {
                progress.kept_back.store(progress.asked.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
            }
            Some(Cut::During) | None => {}
        }
        if matches!(kind, b'Q' | b'S') {
            progress.asked.fetch_add(1, Ordering::SeqCst);
        }
        send(&mut to, kind, &body).await?;
        if cut == Some(Cut::During) {
            if kind == b'E' {
                send(&mut to, b'S', &[]).await?;
            }
            to.flush().await?;
            shared.let_go().await;
            return Ok(true);
        }
        if from.buffer().is_empty() {
            to.flush().await?;
        }
    }
}

/// Copies from Postgres to the client. Returns when an answer that is held back is complete.
async fn answer(
    from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
    shared: &Shared,
    progress: &Progress,
) -> Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    let mut answer = 1;
    loop {
        let (kind, body) = message(&mut from).await?;
        let complete = kind == b'Z';
        if answer == progress.kept_back.load(Ordering::SeqCst) {
            if complete {
                shared.let_go().await;
                return Ok(());
            }
        } else {
            send(&mut to, kind, &body).await?;
            if from.buffer().is_empty() {
                to.flush().await?;
            }
        }
        answer += u64::from(complete);
    }
}

/// Reads the type and content of a message.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> Result<(u8, Vec<u8>)> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?.checked_sub(4).context("a message is shorter than its length")?;
    let mut body = vec![0; usize::try_from(length)?];
    from.read_exact(&mut body).await?;
    Ok((kind, body))
}

async fn send(to: &mut (impl AsyncWrite + Unpin), kind: u8, body: &[u8]) -> Result<()> {
    to.write_u8(kind).await?;
    to.write_u32(u32::try_from(body.len() + 4)?).await?;
    to.write_all(body).await?;
    Ok(())
}
