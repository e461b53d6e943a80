//! [`Peer`]: the target's end of one connection, for targets that follow a script.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use broker::pipe::End;
use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version};
use scenario::Case;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::event::{CaseInfo, CaseReport};
use crate::target::{Facts, Host, Target};
use crate::{Namespace, Settings};

/// The target's end of one connection.
pub(super) struct Peer {
    end: End,
    buffer: Vec<u8>,
    /// The version of the client, once it has sent CONNECT.
    pub(super) version: Version,
    /// Whether every byte is written by itself.
    pub(super) byte_by_byte: bool,
    /// How the client ended the connection.
    seen: &'static str,
}

impl Peer {
    /// The next packet; `None` at the end of the connection.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let split = codec::split(
                &self.buffer,
                Version::V5_0,
                Direction::ToServer,
                MAXIMUM_PACKET_SIZE,
            );
            if let Ok(Split::Complete { frame, .. }) = split {
                let packet = frame.as_bytes().to_vec();
                self.buffer.drain(..packet.len());
                return Some(packet);
            }
            match self.end.read_buf(&mut self.buffer).await {
                Ok(0) => {
                    self.seen = "fin";
                    return None;
                }
                Ok(_) => {}
                Err(_) => {
                    self.seen = "rst";
                    return None;
                }
            }
        }
    }

    /// How the client ended the connection: `fin` or `rst`.
    pub(super) fn end_seen(&self) -> &'static str {
        self.seen
    }

    /// Takes at most so many bytes off the wire, for [`Peer::next`].
    pub(super) async fn take(&mut self, most: usize) {
        let mut taken = vec![0; most];
        if let Ok(count) = self.end.read(&mut taken).await {
            self.buffer.extend_from_slice(&taken[..count]);
        }
    }

    /// Writes bytes given as hex digits.
    pub(super) async fn send(&mut self, hex: &str) {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        self.write(&bytes).await;
    }

    async fn write(&mut self, bytes: &[u8]) {
        if !self.byte_by_byte {
            let _ = self.end.write_all(bytes).await;
            return;
        }
        for byte in bytes {
            let _ = self.end.write_all(&[*byte]).await;
            tokio::task::yield_now().await;
        }
    }

    /// Takes a CONNECT and accepts it.
    pub(super) async fn accept(&mut self) {
        let connect = self.next().await.unwrap_or_default();
        let v5 = connect.get(8) == Some(&5);
        self.version = if v5 { Version::V5_0 } else { Version::V3_1_1 };
        self.send(if v5 { "20 03 00 00 00" } else { "20 02 00 00" })
            .await;
    }

    /// Answers one packet as a broker without subscribers would. Says whether there was one.
    pub(super) async fn answer(&mut self) -> bool {
        let Some(packet) = self.next().await else {
            return false;
        };
        let v5 = self.version == Version::V5_0;
        let id = |at: usize| [packet[at], packet[at + 1]];
        match packet[0] >> 4 {
            3 => {
                let topic = usize::from(u16::from_be_bytes(id(2)));
                let [high, low] = if packet[0] & 6 == 0 {
                    [0, 0]
                } else {
                    id(4 + topic)
                };
                match packet[0] & 6 {
                    2 => self.write(&[0x40, 2, high, low]).await,
                    4 => self.write(&[0x50, 2, high, low]).await,
                    _ => {}
                }
            }
            6 => self.write(&[0x70, 2, packet[2], packet[3]]).await,
            8 => {
                let granted = packet[packet.len() - 1] & 3;
                let [high, low] = id(2);
                if v5 {
                    self.write(&[0x90, 4, high, low, 0, granted]).await;
                } else {
                    self.write(&[0x90, 3, high, low, granted]).await;
                }
            }
            12 => self.write(&[0xD0, 0]).await,
            14 => return false,
            _ => {}
        }
        true
    }

    /// Accepts, and answers everything until the client leaves.
    pub(super) async fn serve(&mut self) {
        self.accept().await;
        while self.answer().await {}
    }

    /// Resets the connection.
    pub(super) fn reset(self) {
        self.end.reset();
    }
}

struct Scripted<F>(F);

impl<F, S> Host for Scripted<F>
where
    F: Fn(Peer) -> S,
    S: Future<Output = ()> + 'static,
{
    fn attach(&self, end: End) {
        let peer = Peer {
            end,
            buffer: Vec::new(),
            version: Version::V3_1_1,
            byte_by_byte: false,
            seen: "nothing",
        };
        tokio::task::spawn_local((self.0)(peer));
    }
}

/// How a test plays a case.
pub(super) struct Stand {
    pub(super) patience: f64,
    pub(super) way: crate::link::Way,
    pub(super) strict: bool,
    pub(super) version: Version,
    /// What is known of the target.
    pub(super) facts: Facts,
}

impl Default for Stand {
    fn default() -> Self {
        Self {
            patience: 1.0,
            way: crate::link::Way::default(),
            strict: false,
            version: Version::V3_1_1,
            facts: Facts::default(),
        }
    }
}

/// Plays the steps of a scenario against a script, in virtual time. `text` is what follows the title.
pub(super) fn play<F, S>(stand: &Stand, text: &str, script: F) -> CaseReport
where
    F: Fn(Peer) -> S + 'static,
    S: Future<Output = ()> + 'static,
{
    let text = format!("title: A test of the player\n{text}");
    let scenario = Arc::new(scenario::parse("tests/player.yaml", &text).expect("a sound scenario"));
    let case = scenario::expand(&scenario)
        .into_iter()
        .find(|case| case.version == stand.version)
        .expect("a case of the version");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let target = Target::in_memory("a script", stand.facts.clone(), Rc::new(Scripted(script)));
        let settings = Settings {
            patience: stand.patience,
            strict: stand.strict,
            way: stand.way,
            namespace: Namespace::new(1, 1),
        };
        tokio::time::timeout(
            Duration::from_hours(1),
            crate::play::play(&case, info(&case), &target, &settings),
        )
        .await
        .expect("no case waits for an hour")
    })
}

fn info(case: &Case) -> Arc<CaseInfo> {
    Arc::new(CaseInfo {
        name: case.name.clone(),
        chapter: "tests".to_owned(),
        title: case.scenario.title.value.clone(),
        source: case.scenario.source.clone(),
        version: case.version,
        clauses: case.clauses.clone(),
    })
}
