//! The core against a small, obvious model: random operations of a few clients, and after each of them every client
//! has received exactly what the model says, in its order.
//!
//! What must agree: who receives what (naive matching), once for QoS 2 however often it is sent, the order, RETAIN and
//! DUP, the retained messages, what waits for a client that is away, the Receive Maximum, sessions and their ends, and
//! all of that in a broker that fails and starts again from what it persisted.

mod driver;
mod model;

use std::panic::{AssertUnwindSafe, catch_unwind};

use clauses::ClauseId;
use driver::Driver;
use model::{Model, Operation};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Operation> {
        Operation::any()
    }

    fn preconditions(model: &Self, operation: &Operation) -> bool {
        model.allows(operation)
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
        for client in 0..model::CLIENTS {
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
        }
        driver
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        max_local_rejects: u32::MAX,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_core_agrees_with_the_model(sequential 1..60 => CoreAgainstModel);
}

/// The model would notice: with one of these rules broken, the core and the model disagree.
#[test]
fn a_core_that_breaks_a_rule_disagrees_with_the_model() {
    for name in [
        "v5.0/MQTT-2.2.1-4",
        "v5.0/MQTT-3.2.2-2",
        "v5.0/MQTT-3.2.2-3",
        "v5.0/MQTT-3.1.2-4",
        "v5.0/MQTT-3.1.2-5",
        "v5.0/MQTT-3.1.2-23",
        "v5.0/MQTT-3.3.1-1",
        "v5.0/MQTT-3.3.1-5",
        "v5.0/MQTT-3.3.1-6",
        "v5.0/MQTT-3.3.1-8",
        "v5.0/MQTT-3.3.1-12",
        "v5.0/MQTT-3.3.4-2",
        "v5.0/MQTT-3.3.4-9",
        "v5.0/MQTT-3.8.4-3",
        "v5.0/MQTT-3.8.4-8",
        "v5.0/MQTT-3.10.4-3",
        "v5.0/MQTT-4.3.3-6",
        "v5.0/MQTT-4.3.3-10",
        "v5.0/MQTT-4.4.0-1",
        "v5.0/MQTT-4.5.0-1",
        "v5.0/MQTT-4.6.0-1",
        "v5.0/MQTT-4.6.0-5",
        "v5.0/MQTT-4.7.2-1",
    ] {
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
    let operations = Model::sequential_strategy(1..60);
    let run = runner.run(&operations, |(model, operations, _)| {
        let config = config.clone();
        let played = catch_unwind(AssertUnwindSafe(|| {
            CoreAgainstModel::test_sequential(config, model, operations, None);
        }));
        played.map_err(|_| TestCaseError::fail("they disagree"))
    });
    run.is_ok()
}
