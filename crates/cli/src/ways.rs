//! `--transports`, `--segments` and `--link`: the ways that each case is played.

use clap::Args;
use runner::link::{Axes, LinkKind, Segments, Transport};

/// The ways that each case is played: every combination of what is given.
#[derive(Debug, Clone, Args)]
pub(crate) struct Ways {
    /// The transports: `tcp`, `tls`, `ws`, `wss`, `unix`; each needs an address of the broker. That of the first address
    /// where none is given.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = transport, help_heading = "Ways")]
    transports: Vec<Transport>,

    /// How what clients write is cut: `whole` (as it is written), `bytes` (each byte by itself), `coalesced` (what is
    /// written within 5 ms in one).
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = segments, help_heading = "Ways")]
    segments: Vec<Segments>,

    /// The networks between clients and broker: `direct` (none), `lan`, `satellite`, `2g`, `lossy`.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = link, help_heading = "Ways")]
    link: Vec<LinkKind>,
}

impl Ways {
    pub(crate) fn axes(&self) -> Axes {
        Axes {
            transports: self.transports.clone(),
            segments: self.segments.clone(),
            links: self.link.clone(),
        }
    }

    /// The words of a command line that say the same.
    pub(crate) fn words(&self) -> Vec<String> {
        let transports = self.transports.iter().map(|transport| transport.name());
        let segments = self.segments.iter().map(|segments| segments.name());
        let links = self.link.iter().map(|link| link.name());
        [
            ("--transports", transports.collect::<Vec<_>>()),
            ("--segments", segments.collect()),
            ("--link", links.collect()),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(option, names)| format!("{option} {}", names.join(",")))
        .collect()
    }
}

fn transport(text: &str) -> Result<Transport, String> {
    match text.parse() {
        Ok(Transport::Memory) => Err(
            "the embedded broker is played in memory where no transport is given; no other is"
                .to_owned(),
        ),
        Ok(transport) => Ok(transport),
        Err(error) => Err(error.to_string()),
    }
}

fn segments(text: &str) -> Result<Segments, String> {
    let known = Segments::ALL.map(Segments::name).join(", ");
    Segments::from_name(text).ok_or_else(|| format!("there are {known}"))
}

fn link(text: &str) -> Result<LinkKind, String> {
    let known = LinkKind::ALL.map(LinkKind::name).join(", ");
    LinkKind::from_name(text).ok_or_else(|| format!("there are {known}"))
}
