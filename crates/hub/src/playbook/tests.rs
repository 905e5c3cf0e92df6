use std::fs;
use std::path::Path;

use holdfast_domain::PlaybookId;
use holdfast_protocol::playbook::{DEPTH_MAX, FILE_BYTES_MAX};
use proptest::prelude::*;

use super::*;

mod edits;

/// The text of a file that ships.
fn shipped(name: &str) -> String {
    let found = SHIPPED.iter().find(|(file, _)| *file == name);
    found.unwrap().1.to_owned()
}

fn faults(text: &str) -> Vec<Fault> {
    read_playbook(text.as_bytes()).err().unwrap_or_default()
}

fn schema() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/playbook.schema.json");
    let schema = fs::read_to_string(path).unwrap();
    jsonschema::draft202012::new(&serde_json::from_str(&schema).unwrap()).unwrap()
}

#[test]
fn what_ships_is_without_fault_and_speaks_five_languages() {
    let schema = schema();
    for (name, text) in SHIPPED {
        let told: Vec<String> = faults(text).iter().map(|fault| fault.told(name)).collect();
        assert_eq!(told.join("\n"), "");
        let playbook = read_playbook(text.as_bytes()).unwrap();
        assert_eq!(playbook.languages, ["en", "es", "de", "fr", "pt"], "{name}");
        assert_eq!(format!("{}.toml", playbook.id), name);
        let value: serde_json::Value = toml::from_str(text).unwrap();
        assert!(schema.is_valid(&value), "{name}");
        // The journal and the wire say it in JSON, and it is the same there.
        let json = serde_json::to_string(&playbook).unwrap();
        assert_eq!(serde_json::from_str::<Playbook>(&json).unwrap(), playbook);
    }
    assert_eq!(Library::shipped().iter().len(), SHIPPED.len());
}

#[test]
fn every_file_of_the_folder_ships() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../playbooks");
    let mut files: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut shipped: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
    shipped.sort_unstable();
    assert_eq!(files, shipped);
}

#[test]
fn every_fault_is_told_in_the_order_of_the_file() {
    let text = shipped("model-vendor-down.toml")
        .replace("ttl_s = 900\n", "")
        .replace("owner = ", "ownr = ")
        .replace("percent = 25", "percent = 3")
        .replace("calls_over = 20", "calls_over = -1")
        .replace("Thank you for", "Thank {you} for");
    let found: Vec<(usize, String)> = faults(&text)
        .iter()
        .map(|fault| (fault.line, fault.kind.what()))
        .collect();
    let line = |part: &str| text[..text.find(part).unwrap()].matches('\n').count() + 1;
    assert_eq!(
        found,
        [
            (1, "a playbook lacks owner".to_owned()),
            (1, "a playbook lacks ttl_s".to_owned()),
            (
                line("ownr"),
                "unknown key \"ownr\" in a playbook".to_owned()
            ),
            (
                line("percent = 3"),
                "this stage does not reach further than the one before".to_owned()
            ),
            (line("calls_over = -1"), "calls_over is -1".to_owned()),
            (line("{you}"), "there is no value {you}".to_owned()),
        ]
    );
}

#[test]
fn a_fault_says_what_it_means_and_what_to_do() {
    let text = shipped("tool-stalled.toml").replace("ttl_s", "tll_s");
    let told: Vec<String> = faults(&text)
        .iter()
        .map(|fault| fault.told("a.toml"))
        .collect();
    assert_eq!(
        told,
        [
            "a.toml:1:1: a playbook lacks ttl_s\n    A playbook does not load unless it is \
             complete: nobody decides what is missing in the middle of an outage.\n    Add ttl_s: \
             a whole number from 10 to 86400 (seconds). After this a run ends, whatever it has \
             reached. More than all stages and waits together.",
            "a.toml:9:1: unknown key \"tll_s\" in a playbook\n    It would be ignored, so the \
             playbook would not do what its author believes.\n    Did you mean ttl_s? Else take it \
             out.",
        ]
    );
}

#[test]
fn what_is_no_file_of_text_is_refused_at_its_place() {
    let check = |bytes: &[u8], place: (usize, usize), part: &str| {
        let faults = read_playbook(bytes).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!((faults[0].line, faults[0].column), place);
        let what = faults[0].kind.what();
        assert!(what.contains(part), "{what}");
    };
    check(b"# \xc3\xa9\nid = \"\xff\"", (2, 7), "UTF-8");
    check(
        &vec![b'#'; FILE_BYTES_MAX + 1],
        (1, 1),
        "more than 262144 bytes",
    );
    check(b"id = \"a\x07\"", (1, 8), "not TOML");
    check(b"id = [", (1, 7), "not TOML");
    check(b"id = 1\nid = 2\n", (2, 1), "not TOML");
    let n = DEPTH_MAX + 1;
    let deep = format!("id = {}{}", "[".repeat(n), "]".repeat(n));
    check(deep.as_bytes(), (1, 5 + n), "deep");
}

#[test]
fn every_syntax_error_is_told() {
    let lines: Vec<usize> = faults("id = \nversion = 1\ntitle = 'a\nowner = nobody\n")
        .iter()
        .map(|fault| fault.line)
        .collect();
    assert_eq!(lines, [1, 3, 4]);
}

/// Each part of a key is a table in a table: whoever builds and drops a hundred thousand of them
/// overflows the stack. The parser must stop before.
#[test]
fn a_key_of_a_hundred_thousand_parts_is_refused() {
    let deep = "a.".repeat(100_000);
    for text in [
        format!("{deep}a = 1"),
        format!("[{deep}a]"),
        format!("id = {{ {deep}a = 1 }}"),
        format!("x = 1\n{}a = 1", "\"a\" . ".repeat(1_000)),
    ] {
        assert!(!faults(&text).is_empty());
    }
}

#[test]
fn a_folder_adds_to_what_ships_and_leaves_out_what_is_not_whole() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let mine = shipped("tts-silent.toml").replace("version = 1", "version = 7");
    write("1.toml", &mine);
    write(
        "2.toml",
        &mine.replace("id = \"tts-silent\"", "id = \"mine\""),
    );
    write("3.toml", &mine.replace("version = 7", "version = 8"));
    write("4.toml", "id = 1");
    write("notes.md", "no playbook");
    let mut library = Library::shipped();
    let bad = library.add_folder(folder.path()).unwrap();
    let names: Vec<&str> = bad
        .iter()
        .map(|file| file.path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, ["3.toml", "4.toml"]);
    assert!(bad[0].faults[0].kind.what().contains("1.toml"));
    assert_eq!(library.iter().len(), SHIPPED.len() + 1);
    let version = |id| library.get(&PlaybookId::new(id)).map(|found| found.version);
    assert_eq!(version("tts-silent"), Some(7));
    assert_eq!(version("mine"), Some(7));
    assert_eq!(version("stop-all-ai"), Some(1));
    assert!(
        library
            .clone()
            .add_folder(&folder.path().join("gone"))
            .is_err()
    );
    assert_eq!(
        Library::open(Some(&folder.path().join("gone")))
            .iter()
            .len(),
        8
    );
}

#[test]
fn a_folder_of_too_many_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..=library::FILES_MAX {
        fs::write(folder.path().join(format!("{n}.toml")), "").unwrap();
    }
    let error = Library::shipped().add_folder(folder.path()).unwrap_err();
    assert!(error.to_string().contains("the limit is 1000"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_a_fault() {
    let faults = check_file(Path::new("gone.toml")).unwrap_err();
    assert!(
        faults[0]
            .told("gone.toml")
            .starts_with("gone.toml:1:1: the file cannot be read")
    );
}

/// What a careless or hostile hand does to a file.
#[derive(Debug, Clone)]
enum Damage {
    Cut(usize, usize),
    Double(usize, usize),
    Put(usize, String),
    Swap(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let words = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "\n",
        "=",
        ".",
        ",",
        "\\",
        "\"\"\"",
        "0",
        "-1",
        "1e400",
        "99999999999999999999",
        "true",
        "1979-05-27",
        "é",
        "\u{0}",
        "{stage}",
        "{wait_minutes}",
        "id",
        "[[steps]]\n",
        "[selector]\n",
        "announcement",
        "\u{feff}",
        "#",
    ]);
    prop_oneof![
        (any::<usize>(), 0_usize..200).prop_map(|(at, n)| Damage::Cut(at, n)),
        (any::<usize>(), 0_usize..200).prop_map(|(at, n)| Damage::Double(at, n)),
        (any::<usize>(), words).prop_map(|(at, word)| Damage::Put(at, word.to_owned())),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

fn damaged(text: &str, damages: &[Damage]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for damage in damages {
        let length = bytes.len().max(1);
        match damage {
            Damage::Cut(at, n) => {
                let at = (at % length).min(bytes.len());
                let end = (at + n).min(bytes.len());
                bytes.drain(at..end);
            }
            Damage::Double(at, n) => {
                let at = (at % length).min(bytes.len());
                let part = bytes[at..(at + n).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            Damage::Put(at, word) => {
                let at = (at % length).min(bytes.len());
                bytes.splice(at..at, word.bytes());
            }
            // Lines, so that tables change places.
            Damage::Swap(a, b) => {
                let mut lines: Vec<Vec<u8>> = bytes
                    .split(|byte| *byte == b'\n')
                    .map(<[u8]>::to_vec)
                    .collect();
                let n = lines.len();
                lines.swap(a % n, b % n);
                bytes = lines.join(&b'\n');
            }
        }
    }
    bytes
}

proptest! {
    #[test]
    fn damaged_files_are_read_or_refused_with_places(
        n in 0..SHIPPED.len(),
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let bytes = damaged(SHIPPED[n].1, &damages);
        let lines = bytes.split(|byte| *byte == b'\n').count();
        match read_playbook(&bytes) {
            Ok(playbook) => prop_assert!(!playbook.steps.is_empty()),
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    prop_assert!(fault.line >= 1 && fault.line <= lines && fault.column >= 1);
                    let is_clean = !fault.told("a.toml").contains('\0');
                    prop_assert!(is_clean);
                    let is_ours = matches!(fault.kind, FaultKind::File(FileFault::NotLoaded { .. }));
                    prop_assert!(!is_ours, "{fault:?}");
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_in_order(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read_playbook(&bytes).is_err());
    }
}
