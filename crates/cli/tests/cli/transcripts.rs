//! The transcripts of the README and of the book are what the program prints, numbers aside: those change with every
//! bound that becomes sharper.

use crate::support::Folder;

fn page(name: &str) -> String {
    let path = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Commands after `$ gradcert` in code blocks, each with the lines below it.
fn transcripts(page: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = vec![];
    let mut open = false;
    for line in page.lines() {
        if line.starts_with("```") {
            open = false;
        } else if let Some(command) = line.strip_prefix("$ ") {
            open = command.starts_with("gradcert ");
            if let Some(arguments) = command.strip_prefix("gradcert ") {
                found.push((arguments.to_owned(), vec![]));
            }
        } else if open && !line.trim().is_empty() {
            found.last_mut().expect("opened by a command").1.push(line.to_owned());
        }
    }
    found
}

/// The words of a line, with `#` for whatever holds a digit; `9.1 × 10⁻⁹` is one number.
fn shape(line: &str) -> String {
    let digit = |c: char| c.is_ascii_digit() || "⁰¹²³⁴⁵⁶⁷⁸⁹".contains(c);
    let words = line.split_whitespace().map(|word| if word.contains(digit) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ").replace("# × #", "#")
}

/// `...` stands for any number of lines.
#[track_caller]
fn matches(arguments: &str, shown: &[String], printed: &str) {
    let mut lines = printed.lines().map(shape);
    let mut skipping = false;
    for expected in shown {
        if expected.trim() == "..." {
            skipping = true;
            continue;
        }
        let wanted = shape(expected);
        let found = if skipping { lines.find(|line| *line == wanted) } else { lines.next() };
        assert_eq!(found.as_deref(), Some(wanted.as_str()), "gradcert {arguments}: '{expected}' in\n{printed}");
        skipping = false;
    }
    let rest: Vec<String> = lines.collect();
    assert!(skipping || shown.is_empty() || rest.is_empty(), "gradcert {arguments} prints more: {rest:?}");
}

/// Runs the commands of the pages and compares; returns how many there were.
#[track_caller]
fn replay(folder: &Folder, pages: &[&str]) -> usize {
    folder.write("mine.csv", page("docs/src/mine.csv"));
    let all: Vec<_> = pages.iter().flat_map(|name| transcripts(&page(name))).collect();
    for (arguments, shown) in &all {
        // Quotes are for a shell; no argument holds a blank.
        let answer = folder.run(&arguments.replace('"', ""));
        assert!(matches!(answer.code, Some(0 | 3)), "{answer:?}");
        matches(arguments, shown, &answer.stdout);
    }
    all.len()
}

#[test]
fn transcripts_are_what_the_program_prints() {
    let folder = Folder::new();
    let count = replay(
        &folder,
        &[
            "README.md",
            "docs/src/tutorial.md",
            "docs/src/criterion.md",
            "docs/src/flow.md",
            "docs/src/audit.md",
            "docs/src/width.md",
        ],
    );
    assert!(count >= 19, "only {count} transcripts were found");
    // What the tutorial says of the patients that nobody trained on.
    let truth = folder.run("inspect --data bundled:khan-test --json").exits(0).json();
    assert_eq!(truth["samples"], 20);
    assert_eq!(folder.text("khan-test.csv").lines().count(), 21);
}

/// Counts of draws are exact: a start is named by its seed on every machine.
#[test]
#[ignore = "draws thousands of starts; make test-long"]
fn the_frequencies_of_random_starts_are_those_of_the_page() {
    let folder = Folder::new();
    let first: Vec<String> = page("docs/src/mine.csv").lines().take(5).map(|line| format!("{line}\n")).collect();
    folder.write("four.csv", first.concat());
    assert_eq!(replay(&folder, &["docs/src/starts.md"]), 1);
    let shares = |text: &str| -> Vec<String> {
        let found = text.split(" of 100").filter_map(|before| before.split_whitespace().last().map(str::to_owned));
        found.filter(|word| word.parse::<u32>().is_ok()).collect()
    };
    let (arguments, shown) = transcripts(&page("docs/src/starts.md")).pop().expect("one transcript");
    assert_eq!(shares(&folder.run(&arguments).stdout), shares(&shown.join("\n")));
}
