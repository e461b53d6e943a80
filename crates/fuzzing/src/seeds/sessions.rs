//! Session seeds: scripts that differ in what they bring about, each without what does not matter to that.
//!
//! What a script brings about is a set of [`Trait`]s, seen when it is played on the broker's core. A script is kept that
//! shows one which no shorter script has shown, and is then made smaller for as long as it still shows those.

use std::collections::HashSet;
use std::time::Duration;

use broker::Config;
use broker::core::Core;
use clauses::ClauseId;
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, PacketType, Split, Version};

use super::Seed;
use crate::embedded::Player;
use crate::minimise::minimise;
use crate::observe::{End, Observer};
use crate::script::{CLIENTS, Script};

/// The scripts that are worth keeping, with their names, each as small as it can be.
pub fn session_seeds(scripts: Vec<(String, Script)>) -> Vec<Seed> {
    let mut scripts: Vec<_> = scripts
        .into_iter()
        .map(|(name, script)| (script.to_bytes(), name, script))
        .collect();
    scripts.sort_by(|one, other| {
        let order = |(bytes, name, _): &(Vec<u8>, String, Script)| {
            (bytes.len(), bytes.clone(), name.clone())
        };
        order(one).cmp(&order(other))
    });
    let mut known = HashSet::new();
    let mut seeds = Vec::new();
    for (_, name, script) in scripts {
        let mut news = traits(&script);
        news.retain(|one| known.insert(*one));
        if !news.is_empty() {
            let smallest = minimise(script, |script| news.is_subset(&traits(script)));
            let bytes = smallest.to_bytes();
            seeds.push(Seed { bytes, name });
        }
    }
    seeds
}

/// One kind of thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Trait {
    /// The broker asks for a rule.
    Asked(ClauseId),
    /// A client sends a packet.
    Sent {
        version: Version,
        packet: Class,
        violation: Option<ClauseId>,
        /// What had come to it last.
        behind: Class,
    },
    /// A packet comes to a client.
    Came {
        version: Version,
        packet: Class,
        /// What had come to it before.
        behind: Class,
        /// What it had sent last.
        answers: Class,
    },
    /// A link ends.
    Ended {
        end: End,
        /// What had come last.
        behind: Class,
        /// What was sent last.
        answers: Class,
    },
    /// A client no longer reads.
    Stalled { behind: Class },
    /// The broker starts again.
    Restarted { connected: usize },
}

/// The first byte of a packet and its Reason Code, zeros where there is none.
type Class = (u8, u8);

fn traits(script: &Script) -> HashSet<Trait> {
    let mut watch = Watch::default();
    let mut player = Player::new(Core::new(Config::default()));
    player.play(script, &mut watch);
    watch
        .seen
        .extend(player.machine().consulted().iter().map(Trait::Asked));
    watch.seen
}

/// Sees what happens.
#[derive(Default)]
struct Watch {
    links: [Link; CLIENTS],
    seen: HashSet<Trait>,
}

/// What one link has seen last.
#[derive(Clone)]
struct Link {
    open: bool,
    version: Version,
    sent: Class,
    came: Class,
    /// What is no whole packet yet.
    unsent: Vec<u8>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            open: false,
            version: Version::V5_0,
            sent: (0, 0),
            came: (0, 0),
            unsent: Vec::new(),
        }
    }
}

impl Observer for Watch {
    fn opened(&mut self, client: usize, _: Duration) {
        self.links[client] = Link {
            open: true,
            ..Link::default()
        };
    }

    fn sent(&mut self, client: usize, bytes: &[u8], _: Duration) {
        let link = &mut self.links[client];
        let mut stream = std::mem::take(&mut link.unsent);
        stream.extend_from_slice(bytes);
        let rest = each_frame(&stream, Direction::ToServer, |frame| {
            if let Some(version) = codec::announced_version(frame) {
                link.version = version;
            }
            let decoded = codec::decode(frame, link.version, Direction::ToServer);
            link.sent = class(frame);
            self.seen.insert(Trait::Sent {
                version: link.version,
                packet: link.sent,
                violation: decoded.err().map(|violation| violation.clause),
                behind: link.came,
            });
        });
        link.unsent = rest.to_vec();
    }

    fn received(&mut self, client: usize, bytes: &[u8], _: Duration) {
        let link = &mut self.links[client];
        each_frame(bytes, Direction::ToClient, |frame| {
            let packet = class(frame);
            self.seen.insert(Trait::Came {
                version: link.version,
                packet,
                behind: link.came,
                answers: link.sent,
            });
            link.came = packet;
        });
    }

    fn stalled(&mut self, client: usize, _: Duration) {
        let behind = self.links[client].came;
        self.seen.insert(Trait::Stalled { behind });
    }

    fn ended(&mut self, client: usize, end: End, _: Duration) {
        let link = &mut self.links[client];
        link.open = false;
        let (behind, answers) = (link.came, link.sent);
        self.seen.insert(Trait::Ended {
            end,
            behind,
            answers,
        });
    }

    fn restarted(&mut self, _: Duration) {
        let connected = self.links.iter().filter(|link| link.open).count();
        self.seen.insert(Trait::Restarted { connected });
    }
}

/// Calls `see` with each whole packet; returns what is left behind them.
fn each_frame(bytes: &[u8], direction: Direction, mut see: impl FnMut(Frame<'_>)) -> &[u8] {
    let mut rest = bytes;
    while let Ok(Split::Complete { frame, rest: after }) =
        codec::split(rest, Version::V5_0, direction, MAXIMUM_PACKET_SIZE)
    {
        see(frame);
        rest = after;
    }
    rest
}

fn class(frame: Frame<'_>) -> Class {
    let body = frame.body();
    let code = match frame.packet_type() {
        Some(PacketType::Connack) => body.get(1),
        Some(
            PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp,
        ) => body.get(2),
        Some(PacketType::Suback | PacketType::Unsuback) => body.get(2..).and_then(<[u8]>::last),
        Some(PacketType::Disconnect | PacketType::Auth) => body.first(),
        _ => None,
    };
    (frame.first_byte(), code.copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Operation, Step};

    const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";

    fn script(packets: &[&[u8]]) -> Script {
        let open = Step::new(0, Operation::Open);
        let sends = packets.iter().map(|packet| Step::send(0, *packet));
        Script {
            steps: std::iter::once(open).chain(sends).collect(),
        }
    }

    #[test]
    fn what_shows_nothing_new_is_left_out() {
        let ping: &[u8] = b"\xC0\x00";
        let session = |name: &str, packets: &[&[u8]]| (name.to_owned(), script(packets));
        let seeds = session_seeds(vec![
            session("thrice", &[CONNECT, ping, ping, ping]),
            session("twice", &[CONNECT, ping, ping]),
            session("again", &[CONNECT, ping, ping]),
            session("leaves", &[CONNECT, ping, ping, ping, ping, b"\xE0\x00"]),
        ]);
        let names: Vec<_> = seeds.iter().map(|seed| seed.name.as_str()).collect();
        assert_eq!(names, ["again", "leaves"]);
        // One PINGREQ is needed, so that DISCONNECT comes behind a PINGRESP; the Client Identifier is not.
        let shorter: &[u8] = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00";
        assert_eq!(
            seeds[1].bytes,
            script(&[shorter, ping, b"\xE0\x00"]).to_bytes()
        );
    }

    #[test]
    fn what_the_scripts_bring_about_is_kept() {
        let mix = crate::script::Mix::default();
        let scripts: Vec<_> = (0..40)
            .map(|seed| (seed.to_string(), Script::from_seed(seed, &mix)))
            .collect();
        let of = |scripts: &mut dyn Iterator<Item = Script>| {
            scripts
                .flat_map(|script| traits(&script))
                .collect::<HashSet<_>>()
        };
        let before = of(&mut scripts.iter().map(|(_, script)| script.clone()));
        let seeds = session_seeds(scripts);
        let after = of(&mut seeds.iter().map(|seed| Script::from_bytes(&seed.bytes)));
        assert!(before.is_subset(&after));
    }
}
