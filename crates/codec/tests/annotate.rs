//! What people read: annotated dumps and the notation of scenarios.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod strategies;

use codec::{
    Direction, Frame, PacketType, Version,
    annotate::{Reading, annotate},
    decode,
    draft::{Draft, Malformation, Value},
    raw::Raw,
};
use proptest::{collection::vec, prelude::*, sample::select};

fn draft(packet_type: PacketType, version: Version, fields: &[(&str, Value)]) -> Draft {
    let mut draft = Draft::new(packet_type, version);
    for (name, value) in fields {
        draft.set(name, value.clone()).unwrap();
    }
    draft
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn a_sound_connect() {
    let mut will = draft(
        PacketType::Publish,
        Version::V5_0,
        &[("qos", Value::Number(1)), ("topic", text("w"))],
    );
    will.set("payload", Value::Binary(vec![0, 0xFF])).unwrap();
    let connect = draft(
        PacketType::Connect,
        Version::V5_0,
        &[
            ("client_id", text("probe")),
            ("keep_alive", Value::Number(60)),
            ("session_expiry", Value::Number(100)),
            (
                "user_properties",
                Value::Pairs(vec![(b"a".to_vec(), b"b".to_vec())]),
            ),
            ("will", Value::Record(will.fields().clone())),
            ("user_name", text("someone")),
        ],
    );
    let bytes = connect.encode().unwrap();
    let dump = annotate(
        Frame::new(&bytes).unwrap(),
        Version::V5_0,
        Direction::ToServer,
        Reading::Strict,
    );
    insta::assert_snapshot!(format!("{connect}\n\n{dump}"));
}

#[test]
fn all_that_is_wrong_with_a_publish() {
    let mut publish = draft(
        PacketType::Publish,
        Version::V5_0,
        &[
            ("qos", Value::Number(3)),
            ("id", Value::Number(0)),
            ("topic", Value::Text(b"a/+/\xFF".to_vec())),
            ("topic_alias", Value::Number(0)),
            ("session_expiry", Value::Number(1)),
            ("content_type", text("text/plain")),
            ("payload", Value::Binary((0..100).collect())),
        ],
    );
    publish
        .malform(Malformation::Twice("content_type"))
        .malform(Malformation::LengthWidth(3));
    let bytes = publish.encode().unwrap();
    let frame = Frame::new(&bytes).unwrap();
    let strict = annotate(frame, Version::V5_0, Direction::ToServer, Reading::Strict);
    let lenient = annotate(frame, Version::V5_0, Direction::ToServer, Reading::Lenient);
    assert_eq!(strict.violations().len(), 1);
    insta::assert_snapshot!(format!("{publish}\n\n{lenient}"));
}

#[test]
fn a_packet_that_ends_too_early() {
    let mut subscribe = Draft::new(PacketType::Subscribe, Version::V3_1_1);
    subscribe.malform(Malformation::Short(-1));
    let bytes = subscribe.encode().unwrap();
    let dump = annotate(
        Frame::new(&bytes).unwrap(),
        Version::V3_1_1,
        Direction::ToServer,
        Reading::Lenient,
    );
    insta::assert_snapshot!(format!("{subscribe}\n\n{dump}"));
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one line of notation for each shape of packet"
)]
fn the_notation_of_each_packet() {
    use PacketType as P;
    let n = Value::Number;
    let v5 = Version::V5_0;
    let subscription = |filter: &str, qos| {
        let mut subscribe = Draft::new(P::Subscribe, v5);
        let mut record = codec::draft::Record::new();
        let codec::draft::Kind::Records(specs) =
            codec::draft::field(P::Subscribe, "filters").unwrap().kind
        else {
            unreachable!("filters are records");
        };
        record.set(&specs[0], text(filter));
        record.set(&specs[1], n(qos));
        subscribe
            .set("filters", Value::Filters(vec![record]))
            .unwrap();
        subscribe
    };
    let lines = [
        draft(
            P::Publish,
            v5,
            &[
                ("topic", text("t/x")),
                ("payload", text("kept")),
                ("qos", n(1)),
                ("id", n(7)),
            ],
        ),
        draft(
            P::Publish,
            v5,
            &[
                ("topic", text("t/ü b")),
                ("payload", Value::Binary(vec![0, 0xFF, 0xC3])),
            ],
        ),
        draft(
            P::Publish,
            v5,
            &[
                ("topic", text("#")),
                ("payload", Value::Binary(vec![b'x'; 500])),
            ],
        ),
        draft(
            P::Publish,
            v5,
            &[
                ("topic", text("it's <t>: a, b")),
                ("retain", Value::Flag(true)),
            ],
        ),
        draft(
            P::Connack,
            v5,
            &[("session_present", Value::Flag(false)), ("reason", n(0x87))],
        ),
        draft(
            P::Connack,
            Version::V3_1_1,
            &[("session_present", Value::Flag(true)), ("code", n(0))],
        ),
        draft(P::Puback, v5, &[("id", n(9)), ("reason", n(0x10))]),
        draft(P::Puback, v5, &[("id", n(9)), ("reason", n(0))]),
        draft(
            P::Suback,
            v5,
            &[
                ("id", n(9)),
                ("codes", Value::Numbers(vec![0, 2, 0x87, 0xEE])),
            ],
        ),
        draft(
            P::Suback,
            Version::V3_1_1,
            &[("id", n(9)), ("codes", Value::Numbers(vec![0, 2, 0x80]))],
        ),
        subscription("$share/g/t/+", 1),
        draft(
            P::Unsubscribe,
            v5,
            &[
                ("id", n(2)),
                ("filters", Value::Texts(vec![b"a".to_vec(), b"".to_vec()])),
            ],
        ),
        draft(
            P::Disconnect,
            v5,
            &[
                ("reason", n(0x8E)),
                (
                    "user_properties",
                    Value::Pairs(vec![(b"k".to_vec(), b"v w".to_vec())]),
                ),
            ],
        ),
        draft(P::Disconnect, v5, &[]),
        draft(P::Pingreq, v5, &[]),
        draft(
            P::Auth,
            v5,
            &[
                ("reason", n(0x18)),
                ("authentication_method", text("m")),
                ("authentication_data", Value::Binary(vec![1])),
            ],
        ),
    ];
    insta::assert_snapshot!(lines.map(|draft| draft.to_string()).join("\n"));
}

proptest! {
    #[test]
    fn a_raw_frame_is_the_frame(
        first in any::<u8>(),
        width in 1..=4u8,
        body in vec(any::<u8>(), 0..60),
        version in select(&Version::ALL[..]),
    ) {
        let mut bytes = vec![first];
        let length = u8::try_from(body.len()).unwrap();
        // A Remaining Length in more bytes than it needs must survive.
        for place in 1..=width {
            let low = if place == 1 { length } else { 0 };
            bytes.push(low | if place < width { 0x80 } else { 0 });
        }
        bytes.extend(body);
        let frame = Frame::new(&bytes).unwrap();
        let raw = Raw::read(frame, version);
        prop_assert_eq!(raw.to_bytes(), &bytes[..]);
        prop_assert!(raw.fields.iter().all(|field| !field.bytes.is_empty()));
        let dump = annotate(frame, version, Direction::ToServer, Reading::Lenient).to_string();
        prop_assert!(dump.lines().count() > raw.fields.len());
    }

    #[test]
    fn a_sound_packet_has_no_unreadable_field((draft, direction) in strategies::sound_drafts()) {
        let bytes = draft.encode().unwrap();
        let frame = Frame::new(&bytes).unwrap();
        let raw = Raw::read(frame, draft.version());
        prop_assert!(raw.fields.iter().all(|field| field.form != codec::raw::Form::Unreadable), "{raw:?}");
        prop_assert_eq!(raw.to_bytes(), &bytes[..]);
        prop_assert!(decode(frame, draft.version(), direction).is_ok());
    }
}
