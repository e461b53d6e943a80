//! A broker to be launched: a relay in front of a reference broker, which can do what no sound broker does.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version};

/// A recipe of this test binary, which then plays the ignored test of this name; `more` is set in its environment.
pub(crate) fn recipe(test: &str, more: &str) -> String {
    let itself = env::current_exe().unwrap();
    format!(
        "name: Relay\n\
         program: ['{}']\n\
         install: run the tests\n\
         run: [--exact, '{test}', --ignored, --nocapture]\n\
         environment: {{ RELAY_PORT: '{{{{tcp.port}}}}', BROKER: '{{{{itself}}}}'{more} }}\n\
         configurations: {{ plain: {{}} }}\n",
        itself.display()
    )
}

/// Passes everything on to a reference broker, and shows `see` the packets that clients send, in however many pieces they
/// come.
#[expect(
    clippy::zombie_processes,
    reason = "it serves until its supervisor ends both"
)]
pub(crate) fn relay(see: impl Fn(&[u8]) + Send + Sync + 'static) {
    let see = Arc::new(see);
    let port: u16 = env::var("RELAY_PORT").unwrap().parse().unwrap();
    let mut broker = Command::new(env::var("BROKER").unwrap());
    let broker = broker.args(["broker", "--listen", "127.0.0.1:0"]);
    let mut broker = broker.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(broker.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let beyond: u16 = line.trim_end().rsplit_once(':').unwrap().1.parse().unwrap();
    for stream in TcpListener::bind(("127.0.0.1", port)).unwrap().incoming() {
        let (mut near, mut far) = (
            stream.unwrap(),
            TcpStream::connect(("127.0.0.1", beyond)).unwrap(),
        );
        let (mut back, mut forth) = (far.try_clone().unwrap(), near.try_clone().unwrap());
        thread::spawn(move || {
            let _ = std::io::copy(&mut back, &mut forth);
            let _ = forth.shutdown(Shutdown::Both);
        });
        let see = Arc::clone(&see);
        thread::spawn(move || {
            let (mut bytes, mut unseen) = ([0; 4096], Vec::new());
            while let Ok(count @ 1..) = near.read(&mut bytes) {
                unseen.extend_from_slice(&bytes[..count]);
                let mut left = unseen.as_slice();
                while let Some((packet, behind)) = first_packet(left) {
                    see(packet);
                    left = behind;
                }
                unseen = left.to_vec();
                if far.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            let _ = far.shutdown(Shutdown::Write);
        });
    }
}

/// The packet at the beginning of these bytes, if all of it is there, and what stands behind it.
fn first_packet(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let split = codec::split(
        bytes,
        Version::V5_0,
        Direction::ToServer,
        MAXIMUM_PACKET_SIZE,
    );
    match split {
        Ok(Split::Complete { frame, rest }) => Some((frame.as_bytes(), rest)),
        Ok(Split::Incomplete { .. }) | Err(_) => None,
    }
}
