//! Makes the server be built anew when the browser part changes: the embedding macro does not notice new files.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=dist");
    // so that `cargo check` works in a fresh clone, where nothing was built for the browser yet
    std::fs::create_dir_all("dist/pkg")
}
