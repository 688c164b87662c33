//! Hands the target's name to the crate: the manifest states it, and only a build script knows it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!(
        "cargo:rustc-env=DRIVER_TARGET={}",
        std::env::var("TARGET").unwrap_or_default()
    );
}
