//! rumqttc, in 3.1.1 and 5.0: QoS 0 to 2, retained messages and Wills.

/// The same test for the two halves of the library, whose types differ by their paths alone.
macro_rules! rumqttc_does_everything {
    ($name:ident, $last_will:expr, {$($imports:item)*}) => {
        mod $name {
            use std::net::SocketAddr;

            use tokio::time::timeout;

            use crate::{PATIENCE, serve};

            $($imports)*

            struct Client {
                requests: AsyncClient,
                events: EventLoop,
            }

            impl Client {
                async fn connect(id: &str, address: SocketAddr, will: Option<&str>) -> Self {
                    let mut options =
                        MqttOptions::new(id, address.ip().to_string(), address.port());
                    if let Some(payload) = will {
                        let last_will: fn(&str) -> LastWill = $last_will;
                        options.set_last_will(last_will(payload));
                    }
                    let (requests, events) = AsyncClient::new(options, 256);
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
                    let payload = payload.to_owned();
                    self.requests.publish(topic, qos, retain, payload).await.unwrap();
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

            #[tokio::test]
            async fn does_everything() {
                let (broker, address) = serve().await;
                let mut subscriber = Client::connect("subscriber", address, None).await;
                subscriber.subscribe("t/#").await;
                let mut publisher = Client::connect("publisher", address, None).await;
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
                drop(Client::connect("dying", address, Some("dying")).await);
                assert_eq!(&*subscriber.receive().await.payload, b"dying");
                broker.stop().await;
            }
        }
    };
}

rumqttc_does_everything!(
    in_3_1_1,
    |payload| LastWill::new("gone", payload, QoS::ExactlyOnce, false),
    {
        use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, Publish, QoS};
    }
);

rumqttc_does_everything!(
    in_5_0,
    |payload| LastWill::new("gone", payload.to_owned(), QoS::ExactlyOnce, false, None),
    {
        use rumqttc::v5::mqttbytes::QoS;
        use rumqttc::v5::mqttbytes::v5::{LastWill, Packet, Publish};
        use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
    }
);
