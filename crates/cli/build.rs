//! Rebuilds the binary when a scenario that it embeds has changed.

fn main() {
    println!("cargo::rerun-if-changed=../../scenarios");
}
