//! Passwords: as text, or hashed so that neither the file nor the broker knows them.

use std::fmt;
use std::str::FromStr;

use pbkdf2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, Salt};
use pbkdf2::{Algorithm, Params, Pbkdf2};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};

/// What a hash begins with, in the PHC string format.
const PREFIX: &str = "$pbkdf2-sha256$";

/// The rounds of a hash that is made here: the least that RFC 7677 advises, and not what a store of a million passwords
/// would want, since every CONNECT with a password costs as many.
const ROUNDS: u32 = 15_000;

/// The most rounds that are taken: whoever counts to a billion lets nobody in meanwhile.
const MOST_ROUNDS: u32 = 1_000_000;

/// The rounds by which a password that stands as text is shown to know, in SCRAM: there is nothing to protect.
const ROUNDS_FOR_TEXT: u32 = 4096;

/// The output of SHA-256, in bytes.
const SIZE: usize = 32;

/// The password of a user: text, or its hash by PBKDF2 with HMAC-SHA-256 in the
/// [PHC string format](https://github.com/P-H-C/phc-string-format).
///
/// From the same hash a password can be checked and SCRAM-SHA-256 be spoken, since RFC 5802 salts in that way.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    Text(String),
    Hash(String),
}

/// A hash that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// It is damaged.
    #[error("the hash cannot be read: {0}")]
    Damaged(String),
    /// It was made in another way.
    #[error("the hash is not of PBKDF2 with SHA-256; one begins with `$pbkdf2-sha256$`")]
    Foreign,
    /// It is not 32 bytes long.
    #[error("the hash is not 32 bytes long")]
    Size,
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
    /// It takes too many rounds.
    #[error("the hash takes {0} rounds; {MOST_ROUNDS} are the most")]
    Rounds(u32),
}

/// What a server needs to know of a password to speak SCRAM-SHA-256 (RFC 5802, section 3).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ScramSecret {
    pub(crate) rounds: u32,
    pub(crate) salt: Vec<u8>,
    pub(crate) stored_key: Vec<u8>,
    pub(crate) server_key: Vec<u8>,
}

impl Password {
    /// A password that stands as text.
    pub fn text(text: impl Into<String>) -> Self {
        Self(Kept::Text(text.into()))
    }

    /// The hash of a password, with this salt, which must be random.
    ///
    /// # Errors
    ///
    /// A password that no hash is made of.
    pub fn hash(text: &str, salt: [u8; 16]) -> Result<Self, PasswordError> {
        let damaged =
            |error: pbkdf2::password_hash::Error| PasswordError::Damaged(error.to_string());
        let salt = pbkdf2::password_hash::SaltString::encode_b64(&salt).map_err(damaged)?;
        let hash = salted(text, salt.as_salt(), ROUNDS).map_err(damaged)?;
        Ok(Self(Kept::Hash(hash.to_string())))
    }

    /// The hash of a password, with a salt from the system's source of randomness.
    ///
    /// # Errors
    ///
    /// The system gives no randomness, or a password that no hash is made of.
    pub fn hash_with_random_salt(text: &str) -> Result<Self, PasswordError> {
        let mut salt = [0; 16];
        SystemRandom::new()
            .fill(&mut salt)
            .map_err(|_| PasswordError::NoRandomness)?;
        Self::hash(text, salt)
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, password: &[u8]) -> bool {
        match &self.0 {
            Kept::Text(text) => text.as_bytes() == password,
            Kept::Hash(hash) => PasswordHash::new(hash)
                .is_ok_and(|hash| Pbkdf2.verify_password(password, &hash).is_ok()),
        }
    }

    /// Whether it is a hash, so that checking it takes a while.
    pub(crate) fn is_hashed(&self) -> bool {
        matches!(self.0, Kept::Hash(_))
    }

    /// What SCRAM needs to know of it.
    pub(crate) fn scram(&self) -> Option<ScramSecret> {
        match &self.0 {
            Kept::Text(text) => {
                let salt = Salt::from_b64("bXF0dC1hc3NheQ").ok()?;
                secret(&salted(text, salt, ROUNDS_FOR_TEXT).ok()?)
            }
            Kept::Hash(hash) => secret(&PasswordHash::new(hash).ok()?),
        }
    }
}

fn salted<'a>(
    text: &str,
    salt: Salt<'a>,
    rounds: u32,
) -> pbkdf2::password_hash::Result<PasswordHash<'a>> {
    let params = Params {
        rounds,
        output_length: SIZE,
    };
    let algorithm = Some(Algorithm::Pbkdf2Sha256.ident());
    Pbkdf2.hash_password_customized(text.as_bytes(), algorithm, None, params, salt)
}

fn secret(hash: &PasswordHash<'_>) -> Option<ScramSecret> {
    let mut salt = [0; 64];
    let salt = hash.salt?.decode_b64(&mut salt).ok()?.to_vec();
    let key = hmac::Key::new(hmac::HMAC_SHA256, hash.hash?.as_bytes());
    let client_key = hmac::sign(&key, b"Client Key");
    Some(ScramSecret {
        rounds: hash.params.get_decimal("i")?,
        salt,
        stored_key: digest::digest(&digest::SHA256, client_key.as_ref())
            .as_ref()
            .to_vec(),
        server_key: hmac::sign(&key, b"Server Key").as_ref().to_vec(),
    })
}

/// Text that begins with `$pbkdf2-sha256$` or looks like another hash is read as one; anything else is the password
/// itself.
impl FromStr for Password {
    type Err = PasswordError;

    fn from_str(text: &str) -> Result<Self, PasswordError> {
        let looks_hashed = text.starts_with('$') && text.matches('$').count() > 2;
        if !looks_hashed {
            return Ok(Self::text(text));
        }
        if !text.starts_with(PREFIX) {
            return Err(PasswordError::Foreign);
        }
        let hash =
            PasswordHash::new(text).map_err(|error| PasswordError::Damaged(error.to_string()))?;
        let size = hash.hash.map(|hash| hash.len());
        if size != Some(SIZE) {
            return Err(PasswordError::Size);
        }
        let secret = secret(&hash)
            .ok_or_else(|| PasswordError::Damaged("its salt or rounds are missing".into()))?;
        if secret.rounds > MOST_ROUNDS {
            return Err(PasswordError::Rounds(secret.rounds));
        }
        Ok(Self(Kept::Hash(text.to_owned())))
    }
}

/// Tells the hash; nothing of a password that stands as text.
impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kept::Text(_) => f.write_str("…"),
            Kept::Hash(hash) => f.write_str(hash),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kept::Text(_) => "Password(text)",
            Kept::Hash(_) => "Password(hash)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password() {
        let hash = Password::hash("touchstone", [7; 16]).unwrap();
        assert!(hash.is(b"touchstone"));
        assert!(!hash.is(b"Touchstone"));
        assert!(!hash.is(hash.to_string().as_bytes()));
        let again: Password = hash.to_string().parse().unwrap();
        assert_eq!(again, hash);
        assert_eq!(format!("{hash:?}"), "Password(hash)");
    }

    #[test]
    fn a_secret_is_that_of_rfc_7677() {
        // Section 3: user `user`, password `pencil`, this salt, 4096 rounds. The keys follow from RFC 5802.
        let salt = Salt::from_b64("W22ZaJ0SNY7soEsUEjb6gQ").unwrap();
        let secret = secret(&salted("pencil", salt, 4096).unwrap()).unwrap();
        let auth = b"n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.server_key);
        let signature = hmac::sign(&key, auth);
        // `6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=`, the server's signature there.
        assert_eq!(
            signature.as_ref(),
            [
                0xea, 0xba, 0xe2, 0x4d, 0x10, 0x62, 0xdb, 0x75, 0xa9, 0x45, 0x1f, 0xf0, 0xb6, 0xea,
                0x7e, 0x98, 0xc8, 0x54, 0x65, 0x49, 0xff, 0x74, 0x1e, 0x67, 0x2d, 0x32, 0x51, 0xb2,
                0x39, 0x7d, 0xe4, 0x6e
            ]
        );
    }

    #[test]
    fn what_is_no_hash_is_told() {
        let read = |text: &str| text.parse::<Password>();
        assert_eq!(read("plain"), Ok(Password::text("plain")));
        assert_eq!(read("$$"), Ok(Password::text("$$")));
        assert_eq!(
            read("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAA"),
            Err(PasswordError::Foreign)
        );
        assert!(matches!(
            read("$pbkdf2-sha256$i=1$%$%"),
            Err(PasswordError::Damaged(_))
        ));
        assert_eq!(
            read("$pbkdf2-sha256$i=4096,l=16$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"),
            Err(PasswordError::Size)
        );
        let many =
            "$pbkdf2-sha256$i=4000000,l=32$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(read(many), Err(PasswordError::Rounds(4_000_000)));
    }
}
