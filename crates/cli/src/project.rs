//! [`Project`]: `mqtt-assay.yaml`, which says how a project's broker is tested, found upwards from the working directory.

use std::env;
use std::path::{Path, PathBuf};

use runner::At;
use runner::document::{Document, DocumentError};
use runner::target::{Address, Endpoints, Profile, WrittenTls};
use runner::{Secrets, document};
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::edition::Edition;
use crate::failure::Failure;
use crate::target::Aim;

/// The name of the file.
const NAME: &str = "mqtt-assay.yaml";

/// How a project's broker is tested, where the command line says nothing else.
#[derive(Debug, Default)]
pub(crate) struct Project {
    /// The file, as people are told of it; none where there is none.
    pub(crate) file: Option<String>,
    /// Which broker.
    pub(crate) target: Option<ProjectTarget>,
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) reports: ReportPaths,
    pub(crate) scenarios: Vec<PathBuf>,
    pub(crate) filters: Vec<String>,
    pub(crate) versions: Vec<codec::Version>,
    pub(crate) edition: Option<Edition>,
    pub(crate) jobs: Option<usize>,
    pub(crate) patience: Option<f64>,
    pub(crate) strict: bool,
}

/// Which broker a project tests.
#[derive(Debug)]
pub(crate) enum ProjectTarget {
    /// At an address; variables are put in.
    Address(Box<Profile>),
    /// As on the command line.
    Aim(Aim),
}

/// Where reports go.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReportPaths {
    pub(crate) junit: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) html: Option<PathBuf>,
    pub(crate) record: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    target: Option<Spanned<String>>,
    profile: Option<Spanned<PathBuf>>,
    launch: Option<Spanned<String>>,
    tls: Option<Spanned<WrittenTls>>,
    baseline: Option<PathBuf>,
    #[serde(default)]
    reports: ReportPaths,
    #[serde(default)]
    scenarios: Vec<PathBuf>,
    #[serde(default)]
    filters: Vec<String>,
    #[serde(default)]
    versions: Vec<Spanned<String>>,
    edition: Option<Spanned<String>>,
    jobs: Option<Spanned<usize>>,
    patience: Option<Spanned<f64>>,
    #[serde(default)]
    strict: bool,
}

impl Project {
    /// The project of the working directory: the nearest `mqtt-assay.yaml` there or above. Without one, an empty project.
    /// `aimed` is as for [`Self::load`].
    pub(crate) fn find(aimed: bool) -> Result<Self, Failure> {
        let here = env::current_dir().unwrap_or_default();
        match here
            .ancestors()
            .map(|folder| folder.join(NAME))
            .find(|file| file.is_file())
        {
            Some(file) => Self::load(&relative(&file, &here), aimed),
            None => Ok(Self::default()),
        }
    }

    /// The project of this file. Where the command line has `aimed` at a broker already, the file's is left out.
    pub(crate) fn load(file: &Path, aimed: bool) -> Result<Self, Failure> {
        let read = Document::read(file).and_then(|document| {
            let folder = file.parent().unwrap_or(Path::new(""));
            Self::of(&document, folder, aimed, &|name| env::var(name).ok())
        });
        read.map_err(|error| Failure::in_document(&error))
    }

    fn of(
        document: &Document,
        folder: &Path,
        aimed: bool,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DocumentError> {
        let written: Written = document.parse()?;
        if let (Some(tls), None) = (&written.tls, &written.target) {
            let text = "`tls` goes with `target`; a profile has a `tls` of its own, and a recipe needs none";
            return Err(document.wrong(tls, text));
        }
        let target = match (written.target, written.profile, written.launch) {
            (None, None, None) => None,
            // Its variables need not be set.
            (Some(_), None, None) if aimed => None,
            (Some(address), None, None) => {
                let tls = written.tls.as_ref();
                let profile = address_of(document, &address, tls, folder, variable)?;
                Some(ProjectTarget::Address(Box::new(profile)))
            }
            (None, Some(profile), None) => Some(ProjectTarget::Aim(Aim {
                profile: Some(folder.join(profile.value)),
                ..Aim::default()
            })),
            (None, None, Some(recipe)) => Some(ProjectTarget::Aim(Aim {
                launch: Some(recipe_of(folder, &recipe.value)),
                ..Aim::default()
            })),
            _ => {
                return Err(document.lacks(
                    "`target`, `profile` and `launch` each name the broker; keep one of them",
                ));
            }
        };
        let versions = written.versions.iter().map(|version| {
            let parsed = version.value.parse();
            parsed.map_err(|error| document.wrong(version, format!("{error}")))
        });
        let edition = written.edition.map(|edition| {
            let parsed = edition.value.parse();
            parsed.map_err(|error: String| {
                document.wrong(
                    &edition,
                    format!("`{}` is no edition; {error}", edition.value),
                )
            })
        });
        if let Some(jobs) = &written.jobs
            && jobs.value == 0
        {
            return Err(document.wrong(jobs, "0 cases at once play nothing; write 1 or more"));
        }
        if let Some(patience) = &written.patience
            && !(1.0..=100.0).contains(&patience.value)
        {
            return Err(document.wrong(
                patience,
                "the patience does not lie in 1..100; write a number from 1 to 100",
            ));
        }
        let here = |path: PathBuf| folder.join(path);
        Ok(Self {
            file: Some(document.name().to_owned()),
            target,
            baseline: written.baseline.map(here),
            reports: ReportPaths {
                junit: written.reports.junit.map(here),
                json: written.reports.json.map(here),
                html: written.reports.html.map(here),
                record: written.reports.record.map(here),
            },
            scenarios: written.scenarios.into_iter().map(here).collect(),
            filters: written.filters,
            versions: versions.collect::<Result<_, _>>()?,
            edition: edition.transpose()?,
            jobs: written.jobs.map(|jobs| jobs.value),
            patience: written.patience.map(|patience| patience.value),
            strict: written.strict,
        })
    }
}

impl ProjectTarget {
    /// The broker.
    ///
    /// # Errors
    ///
    /// As [`Aim::at`].
    pub(crate) fn at(&self) -> Result<At, Failure> {
        match self {
            Self::Address(profile) => Ok(At::Profile(profile.clone())),
            Self::Aim(aim) => aim.at(),
        }
    }
}

fn address_of(
    document: &Document,
    written: &Spanned<String>,
    tls: Option<&Spanned<WrittenTls>>,
    folder: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Profile, DocumentError> {
    let mut secrets = Secrets::default();
    let text = document::expand(document, written, variable, &mut secrets)?;
    let address = text.parse::<Address>().map_err(|error| {
        // What variables hold is not told.
        let told = if text == written.value {
            error.to_string()
        } else {
            format!(
                "`{}` is no address once its variables are put in",
                written.value
            )
        };
        document.wrong(written, told)
    })?;
    let mut endpoints = Endpoints::from(address);
    if let Some(tls) = tls {
        let mut text_of =
            |text: &Spanned<String>| document::expand(document, text, variable, &mut secrets);
        endpoints = WrittenTls::of(tls, endpoints, document, folder, &mut text_of)?;
    }
    let mut profile = Profile::from(endpoints);
    profile.secrets.extend(&secrets);
    Ok(profile)
}

/// A recipe of the project's own stands where its file says; others have names.
fn recipe_of(folder: &Path, written: &str) -> String {
    if written.contains(['/', '\\', '.']) {
        let path = folder.join(written).to_string_lossy().into_owned();
        if path.contains('/') {
            path
        } else {
            format!("./{path}")
        }
    } else {
        written.to_owned()
    }
}

/// The path as seen from `here`: `mqtt-assay.yaml`, or `../../mqtt-assay.yaml`.
fn relative(file: &Path, here: &Path) -> PathBuf {
    for (up, folder) in here.ancestors().enumerate() {
        if let Ok(rest) = file.strip_prefix(folder) {
            let ups: PathBuf = std::iter::repeat_n("..", up).collect();
            return ups.join(rest);
        }
    }
    file.to_owned()
}

#[cfg(test)]
mod golden;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Project, String> {
        let variable = |name: &str| (name == "SECRET").then(|| "hush-hush".to_owned());
        Project::of(
            &Document::of("mqtt-assay.yaml", text),
            Path::new("ci"),
            false,
            &variable,
        )
        .map_err(|error| error.to_string())
    }

    #[test]
    fn paths_are_those_beside_the_file() {
        let project = read(
            "target: 'mqtt://ann:${SECRET}@h:1884'\nbaseline: known.yaml\nreports: { junit: out/junit.xml }\n",
        )
        .unwrap();
        assert_eq!(
            project.baseline.as_deref(),
            Some(Path::new("ci/known.yaml"))
        );
        assert_eq!(
            project.reports.junit.as_deref(),
            Some(Path::new("ci/out/junit.xml"))
        );
        let told = format!("{project:?}");
        assert!(!told.contains("hush-hush"), "{told}");
        assert_eq!(recipe_of(Path::new(""), "ours.yaml"), "./ours.yaml");
        assert_eq!(recipe_of(Path::new("ci"), "mosquitto"), "mosquitto");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let told = |text: &str| read(text).unwrap_err();
        assert_eq!(
            told("baselin: x\n"),
            "mqtt-assay.yaml:1:1: unknown key `baselin`; did you mean `baseline`?"
        );
        assert_eq!(
            told("target: mqtt://h\nlaunch: mosquitto\n"),
            "mqtt-assay.yaml:1:1: `target`, `profile` and `launch` each name the broker; keep one of them"
        );
        assert!(
            told("target: mqtts://h\ntls: { ca: ca.pem }\n")
                .starts_with("mqtt-assay.yaml:2:6: cannot read ci/ca.pem: ")
        );
        assert!(told("profile: a.yaml\ntls: { ca: a.pem }\n").contains("`tls` goes with `target`"));
        assert!(told("target: 'mqtt://${GONE}@h'\n").contains("`GONE` is not set"));
        assert!(told("jobs: 0\n").starts_with("mqtt-assay.yaml:1:7: 0 cases at once"));
    }

    #[test]
    fn a_target_that_is_not_asked_for_needs_no_variables() {
        let text = "target: 'mqtt://ann:${GONE}@h'\nbaseline: known.yaml\n";
        let document = Document::of("mqtt-assay.yaml", text);
        let project = Project::of(&document, Path::new("ci"), true, &|_| None).unwrap();
        assert!(project.target.is_none());
        assert!(project.baseline.is_some());
    }

    #[test]
    fn the_file_is_named_as_seen_from_the_working_directory() {
        let told = |file, here| {
            relative(Path::new(file), Path::new(here))
                .display()
                .to_string()
        };
        assert_eq!(told("/a/b/mqtt-assay.yaml", "/a/b"), "mqtt-assay.yaml");
        assert_eq!(
            told("/a/mqtt-assay.yaml", "/a/b/c"),
            "../../mqtt-assay.yaml"
        );
    }
}
