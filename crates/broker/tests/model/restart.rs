//! The broker fails and starts again.

use crate::broker::Model;
use crate::operation::{CLIENTS, Expiry, From};
use crate::session::Session;

impl Model {
    /// The broker fails. What was not to outlive it is gone, but for the Wills; everybody has left.
    pub(crate) fn restart(&mut self, from: From) {
        for client in 0..CLIENTS {
            let Some(session) = &mut self.sessions[client] else {
                continue;
            };
            if !session.kept {
                let will = session.will.take();
                let subscriptions = std::mem::take(&mut session.subscriptions);
                let begun = session.begun;
                self.sessions[client] = will.map(|will| Session {
                    will: Some(will),
                    connected: true,
                    ..Session::begin(begun)
                });
                for filter in subscriptions.into_keys() {
                    self.leave_share(client, filter);
                }
            }
        }
        self.order_again(from);
        let mut order: Vec<usize> = (0..CLIENTS).collect();
        order.sort_by_key(|&client| self.sessions[client].as_ref().map(|session| session.begun));
        // Sessions that end go first. Wills are published by the first thing that happens.
        let (ending, staying): (Vec<_>, Vec<_>) = order.into_iter().partition(|&client| {
            let session = self.sessions[client].as_ref();
            session.is_some_and(|session| session.expiry == Expiry::AtOnce)
        });
        let mut leaving = [false; CLIENTS];
        for (session, leaves) in self.sessions.iter_mut().zip(&mut leaving) {
            if let Some(session) = session.as_mut().filter(|session| session.connected) {
                session.interrupt();
                *leaves = true;
            }
        }
        for client in ending.into_iter().chain(staying) {
            if leaving[client] {
                self.left(client, self.now);
            }
        }
    }

    /// What was written down is not always read in the order in which it was made: turns begin anew.
    pub(crate) fn order_again(&mut self, from: From) {
        for share in self.shares.values_mut() {
            share.next = 0;
            match from {
                From::History => {}
                From::Snapshot => {
                    let begun = |client: &usize| self.sessions[*client].as_ref().map(|it| it.begun);
                    share.members.sort_by_key(begun);
                }
                From::Store => share.members.sort_unstable(),
            }
        }
        if from == From::Store {
            for session in self.sessions.iter_mut().flatten() {
                self.begun += 1;
                session.begun = self.begun;
            }
        }
    }
}
