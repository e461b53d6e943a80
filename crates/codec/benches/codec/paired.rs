//! Contenders that run in turn, in several processes, and the table that comes of it.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times and their ratios are approximate anyway"
)]

use std::env;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stats_alloc::Region;

use crate::ALLOCATOR;

/// Rounds of one comparison; the median of an odd number is one of them.
pub(crate) const ROUNDS: usize = 61;
/// Processes that measure; odd as well.
pub(crate) const PROCESSES: usize = 9;
/// Says that this process is one of them.
pub(crate) const MEASURES: &str = "MQTT_ASSAY_BENCH_MEASURES";
/// How long a contender runs within a round.
pub(crate) const SLICE: Duration = Duration::from_micros(1_500);

/// Something to be measured: it handles `packets` packets a call.
pub(crate) struct Contender<'a> {
    name: &'static str,
    packets: usize,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'static str, packets: usize, run: impl FnMut() + 'a) -> Self {
        Self {
            name,
            packets,
            run: Box::new(run),
        }
    }

    /// Nanoseconds a packet over `calls` calls.
    fn time(&mut self, calls: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            (self.run)();
        }
        let calls = u32::try_from(calls * self.packets).unwrap_or(u32::MAX);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    }

    pub(crate) fn allocations(&mut self) -> usize {
        (self.run)();
        let region = Region::new(ALLOCATOR);
        (self.run)();
        let change = region.change();
        change.allocations + change.reallocations
    }
}

/// What was measured of one contender: nanoseconds a packet (median and fastest), the ratio to the yardstick,
/// allocations a packet.
type Row = [f64; 4];

/// Prints a line for each contender, for [`summarise`]; the ratios are to the last one, the yardstick.
///
/// Words behind `cargo bench … --` choose the titles that hold one of them.
pub(crate) fn compare(title: &str, mut contenders: Vec<Contender<'_>>) {
    let mut words = env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .peekable();
    if words.peek().is_some() && !words.any(|word| title.contains(&word)) {
        return;
    }
    let calls = contenders
        .iter_mut()
        .map(|contender| {
            let once = contender.time(50) * contender.packets as f64;
            ((SLICE.as_secs_f64() * 1e9 / once) as usize).max(20)
        })
        .collect::<Vec<_>>();
    let mut times = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for _ in 0..ROUNDS {
        for ((contender, calls), times) in contenders.iter_mut().zip(&calls).zip(&mut times) {
            times.push(contender.time(*calls));
        }
    }
    let yardstick = times.last().cloned().unwrap_or_default();
    for (contender, times) in contenders.iter_mut().zip(&times) {
        let ratios = times
            .iter()
            .zip(&yardstick)
            .map(|(ours, theirs)| ours / theirs)
            .collect();
        let allocations = contender.allocations() as f64 / contender.packets as f64;
        println!(
            "{title}\t{}\t{}\t{}\t{}\t{}",
            contender.name,
            median(times.clone()),
            times.iter().copied().fold(f64::MAX, f64::min),
            median(ratios),
            allocations,
        );
    }
}

/// Lets [`PROCESSES`] of them measure, one after the other, and prints the medians of what they say.
pub(crate) fn summarise() {
    let mut table: Vec<(String, String, Vec<Row>)> = Vec::new();
    for _ in 0..PROCESSES {
        let measured = Command::new(env::current_exe().expect("the benchmark knows where it is"))
            .args(env::args().skip(1))
            .env(MEASURES, "1")
            .stderr(Stdio::inherit())
            .output()
            .expect("the benchmark can be run once more");
        assert!(measured.status.success(), "a strict decode allocates");
        for line in String::from_utf8_lossy(&measured.stdout).lines() {
            let cells = line.split('\t').collect::<Vec<_>>();
            let [title, name, figures @ ..] = &cells[..] else {
                panic!("not a row: {line}");
            };
            let row = [0, 1, 2, 3].map(|at| figures[at].parse::<f64>().expect("a figure"));
            let known = table
                .iter_mut()
                .find(|(of, by, _)| (of.as_str(), by.as_str()) == (*title, *name));
            match known {
                Some((_, _, rows)) => rows.push(row),
                None => table.push(((*title).to_owned(), (*name).to_owned(), vec![row])),
            }
        }
    }
    let mut above = String::new();
    for (title, name, rows) in table {
        if title != above {
            println!("\n{title}");
        }
        let [time, fastest, ratio, allocations] =
            [0, 1, 2, 3].map(|at| median(rows.iter().map(|row| row[at]).collect()));
        println!(
            "  {name:<20} {time:>9.1} ns (fastest {fastest:>8.1})  ratio {ratio:>6.3}  {allocations:>5.2} allocations"
        );
        above = title;
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
