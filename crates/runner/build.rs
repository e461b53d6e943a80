//! The recipes are part of the library: a change to one rebuilds it.

fn main() {
    println!("cargo:rerun-if-changed=../../recipes");
}
