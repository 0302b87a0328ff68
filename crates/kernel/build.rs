//! Builds again when a migration was added: cargo does not notice that by itself.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
