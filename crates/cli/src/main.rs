//! The binary `mqtt-assay`.

fn main() {}
