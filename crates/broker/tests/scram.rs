//! SCRAM-SHA-256 as enhanced authentication (5.0 section 4.12), played by the library's own client. One that
//! owes the library nothing plays it in `interop/with_mqttjs.cjs`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use broker::pipe::{End, pipe};
use broker::{Broker, Config, Password, SCRAM_SHA_256};
use codec::draft::{Draft, Value};
use codec::{Direction, Packet, PacketType, ReasonCode, Split, Version};
use rsasl::mechname::Mechname;
use rsasl::prelude::{SASLClient, SASLConfig, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A broker that knows `ann`, by the hash of her password, and `ben`, by his password.
fn start() -> Broker {
    let mut config = Config::default();
    config.access.anonymous = false;
    let hashed = Password::hash("touchstone", [1; 16]).unwrap();
    config.access.passwords.insert("ann".into(), hashed);
    let plain = Password::text("goldsmith");
    config.access.passwords.insert("ben".into(), plain);
    config.access.permissions.push(broker::config::Permission {
        user: Some("ann".into()),
        filter: "private/#".into(),
        publish: true,
        subscribe: true,
    });
    config.access.permissions.push(broker::config::Permission {
        user: None,
        filter: "private/#".into(),
        publish: false,
        subscribe: false,
    });
    Broker::start(config).unwrap()
}

/// The client's side of SCRAM.
struct Scram(Session);

impl Scram {
    fn of(user: &str, password: &str) -> Self {
        let config = SASLConfig::with_credentials(None, user.into(), password.into()).unwrap();
        let name = Mechname::parse(SCRAM_SHA_256.as_bytes()).unwrap();
        Self(SASLClient::new(config).start_suggested(&[name]).unwrap())
    }

    fn step(&mut self, data: Option<&[u8]>) -> Vec<u8> {
        let mut answer = Vec::new();
        self.0.step(data, &mut answer).unwrap();
        answer
    }
}

struct Client {
    link: End,
    received: Vec<u8>,
}

impl Client {
    fn of(broker: &Broker) -> Self {
        let (client, server) = pipe();
        broker.attach(server);
        Self {
            link: client,
            received: Vec::new(),
        }
    }

    async fn send(&mut self, packet_type: PacketType, fields: &[(&str, Value)]) {
        let mut draft = Draft::new(packet_type, Version::V5_0);
        for (name, value) in fields {
            draft.set(name, value.clone()).unwrap();
        }
        self.link.write_all(&draft.encode().unwrap()).await.unwrap();
    }

    async fn connect(&mut self, method: &str, data: &[u8]) {
        let fields = [
            ("client_id", text("a")),
            ("authentication_method", text(method)),
            ("authentication_data", Value::Binary(data.to_vec())),
        ];
        self.send(PacketType::Connect, &fields).await;
    }

    async fn auth(&mut self, reason: ReasonCode, data: &[u8]) {
        let fields = [
            ("reason", Value::Number(reason.0.into())),
            ("authentication_method", text(SCRAM_SHA_256)),
            ("authentication_data", Value::Binary(data.to_vec())),
        ];
        self.send(PacketType::Auth, &fields).await;
    }

    /// The Reason Code and Authentication Data of the next packet, which is of this type; none at the end.
    async fn next(&mut self, packet_type: PacketType) -> Option<(ReasonCode, Option<Vec<u8>>)> {
        loop {
            let split = codec::split(
                &self.received,
                Version::V5_0,
                Direction::ToClient,
                codec::MAXIMUM_PACKET_SIZE,
            );
            if let Split::Complete { frame, rest } = split.unwrap() {
                let packet = codec::decode(frame, Version::V5_0, Direction::ToClient).unwrap();
                assert_eq!(packet.packet_type(), packet_type, "{packet:?}");
                let (reason, properties) = match packet {
                    Packet::Connack(connack) => (connack.reason_code, connack.properties),
                    Packet::Auth(auth) => (auth.reason_code, auth.properties),
                    Packet::Disconnect(end) => (end.reason_code, end.properties),
                    Packet::Suback(suback) => {
                        (ReasonCode(suback.codes.as_bytes()[0]), suback.properties)
                    }
                    other => panic!("{other:?}"),
                };
                let data = properties.authentication_data().map(<[u8]>::to_vec);
                let rest = rest.to_vec();
                self.received = rest;
                return Some((reason, data));
            }
            if self.link.read_buf(&mut self.received).await.unwrap() == 0 {
                assert_eq!(self.received, b"");
                return None;
            }
        }
    }

    /// Goes through the authentication up to the client's last word.
    async fn prove(&mut self, scram: &mut Scram) {
        let (reason, data) = self.next(PacketType::Auth).await.unwrap();
        assert_eq!(reason, ReasonCode::CONTINUE_AUTHENTICATION);
        let proof = scram.step(data.as_deref());
        self.auth(ReasonCode::CONTINUE_AUTHENTICATION, &proof).await;
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.as_bytes().to_vec())
}

async fn connected(broker: &Broker, user: &str, password: &str) -> Client {
    let (mut client, mut scram) = (Client::of(broker), Scram::of(user, password));
    client.connect(SCRAM_SHA_256, &scram.step(None)).await;
    client.prove(&mut scram).await;
    let (reason, data) = client.next(PacketType::Connack).await.unwrap();
    assert_eq!(reason, ReasonCode::SUCCESS);
    // The server proves as well that it knows the password; the client checks it.
    scram.step(data.as_deref());
    client
}

#[tokio::test(start_paused = true)]
async fn who_knows_the_password_is_let_in_as_that_user() {
    let broker = start();
    for (user, password, granted) in [
        ("ann", "touchstone", ReasonCode::SUCCESS),
        ("ben", "goldsmith", ReasonCode::NOT_AUTHORIZED),
    ] {
        let mut client = connected(&broker, user, password).await;
        let subscribe = b"\x82\x0f\x00\x01\x00\x00\x09private/x\x00";
        client.link.write_all(subscribe).await.unwrap();
        let answer = client.next(PacketType::Suback).await;
        assert_eq!(answer, Some((granted, None)), "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_is_not_told_why() {
    let broker = start();
    for (user, password) in [("ann", "goldsmith"), ("nobody", "touchstone")] {
        let (mut client, mut scram) = (Client::of(&broker), Scram::of(user, password));
        client.connect(SCRAM_SHA_256, &scram.step(None)).await;
        client.prove(&mut scram).await;
        let refusal = Some((ReasonCode::NOT_AUTHORIZED, None));
        assert_eq!(client.next(PacketType::Connack).await, refusal, "{user}");
        assert_eq!(client.next(PacketType::Connack).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_scram_is_refused_at_once() {
    let broker = start();
    for data in [
        &b""[..],
        b"\xFF\xFE",
        b"n,,n=ann",
        b"n,a=ben,n=ann,r=0123",
        b"y",
    ] {
        let mut client = Client::of(&broker);
        client.connect(SCRAM_SHA_256, data).await;
        if data.starts_with(b"n,a=") {
            // Acting for another user is refused once the client has shown who it is.
            let (reason, _) = client.next(PacketType::Auth).await.unwrap();
            assert_eq!(reason, ReasonCode::CONTINUE_AUTHENTICATION);
            let garbage = b"c=biws,r=wrong,p=AAAA";
            client
                .auth(ReasonCode::CONTINUE_AUTHENTICATION, garbage)
                .await;
        }
        let (reason, _) = client.next(PacketType::Connack).await.unwrap();
        assert_eq!(reason, ReasonCode::NOT_AUTHORIZED, "{data:?}");
        assert_eq!(client.next(PacketType::Connack).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_authenticates_again() {
    let broker = start();
    let mut client = connected(&broker, "ann", "touchstone").await;
    let mut scram = Scram::of("ann", "touchstone");
    client
        .auth(ReasonCode::RE_AUTHENTICATE, &scram.step(None))
        .await;
    client.prove(&mut scram).await;
    let (reason, data) = client.next(PacketType::Auth).await.unwrap();
    assert_eq!(reason, ReasonCode::SUCCESS);
    scram.step(data.as_deref());

    let mut wrong = Scram::of("ann", "goldsmith");
    client
        .auth(ReasonCode::RE_AUTHENTICATE, &wrong.step(None))
        .await;
    client.prove(&mut wrong).await;
    let (reason, _) = client.next(PacketType::Disconnect).await.unwrap();
    assert_eq!(reason, ReasonCode::NOT_AUTHORIZED);
    assert_eq!(client.next(PacketType::Disconnect).await, None);
}

#[tokio::test(start_paused = true)]
async fn echo_shows_no_user_and_lets_nobody_past_the_passwords() {
    let broker = start();
    let mut client = Client::of(&broker);
    client.connect(broker::core::ECHO, b"").await;
    let (_, challenge) = client.next(PacketType::Auth).await.unwrap();
    let fields = [
        ("reason", Value::Number(0x18)),
        ("authentication_method", text(broker::core::ECHO)),
        ("authentication_data", Value::Binary(challenge.unwrap())),
    ];
    client.send(PacketType::Auth, &fields).await;
    let (reason, _) = client.next(PacketType::Connack).await.unwrap();
    assert_eq!(reason, ReasonCode::NOT_AUTHORIZED);
}
