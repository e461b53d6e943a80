//! Scripts out of choices: from a fuzzer's bytes, or from a seed.

use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use codec::{Direction, Packet, Pingreq, Version};

use super::packets::{self, chance};
use super::{CLIENTS, How, Operation, Pieces, STEPS, Script, Step, Which};
use crate::{malformed, sound};

/// What a generated script is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    /// The versions that its clients speak; all where there are none.
    pub versions: Vec<Version>,
    /// How many clients take part at most, 1 to [`CLIENTS`].
    pub clients: usize,
    /// How many steps it has at most, those that connect its clients included; up to [`STEPS`].
    pub steps: usize,
    /// How many steps out of a hundred send what the standard forbids.
    pub malformed: u8,
    /// How many out of a hundred send a sound packet of any kind with any fields.
    pub unusual: u8,
    /// How many out of a hundred let time pass.
    pub waits: u8,
    /// How many out of a thousand restart the target.
    pub restarts: u8,
    /// Whether acknowledgements answer what the target has sent. Otherwise all that is sent is known beforehand.
    pub feedback: bool,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            versions: Version::ALL.to_vec(),
            clients: CLIENTS,
            steps: 24,
            malformed: 4,
            unusual: 4,
            waits: 4,
            restarts: 3,
            feedback: true,
        }
    }
}

impl Script {
    /// Makes a script of the choices that `u` holds; it ends where they do.
    pub fn generate(u: &mut Unstructured<'_>, mix: &Mix) -> Self {
        let mut writer = Writer::new(mix);
        // What was written before the choices ran out is a script as well.
        let _ = writer.write(u);
        writer.script
    }

    /// Makes the script of a seed: the same seed and mix give the same script.
    pub fn from_seed(seed: u64, mix: &Mix) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut choices = [0; 2048];
        random.fill(&mut choices);
        Self::generate(&mut Unstructured::new(&choices), mix)
    }
}

impl<'a> Arbitrary<'a> for Script {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::generate(u, &Mix::default()))
    }
}

/// A script that grows, and what its clients are about.
pub(super) struct Writer<'m> {
    mix: &'m Mix,
    script: Script,
    clients: [Client; CLIENTS],
}

#[derive(Clone, Copy)]
struct Client {
    version: Version,
    linked: bool,
    connected: bool,
}

impl<'m> Writer<'m> {
    pub(super) fn new(mix: &'m Mix) -> Self {
        Self::after(Script::default(), mix)
    }

    /// Goes on where `script` ends.
    pub(super) fn after(script: Script, mix: &'m Mix) -> Self {
        let mut clients = [Client {
            version: Version::V5_0,
            linked: false,
            connected: false,
        }; CLIENTS];
        for step in &script.steps {
            let client = &mut clients[step.client % CLIENTS];
            match &step.operation {
                Operation::Open => (client.linked, client.connected) = (true, false),
                Operation::Close | Operation::Cut | Operation::HalfClose => client.linked = false,
                Operation::Send { .. } => {
                    if let Some(version) = step.operation.announces() {
                        (client.version, client.connected) = (version, true);
                    }
                }
                _ => {}
            }
        }
        Self {
            mix,
            script,
            clients,
        }
    }

    /// Makes one more step, or the two that connect a client.
    pub(super) fn extend(mut self, u: &mut Unstructured<'_>) -> Script {
        let client = u.int_in_range(0..=CLIENTS - 1).unwrap_or(0);
        let _ = self.step(u, client);
        self.script
    }

    fn write(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let clients = self.mix.clients.clamp(1, CLIENTS);
        let clients = clients.min(u.int_in_range(1..=clients)?.max(2));
        for client in 0..clients {
            self.connect(u, client)?;
        }
        // Subscribers first, or most messages reach nobody.
        let client = u.int_in_range(0..=clients - 1)?;
        let version = self.clients[client].version;
        let subscribe = packets::subscribe(u, version)?;
        self.push(client, Step::send(client, subscribe).operation);
        let most = self.mix.steps.min(STEPS);
        let steps = u.int_in_range(most / 2..=most)?;
        while self.script.steps.len() < steps && !u.is_empty() {
            let client = u.int_in_range(0..=clients - 1)?;
            self.step(u, client)?;
        }
        Ok(())
    }

    fn push(&mut self, client: usize, operation: Operation) {
        self.script.steps.push(Step::new(client, operation));
    }

    fn connect(&mut self, u: &mut Unstructured<'_>, client: usize) -> Result<()> {
        let version = if self.mix.versions.is_empty() {
            *u.choose(&Version::ALL)?
        } else {
            *u.choose(&self.mix.versions)?
        };
        let number = self.script.steps.len();
        let bytes = packets::connect(u, version, client, number)?;
        self.clients[client] = Client {
            version,
            linked: true,
            connected: true,
        };
        self.push(client, Operation::Open);
        self.push(client, Step::send(client, bytes).operation);
        Ok(())
    }

    fn step(&mut self, u: &mut Unstructured<'_>, client: usize) -> Result<()> {
        let mix = self.mix;
        if !self.clients[client].linked {
            return self.connect(u, client);
        }
        if u.int_in_range(0..=999_u16)? > 999 - u16::from(mix.restarts) {
            self.push(client, Operation::Restart);
            for client in &mut self.clients {
                client.linked = false;
            }
            return Ok(());
        }
        if chance(u, mix.waits)? {
            let time = *u.choose(&[1, 2, 5, 10, 120])?;
            self.push(client, Operation::Wait(Duration::from_secs(time)));
            return Ok(());
        }
        let version = self.clients[client].version;
        let number = self.script.steps.len();
        let direction = Direction::ToServer;
        let bytes = if chance(u, mix.malformed)? {
            let draft = malformed(u, version, direction)?;
            draft.encode().unwrap_or_default()
        } else if chance(u, mix.unusual)? {
            let draft = sound(u, version, direction)?;
            draft.encode().unwrap_or_default()
        } else {
            match u.int_in_range(0..=99_u8)? {
                0..=37 => packets::publish(u, version, number)?,
                38..=54 => packets::subscribe(u, version)?,
                55..=60 => packets::unsubscribe(u, version)?,
                61..=78 if mix.feedback => {
                    let (which, how) = acknowledge(u)?;
                    self.push(client, Operation::Acknowledge { which, how });
                    return Ok(());
                }
                61..=81 => packets::acknowledgement(u, version)?,
                82..=84 => packets::encode(&Packet::Pingreq(Pingreq), version),
                85 if version.has_properties() => packets::authenticate(u, version)?,
                85..=89 => {
                    let bytes = packets::disconnect(u, version)?;
                    self.push(client, Step::send(client, bytes).operation);
                    self.leave(client, Operation::Close);
                    return Ok(());
                }
                90..=92 => {
                    self.leave(client, Operation::Close);
                    return Ok(());
                }
                93..=95 => {
                    self.leave(client, Operation::Cut);
                    return Ok(());
                }
                96 => {
                    self.leave(client, Operation::HalfClose);
                    return Ok(());
                }
                97 => {
                    self.push(client, Operation::Stall);
                    return Ok(());
                }
                _ => return self.connect(u, client),
            }
        };
        let pieces = match u.int_in_range(0..=19_u8)? {
            18 => Pieces::Two(u.int_in_range(1..=20)?),
            19 => Pieces::Bytes,
            _ => Pieces::Whole,
        };
        self.push(client, Operation::Send { bytes, pieces });
        Ok(())
    }

    fn leave(&mut self, client: usize, operation: Operation) {
        self.clients[client].linked = false;
        self.push(client, operation);
    }
}

fn acknowledge(u: &mut Unstructured<'_>) -> Result<(Which, How)> {
    let which = *u.choose(&[Which::All, Which::Oldest, Which::Newest])?;
    let how = match u.int_in_range(0..=15_u8)? {
        12 => How::WithError,
        13 => How::Twice,
        14 => How::WrongId,
        15 => How::WrongType,
        _ => How::Rightly,
    };
    Ok((which, how))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_script_again_and_another_seed_another() {
        let mix = Mix::default();
        assert_eq!(Script::from_seed(1, &mix), Script::from_seed(1, &mix));
        assert_ne!(Script::from_seed(1, &mix), Script::from_seed(2, &mix));
    }

    #[test]
    fn scripts_keep_to_their_mix() {
        let mix = Mix {
            versions: vec![Version::V3_1_1],
            clients: 3,
            malformed: 0,
            waits: 0,
            restarts: 0,
            feedback: false,
            ..Mix::default()
        };
        for seed in 0..200 {
            let script = Script::from_seed(seed, &mix);
            assert!(script.clients() <= 3);
            assert!(script.steps.len() <= mix.steps + 1, "{script:?}");
            for step in &script.steps {
                let kept = match &step.operation {
                    Operation::Acknowledge { .. } | Operation::Wait(_) | Operation::Restart => {
                        false
                    }
                    operation => operation.announces().is_none_or(|v| v == Version::V3_1_1),
                };
                assert!(kept, "{step:?}");
            }
        }
    }
}
