use super::*;

const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn read(text: &str) -> Result<HubConfig, String> {
    HubConfig::from_toml(text, Path::new("etc/hub.toml")).map_err(|error| error.to_string())
}

#[test]
fn the_example_holds_the_defaults() {
    let example = read(EXAMPLE).unwrap();
    let empty = read("").unwrap();
    assert_eq!(example.listen, empty.listen);
    assert_eq!(example.data, empty.data);
    assert_eq!(example.insecure_plain_text, empty.insecure_plain_text);
    assert_eq!(example.limits, Limits::default());
    assert!(
        !example.armed && !empty.armed,
        "only who says so arms a hub"
    );
    assert_eq!(example.tokens.len(), 1);
    assert_eq!(example.tokens[0].roles, [Role::Supervisor, Role::Agent]);
    assert_eq!(empty.tokens, []);
}

#[test]
fn what_is_printed_can_be_read_again() {
    let config = HubConfig {
        playbooks: Some("/p".into()),
        armed: true,
        ..read(EXAMPLE).unwrap()
    };
    let again = HubConfig::from_toml(&config.to_toml(), Path::new("hub.toml")).unwrap();
    assert_eq!(again.listen, config.listen);
    assert_eq!(again.data, config.data);
    assert_eq!(again.playbooks, config.playbooks);
    assert_eq!(again.armed, config.armed);
    assert_eq!(again.limits, config.limits);
    assert_eq!(again.tokens, config.tokens);
}

#[test]
fn relative_paths_begin_at_the_file() {
    assert_eq!(read("data = \"d\"").unwrap().data, Path::new("etc/d"));
    assert_eq!(read("data = \"/d\"").unwrap().data, Path::new("/d"));
    let playbooks = read("playbooks = \"p\"").unwrap().playbooks;
    assert_eq!(playbooks.as_deref(), Some(Path::new("etc/p")));
}

#[test]
fn a_token_file_is_read_and_trimmed() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let text = "[[token]]\nname = \"b\"\nroles = [\"bridge\"]\ntoken_file = \"secret\"";
    let read = || HubConfig::from_toml(text, &folder.path().join("hub.toml"));
    assert!(
        read()
            .unwrap_err()
            .to_string()
            .contains("secret cannot be read")
    );
    fs::write(&secret, "\n").unwrap();
    assert!(read().unwrap_err().to_string().contains("is empty"));
    fs::write(&secret, "abc\n").unwrap();
    assert_eq!(read().unwrap().tokens[0].hash.to_string(), HASH);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let token = |lines: &str| format!("[[token]]\nname = \"ana\"\n{lines}");
    for (text, expected) in [
        ("listen = 7", "line 1, column 10"),
        ("listen = \"127.0.0.1\"", "line 1, column 10"),
        ("\nlisten", "line 2, column 7"),
        ("lisen = \"127.0.0.1:1\"", "unknown field `lisen`"),
        ("[limits]\nconnection = 1", "line 2, column 1"),
        (&token("roles = [\"boss\"]"), "unknown variant `boss`"),
        (&token("roles = []"), "at least one role"),
        (
            &token("roles = [\"agent\"]"),
            "either token_sha256 or token_file",
        ),
        (
            &token("roles = [\"agent\"]\ntoken_sha256 = \"a\"\ntoken_file = \"b\""),
            "not both",
        ),
        (
            &token("roles = [\"agent\"]\ntoken_sha256 = \"abc\""),
            "64 hexadecimal digits",
        ),
        (
            &token("roles = [\"agent\", \"bridge\"]\ntoken_sha256 = \"abc\""),
            "cannot be combined",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(expected), "{text:?} gives {error:?}");
        assert!(error.contains("etc/hub.toml"), "{error:?}");
    }
    let one = token(&format!("roles = [\"agent\"]\ntoken_sha256 = \"{HASH}\"\n"));
    assert!(read(&one).is_ok());
    assert!(
        read(&format!("{one}{one}"))
            .unwrap_err()
            .contains("stands twice")
    );
}
