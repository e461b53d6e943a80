//! `mqtt-assay probe`: finds out what a broker has, and writes a profile.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anstyle::Style;
use clap::Args;
use codec::Version;
use runner::probe::{Found, probe};

use crate::failure::{Failure, NO_TARGET};
use crate::profile_text;
use crate::target::Aim;

/// Find out which versions, features and limits a broker has.
#[derive(Debug, Args)]
pub(crate) struct Probe {
    #[command(flatten)]
    aim: Aim,

    /// Write what was found as a profile, for `mqtt-assay run --profile`.
    #[arg(long, short, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Overwrite the file.
    #[arg(long, requires = "write")]
    force: bool,

    /// How many seconds an answer is waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    within: u64,
}

impl Probe {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        if !self.aim.is_some() {
            return Err(Failure::new("which broker is to be probed?")
                .help("name it with --target URL, --profile FILE or --launch RECIPE"));
        }
        if let Some(file) = &self.write
            && file.exists()
            && !self.force
        {
            return Err(Failure::new(format!("`{}` exists already", file.display()))
                .note("a profile may hold what people have written into it")
                .help("give another name, or overwrite it with `--force`"));
        }
        let at = self.aim.at()?;
        let found = probe(&at, Duration::from_secs(self.within))
            .map_err(|error| Failure::of(&error).status(NO_TARGET))?;
        let mut out = anstream::AutoStream::auto(io::stdout());
        for found in &found {
            write!(out, "{}", shown(found))?;
        }
        let Some(file) = &self.write else {
            return Ok(0);
        };
        let text = profile_text::of(&self.aim, &found, file);
        fs::write(file, text)
            .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", file.display())))?;
        let secret = found.iter().any(|found| {
            let credentials = found.credentials.as_ref();
            credentials.is_some_and(|credentials| credentials.password.is_some())
        });
        let before = if secret {
            format!("{}=… ", profile_text::PASSWORD)
        } else {
            String::new()
        };
        writeln!(
            out,
            "Profile: {0}. Play it with: {before}mqtt-assay run --profile {0}",
            file.display()
        )?;
        Ok(0)
    }
}

/// What was found, for people.
fn shown(found: &Found) -> String {
    let bold = Style::new().bold();
    let mut text = String::new();
    let places: Vec<String> = found.endpoints.all().map(ToString::to_string).collect();
    let _ = writeln!(
        text,
        "{bold}{}{bold:#} ({})",
        places.join(", "),
        found.configuration
    );
    for (version, spoken) in &found.versions {
        line(&mut text, &mqtt(*version), spoken);
    }
    for (feature, has) in &found.features {
        line(&mut text, feature, has);
    }
    for (limit, value) in &found.limits {
        let _ = writeln!(text, "  {limit:<20} {value}");
    }
    for contradiction in &found.contradictions {
        let told = report::terminal_text(contradiction);
        let _ = writeln!(text, "  note: {told}");
    }
    text.push('\n');
    text
}

fn line(text: &mut String, name: &str, known: &Result<(), String>) {
    let told = match known {
        Ok(()) => "yes".into(),
        Err(why) => format!("no: {}", report::terminal_text(why)),
    };
    let _ = writeln!(text, "  {name:<20} {told}");
}

fn mqtt(version: Version) -> String {
    format!("MQTT {}", version.name().trim_start_matches('v'))
}
