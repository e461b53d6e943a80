//! Keeps the corpora of the fuzz targets: `cargo run --release -p mqtt-assay-fuzzing --example corpus COMMAND`
//!
//! - `compile`: plays the scenarios and writes their packets and sessions as seeds, and the dictionary, into `fuzz/`.
//! - `unpack [TARGET…]`: writes the seeds as `fuzz/corpus/TARGET/…`, a file each, as libFuzzer wants them.
//! - `add TARGET FILE…`: packs inputs worth keeping, such as a crash that was mended, into `fuzz/seeds/TARGET.seeds`.
//! - `explain FILE…`: tells what scripts that broke the core bring about, and writes the smallest that still does as
//!   `FILE.smallest`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fuzzing::oracle::Strictness;
use fuzzing::seeds::{self, Seed};
use fuzzing::session;

fn main() -> ExitCode {
    let words = std::env::args().skip(1).collect::<Vec<_>>();
    let words = words.iter().map(String::as_str).collect::<Vec<_>>();
    let done = match words.as_slice() {
        #[cfg(feature = "live")]
        ["compile"] => compile(),
        ["unpack", targets @ ..] => unpack(targets),
        ["add", target, files @ ..] if !files.is_empty() => add(target, files),
        ["explain", files @ ..] if !files.is_empty() => explain(files),
        _ => {
            Err("say `compile`, `unpack [TARGET…]`, `add TARGET FILE…`, or `explain FILE…`".into())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn packed(name: &str) -> PathBuf {
    root().join("fuzz/seeds").join(format!("{name}.seeds"))
}

/// The seeds of a packed corpus; none where there is no such file.
fn packed_seeds(name: &str) -> Result<Vec<Seed>, Box<dyn Error>> {
    let file = packed(name);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let seeds = seeds::read(&read(&file)?);
    Ok(seeds.map_err(|error| format!("{}: {error}", file.display()))?)
}

#[cfg(feature = "live")]
fn compile() -> Result<(), Box<dyn Error>> {
    use fuzzing::dictionary;

    let scenarios = scenarios()?;
    fs::create_dir_all(root().join("fuzz/seeds"))?;
    let packets = seeds::packets::packet_seeds(&scenarios);
    let topics = seeds::topics::topic_seeds(&packets);
    let frames = seeds::frames::frame_seeds(&packets);
    let sessions = seeds::sessions::session_seeds(fuzzing::script::from_scenarios(&scenarios));
    for (name, mut seeds) in [
        ("packets", packets),
        ("session", sessions),
        ("topics", topics),
        ("websocket", frames),
    ] {
        let earlier = packed_seeds(name)?.into_iter();
        seeds.extend(earlier.filter(|seed| seed.name.starts_with(seeds::ADDED)));
        let text = seeds::write(&seeds);
        println!("{name}: {} seeds, {} bytes", seeds.len(), text.len());
        write(&packed(name), text.as_bytes())?;
    }
    println!("mqtt.dict: {} words", dictionary::entries().len());
    write(
        &root().join("fuzz/mqtt.dict"),
        dictionary::text().as_bytes(),
    )
}

#[cfg(feature = "live")]
fn scenarios() -> Result<Vec<std::sync::Arc<scenario::Scenario>>, Box<dyn Error>> {
    texts()?
        .into_iter()
        .map(|(name, text)| {
            let beside = |file: &str| fs::read(root().join(&name).with_file_name(file));
            match scenario::parse_with(&name, &text, &beside) {
                Ok(scenario) => Ok(scenario.into()),
                Err(_) => Err(format!("{name} is no scenario: `mqtt-assay check` says why").into()),
            }
        })
        .collect()
}

/// The scenarios of the repository, in the order of their names.
fn texts() -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut texts = Vec::new();
    for chapter in fs::read_dir(root().join("scenarios"))? {
        let chapter = chapter?.path();
        if !chapter.is_dir() {
            continue;
        }
        for file in fs::read_dir(&chapter)? {
            let file = file?.path();
            if file
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                let name = file.strip_prefix(root())?.display().to_string();
                texts.push((name, read(&file)?));
            }
        }
    }
    texts.sort();
    Ok(texts)
}

fn unpack(targets: &[&str]) -> Result<(), Box<dyn Error>> {
    let targets = if targets.is_empty() {
        seeds::TARGETS
    } else {
        targets
    };
    for target in targets {
        let folder = root().join("fuzz/corpus").join(target);
        fs::create_dir_all(&folder)?;
        let mut count = 0;
        for name in seeds::files(target) {
            let seeds = packed_seeds(name)?;
            for (number, seed) in seeds.iter().enumerate() {
                write(&folder.join(format!("{name}-{number:05}")), &seed.bytes)?;
            }
            count += seeds.len();
        }
        if *target == "scenario" {
            for (number, (_, text)) in texts()?.iter().enumerate() {
                write(
                    &folder.join(format!("scenario-{number:05}")),
                    text.as_bytes(),
                )?;
                count += 1;
            }
        }
        if count == 0 {
            // Not even a folder: there is nothing to start from.
            fs::remove_dir(&folder)?;
        }
        println!("{target}: {count} files");
    }
    Ok(())
}

fn add(target: &str, files: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut seeds = packed_seeds(target)?;
    for path in files {
        let name = Path::new(path)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let bytes = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        seeds.push(Seed {
            bytes,
            name: format!("{}{name}", seeds::ADDED),
        });
    }
    write(&packed(target), seeds::write(&seeds).as_bytes())
}

fn explain(files: &[&str]) -> Result<(), Box<dyn Error>> {
    for path in files {
        let bytes = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        let judged = |strictness| session::explain(&bytes, strictness);
        match judged(Strictness::Exact).or_else(|| judged(Strictness::Safety)) {
            Some(explained) => {
                println!("# {path}\n{explained}");
                let smallest = format!("{path}.smallest");
                write(Path::new(&smallest), &explained.smallest.to_bytes())?;
            }
            None => println!("# {path}\nnothing is wrong"),
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Box<dyn Error>> {
    Ok(fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    Ok(fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))?)
}
