//! A mail server that takes everything and writes each message to a file: "the internet" and "the organisation's mail server"
//! of the demo.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sealgate_mail::smtp::{Envelope, EnvelopeRecipient, MailParams, Receipt};
use sealgate_mail::{Address, EnhancedStatus, Reply, ReversePath};
use sealgate_net::smtp_in::{Body, ClientName, Gate, Session};
use tokio::sync::mpsc;

/// A message that arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Envelope recipients.
    pub recipients: Vec<Address>,
    /// The file that holds its octets.
    pub file: PathBuf,
}

/// The sink as its listener sees it.
#[derive(Clone)]
pub struct Sink {
    directory: Arc<PathBuf>,
    count: Arc<AtomicUsize>,
    arrived: mpsc::UnboundedSender<Arrived>,
}

/// A message on its way into the sink; the demo's messages are small.
#[derive(Default)]
pub struct Octets(Vec<u8>);

/// A message that is in its file.
pub struct Filed(String);

impl Receipt for Filed {
    fn queue_id(&self) -> String {
        self.0.clone()
    }
}

impl Body for Octets {
    async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(chunk);
        Ok(())
    }
}

impl Sink {
    /// A sink that writes to `directory`, and where to hear of what arrives.
    pub fn new(directory: &Path) -> io::Result<(Self, mpsc::UnboundedReceiver<Arrived>)> {
        std::fs::create_dir_all(directory)?;
        let (arrived, listen) = mpsc::unbounded_channel();
        Ok((
            Self {
                directory: Arc::new(directory.to_owned()),
                count: Arc::default(),
                arrived,
            },
            listen,
        ))
    }

    fn file(&self, envelope: &Envelope, octets: &[u8]) -> io::Result<PathBuf> {
        let number = self.count.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let name = envelope
            .recipients
            .first()
            .map(|recipient| recipient.address.local().to_owned())
            .unwrap_or_default();
        let safe: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let path = self.directory.join(format!("{number:02}-{safe}.eml"));
        std::fs::write(&path, octets)?;
        Ok(path)
    }
}

impl Gate for Sink {
    type Receipt = Filed;
    type Body = Octets;

    async fn connected(&self, _session: &mut Session) -> Result<(), Reply> {
        Ok(())
    }
    async fn secured(&self, _session: &mut Session) {}

    async fn authenticate(
        &self,
        _session: &Session,
        _user: &str,
        _password: &str,
    ) -> Result<ClientName, Reply> {
        Err(Reply::new(
            535,
            EnhancedStatus(5, 7, 8),
            "nobody can authenticate here",
        ))
    }
    async fn mail(
        &self,
        _session: &Session,
        _from: &ReversePath,
        _params: &MailParams,
    ) -> Result<(), Reply> {
        Ok(())
    }
    async fn rcpt(
        &self,
        _session: &Session,
        _envelope: &Envelope,
        _recipient: &EnvelopeRecipient,
    ) -> Result<(), Reply> {
        Ok(())
    }
    async fn body(&self, _session: &Session, _envelope: &Envelope) -> Result<Octets, Reply> {
        Ok(Octets::default())
    }
    async fn accept(
        &self,
        _session: &Session,
        envelope: Envelope,
        body: Octets,
    ) -> Result<Filed, Reply> {
        let file = self.file(&envelope, &body.0).map_err(|error| {
            Reply::new(
                451,
                EnhancedStatus(4, 3, 0),
                &format!("the message cannot be written: {error}"),
            )
        })?;
        let queue_id = file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        let recipients = envelope
            .recipients
            .into_iter()
            .map(|recipient| recipient.address)
            .collect();
        // Nobody listens any more once the demo has its table; the file is there all the same.
        let _ = self.arrived.send(Arrived { recipients, file });
        Ok(Filed(queue_id))
    }
}
