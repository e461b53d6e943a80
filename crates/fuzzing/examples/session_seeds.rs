//! Compiles the seeds of the fuzz target `session` from the scenarios, into `fuzz/seeds/session.seeds`; with a folder
//! behind it, unpacks them there as libFuzzer wants them, a file each.
//! `cargo run --release -p mqtt-assay-fuzzing --example session_seeds [FOLDER]`
#![allow(clippy::unwrap_used, reason = "an example stops at the first surprise")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut scenarios = Vec::new();
    for chapter in fs::read_dir(root.join("scenarios")).unwrap() {
        let chapter = chapter.unwrap().path();
        if !chapter.is_dir() {
            continue;
        }
        for file in fs::read_dir(&chapter).unwrap() {
            let file = file.unwrap().path();
            if !file
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                continue;
            }
            let name = file.strip_prefix(root.join("scenarios")).unwrap();
            let text = fs::read_to_string(&file).unwrap();
            let beside = |other: &str| fs::read(file.with_file_name(other));
            let parsed = scenario::parse_with(&name.to_string_lossy(), &text, &beside);
            if let Ok(scenario) = parsed {
                scenarios.push(Arc::new(scenario));
            }
        }
    }
    let scripts = fuzzing::script::from_scenarios(&scenarios);
    let mut text = String::new();
    for (name, script) in &scripts {
        for byte in script.to_bytes() {
            write!(text, "{byte:02x}").unwrap();
        }
        writeln!(text, "  # {name}").unwrap();
    }
    fs::create_dir_all(root.join("fuzz/seeds")).unwrap();
    // What was mended stays.
    let path = root.join("fuzz/seeds/session.seeds");
    let earlier = fs::read_to_string(&path).unwrap_or_default();
    for line in earlier.lines().filter(|line| line.contains("  # mended: ")) {
        writeln!(text, "{line}").unwrap();
    }
    fs::write(&path, &text).unwrap();
    println!("{} scripts, {} bytes", scripts.len(), text.len());
    if let Some(folder) = std::env::args().nth(1) {
        fs::create_dir_all(&folder).unwrap();
        for (at, (_, script)) in scripts.iter().enumerate() {
            fs::write(
                Path::new(&folder).join(format!("{at:04}")),
                script.to_bytes(),
            )
            .unwrap();
        }
    }
}
