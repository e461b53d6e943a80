//! [`Seats`]: which case is played on which configuration of the target.

use scenario::Case;

use super::site::{Site, Source};
use super::station::{Asker, Station};
use crate::admission::AdmissionError;
use crate::link::Transport;
use crate::plan::Plan;

/// Where one case is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seat {
    /// On the configuration with this number, beside other cases.
    Shared(usize),
    /// On that configuration, launched for this case alone.
    OfItsOwn(usize),
    /// Nowhere: the target has not got what it requires.
    Skipped(String),
    /// Nowhere: the configuration that has it could not be started or admitted.
    Untested(String),
}

/// The stations that the plan needs, and the seat of each of its cases.
pub(crate) struct Seats {
    /// One place per source of the site.
    pub(crate) stations: Vec<Option<Station>>,
    /// One per case of the plan, in each way that it is played.
    pub(crate) of_cases: Vec<Seat>,
}

/// A configuration that was wanted, and how that went.
enum Tried {
    NotYet,
    Open(Box<Station>),
    Failed(String),
}

impl Seats {
    /// Opens the plain configuration, and each other one that a case needs.
    ///
    /// # Errors
    /// The plain one cannot be played at all.
    pub(crate) async fn find(
        plan: &Plan,
        site: &Site,
        asker: &Asker,
    ) -> Result<Self, AdmissionError> {
        let mut tried: Vec<Tried> = site.sources.iter().map(|_| Tried::NotYet).collect();
        if let (Some(source), Some(first)) = (site.sources.first(), tried.first_mut()) {
            *first = Tried::Open(Box::new(Station::open(site, source, asker).await?));
        }
        let mut of_cases = Vec::new();
        for (case, way) in plan.played() {
            of_cases.push(seat(case, way.transport, site, asker, &mut tried).await);
        }
        let stations = tried.into_iter().map(|tried| match tried {
            Tried::Open(station) => Some(*station),
            Tried::NotYet | Tried::Failed(_) => None,
        });
        Ok(Self {
            stations: stations.collect(),
            of_cases,
        })
    }
}

async fn seat(
    case: &Case,
    transport: Option<Transport>,
    site: &Site,
    asker: &Asker,
    tried: &mut [Tried],
) -> Seat {
    let requires: Vec<_> = case.requires.iter().map(String::as_str).collect();
    let takes_place = |index: usize| {
        let launched = site.sources.get(index).is_some_and(Source::is_launched);
        if launched && requires.contains(&"restart") {
            Seat::OfItsOwn(index)
        } else {
            Seat::Shared(index)
        }
    };
    let Some(Tried::Open(plain)) = tried.first() else {
        return Seat::Untested("the target is not there".to_owned());
    };
    let is_reached =
        |source: &Source| transport.is_none_or(|transport| source.is_reached_over(transport));
    let reaches_plain = site.sources.first().is_some_and(is_reached);
    let why_not_plain = plain
        .target
        .reason_to_skip(case.version, &requires)
        .or_else(|| {
            let transport = transport.filter(|_| !reaches_plain)?;
            let requires = requires.join("`, `");
            Some(format!(
                "no configuration with `{requires}` is reached over {transport}"
            ))
        });
    let wanted = set_up_for(&requires, &site.sources);
    let offers = |source: &Source| {
        let is_needed = !wanted.is_empty() || !reaches_plain;
        let mut wanted = wanted.iter();
        is_needed && is_reached(source) && wanted.all(|feature| source.declared.offers(feature))
    };
    let mut skipped = None;
    for (index, source) in site.sources.iter().enumerate().skip(1) {
        let Some(state) = tried.get_mut(index).filter(|_| offers(source)) else {
            continue;
        };
        if matches!(state, Tried::NotYet) {
            *state = match Station::open(site, source, asker).await {
                Ok(station) => Tried::Open(Box::new(station)),
                Err(error) => Tried::Failed(format!(
                    "the configuration `{}` of the target cannot be played: {error}",
                    source.name
                )),
            };
        }
        match state {
            Tried::Failed(why) => return Seat::Untested(why.clone()),
            Tried::Open(station) => match station.target.reason_to_skip(case.version, &requires) {
                None => return takes_place(index),
                Some(why) => skipped = Some(why),
            },
            Tried::NotYet => {}
        }
    }
    match why_not_plain {
        None => takes_place(0),
        Some(why) => Seat::Skipped(skipped.unwrap_or(why)),
    }
}

/// The features that another configuration than the plain one is set up for: who wants them is played there, even if
/// the plain one happens to have them too (a Receive Maximum of 65,535, say).
fn set_up_for<'a>(requires: &[&'a str], sources: &[Source]) -> Vec<&'a str> {
    let Some((plain, others)) = sources.split_first() else {
        return Vec::new();
    };
    let is_special = |feature: &&str| {
        !plain.declared.offers(feature) && others.iter().any(|other| other.declared.offers(feature))
    };
    requires.iter().copied().filter(is_special).collect()
}
