//! SCRAM-SHA-256 (RFC 5802, RFC 7677) as a method of enhanced authentication, by the library `rsasl`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::mechname::Mechname;
use rsasl::prelude::{SASLConfig, SASLServer, Session, SessionError, State};
use rsasl::property::{AuthId, AuthzId};
use rsasl::validate::{Validate, Validation, ValidationError};

use crate::core::ConnectionId;
use crate::core::method::{Exchange, Method, Step};
use crate::password::{Password, ScramSecret};

/// The Authentication Method.
pub const SCRAM_SHA_256: &str = "SCRAM-SHA-256";

/// SCRAM-SHA-256 for users with passwords. Its nonces come from the system's source of randomness.
pub struct ScramSha256 {
    config: Arc<SASLConfig>,
}

impl ScramSha256 {
    /// Lets in who knows the password of one of these users.
    ///
    /// # Errors
    ///
    /// The library cannot be set up; its mechanisms are known when the program is built, so this is a fault of ours.
    pub fn new(passwords: &BTreeMap<String, Password>) -> Result<Self, String> {
        let secrets = passwords
            .iter()
            .filter_map(|(user, password)| Some((user.clone(), password.scram()?)))
            .collect();
        let config = SASLConfig::builder()
            .with_defaults()
            .with_callback(Users { secrets })
            .map_err(|error| error.to_string())?;
        Ok(Self { config })
    }
}

impl fmt::Debug for ScramSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramSha256")
    }
}

impl Method for ScramSha256 {
    fn name(&self) -> &str {
        SCRAM_SHA_256
    }

    fn begin(&self, _: ConnectionId, _: u32) -> Box<dyn Exchange> {
        let server = SASLServer::<WhoItIs>::new(Arc::clone(&self.config));
        let session = Mechname::parse(SCRAM_SHA_256.as_bytes())
            .ok()
            .and_then(|name| server.start_suggested(name).ok());
        Box::new(ScramExchange { session })
    }
}

/// What the library asks us: the secrets of a user, and whether the user may be who it wants to be.
struct Users {
    secrets: BTreeMap<String, ScramSecret>,
}

impl SessionCallback for Users {
    fn callback(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        // A user that there is not gets a made-up salt from the library, and fails at the end like a wrong password.
        if let Some(secret) = context
            .get_ref::<AuthId>()
            .and_then(|user| self.secrets.get(user))
        {
            request.satisfy::<ScramStoredPassword<'_>>(&ScramStoredPassword::new(
                secret.rounds,
                &secret.salt,
                &secret.stored_key,
                &secret.server_key,
            ))?;
        }
        Ok(())
    }

    fn validate(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        validate.with::<WhoItIs, _>(|| {
            let user = context.get_ref::<AuthId>();
            // Nobody acts for another user here.
            let acting_as = context.get_ref::<AuthzId>().or(user);
            Ok(user.filter(|_| acting_as == user).map(str::to_owned))
        })?;
        Ok(())
    }
}

/// The user that the client has shown to be.
struct WhoItIs;

impl Validation for WhoItIs {
    type Value = Option<String>;
}

struct ScramExchange {
    /// None once it is over.
    session: Option<Session<WhoItIs>>,
}

impl fmt::Debug for ScramExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramExchange")
    }
}

impl Exchange for ScramExchange {
    fn step(&mut self, data: Option<&[u8]>) -> Step {
        // The library must not be asked again after an error.
        let Some(mut session) = self.session.take() else {
            return Step::Failed;
        };
        let mut answer = Vec::new();
        // The client speaks first; without its message there is an empty one to answer.
        match session.step(Some(data.unwrap_or_default()), &mut answer) {
            Ok(State::Running) => {
                self.session = Some(session);
                Step::Continue(answer)
            }
            Ok(State::Finished(_)) => match session.validation().flatten() {
                Some(user) => Step::Done {
                    data: Some(answer),
                    user: Some(user),
                },
                None => Step::Failed,
            },
            Err(_) => Step::Failed,
        }
    }
}
