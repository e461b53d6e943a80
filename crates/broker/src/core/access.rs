//! Who may connect, publish and subscribe (sections 3.1.4, 5.4).

use crate::config::{Access, Permission};

use super::topic;

impl Access {
    /// Whether these credentials let a client in.
    pub(crate) fn admits(&self, user_name: Option<&[u8]>, password: Option<&[u8]>) -> bool {
        let Some(user_name) = user_name else {
            return self.anonymous;
        };
        if self.passwords.is_empty() {
            return true;
        }
        self.passwords.iter().any(|(user, expected)| {
            user.as_bytes() == user_name && password.is_some_and(|it| expected.is(it))
        })
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
    use crate::Password;

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
        assert!(access.admits(None, None));
        assert!(access.admits(Some(b"anyone"), None));
        access
            .passwords
            .insert("ann".into(), Password::text("secret"));
        access.anonymous = false;
        assert!(!access.admits(None, None));
        assert!(access.admits(Some(b"ann"), Some(b"secret")));
        assert!(!access.admits(Some(b"ann"), Some(b"wrong")));
        assert!(!access.admits(Some(b"bob"), Some(b"secret")));
    }
}
