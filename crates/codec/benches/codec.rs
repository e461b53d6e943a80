//! Our codec beside independent ones, in one run: paired rounds, medians, allocations counted.
//!
//! `cargo bench -p mqtt-assay-codec` prints a table; a round runs every contender once, in turn, and each
//! round yields one ratio to the yardstick, so that a noisy machine disturbs all alike. Beside the medians
//! stands the fastest round, which tells how noisy it was. All of it is repeated in several processes, since
//! where stack and heap happen to lie makes a contender twice as slow for the life of a process; the table
//! holds the medians of the processes. The benchmark fails if a strict decode allocates.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times and their ratios are approximate anyway"
)]

use std::{
    alloc::System,
    env,
    hint::black_box,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use codec::{
    Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PropertiesBuf, PropertyId, Publish, QoS, Split,
    Text, Version, decode, encode, encode_as_is, split,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio_util::codec::Decoder;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Rounds of one comparison; the median of an odd number is one of them.
const ROUNDS: usize = 61;
/// Processes that measure; odd as well.
const PROCESSES: usize = 9;
/// Says that this process is one of them.
const MEASURES: &str = "MQTT_ASSAY_BENCH_MEASURES";
/// How long a contender runs within a round.
const SLICE: Duration = Duration::from_micros(1_500);

/// Something to be measured: it handles `packets` packets a call.
struct Contender<'a> {
    name: &'static str,
    packets: usize,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Contender<'a> {
    fn new(name: &'static str, packets: usize, run: impl FnMut() + 'a) -> Self {
        Self {
            name,
            packets,
            run: Box::new(run),
        }
    }

    /// Nanoseconds a packet over `calls` calls.
    fn time(&mut self, calls: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            (self.run)();
        }
        let calls = u32::try_from(calls * self.packets).unwrap_or(u32::MAX);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    }

    fn allocations(&mut self) -> usize {
        (self.run)();
        let region = Region::new(ALLOCATOR);
        (self.run)();
        let change = region.change();
        change.allocations + change.reallocations
    }
}

/// What was measured of one contender: nanoseconds a packet (median and fastest), the ratio to the yardstick,
/// allocations a packet.
type Row = [f64; 4];

/// Prints a line for each contender, for [`summarise`]; the ratios are to the last one, the yardstick.
///
/// Words behind `cargo bench … --` choose the titles that hold one of them.
fn compare(title: &str, mut contenders: Vec<Contender<'_>>) {
    let mut words = env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .peekable();
    if words.peek().is_some() && !words.any(|word| title.contains(&word)) {
        return;
    }
    let calls = contenders
        .iter_mut()
        .map(|contender| {
            let once = contender.time(50) * contender.packets as f64;
            ((SLICE.as_secs_f64() * 1e9 / once) as usize).max(20)
        })
        .collect::<Vec<_>>();
    let mut times = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for _ in 0..ROUNDS {
        for ((contender, calls), times) in contenders.iter_mut().zip(&calls).zip(&mut times) {
            times.push(contender.time(*calls));
        }
    }
    let yardstick = times.last().cloned().unwrap_or_default();
    for (contender, times) in contenders.iter_mut().zip(&times) {
        let ratios = times
            .iter()
            .zip(&yardstick)
            .map(|(ours, theirs)| ours / theirs)
            .collect();
        let allocations = contender.allocations() as f64 / contender.packets as f64;
        println!(
            "{title}\t{}\t{}\t{}\t{}\t{}",
            contender.name,
            median(times.clone()),
            times.iter().copied().fold(f64::MAX, f64::min),
            median(ratios),
            allocations,
        );
    }
}

/// Lets [`PROCESSES`] of them measure, one after the other, and prints the medians of what they say.
fn summarise() {
    let mut table: Vec<(String, String, Vec<Row>)> = Vec::new();
    for _ in 0..PROCESSES {
        let measured = Command::new(env::current_exe().expect("the benchmark knows where it is"))
            .args(env::args().skip(1))
            .env(MEASURES, "1")
            .stderr(Stdio::inherit())
            .output()
            .expect("the benchmark can be run once more");
        assert!(measured.status.success(), "a strict decode allocates");
        for line in String::from_utf8_lossy(&measured.stdout).lines() {
            let cells = line.split('\t').collect::<Vec<_>>();
            let [title, name, figures @ ..] = &cells[..] else {
                panic!("not a row: {line}");
            };
            let row = [0, 1, 2, 3].map(|at| figures[at].parse::<f64>().expect("a figure"));
            let known = table
                .iter_mut()
                .find(|(of, by, _)| (of.as_str(), by.as_str()) == (*title, *name));
            match known {
                Some((_, _, rows)) => rows.push(row),
                None => table.push(((*title).to_owned(), (*name).to_owned(), vec![row])),
            }
        }
    }
    let mut above = String::new();
    for (title, name, rows) in table {
        if title != above {
            println!("\n{title}");
        }
        let [time, fastest, ratio, allocations] =
            [0, 1, 2, 3].map(|at| median(rows.iter().map(|row| row[at]).collect()));
        println!(
            "  {name:<20} {time:>9.1} ns (fastest {fastest:>8.1})  ratio {ratio:>6.3}  {allocations:>5.2} allocations"
        );
        above = title;
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn main() {
    if env::var_os(MEASURES).is_some() {
        measure();
    } else {
        summarise();
    }
}

fn measure() {
    let small = publish(64, &PropertiesBuf::new());
    let six = publish(64, &six_properties());
    let large = publish(65_536, &PropertiesBuf::new());
    decode_5_0(
        "5.0: QoS 0 PUBLISH, topic 20 bytes, payload 64 bytes",
        &small,
    );
    decode_5_0("5.0: the same with six properties", &six);
    decode_5_0("5.0: PUBLISH with a payload of 64 KiB", &large);
    decode_5_0("5.0: mixed session trace", &trace_5_0());
    let old = publish_3_1_1(64);
    decode_3_1_1(
        "3.1.1: QoS 0 PUBLISH, topic 20 bytes, payload 64 bytes",
        &old,
    );
    decode_3_1_1("3.1.1: mixed session trace", &trace_3_1_1());
    encode_5_0(
        "5.0: encoding the same PUBLISH into a buffer",
        &PropertiesBuf::new(),
    );
    encode_5_0("5.0: encoding it with six properties", &six_properties());
    encode_trace_5_0();
    encode_3_1_1();
    encode_trace_3_1_1();
    for trace in [&small, &six, &large, &trace_5_0()] {
        assert_eq!(
            Contender::new("", 1, || read_all(trace, Version::V5_0)).allocations(),
            0
        );
    }
    let old_trace = trace_3_1_1();
    assert_eq!(
        Contender::new("", 1, || read_all(&old_trace, Version::V3_1_1)).allocations(),
        0
    );
}

const TOPIC: &str = "sensors/hall/7/level";

fn six_properties() -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    properties
        .byte(PropertyId::PayloadFormatIndicator, 1)
        .four_byte_integer(PropertyId::MessageExpiryInterval, 3600)
        .utf8_string(PropertyId::ContentType, "application/json")
        .utf8_string(PropertyId::ResponseTopic, "answers/hall/7")
        .binary_data(PropertyId::CorrelationData, b"0123456789abcdef")
        .user_property("origin", "hall-7-gateway");
    properties
}

fn packet<'a>(payload: &'a [u8], properties: &'a PropertiesBuf) -> Packet<'a> {
    Packet::Publish(Publish {
        dup: false,
        qos: QoS::AT_MOST_ONCE,
        retain: false,
        topic: Text::from(TOPIC),
        packet_id: None,
        properties: properties.as_properties(),
        payload,
    })
}

fn publish(payload: usize, properties: &PropertiesBuf) -> Vec<u8> {
    let mut out = Vec::new();
    encode(
        &packet(&vec![b'x'; payload], properties),
        Version::V5_0,
        &mut out,
    )
    .expect("a sound packet");
    out
}

fn publish_3_1_1(payload: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let properties = PropertiesBuf::new();
    encode(
        &packet(&vec![b'x'; payload], &properties),
        Version::V3_1_1,
        &mut out,
    )
    .expect("a sound packet");
    out
}

/// A client's session as both sides send it: the handshake, subscriptions, messages at each QoS, pings.
fn trace_5_0() -> Vec<u8> {
    let mut trace = Vec::new();
    trace.extend(b"\x10\x29\x00\x04MQTT\x05\xC2\x00\x3C\x08\x11\x00\x00\x00\x78\x21\x00\x14\x00\x08client-7\x00\x04user\x00\x04pass");
    trace.extend(b"\x20\x09\x00\x00\x06\x21\x00\x0A\x22\x00\x0A");
    trace.extend(b"\x82\x17\x00\x01\x02\x0B\x05\x00\x0Fsensors/+/level\x01");
    trace.extend(b"\x90\x04\x00\x01\x00\x01");
    let messages = [
        publish(64, &PropertiesBuf::new()),
        publish(64, &six_properties()),
    ];
    for message in 0..10u8 {
        trace.extend(&messages[usize::from(message % 2)]);
        trace.extend(
            [
                &b"\x32\x1C\x00\x14"[..],
                TOPIC.as_bytes(),
                &[0, message + 2, 0],
                b"abc",
            ]
            .concat(),
        );
        trace.extend([0x40, 2, 0, message + 2]);
        trace.extend(
            [
                &b"\x34\x1C\x00\x14"[..],
                TOPIC.as_bytes(),
                &[0, message + 20, 0],
                b"abc",
            ]
            .concat(),
        );
        for first in [0x50, 0x62, 0x70] {
            trace.extend([first, 2, 0, message + 20]);
        }
    }
    trace.extend(b"\xC0\x00\xD0\x00");
    trace.extend(b"\xA2\x14\x00\x40\x00\x00\x0Fsensors/+/level\xB0\x04\x00\x40\x00\x00");
    trace
}

fn trace_3_1_1() -> Vec<u8> {
    let mut trace = Vec::new();
    trace.extend(b"\x10\x20\x00\x04MQTT\x04\xC2\x00\x3C\x00\x08client-7\x00\x04user\x00\x04pass");
    trace.extend(b"\x20\x02\x00\x00");
    trace.extend(b"\x82\x14\x00\x01\x00\x0Fsensors/+/level\x01");
    trace.extend(b"\x90\x03\x00\x01\x01");
    let message = publish_3_1_1(64);
    for id in 0..10u8 {
        trace.extend(&message);
        trace.extend(
            [
                &b"\x32\x1B\x00\x14"[..],
                TOPIC.as_bytes(),
                &[0, id + 2],
                b"abc",
            ]
            .concat(),
        );
        trace.extend([0x40, 2, 0, id + 2]);
        trace.extend(
            [
                &b"\x34\x1B\x00\x14"[..],
                TOPIC.as_bytes(),
                &[0, id + 20],
                b"abc",
            ]
            .concat(),
        );
        for first in [0x50, 0x62, 0x70] {
            trace.extend([first, 2, 0, id + 20]);
        }
    }
    trace.extend(b"\xC0\x00\xD0\x00");
    trace.extend(b"\xA2\x13\x00\x40\x00\x0Fsensors/+/level\xB0\x02\x00\x40\xE0\x00");
    trace
}

/// The direction in which a packet of the trace travels.
fn direction(frame: Frame<'_>) -> Direction {
    match frame.first_byte() >> 4 {
        2 | 9 | 11 | 13 => Direction::ToClient,
        _ => Direction::ToServer,
    }
}

/// Looks at a packet where it is: to move it would be measured too.
fn sound<P, E>(packet: &Result<P, E>) {
    assert!(black_box(packet).is_ok());
}

fn read_all(mut stream: &[u8], version: Version) {
    while let Ok(Split::Complete { frame, rest }) =
        split(stream, version, Direction::ToServer, MAXIMUM_PACKET_SIZE)
    {
        sound(&decode(black_box(frame), version, direction(frame)));
        stream = rest;
    }
    assert!(stream.is_empty(), "{stream:?}");
}

fn count(mut stream: &[u8]) -> usize {
    let mut count = 0;
    while let Ok(Split::Complete { rest, .. }) = split(
        stream,
        Version::V5_0,
        Direction::ToServer,
        MAXIMUM_PACKET_SIZE,
    ) {
        count += 1;
        stream = rest;
    }
    count
}

/// The stream over and over in one buffer, for the codecs that eat theirs: its making stays outside of the packet's
/// time as far as it can.
fn eat(stream: &[u8], packets: usize, mut read: impl FnMut(&mut BytesMut)) {
    let mut buffer = BytesMut::from(stream);
    for _ in 0..packets {
        read(&mut buffer);
    }
    assert!(buffer.is_empty(), "{buffer:?}");
}

fn repeated(stream: &[u8]) -> Vec<u8> {
    stream.repeat((32_768 / stream.len()).max(1))
}

fn decode_5_0(title: &str, stream: &[u8]) {
    let stream = &repeated(stream)[..];
    let packets = count(stream);
    let frames = frames(stream);
    let mut codec = rmqtt_codec::v5::Codec::new(1 << 24, 1 << 24);
    compare(
        title,
        vec![
            Contender::new("ours, strict", packets, || {
                read_all(black_box(stream), Version::V5_0);
            }),
            Contender::new("mqtt-proto 0.4", packets, || {
                for frame in &frames {
                    sound(&mqtt_proto::v5::Packet::decode(black_box(frame)));
                }
            }),
            Contender::new("rmqtt-codec 0.3", packets, move || {
                eat(stream, packets, |buffer| {
                    sound(&codec.decode(buffer));
                });
            }),
            Contender::new("rumqttc 0.25", packets, || {
                eat(stream, packets, |buffer| {
                    sound(&rumqttc::v5::mqttbytes::v5::Packet::read(buffer, None));
                });
            }),
        ],
    );
}

fn decode_3_1_1(title: &str, stream: &[u8]) {
    let stream = &repeated(stream)[..];
    let packets = count(stream);
    let frames = frames(stream);
    compare(
        title,
        vec![
            Contender::new("ours, strict", packets, || {
                read_all(black_box(stream), Version::V3_1_1);
            }),
            Contender::new("mqtt-proto 0.4", packets, || {
                for frame in &frames {
                    sound(&mqtt_proto::v3::Packet::decode(black_box(frame)));
                }
            }),
            Contender::new("rumqttc 0.25", packets, || {
                eat(stream, packets, |buffer| {
                    sound(&rumqttc::mqttbytes::v4::Packet::read(buffer, 1 << 24));
                });
            }),
            Contender::new("mqttrs 0.4", packets, || {
                for frame in &frames {
                    sound(&mqttrs::decode_slice(black_box(frame)));
                }
            }),
        ],
    );
}

fn frames(mut stream: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let Ok(Split::Complete { frame, rest }) = split(
        stream,
        Version::V5_0,
        Direction::ToServer,
        MAXIMUM_PACKET_SIZE,
    ) {
        frames.push(frame.as_bytes());
        stream = rest;
    }
    frames
}

const PAYLOAD: &[u8] = &[b'x'; 64];

fn encode_5_0(title: &str, properties: &PropertiesBuf) {
    let ours = packet(PAYLOAD, properties);
    let theirs = publish(PAYLOAD.len(), properties);
    let theirs = rumqttc_5_0(&theirs);
    let mut mqtt_proto = Vec::new();
    let mut out = Vec::with_capacity(512);
    let mut raw = Vec::with_capacity(512);
    let mut buffer = BytesMut::with_capacity(512);
    let as_theirs = publish(PAYLOAD.len(), properties);
    mqtt_proto.extend(mqtt_proto::v5::Packet::decode(&as_theirs).ok().flatten());
    compare(
        title,
        vec![
            Contender::new("ours, sound", 1, || {
                out.clear();
                encode(black_box(&ours), Version::V5_0, &mut out).expect("a sound packet");
                black_box(&out);
            }),
            Contender::new("ours, as it is", 1, || {
                raw.clear();
                encode_as_is(black_box(&ours), Version::V5_0, &mut raw).expect("a sound packet");
                black_box(&raw);
            }),
            Contender::new("mqtt-proto 0.4", 1, || {
                for packet in &mqtt_proto {
                    black_box(&black_box(packet).encode().expect("a sound packet"));
                }
            }),
            Contender::new("rumqttc 0.25", 1, || {
                buffer.clear();
                for packet in &theirs {
                    black_box(packet)
                        .write(&mut buffer, None)
                        .expect("a sound packet");
                }
                black_box(&buffer);
            }),
        ],
    );
}

fn rumqttc_5_0(stream: &[u8]) -> Vec<rumqttc::v5::mqttbytes::v5::Packet> {
    let mut buffer = BytesMut::from(stream);
    let mut packets = Vec::new();
    while !buffer.is_empty() {
        packets.push(
            rumqttc::v5::mqttbytes::v5::Packet::read(&mut buffer, None).expect("a sound packet"),
        );
    }
    packets
}

/// The packets of a stream as ours borrow them.
fn packets(stream: &[u8], version: Version) -> Vec<Packet<'_>> {
    frames(stream)
        .into_iter()
        .filter_map(Frame::new)
        .map(|frame| decode(frame, version, direction(frame)).expect("a sound packet"))
        .collect()
}

fn encode_trace_5_0() {
    let trace = trace_5_0();
    let ours = packets(&trace, Version::V5_0);
    let theirs = rumqttc_5_0(&trace);
    let mut out = Vec::with_capacity(1 << 16);
    let mut buffer = BytesMut::with_capacity(1 << 16);
    compare(
        "5.0: encoding the mixed session trace",
        vec![
            Contender::new("ours, sound", ours.len(), || {
                out.clear();
                for packet in &ours {
                    encode(black_box(packet), Version::V5_0, &mut out).expect("a sound packet");
                }
                black_box(&out);
            }),
            Contender::new("rumqttc 0.25", theirs.len(), || {
                buffer.clear();
                for packet in &theirs {
                    black_box(packet)
                        .write(&mut buffer, None)
                        .expect("a sound packet");
                }
                black_box(&buffer);
            }),
        ],
    );
}

fn encode_trace_3_1_1() {
    let trace = trace_3_1_1();
    let ours = packets(&trace, Version::V3_1_1);
    let mut stream = BytesMut::from(&trace[..]);
    let mut rumqttc = Vec::new();
    while !stream.is_empty() {
        rumqttc.push(
            rumqttc::mqttbytes::v4::Packet::read(&mut stream, 1 << 24).expect("a sound packet"),
        );
    }
    let mqttrs = frames(&trace)
        .into_iter()
        .filter_map(|frame| mqttrs::decode_slice(frame).ok().flatten())
        .collect::<Vec<_>>();
    assert_eq!(mqttrs.len(), ours.len());
    let mut out = Vec::with_capacity(1 << 16);
    let mut buffer = BytesMut::with_capacity(1 << 16);
    let mut slice = vec![0; 1 << 16];
    compare(
        "3.1.1: encoding the mixed session trace",
        vec![
            Contender::new("ours, sound", ours.len(), || {
                out.clear();
                for packet in &ours {
                    encode(black_box(packet), Version::V3_1_1, &mut out).expect("a sound packet");
                }
                black_box(&out);
            }),
            Contender::new("rumqttc 0.25", rumqttc.len(), || {
                buffer.clear();
                for packet in &rumqttc {
                    black_box(packet)
                        .write(&mut buffer, 1 << 24)
                        .expect("a sound packet");
                }
                black_box(&buffer);
            }),
            Contender::new("mqttrs 0.4", mqttrs.len(), || {
                let mut rest = &mut slice[..];
                for packet in &mqttrs {
                    let length =
                        mqttrs::encode_slice(black_box(packet), rest).expect("a sound packet");
                    rest = &mut rest[length..];
                }
                black_box(&slice);
            }),
        ],
    );
}

fn encode_3_1_1() {
    let properties = PropertiesBuf::new();
    let ours = packet(PAYLOAD, &properties);
    let mut out = Vec::with_capacity(256);
    let mut raw = Vec::with_capacity(256);
    let rumqttc = rumqttc::mqttbytes::v4::Publish::new(TOPIC, rumqttc::QoS::AtMostOnce, PAYLOAD);
    let mut buffer = BytesMut::with_capacity(256);
    let mqttrs = mqttrs::Packet::Publish(mqttrs::Publish {
        dup: false,
        qospid: mqttrs::QosPid::AtMostOnce,
        retain: false,
        topic_name: TOPIC,
        payload: PAYLOAD,
    });
    let mut slice = [0; 256];
    compare(
        "3.1.1: encoding the same PUBLISH into a buffer",
        vec![
            Contender::new("ours, sound", 1, || {
                out.clear();
                encode(black_box(&ours), Version::V3_1_1, &mut out).expect("a sound packet");
                black_box(&out);
            }),
            Contender::new("ours, as it is", 1, || {
                raw.clear();
                encode_as_is(black_box(&ours), Version::V3_1_1, &mut raw).expect("a sound packet");
                black_box(&raw);
            }),
            Contender::new("rumqttc 0.25", 1, || {
                buffer.clear();
                black_box(&rumqttc)
                    .write(&mut buffer)
                    .expect("a sound packet");
                black_box(&buffer);
            }),
            Contender::new("mqttrs 0.4", 1, || {
                mqttrs::encode_slice(black_box(&mqttrs), &mut slice).expect("a sound packet");
                black_box(&slice);
            }),
        ],
    );
}
