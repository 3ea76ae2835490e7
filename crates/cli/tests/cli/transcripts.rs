//! The transcripts of the README and of the tutorial are what the program prints, numbers aside: those change with every
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

#[test]
fn transcripts_are_what_the_program_prints() {
    let folder = Folder::new();
    folder.write("mine.csv", page("docs/src/mine.csv"));
    let pages = ["README.md", "docs/src/tutorial.md"].map(|name| transcripts(&page(name)));
    let mut count = 0;
    for (arguments, shown) in pages.into_iter().flatten() {
        let answer = folder.run(&arguments);
        assert!(matches!(answer.code, Some(0 | 3)), "{answer:?}");
        matches(&arguments, &shown, &answer.stdout);
        count += 1;
    }
    assert!(count >= 12, "only {count} transcripts were found");
    // What the tutorial says of the patients that nobody trained on.
    let truth = folder.run("inspect --data bundled:khan-test --json").exits(0).json();
    assert_eq!(truth["samples"], 20);
    assert_eq!(folder.text("khan-test.csv").lines().count(), 21);
}
