//! The documentation speaks about the sources as they are: the table of statements names items that exist, every relative
//! link resolves, every code of a decline or an error is explained, and nothing is explained that does not exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the root of the repository")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// All files below a folder with this extension, build folders left out.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("a folder entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The texts between single backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Cells of the table rows of a page, without heads and rules.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = page.lines().collect();
    let is_row = |line: &str| line.starts_with('|');
    let is_rule = |line: &str| line.starts_with("|--");
    (0..lines.len())
        .filter(|&i| is_row(lines[i]) && !is_rule(lines[i]))
        .filter(|&i| !lines.get(i + 1).is_some_and(|next| is_rule(next)))
        .map(|i| lines[i].trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Does the source define a function, type or constant of this name?
fn defines(source: &str, name: &str) -> bool {
    ["fn ", "struct ", "enum ", "const ", "trait "].iter().any(|keyword| {
        source.match_indices(&format!("{keyword}{name}")).any(|(at, found)| {
            let before = source[..at].chars().next_back();
            let after = source[at + found.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
    })
}

/// Is the function marked as a test, by an attribute or inside `proptest!`?
fn is_test(source: &str, name: &str) -> bool {
    let Some(at) = source.find(&format!("fn {name}(")) else { return false };
    let before: Vec<&str> = source[..at].lines().rev().map(str::trim).skip_while(|l| l.is_empty()).take(6).collect();
    before.iter().take_while(|line| !line.starts_with('}')).any(|line| line.contains("#[test]"))
}

#[test]
fn the_table_of_statements_names_what_exists() {
    let page = read(&root().join("docs/src/theorem-table.md"));
    let rows = rows(&page);
    assert!(rows.len() >= 25, "only {} rows were found", rows.len());
    for cells in &rows {
        let [statement, code, tests] = cells.as_slice() else { panic!("not three cells: {cells:?}") };
        assert!(!quoted(code).is_empty(), "{statement}: no code");
        for (cell, must_be_test) in [(code, false), (tests, true)] {
            for item in quoted(cell).into_iter().filter(|item| item.contains('/')) {
                let (path, name) = item.split_once("::").unwrap_or_else(|| panic!("{item} names no item"));
                let source = read(&root().join(path));
                assert!(defines(&source, name), "{statement}: {path} defines no {name}");
                assert!(!must_be_test || is_test(&source, name), "{statement}: {item} is not a test");
            }
        }
    }
}

/// Every statement has a section, and a row in the table.
#[test]
fn every_statement_is_explained_and_listed() {
    let statements = read(&root().join("docs/src/statements.md"));
    let table = read(&root().join("docs/src/theorem-table.md"));
    let headings: Vec<&str> = statements.lines().filter(|line| line.starts_with("## ")).collect();
    let known = [
        "T1", "T1i", "T2", "T3", "T4", "T5", "T5s", "T6", "T7", "T7+", "T8", "T9", "T9+", "T9m", "T10", "T11", "T12",
        "T13", "T13a", "T14", "T15", "T16", "T16d", "T16n", "T16e",
    ];
    for number in known {
        let label = format!("({number})");
        assert!(headings.iter().any(|h| h.contains(&label)), "no section about {label}");
        assert!(table.contains(&label), "no row about {label}");
    }
    // Numbers in the comments of the sources are explained.
    for path in sources() {
        let text = read(&path);
        for (at, _) in text.match_indices("(T") {
            let label: String = text[at + 1..].chars().take_while(|&c| is_word(c) || c == '+').collect();
            let is_number = label[1..].starts_with(|c: char| c.is_ascii_digit());
            assert!(
                !is_number || known.contains(&label.as_str()),
                "{} mentions ({label}), which the book does not explain",
                path.display()
            );
        }
    }
}

/// Targets of the links `[text](target)` outside code.
fn links(page: &str) -> Vec<String> {
    let mut found = vec![];
    let mut in_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Code between backticks cannot link.
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
        for part in plain.split("](").skip(1) {
            found.extend(part.split(')').next().map(str::to_owned));
        }
    }
    found
}

fn pages() -> Vec<PathBuf> {
    let mut pages = files(&root().join("docs/src"), "md");
    let top = fs::read_dir(root()).expect("the root");
    pages.extend(top.map(|e| e.expect("an entry").path()).filter(|p| p.extension().is_some_and(|e| e == "md")));
    pages.push(root().join("crates/data/bundled/README.md"));
    pages
}

#[test]
fn relative_links_resolve() {
    let mut checked = 0;
    for page in pages() {
        for link in links(&read(&page)) {
            if link.contains("://") || link.starts_with('#') {
                continue;
            }
            let file = link.split('#').next().unwrap_or_default();
            let target = page.parent().expect("a folder").join(file);
            assert!(target.exists(), "{} links to {link}, which does not exist", page.display());
            checked += 1;
        }
    }
    assert!(checked >= 20, "only {checked} links were found");
}

#[test]
fn every_page_is_in_the_summary() {
    let folder = root().join("docs/src");
    let listed: BTreeSet<PathBuf> = links(&read(&folder.join("SUMMARY.md"))).iter().map(|l| folder.join(l)).collect();
    let existing: BTreeSet<PathBuf> =
        files(&folder, "md").into_iter().filter(|p| p.file_name().is_some_and(|n| n != "SUMMARY.md")).collect();
    assert_eq!(listed, existing);
}

/// The sources of the crates, tests and examples left out.
fn sources() -> Vec<PathBuf> {
    let crates = root().join("crates");
    files(&crates, "rs").into_iter().filter(|p| p.components().any(|c| c.as_os_str() == "src")).collect()
}

/// String literals right after each occurrence of `call`, blanks skipped.
fn literals_after(text: &str, call: &str) -> Vec<String> {
    text.match_indices(call)
        .filter_map(|(at, found)| {
            let rest = text[at + found.len()..].trim_start().strip_prefix('"')?;
            rest.split('"').next().map(str::to_owned)
        })
        .collect()
}

/// The codes that the arms of `fn code` return.
fn codes_of_enums(text: &str) -> Vec<String> {
    ["fn code(&self) -> &'static str", "fn code(self) -> &'static str"]
        .into_iter()
        .flat_map(|signature| text.match_indices(signature))
        .flat_map(|(at, _)| {
            let body = text[at..].split("\n    }\n").next().unwrap_or_default();
            literals_after(body, "=> ")
        })
        .collect()
}

fn codes_in_sources() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for path in sources() {
        let text = read(&path);
        for call in ["Reason::new(", " code: ", "declined(", "[reason(", "Failure::input("] {
            codes.extend(literals_after(&text, call));
        }
        codes.extend(codes_of_enums(&text));
    }
    codes
}

#[test]
fn every_code_of_the_sources_is_explained_and_no_other() {
    let page = read(&root().join("docs/src/answers.md"));
    let explained: BTreeSet<String> =
        rows(&page).iter().filter_map(|cells| quoted(cells[0]).first().map(|c| (*c).to_owned())).collect();
    let used = codes_in_sources();
    assert!(used.len() >= 30, "only {} codes were found in the sources: {used:?}", used.len());
    let unexplained: Vec<_> = used.difference(&explained).collect();
    assert!(unexplained.is_empty(), "docs/src/answers.md does not explain {unexplained:?}");
    let vanished: Vec<_> = explained.difference(&used).collect();
    assert!(vanished.is_empty(), "docs/src/answers.md explains codes that no source has: {vanished:?}");
}

/// One spelling, so that a program can compare codes without knowing which part they come from.
#[test]
fn codes_are_snake_case() {
    for code in codes_in_sources() {
        let fits = !code.is_empty() && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(fits, "the code '{code}' is not made of a-z, 0-9 and _");
    }
}

/// The targets of the Makefile that the documents mention exist and are described.
#[test]
fn make_targets_exist() {
    let makefile = read(&root().join("Makefile"));
    let described: BTreeSet<&str> =
        makefile.lines().filter(|l| l.contains("## ")).filter_map(|l| l.split(':').next()).collect();
    for page in pages() {
        let text = read(&page);
        for (at, found) in text.match_indices("make ") {
            let quoted_here = text[..at].ends_with(['`', '\n', '$']) || text[..at].ends_with("$ ");
            let target: String =
                text[at + found.len()..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            assert!(
                !quoted_here || target.is_empty() || described.contains(target.as_str()),
                "{} mentions make {target}",
                page.display()
            );
        }
    }
}

/// Commands and long options in the README and the book are those of the program.
#[test]
fn commands_and_options_exist() {
    let program = env!("CARGO_BIN_EXE_gradcert");
    let help = |arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).output().expect("the program runs");
        String::from_utf8(output.stdout).expect("text")
    };
    let commands = [
        "demo",
        "inspect",
        "certify",
        "train",
        "check",
        "audit",
        "predict",
        "criterion",
        "flow",
        "starts",
        "kernel",
        "width",
        "completions",
    ];
    let mut known = help(&["--help"]);
    for command in commands {
        assert!(known.contains(command), "no command {command}");
        known += &help(&[command, "--help"]);
    }
    known += &help(&["reproduce", "--help"]);
    for limit in ["ntk", "hinf", "fc", "resnet", "conv-resnet"] {
        known += &help(&["kernel", limit, "--help"]);
    }
    for part in ["plan", "run", "merge"] {
        known += &help(&["sweep", part, "--help"]);
    }
    let mut checked = 0;
    for page in pages().into_iter().filter(|p| !p.ends_with("CONTRIBUTING.md")) {
        let text = read(&page);
        for line in text.lines().filter(|l| l.contains("gradcert ") || l.contains('`')) {
            for word in line.split(|c: char| !(is_word(c) || c == '-')) {
                let is_option = word.starts_with("--") && word.len() > 3 && word[2..].starts_with(char::is_alphabetic);
                if is_option && !line.contains("cargo ") {
                    assert!(known.contains(word), "{} mentions {word}", page.display());
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 20, "only {checked} options were found");
}

/// Pages of the programming interface are written at the same time, one folder for each name.
#[test]
fn no_two_crates_document_into_one_folder() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().expect("packages") {
        for target in package["targets"].as_array().expect("targets") {
            let kinds = target["kind"].as_array().expect("kinds");
            if target["doc"] == true && kinds.iter().any(|k| k == "lib" || k == "bin") {
                let name = target["name"].as_str().expect("a name").replace('-', "_");
                assert!(seen.insert(name.clone()), "{name} is documented twice");
            }
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
}
