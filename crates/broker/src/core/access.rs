//! Who may connect, publish and subscribe (sections 3.1.4, 5.4).

use crate::Password;
use crate::config::{Access, Permission};

use super::topic;
use super::verify::Claim;

/// Whether a client is let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is.
    Granted,
    /// It is not.
    Denied,
    /// It is if this holds.
    If(Claim),
}

impl Access {
    /// Whether these credentials let a client in.
    pub(crate) fn admits(&self, user_name: Option<&[u8]>, password: Option<&[u8]>) -> Admission {
        let granted = |right: bool| {
            if right {
                Admission::Granted
            } else {
                Admission::Denied
            }
        };
        let Some(user_name) = user_name else {
            return granted(self.anonymous);
        };
        if self.passwords.is_empty() {
            return Admission::Granted;
        }
        let expected = std::str::from_utf8(user_name)
            .ok()
            .and_then(|name| self.passwords.get(name));
        match expected.zip(password) {
            None => Admission::Denied,
            Some((expected, password)) if expected.is_hashed() => {
                Admission::If(Claim::new(password, expected))
            }
            Some((expected, password)) => granted(expected.is(password)),
        }
    }

    /// Whether the password of any user is a hash, which takes a while to check.
    pub(crate) fn has_hashes(&self) -> bool {
        self.passwords.values().any(Password::is_hashed)
    }

    /// Whether the Client Identifier is refused.
    pub(crate) fn refuses(&self, client_id: &[u8]) -> bool {
        self.refused_client_ids
            .iter()
            .any(|refused| refused.as_bytes() == client_id)
    }

    /// Whether the user may publish to the topic.
    pub(crate) fn may_publish(&self, user: Option<&[u8]>, topic: &[u8]) -> bool {
        self.first(user, topic).is_none_or(|entry| entry.publish)
    }

    /// Whether the user may receive the messages of the topic.
    pub(crate) fn may_receive(&self, user: Option<&[u8]>, topic: &[u8]) -> bool {
        self.first(user, topic).is_none_or(|entry| entry.subscribe)
    }

    /// Whether the user may subscribe with the filter. What a filter covers beyond a forbidden one is granted;
    /// the forbidden messages are held back when they are delivered.
    pub(crate) fn may_subscribe(&self, user: Option<&[u8]>, filter: &[u8]) -> bool {
        self.first(user, filter).is_none_or(|entry| entry.subscribe)
    }

    fn first(&self, user: Option<&[u8]>, topic: &[u8]) -> Option<&Permission> {
        self.permissions.iter().find(|entry| {
            let of_user = match &entry.user {
                None => true,
                Some(name) => user == Some(name.as_bytes()),
            };
            of_user && topic::matches(entry.filter.as_bytes(), topic)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(user: Option<&str>, filter: &str, publish: bool, subscribe: bool) -> Permission {
        Permission {
            user: user.map(Into::into),
            filter: filter.into(),
            publish,
            subscribe,
        }
    }

    #[test]
    fn the_first_entry_that_fits_decides() {
        let access = Access {
            permissions: vec![
                permission(Some("root"), "#", true, true),
                permission(None, "secret/#", false, false),
                permission(None, "news/#", false, true),
            ],
            ..Access::default()
        };
        assert!(access.may_publish(Some(b"root"), b"secret/x"));
        assert!(!access.may_publish(Some(b"guest"), b"secret/x"));
        assert!(!access.may_publish(None, b"news/x"));
        assert!(access.may_subscribe(None, b"news/+"));
        assert!(!access.may_subscribe(None, b"secret/#"));
        assert!(access.may_subscribe(None, b"#"));
        assert!(!access.may_receive(None, b"secret/x"));
        assert!(access.may_receive(None, b"elsewhere"));
    }

    #[test]
    fn passwords_are_asked_for_once_there_are_any() {
        let mut access = Access::default();
        assert_eq!(access.admits(None, None), Admission::Granted);
        assert_eq!(access.admits(Some(b"anyone"), None), Admission::Granted);
        access
            .passwords
            .insert("ann".into(), Password::text("secret"));
        access.anonymous = false;
        let denied = [
            (None, None),
            (Some(&b"ann"[..]), None),
            (Some(b"ann"), Some(&b"wrong"[..])),
            (Some(b"bob"), Some(b"secret")),
            (Some(b"\xff"), Some(b"secret")),
        ];
        for (user_name, password) in denied {
            assert_eq!(access.admits(user_name, password), Admission::Denied);
        }
        assert_eq!(
            access.admits(Some(b"ann"), Some(b"secret")),
            Admission::Granted
        );
    }

    #[test]
    fn a_hash_is_for_others_to_check() {
        let mut access = Access::default();
        let hash = Password::hash("secret", [7; 16]).unwrap();
        access.passwords.insert("ann".into(), hash);
        let Admission::If(claim) = access.admits(Some(b"ann"), Some(b"secret")) else {
            panic!("the core has checked the hash itself");
        };
        assert!(claim.holds());
        assert_eq!(format!("{claim:?}"), "Claim(…)");
    }
}
