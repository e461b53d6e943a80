//! A network between a link and its wire: a task that lets bytes through as [`Conditions`] say.

use std::collections::VecDeque;
use std::io;

use broker::pipe::{End, pipe};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

use super::conditions::Conditions;
use super::wire::Wire;

/// How many bytes a direction holds before whoever sends has to wait.
const CAPACITY: usize = 256 * 1024;
const READ_SIZE: usize = 16 * 1024;

/// Puts a network in front of a wire.
pub(super) fn before(wire: Wire, conditions: Conditions) -> Wire {
    let (near, far) = pipe();
    tokio::spawn(carry(far, wire, conditions));
    Wire::Pipe(near)
}

/// Carries both directions until both have ended, or one of them was broken off.
async fn carry(client: End, target: Wire, conditions: Conditions) {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_target, mut to_target) = tokio::io::split(target);
    let carried = tokio::try_join!(
        lane(&mut from_client, &mut to_target, conditions),
        lane(&mut from_target, &mut to_client, conditions),
    );
    if carried.is_err() {
        // An end that is gone already needs no reset.
        let _ = from_target.unsplit(to_target).reset();
        let client = from_client.unsplit(to_client);
        // What has arrived before an RST can be read.
        client.drained().await;
        client.reset();
    }
}

/// What travels in one direction.
enum Cargo {
    Segment(Vec<u8>),
    End(io::Result<()>),
}

/// One direction. The error is that of whichever side broke off.
async fn lane(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    conditions: Conditions,
) -> io::Result<()> {
    let mut under_way: VecDeque<(Instant, Cargo)> = VecDeque::new();
    let mut held = 0;
    let mut pace = Pace::new(conditions);
    let mut ended = false;
    let mut buffer = vec![0; READ_SIZE];
    loop {
        let due = under_way.front().map(|(due, _)| *due);
        tokio::select! {
            read = from.read(&mut buffer), if !ended && held < CAPACITY => match read {
                Ok(count) if count > 0 => {
                    held += count;
                    for segment in buffer[..count].chunks(conditions.segment.max(1)) {
                        let due = pace.arrival(segment.len());
                        under_way.push_back((due, Cargo::Segment(segment.to_vec())));
                    }
                }
                end => {
                    ended = true;
                    under_way.push_back((pace.arrival(0), Cargo::End(end.map(drop))));
                }
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                match under_way.pop_front() {
                    Some((_, Cargo::Segment(segment))) => {
                        to.write_all(&segment).await?;
                        to.flush().await?;
                        held -= segment.len();
                    }
                    Some((_, Cargo::End(end))) => {
                        end?;
                        return to.shutdown().await;
                    }
                    None => {}
                }
            }
        }
    }
}

/// When what is sent arrives.
struct Pace {
    conditions: Conditions,
    /// When all that was sent before has left.
    free: Instant,
    /// When the segment before arrives.
    last: Instant,
    segments: u32,
}

impl Pace {
    fn new(conditions: Conditions) -> Self {
        let now = Instant::now();
        Self {
            conditions,
            free: now,
            last: now,
            segments: 0,
        }
    }

    /// When a segment arrives that is sent now.
    fn arrival(&mut self, bytes: usize) -> Instant {
        self.free = self.free.max(Instant::now()) + self.conditions.transmission(bytes);
        let mut due = self.free + self.conditions.latency;
        if bytes > 0
            && let Some(loss) = self.conditions.loss
        {
            self.segments += 1;
            if self.segments.is_multiple_of(loss.every.max(1)) {
                due += loss.timeout;
            }
        }
        self.last = self.last.max(due);
        self.last
    }
}

#[cfg(test)]
mod tests {

    use std::time::Duration;

    use tokio::net::{TcpListener, TcpStream};

    use super::super::conditions::LinkKind;
    use super::*;

    /// A pipe with a network of this kind in it.
    fn over(kind: LinkKind) -> (Wire, End) {
        let (near, far) = pipe();
        (before(Wire::Pipe(near), kind.conditions().unwrap()), far)
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_take_their_time() {
        let (mut near, mut far) = over(LinkKind::SecondGeneration);
        let began = Instant::now();
        near.write_all(&[7; 5_000]).await.unwrap();
        let mut read = vec![0; 5_000];
        far.read_exact(&mut read[..1]).await.unwrap();
        let first = began.elapsed();
        far.read_exact(&mut read[1..]).await.unwrap();
        // A segment of 536 bytes at 5,000 bytes a second, and 350 ms of way.
        assert!((457..=459).contains(&first.as_millis()), "{first:?}");
        let all = began.elapsed();
        assert!((1350..=1352).contains(&all.as_millis()), "{all:?}");
        assert_eq!(read, [7; 5_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_lost_holds_up_what_follows() {
        let (mut near, mut far) = over(LinkKind::Lossy);
        let began = Instant::now();
        let mut arrived = Vec::new();
        for count in 1..=7_u8 {
            near.write_all(&[count]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for count in 1..=7_u8 {
            let mut byte = [0];
            far.read_exact(&mut byte).await.unwrap();
            assert_eq!(byte, [count]);
            arrived.push(began.elapsed().as_millis() >= 250);
        }
        // All were sent within 70 ms: only the fifth and what follows it can be late.
        assert_eq!(
            arrived.iter().position(|late| *late),
            Some(4),
            "{arrived:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_direction_comes_behind_its_bytes() {
        let (mut near, mut far) = over(LinkKind::Satellite);
        near.write_all(b"last").await.unwrap();
        near.shutdown().await.unwrap();
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"last");
        far.write_all(b"answer").await.unwrap();
        drop(far);
        read.clear();
        near.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"answer");
    }

    /// A server that closes with something unread answers by an RST, right behind its last words.
    #[tokio::test]
    async fn a_reset_comes_behind_what_was_sent_before() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        let stream = TcpStream::connect(place).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let mut near = before(Wire::Tcp(stream), LinkKind::Lan.conditions().unwrap());
        near.write_all(b"never read").await.unwrap();
        near.flush().await.unwrap();
        server.peek(&mut [0]).await.unwrap();
        server.write_all(b"refused").await.unwrap();
        drop(server);
        let mut read = Vec::new();
        let error = near.read_to_end(&mut read).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(read, b"refused");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_travels_in_both_directions() {
        let (near, mut far) = over(LinkKind::Lan);
        near.reset().unwrap();
        let error = far.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

        let (mut near, far) = over(LinkKind::Lan);
        far.reset();
        let error = near.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
