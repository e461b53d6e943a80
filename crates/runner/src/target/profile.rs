//! [`Profile`]: a file about a broker that runs somewhere: where, as whom, with what.

use std::env;
use std::path::{Path, PathBuf};

use serde_yaml::Spanned;

use super::declared::{Declared, with_declarations};
use super::{Address, Endpoints, WrittenTls};
use crate::document::{Document, DocumentError, Entries, expand};
use crate::secrets::Secrets;

/// What the configuration is called that everything is played on that requires no other.
pub(crate) const PLAIN: &str = "plain";

/// A broker that runs somewhere: where it listens, as whom it is spoken to, what it has.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The broker as people know it.
    pub name: String,
    /// The baseline of its known deviations, a path from the working directory.
    pub baseline: Option<PathBuf>,
    /// Its configurations, the plain one first.
    pub configurations: Vec<Configuration>,
    /// What no report may show.
    pub secrets: Secrets,
}

/// One way in which the broker is set up, at addresses of its own.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// What it is called.
    pub name: String,
    /// Where the broker listens.
    pub endpoints: Endpoints,
    /// What is said of it.
    pub declared: Declared,
}

/// Addresses as they are written.
type Written = Spanned<Vec<Spanned<String>>>;

with_declarations! {
    struct WrittenProfile {
        name: Option<String>,
        baseline: Option<PathBuf>,
        addresses: Written,
        tls: Option<Spanned<WrittenTls>>,
        #[serde(default)]
        configurations: Entries<WrittenConfiguration>,
    }
}

with_declarations! {
    struct WrittenConfiguration {
        addresses: Written,
        tls: Option<Spanned<WrittenTls>>,
    }
}

impl Profile {
    /// Reads a profile; `${NAME}` in it stands for that environment variable.
    ///
    /// # Errors
    /// The file cannot be read or used, or a variable is not set.
    pub fn load(path: &Path) -> Result<Self, DocumentError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::of(&Document::read(path)?, folder, &|name| env::var(name).ok())
    }

    /// A profile from its text, which names files as they are seen from `folder`; `variable` tells what an environment
    /// variable holds.
    ///
    /// # Errors
    /// The text cannot be used, or a variable is not set.
    pub fn of(
        document: &Document,
        folder: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DocumentError> {
        let mut written: WrittenProfile = document.parse()?;
        let mut secrets = Secrets::default();
        let declarations = written.take_declarations();
        let mut configurations = Vec::new();
        let common = written.tls.as_ref();
        let mut add = |name: &str, addresses: &Written, tls: Option<&_>, declarations| {
            let mut text_of =
                |text: &Spanned<String>| expand(document, text, variable, &mut secrets);
            let mut endpoints = endpoints(document, addresses, &mut text_of)?;
            let inherited = common.filter(|_| endpoints.are_encrypted());
            if let Some(tls) = tls.or(inherited) {
                endpoints = WrittenTls::of(tls, endpoints, document, folder, &mut text_of)?;
            }
            let mut declared = Declared::read(document, declarations, &mut text_of)?;
            let credentials = endpoints
                .all()
                .find_map(|address| address.credentials.clone());
            declared.credentials = declared.credentials.or(credentials);
            if let Some(credentials) = &declared.credentials
                && let Some(password) = &credentials.password
            {
                secrets.add(password);
            }
            configurations.push(Configuration {
                name: name.to_owned(),
                endpoints,
                declared,
            });
            Ok(())
        };
        add(
            PLAIN,
            &written.addresses,
            written.tls.as_ref(),
            declarations,
        )?;
        for (name, mut configuration) in written.configurations.0 {
            if name.value == PLAIN {
                return Err(document.wrong(
                    &name,
                    "`plain` is what the profile itself describes; move these keys to the top",
                ));
            }
            let declarations = configuration.take_declarations();
            let tls = configuration.tls.as_ref();
            add(&name.value, &configuration.addresses, tls, declarations)?;
        }
        let address = configurations.first().map(|plain| plain.endpoints.first());
        let name = written.name.or(address.map(Address::to_string));
        Ok(Self {
            name: name.unwrap_or_default(),
            baseline: written.baseline.map(|baseline| folder.join(baseline)),
            configurations,
            secrets,
        })
    }
}

/// What is known of a broker of which only its addresses are given.
impl From<Endpoints> for Profile {
    fn from(endpoints: Endpoints) -> Self {
        let mut secrets = Secrets::default();
        let credentials = endpoints
            .all()
            .find_map(|address| address.credentials.clone());
        if let Some(credentials) = &credentials
            && let Some(password) = &credentials.password
        {
            secrets.add(password);
        }
        Self {
            name: endpoints.first().to_string(),
            baseline: None,
            configurations: vec![Configuration {
                name: PLAIN.to_owned(),
                declared: Declared {
                    credentials,
                    ..Declared::default()
                },
                endpoints,
            }],
            secrets,
        }
    }
}

fn endpoints(
    document: &Document,
    written: &Written,
    text_of: &mut dyn FnMut(&Spanned<String>) -> Result<String, DocumentError>,
) -> Result<Endpoints, DocumentError> {
    let mut addresses = Vec::new();
    for address in &written.value {
        let text = text_of(address)?;
        // What is wrong with it is told as it was written: a password may stand in it.
        let read = text.parse::<Address>();
        addresses.push(read.map_err(|error| {
            let told = if text == address.value {
                error.to_string()
            } else {
                format!(
                    "`{}` is no address once its variables are put in",
                    address.value
                )
            };
            document.wrong(address, told)
        })?);
    }
    let mut addresses = addresses.into_iter();
    let Some(first) = addresses.next() else {
        let text = "there is no address; write one, such as [mqtt://localhost:1883]";
        return Err(document.wrong(written, text));
    };
    let mut endpoints = Endpoints::new(first);
    for address in addresses {
        let and = endpoints.and(address);
        endpoints = and.map_err(|error| document.wrong(written, error.to_string()))?;
    }
    Ok(endpoints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Transport;

    fn read(text: &str) -> Result<Profile, String> {
        let variable = |name: &str| (name == "TOKEN").then(|| "hush-hush".to_owned());
        Profile::of(
            &Document::of("broker.yaml", text),
            Path::new("ci"),
            &variable,
        )
        .map_err(|error| error.to_string())
    }

    #[test]
    fn a_profile_says_where_and_as_whom() {
        let profile = read(
            "name: Ours 1.2\n\
             addresses: [mqtt://h:1884, ws://h:8080/mqtt]\n\
             credentials: { user: ann, password: '${TOKEN}' }\n\
             features: [shared]\n\
             lacks: { qos 2: not before 2.0 }\n\
             limits: { maximum_packet_size: 2000 }\n\
             configurations:\n  acl: { addresses: [mqtt://h:1885], refused_topic: secret/x }\n",
        )
        .unwrap();
        let [plain, acl] = profile.configurations.as_slice() else {
            panic!("{profile:?}");
        };
        assert_eq!(plain.endpoints.of(Transport::WebSocket).unwrap().port, 8080);
        let credentials = plain.declared.credentials.clone().unwrap();
        assert_eq!(credentials.password.as_deref(), Some("hush-hush"));
        assert!(plain.declared.offers("maximum_packet_size"));
        assert!(acl.declared.offers("authz") && !plain.declared.offers("authz"));
        let told = format!("{profile:?}");
        assert!(!told.contains("hush-hush"), "{told}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let told = |text: &str| read(text).unwrap_err();
        assert_eq!(
            told("addresses: [mqtt://h]\nfeatures: [sharde]\n"),
            "broker.yaml:2:12: unknown feature `sharde`; did you mean `shared`?"
        );
        assert_eq!(
            told("addresses: [mqtt://h]\nfeature: [shared]\n"),
            "broker.yaml:2:1: unknown key `feature`; did you mean `features`?"
        );
        assert_eq!(
            told("addresses: [mqtt://h]\ncredentials: { user: a, password: '${NOPE}' }\n"),
            "broker.yaml:2:35: the environment variable `NOPE` is not set; set it before the run"
        );
        assert_eq!(
            told("addresses: []\n"),
            "broker.yaml:1:12: there is no address; write one, such as [mqtt://localhost:1883]"
        );
        assert!(
            told("addresses: [mqtts://h]\ntls: { ca: gone.pem }\n")
                .starts_with("broker.yaml:2:6: cannot read ci/gone.pem: ")
        );
        assert_eq!(
            told("addresses: [mqtts://h]\ntls: { key: key.pem }\n"),
            "broker.yaml:2:6: the key ci/key.pem has no certificate to go with"
        );
        assert!(
            told("addresses: [mqtt://h]\ntls: { unverified: true }\n")
                .contains("no address here is mqtts://")
        );
        assert!(
            told("addresses: [mqtts://h]\ntls: { unverified: true, server_name: h }\n")
                .contains("whatever the certificate")
        );
        assert_eq!(
            told("addresses: [mqtts://h]\ntls: { cert: a.pem }\n"),
            "broker.yaml:2:8: unknown key `cert`; did you mean `certificate`?"
        );
        let told = told("addresses: ['mqtt://a:${TOKEN}@h:x']\n");
        assert!(!told.contains("hush-hush"), "{told}");
    }
}
