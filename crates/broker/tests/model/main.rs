//! The core against a small, obvious model: random operations of a few clients, and after each of them every client
//! has received exactly what the model says, in its order.
//!
//! What must agree: who receives what (naive matching, No Local, Shared Subscriptions in turns), once for QoS 2 however
//! often it is sent, the order, RETAIN, DUP, Subscription Identifiers, what is left of a Message Expiry Interval, the
//! retained messages, what waits for a client that is away, how many messages may be in flight both ways, Wills,
//! Sessions and their ends, in 5.0 and 3.1.1 and when a client changes from one to the other, and all of that in a
//! broker that fails and starts again from what it persisted.

mod broker;
mod client;
mod driver;
mod operation;
mod restart;
mod routing;
mod session;
mod state;

use std::panic::{self, AssertUnwindSafe, catch_unwind};

use clauses::ClauseId;
use driver::Driver;
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::broker::Model;
use crate::operation::{CLIENTS, Operation};

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Operation> {
        Operation::any()
    }

    fn apply(mut model: Self, operation: &Operation) -> Self {
        model.perform(operation);
        model
    }
}

struct CoreAgainstModel;

impl StateMachineTest for CoreAgainstModel {
    type SystemUnderTest = Driver;
    type Reference = Model;

    fn init_test(_: &Model) -> Driver {
        Driver::new()
    }

    fn apply(mut driver: Driver, model: &Model, operation: Operation) -> Driver {
        driver.perform(&operation);
        for client in 0..CLIENTS {
            assert_eq!(
                driver.received(client),
                model.received(client),
                "client {client} after {operation:?}"
            );
            assert_eq!(
                driver.session_present(client),
                model.session_present(client),
                "the Session of client {client} after {operation:?}"
            );
            assert_eq!(
                driver.is_connected(client),
                model.is_connected(client),
                "the connection of client {client} after {operation:?}"
            );
        }
        assert_eq!(driver.state(), model.state(), "after {operation:?}");
        driver
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_core_agrees_with_the_model(sequential 1..80 => CoreAgainstModel);
}

/// Of each thing that must agree, the rules that say so.
const BROKEN: &[&str] = &[
    "v3.1.1/MQTT-3.1.2-4",
    "v3.1.1/MQTT-3.1.2-5",
    "v3.1.1/MQTT-3.1.2-6",
    "v3.1.1/MQTT-3.1.2-7",
    "v3.1.1/MQTT-3.1.2-8",
    "v3.1.1/MQTT-3.1.2-10",
    "v3.1.1/MQTT-3.1.2-16",
    "v3.1.1/MQTT-3.1.2-17",
    "v3.1.1/MQTT-3.3.1-6",
    "v3.1.1/MQTT-3.3.1-9",
    "v3.1.1/MQTT-3.3.1-10",
    "v3.1.1/MQTT-3.8.4-6",
    "v3.1.1/MQTT-3.14.4-3",
    "v3.1.1/MQTT-4.3.2-2",
    "v3.1.1/MQTT-4.3.3-2",
    "v3.1.1/MQTT-4.4.0-1",
    "v3.1.1/MQTT-4.5.0-1",
    "v3.1.1/MQTT-4.6.0-1",
    "v3.1.1/U311-3.1.2.5-1",
    "v3.1.1/U311-3.14.4-1",
    "v5.0/MQTT-3.1.2-4",
    "v5.0/MQTT-3.1.2-5",
    "v5.0/MQTT-3.1.2-7",
    "v5.0/MQTT-3.1.2-8",
    "v5.0/MQTT-3.1.2-10",
    "v5.0/MQTT-3.1.2-14",
    "v5.0/MQTT-3.1.2-15",
    "v5.0/MQTT-3.1.2-23",
    "v5.0/MQTT-3.1.3-9",
    "v5.0/MQTT-3.1.4-4",
    "v5.0/MQTT-3.3.1-1",
    "v5.0/MQTT-3.3.1-3",
    "v5.0/MQTT-3.3.1-5",
    "v5.0/MQTT-3.3.1-6",
    "v5.0/MQTT-3.3.1-7",
    "v5.0/MQTT-3.3.1-8",
    "v5.0/MQTT-3.3.1-9",
    "v5.0/MQTT-3.3.1-10",
    "v5.0/MQTT-3.3.1-11",
    "v5.0/MQTT-3.3.1-12",
    "v5.0/MQTT-3.3.1-13",
    "v5.0/MQTT-3.3.2-3",
    "v5.0/MQTT-3.3.2-5",
    "v5.0/MQTT-3.3.2-6",
    "v5.0/MQTT-3.3.4-2",
    "v5.0/MQTT-3.3.4-3",
    "v5.0/MQTT-3.3.4-4",
    "v5.0/MQTT-3.3.4-7",
    "v5.0/MQTT-3.3.4-9",
    "v5.0/MQTT-3.8.3-3",
    "v5.0/MQTT-3.8.4-3",
    "v5.0/MQTT-3.8.4-4",
    "v5.0/MQTT-3.8.4-8",
    "v5.0/MQTT-3.10.4-1",
    "v5.0/MQTT-3.10.4-2",
    "v5.0/MQTT-3.10.4-4",
    "v5.0/MQTT-3.10.4-5",
    "v5.0/MQTT-3.14.4-3",
    "v5.0/MQTT-4.1.0-2",
    "v5.0/MQTT-4.3.2-2",
    "v5.0/MQTT-4.3.2-3",
    "v5.0/MQTT-4.3.2-4",
    "v5.0/MQTT-4.3.3-2",
    "v5.0/MQTT-4.3.3-3",
    "v5.0/MQTT-4.3.3-4",
    "v5.0/MQTT-4.3.3-6",
    "v5.0/MQTT-4.3.3-7",
    "v5.0/MQTT-4.3.3-8",
    "v5.0/MQTT-4.3.3-10",
    "v5.0/MQTT-4.3.3-11",
    "v5.0/MQTT-4.3.3-12",
    "v5.0/MQTT-4.4.0-1",
    "v5.0/MQTT-4.5.0-1",
    "v5.0/MQTT-4.6.0-1",
    "v5.0/MQTT-4.6.0-5",
    "v5.0/MQTT-4.7.2-1",
    "v5.0/MQTT-4.8.2-3",
    "v5.0/MQTT-4.8.2-4",
    "v5.0/MQTT-4.9.0-1",
    "v5.0/U50-3.1.2.4-1",
    "v5.0/U50-3.1.2.5-1",
    "v5.0/U50-3.1.2.11.2-2",
    "v5.0/U50-3.3.1.3-1",
    "v5.0/U50-3.3.1.3-2",
    "v5.0/U50-3.3.4-1",
    "v5.0/U50-3.14.2.1-2",
    "v5.0/U50-3.14.2.2.2-3",
    "v5.0/U50-3.14.4-1",
    "v5.0/U50-4.8.2-1",
    "v5.0/U50-4.8.2-2",
];

/// The model would notice: with one of these rules broken, the core and the model disagree.
#[test]
fn a_core_that_breaks_a_rule_disagrees_with_the_model() {
    // Telling where each of the cores fails would take longer than all the rest.
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if driver::BROKEN.get().is_none() {
            told(info);
        }
    }));
    for name in BROKEN {
        driver::BROKEN.set(Some(ClauseId::parse(name).unwrap()));
        let agrees = agrees();
        driver::BROKEN.set(None);
        assert!(!agrees, "{name} is broken, and the model does not notice");
    }
}

fn agrees() -> bool {
    let config = ProptestConfig {
        cases: 2000,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new_with_rng(
        config.clone(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let operations = Model::sequential_strategy(1..80);
    let run = runner.run(&operations, |(model, operations, _)| {
        let config = config.clone();
        let played = catch_unwind(AssertUnwindSafe(|| {
            CoreAgainstModel::test_sequential(config, model, operations, None);
        }));
        played.map_err(|_| TestCaseError::fail("they disagree"))
    });
    run.is_ok()
}
