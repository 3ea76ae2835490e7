//! The `gradcert` command.

fn main() {}
