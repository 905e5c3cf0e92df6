//! The committed schema and page of a playbook's file are what the form says.

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_domain::playbook::Placeholder;
use holdfast_protocol::generate::{
    PLAYBOOK_PAGE, PLAYBOOK_SCHEMA_FILE, playbook_page, playbook_schema,
};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

#[test]
fn the_committed_schema_is_current() {
    let fresh = tempfile::tempdir().unwrap();
    playbook_schema(fresh.path()).unwrap();
    let read = |folder: &Path| fs::read_to_string(folder.join(PLAYBOOK_SCHEMA_FILE)).unwrap();
    assert_eq!(
        read(&docs()),
        read(fresh.path()),
        "{PLAYBOOK_SCHEMA_FILE} is old: run `cargo xtask generate` and commit"
    );
}

#[test]
fn the_committed_page_is_current() {
    let fresh = tempfile::tempdir().unwrap();
    let committed = docs().join(PLAYBOOK_PAGE);
    let page = fresh.path().join(PLAYBOOK_PAGE);
    fs::copy(&committed, &page).unwrap();
    playbook_page(fresh.path()).unwrap();
    assert_eq!(
        fs::read_to_string(&committed).unwrap(),
        fs::read_to_string(&page).unwrap(),
        "{PLAYBOOK_PAGE} is old: run `cargo xtask generate` and commit"
    );
}

#[test]
fn the_page_explains_every_value_of_a_sentence() {
    let page = fs::read_to_string(docs().join(PLAYBOOK_PAGE)).unwrap();
    for value in Placeholder::ALL {
        let name = format!("`{{{}}}`", value.as_str());
        assert!(page.contains(&name), "{name}");
    }
}

#[test]
fn a_page_without_its_marks_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join(PLAYBOOK_PAGE);
    fs::write(&page, "words").unwrap();
    let error = playbook_page(folder.path()).unwrap_err();
    assert!(error.to_string().contains("marks"), "{error}");
    assert_eq!(fs::read_to_string(&page).unwrap(), "words");
}
