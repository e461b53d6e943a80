//! What has brought brokers down leaves this one serving its other clients, within bounded memory. A witness is served
//! after each.
//!
//! The triggers of published defects, each with its test; those that follow from another's are with it:
//!
//! | reported of | trigger | test |
//! |---|---|---|
//! | CVE-2017-7651, CVE-2023-0809, CVE-2019-0222, aedes 1086 | a huge Remaining Length, the body withheld | `bounds::huge_lengths_without_a_body_hold_no_memory_and_no_connection`, `bounds::bodies_that_never_end_are_kept_up_to_a_limit` |
//! | CVE-2017-7653, wolfMQTT 533 | text that is no UTF-8 | `triggers::text_that_is_no_utf_8_reaches_nobody` |
//! | CVE-2017-7654, CVE-2021-34431, CVE-2023-3592, CVE-2023-33656, Mosquitto 1773 | malformed packets, again and again | `triggers::every_packet_cut_anywhere_again_and_again` |
//! | CVE-2018-12543, aedes 597, CVE-2024-42655 | topics that start with a dollar | `triggers::topics_with_a_dollar` |
//! | CVE-2018-12546, CVE-2021-34434, Mosquitto 2.0.12, NATS 2026-26 | permissions that are withdrawn, or deny a part | `triggers::withdrawn_permissions_hold_for_what_is_stored` |
//! | Mosquitto 1244, CVE-2019-11778 | Wills with properties, or a delay beyond the Session | `triggers::wills_of_clients_that_are_cut_off` |
//! | CVE-2019-11779, FlashMQ 174 | 65,400 levels | `bounds::a_filter_of_65_000_slashes_is_refused_and_costs_nothing`, `bounds::topics_of_65_000_levels_are_refused` |
//! | CVE-2021-28166, rumqttd 812, sol 15, FlashMQ 104 | a server's packets from a client | `bounds::packets_of_servers_before_connect_close_the_connection` |
//! | CVE-2021-34432, CVE-2024-42644, emqx 6978 | no topic, or an alias that was never given | `triggers::publish_without_a_topic` |
//! | CVE-2021-41039, CVE-2017-2894 | thousands of properties or filters | `triggers::thousands_of_properties_and_filters` |
//! | CVE-2023-5632, CVE-2020-13849 | a client that connects and is silent | `timing.rs` of the core's tests |
//! | CVE-2023-28366 | QoS 2 with one Packet Identifier, again and again | `bounds::a_message_sent_again_and_again_is_one` |
//! | Mosquitto 2885, CVE-2024-8376, CVE-2025-68699, NanoMQ 360 | subscriptions that overlap, share and go | `triggers::subscriptions_that_overlap_and_go` |
//! | Mosquitto 3696, FlashMQ 103 and 170, hivemq-ce 493, emqx 13045, CVE-2025-63235 | CONNECT with wrong levels, flags and fields: refused, closed, and nothing kept | `triggers::connects_that_are_refused` |
//! | NanoMQ 1038, 1042, 2268, CVE-2023-33659, CVE-2023-34488, CVE-2026-21888, CVE-2019-5432, CVE-2016-10523, aedes 612, mochi 501, CVE-2019-9749, CVE-2017-2892, CVE-2019-19307 | a packet that ends too early, or a length that lies | `triggers::every_packet_cut_anywhere_again_and_again`, `triggers::lengths_that_lie` |
//! | NanoMQ 1863, CVE-2026-22040, NanoMQ 2246, sol 17 | one Client Identifier, many connections | `bounds::reconnects_with_one_client_identifier_leave_one_session` |
//! | CVE-2024-48077, VerneMQ 238, CVE-2026-44248, CVE-2026-25627 | floods, and packets in pieces | `triggers::packets_in_pieces_cost_no_more_than_whole_ones`, `websocket.rs` |
//! | NanoMQ 2040 | an alias to a client that takes none | `delivering.rs` of the core's tests |
//! | CVE-2024-42645, CVE-2026-42209, VerneMQ 236 | retained messages, exact and below | `triggers::retained_messages_come_by_any_filter` |
//! | CVE-2018-11615, CVE-2026-44838 | filters and Client Identifiers read as regular expressions | `triggers::nothing_is_a_regular_expression` |
//! | tinyMQTT 16, KMQTT | CONNECT and more in one write, SUBSCRIBE and gone | `triggers::clients_that_do_not_wait` |
//! | moquette 151, 228, 914 | QoS 0 for an absent client, stray acknowledgements | `triggers::stray_acknowledgements` |
//! | OASIS MQTT-275 | a Remaining Length of four bytes | `triggers::four_bytes_of_length_are_sound` |
//! | CVE-2020-13410 | whatever makes a broker write what is no packet | `random` and the scripts of the core's tests, which decode all that it writes |
//!
//! Bridges, plugins and clients (CVE-2024-3935, CVE-2024-10525, Mosquitto 3261 and the like) are no part of this broker.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::doc_markdown,
    reason = "brokers are written as their people do"
)]

mod bounds;
mod driver;
mod random;
mod triggers;
