//! [`Stub`]: brokers that are wrong on purpose. A scenario that passes on one of them may prove nothing.

mod answer;
mod rightly;

use std::io;
use std::rc::Rc;
use std::time::Duration;

use scenario::feature::FEATURES;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::target::{Credentials, Facts, Features, Host, Target};

use answer::Answers;
pub use rightly::Rightly;

/// How long a stub that never closes keeps a connection whose client is gone: beyond what any case waits for.
const LINGER: Duration = Duration::from_hours(1);

/// A broker that is wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stub {
    /// Closes every connection at once.
    Closer,
    /// Never writes, never closes.
    Mute,
    /// Answers CONNECT, and nothing else.
    ConnackOnly,
    /// Acknowledges everything soundly; never delivers, refuses or disconnects.
    YesMan,
}

impl Stub {
    /// All stubs.
    pub const ALL: [Self; 4] = [Self::Closer, Self::Mute, Self::ConnackOnly, Self::YesMan];

    /// The name, such as `yes-man`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closer => "closer",
            Self::Mute => "mute",
            Self::ConnackOnly => "connack-only",
            Self::YesMan => "yes-man",
        }
    }

    /// What it does, such as `never writes, never closes`.
    pub fn conduct(self) -> &'static str {
        match self {
            Self::Closer => "closes every connection at once",
            Self::Mute => "never writes, never closes",
            Self::ConnackOnly => "answers CONNECT, and nothing else",
            Self::YesMan => "acknowledges everything and does nothing",
        }
    }

    /// Serves one connection in its wrong way.
    pub async fn serve<S>(self, mut stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut answers = match self {
            Self::Closer => return,
            Self::Mute => Answers::none(),
            Self::ConnackOnly => Answers::to_connect_only(),
            Self::YesMan => Answers::to_everything(),
        };
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(taken @ 1..) = stream.read(&mut buffer).await {
            let sent = stream.write_all(&answers.to(&buffer[..taken])).await;
            if sent.is_err() {
                break;
            }
        }
        tokio::time::sleep(LINGER).await;
    }

    /// Serves every connection to the listener until it is dropped.
    ///
    /// # Errors
    /// The listener can accept no more.
    pub async fn listen(self, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(self.serve(stream));
        }
    }

    /// The stub as a target in memory that claims to have everything, so that every case is played on it.
    pub(crate) fn furnish(self) -> Target {
        let mut facts = Facts {
            features: Features::none("a stub in memory cannot even pretend it"),
            credentials: Some(Credentials {
                user: "anybody".to_owned(),
                password: Some("anything".to_owned()),
            }),
            values: [
                ("refused_topic", "refused/topic"),
                ("refused_client_id", "refused"),
                ("maximum_packet_size", "1024"),
                ("receive_maximum", "3"),
                ("server_keep_alive", "5"),
            ]
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect(),
            ..Facts::default()
        };
        let cannot = ["restart", "persistence", "websocket", "enhanced_auth"];
        for feature in FEATURES
            .iter()
            .filter(|feature| !cannot.contains(&feature.name))
        {
            facts.features.add(feature.name);
        }
        Target::in_memory(self.name(), facts, Rc::new(InMemory(self)))
    }
}

struct InMemory(Stub);

impl Host for InMemory {
    fn attach(&self, end: broker::pipe::End) {
        tokio::task::spawn_local(self.0.serve(end));
    }
}
