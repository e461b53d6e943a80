//! rumqttc, in 3.1.1 and 5.0: QoS 0 to 2, retained messages and Wills. What was released last under that name talks over
//! TCP only: its TLS rests on libraries with known flaws. The library that continues it talks over every transport.

use std::net::SocketAddr;

use broker::Broker;
use broker::shell::Transport;

use crate::{serve_over, tls};

/// Where a client finds the broker.
struct Link {
    address: SocketAddr,
    websocket: bool,
    /// The certificate by which the client trusts the broker, over TLS.
    trusted: Option<Vec<u8>>,
}

impl Link {
    async fn serve(websocket: bool, secure: bool) -> (Broker, Self) {
        let (tls, certificate) = tls();
        let transport = Transport {
            tls: secure.then_some(tls),
            websocket,
        };
        let (broker, address) = serve_over(transport).await;
        let trusted = secure.then(|| std::fs::read(certificate.path()).unwrap());
        let link = Self {
            address,
            websocket,
            trusted,
        };
        (broker, link)
    }
}

/// The same test for each half of each library: their types differ by their paths, and by what is given here of how a
/// client is made and publishes.
macro_rules! rumqttc_does_everything {
    ($name:ident, { $($glue:item)* }) => {
        mod $name {
            use tokio::time::timeout;

            use super::Link;
            use crate::PATIENCE;

            $($glue)*

            struct Client {
                requests: AsyncClient,
                events: EventLoop,
            }

            impl Client {
                async fn connect(id: &str, link: &Link, will: Option<&str>) -> Self {
                    let mut options = options(id, link);
                    if let Some(payload) = will {
                        options.set_last_will(last_will(payload));
                    }
                    let (requests, events) = client(options);
                    let mut client = Self { requests, events };
                    client.until(|packet| matches!(packet, Packet::ConnAck(_))).await;
                    client
                }

                /// Goes on until the packet has come that is looked for.
                async fn until(&mut self, sought: fn(&Packet) -> bool) -> Packet {
                    loop {
                        let event = timeout(PATIENCE, self.events.poll()).await.expect("in time");
                        if let Event::Incoming(packet) = event.unwrap()
                            && sought(&packet)
                        {
                            return packet;
                        }
                    }
                }

                async fn subscribe(&mut self, filter: &str) {
                    self.requests.subscribe(filter, QoS::ExactlyOnce).await.unwrap();
                    self.until(|packet| matches!(packet, Packet::SubAck(_))).await;
                }

                async fn publish(&mut self, topic: &str, qos: QoS, retain: bool, payload: &str) {
                    publish(&self.requests, topic, qos, retain, payload.to_owned()).await;
                    match qos {
                        // What is acknowledged after it shows that it went out.
                        QoS::AtMostOnce => {}
                        QoS::AtLeastOnce => {
                            self.until(|packet| matches!(packet, Packet::PubAck(_))).await;
                        }
                        QoS::ExactlyOnce => {
                            self.until(|packet| matches!(packet, Packet::PubComp(_))).await;
                        }
                    }
                }

                async fn receive(&mut self) -> Publish {
                    match self.until(|packet| matches!(packet, Packet::Publish(_))).await {
                        Packet::Publish(publish) => publish,
                        other => panic!("{other:?}"),
                    }
                }
            }

            pub(super) async fn everything(websocket: bool, secure: bool) {
                let (broker, link) = Link::serve(websocket, secure).await;
                let mut subscriber = Client::connect("subscriber", &link, None).await;
                subscriber.subscribe("t/#").await;
                let mut publisher = Client::connect("publisher", &link, None).await;
                for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                    for number in 0..20 {
                        publisher.publish("t/x", qos, false, &number.to_string()).await;
                    }
                    publisher.publish("elsewhere", QoS::AtLeastOnce, false, "").await;
                    for number in 0..20 {
                        let got = subscriber.receive().await;
                        assert_eq!((got.qos, got.retain), (qos, false));
                        assert_eq!(&*got.payload, number.to_string().as_bytes());
                    }
                }

                publisher.publish("kept", QoS::ExactlyOnce, true, "kept").await;
                subscriber.subscribe("kept").await;
                let got = subscriber.receive().await;
                assert_eq!((&*got.payload, got.retain), (&b"kept"[..], true));

                subscriber.subscribe("gone").await;
                // It goes without a word.
                drop(Client::connect("dying", &link, Some("dying")).await);
                assert_eq!(&*subscriber.receive().await.payload, b"dying");
                // The broker would wait for clients that do not read any more.
                drop((subscriber, publisher));
                broker.stop().await;
            }
        }
    };
}

rumqttc_does_everything!(last_in_3_1_1, {
    use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, Publish, QoS};

    fn options(id: &str, link: &Link) -> MqttOptions {
        MqttOptions::new(id, link.address.ip().to_string(), link.address.port())
    }

    fn last_will(payload: &str) -> LastWill {
        LastWill::new("gone", payload, QoS::ExactlyOnce, false)
    }

    fn client(options: MqttOptions) -> (AsyncClient, EventLoop) {
        AsyncClient::new(options, 256)
    }

    async fn publish(to: &AsyncClient, topic: &str, qos: QoS, retain: bool, payload: String) {
        to.publish(topic, qos, retain, payload).await.unwrap();
    }
});

rumqttc_does_everything!(last_in_5_0, {
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::{LastWill, Packet, Publish};
    use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};

    fn options(id: &str, link: &Link) -> MqttOptions {
        MqttOptions::new(id, link.address.ip().to_string(), link.address.port())
    }

    fn last_will(payload: &str) -> LastWill {
        LastWill::new("gone", payload.to_owned(), QoS::ExactlyOnce, false, None)
    }

    fn client(options: MqttOptions) -> (AsyncClient, EventLoop) {
        AsyncClient::new(options, 256)
    }

    async fn publish(to: &AsyncClient, topic: &str, qos: QoS, retain: bool, payload: String) {
        to.publish(topic, qos, retain, payload).await.unwrap();
    }
});

/// The glue that both halves of the library share that continues rumqttc.
macro_rules! next_does_everything {
    ($name:ident, $library:ident, { $($own:item)* }) => {
        rumqttc_does_everything!($name, {
            use $library::{
                AsyncClient, Broker, Event, EventLoop, MqttOptions, PublishOptions, TlsConfiguration,
                Transport,
            };

            $($own)*

            fn options(id: &str, link: &Link) -> MqttOptions {
                let address = link.address;
                let trusted = link.trusted.clone().map(|ca| TlsConfiguration::Simple {
                    ca,
                    alpn: None,
                    client_auth: None,
                });
                match (link.websocket, trusted) {
                    (true, Some(tls)) => {
                        let url = format!("wss://{address}/mqtt");
                        MqttOptions::websocket_with_tls_config(id, url, tls).unwrap()
                    }
                    (true, None) => {
                        let url = format!("ws://{address}/mqtt");
                        MqttOptions::new(id, Broker::websocket(url).unwrap())
                    }
                    (false, tls) => {
                        let mut options =
                            MqttOptions::new(id, (address.ip().to_string(), address.port()));
                        if let Some(tls) = tls {
                            options.set_transport(Transport::Tls(tls));
                        }
                        options
                    }
                }
            }

            fn client(options: MqttOptions) -> (AsyncClient, EventLoop) {
                AsyncClient::builder(options).capacity(256).build()
            }

            async fn publish(
                to: &AsyncClient,
                topic: &str,
                qos: QoS,
                retain: bool,
                payload: String,
            ) {
                let options = PublishOptions::new(qos).retain(retain);
                to.publish(topic, payload, options).await.unwrap();
            }
        });
    };
}

next_does_everything!(in_3_1_1, rumqttc_v4, {
    use rumqttc_v4::{LastWill, Packet, Publish, QoS};

    fn last_will(payload: &str) -> LastWill {
        LastWill::new("gone", payload, QoS::ExactlyOnce, false)
    }
});

next_does_everything!(in_5_0, rumqttc_v5, {
    use rumqttc_v5::mqttbytes::QoS;
    use rumqttc_v5::mqttbytes::v5::{LastWill, Packet, Publish};

    fn last_will(payload: &str) -> LastWill {
        LastWill::new("gone", payload.to_owned(), QoS::ExactlyOnce, false, None)
    }
});

#[tokio::test]
async fn over_tcp() {
    last_in_3_1_1::everything(false, false).await;
    last_in_5_0::everything(false, false).await;
    in_3_1_1::everything(false, false).await;
    in_5_0::everything(false, false).await;
}

#[tokio::test]
async fn over_tls() {
    in_3_1_1::everything(false, true).await;
    in_5_0::everything(false, true).await;
}

#[tokio::test]
async fn over_websocket() {
    in_3_1_1::everything(true, false).await;
    in_5_0::everything(true, false).await;
}

#[tokio::test]
async fn over_secure_websocket() {
    in_3_1_1::everything(true, true).await;
    in_5_0::everything(true, true).await;
}
