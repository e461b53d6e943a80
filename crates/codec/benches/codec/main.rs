//! Our codec beside independent ones, in one run: paired rounds, medians, allocations counted.
//!
//! `cargo bench -p mqtt-assay-codec` prints a table; a round runs every contender once, in turn, and each
//! round yields one ratio to the yardstick, so that a noisy machine disturbs all alike. Beside the medians
//! stands the fastest round, which tells how noisy it was. All of it is repeated in several processes, since
//! where stack and heap happen to lie makes a contender twice as slow for the life of a process; the table
//! holds the medians of the processes. The benchmark fails if a strict decode allocates.

mod decoding;
mod encoding;
mod packets;
mod paired;

use std::alloc::System;
use std::env;

use codec::{PropertiesBuf, Version};
use decoding::{decode_3_1_1, decode_5_0, read_all};
use encoding::{encode_3_1_1, encode_5_0, encode_trace_3_1_1, encode_trace_5_0};
use packets::{publish, publish_3_1_1, six_properties, trace_3_1_1, trace_5_0};
use paired::{Contender, MEASURES, summarise};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

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
