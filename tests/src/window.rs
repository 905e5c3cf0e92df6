//! The app's real window, driven over WebDriver (<https://www.w3.org/TR/webdriver2>).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context as _, anyhow, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::desktop::{self, Desktop};
use crate::patience::until;
use crate::place;
use crate::program::Program;

/// How long the driver and the window may take to appear, on a slow and busy machine.
const APPEAR: Duration = Duration::from_mins(1);

/// How long one command of the driver may take.
const ANSWER: Duration = Duration::from_mins(1);

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys without a character of their own, as WebDriver writes them.
pub mod key {
    /// Enter.
    pub const ENTER: char = '\u{E007}';
    /// Escape.
    pub const ESCAPE: char = '\u{E00C}';
    /// Tab.
    pub const TAB: char = '\u{E004}';
    /// Arrow up.
    pub const UP: char = '\u{E013}';
    /// Arrow down.
    pub const DOWN: char = '\u{E015}';
    /// Control, for [`super::Window::chord`].
    pub const CONTROL: char = '\u{E009}';
    /// Shift, for [`super::Window::chord`].
    pub const SHIFT: char = '\u{E008}';
}

/// An open window. Dropping it ends the app, its display and everything around it.
#[derive(Debug)]
pub struct Window {
    http: ureq::Agent,
    session: String,
    // In this order they end: first the app and its driver, then their display, then their files.
    driver: Program,
    _desktop: Desktop,
    home: TempDir,
}

/// Something in the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(String);

/// How to open a window.
#[derive(Debug)]
pub struct Opening {
    app: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Opening {
    /// The app at `app`.
    pub fn of(app: impl Into<PathBuf>) -> Self {
        Self {
            app: app.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// With one more argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Opens it on a display of its own, with an empty home folder of its own.
    pub fn open(self) -> anyhow::Result<Window> {
        if !self.app.is_file() {
            bail!("there is no app at {}", self.app.display());
        }
        let home = tempfile::tempdir()?;
        let desktop = Desktop::open()?;
        let port = place::free_port()?;
        let driver = Program::start("WebKitWebDriver", &mut self.driver(&desktop, &home, port))?;
        let http: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER))
            .http_status_as_error(false)
            .build()
            .into();
        let base = format!("http://127.0.0.1:{port}");
        until("WebKitWebDriver to answer", APPEAR, || {
            Ok(http.get(format!("{base}/status")).call().ok())
        })
        .with_context(|| driver.said())?;

        let wanted = json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": {
            "binary": self.app, "args": self.arguments,
        }}}});
        let session = post(&http, &format!("{base}/session"), &wanted)
            .with_context(|| format!("open the window; the app said:\n{}", driver.said()))?;
        let id = session["sessionId"]
            .as_str()
            .context("the session has no id")?;
        let window = Window {
            session: format!("{base}/session/{id}"),
            http,
            driver,
            _desktop: desktop,
            home,
        };
        let (width, height) = desktop::SIZE;
        window.send(
            "window/rect",
            &json!({"x": 0, "y": 0, "width": width, "height": height}),
        )?;
        Ok(window)
    }

    fn driver(&self, desktop: &Desktop, home: &TempDir, port: u16) -> Command {
        let mut command = Command::new("dbus-run-session");
        command
            .args(["--", "WebKitWebDriver", &format!("--port={port}")])
            .env("DISPLAY", desktop.name())
            .env("GDK_BACKEND", "x11")
            .env_remove("WAYLAND_DISPLAY")
            // The app reads and writes nothing of the person who runs the tests.
            .env("HOME", home.path())
            .env("XDG_DATA_HOME", home.path().join("data"))
            .env("XDG_CONFIG_HOME", home.path().join("config"))
            .env("XDG_CACHE_HOME", home.path().join("cache"))
            .env("XDG_STATE_HOME", home.path().join("state"))
            .env("XDG_RUNTIME_DIR", home.path())
            .env("LANG", "C.UTF-8")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Window {
    /// What the app has written to its outputs, and its driver with it.
    pub fn said(&self) -> String {
        self.driver.said()
    }

    /// The home folder of the app.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The window's title.
    pub fn title(&self) -> anyhow::Result<String> {
        text(&self.get("title")?)
    }

    /// Everything that a CSS selector matches now.
    pub fn all(&self, css: &str) -> anyhow::Result<Vec<Element>> {
        let found = self.send("elements", &json!({"using": "css selector", "value": css}))?;
        found
            .as_array()
            .context("the driver gave no list of elements")?
            .iter()
            .map(element)
            .collect()
    }

    /// The first that a CSS selector matches, as soon as there is one.
    pub fn find(&self, css: &str, limit: Duration) -> anyhow::Result<Element> {
        until(&format!("{css:?} in the window"), limit, || {
            Ok(self.all(css)?.into_iter().next())
        })
        .with_context(|| self.page())
    }

    /// The first that a CSS selector matches and that holds `words`, as soon as there is one.
    pub fn find_saying(&self, css: &str, words: &str, limit: Duration) -> anyhow::Result<Element> {
        until(
            &format!("{css:?} that says {words:?} in the window"),
            limit,
            || {
                for element in self.all(css)? {
                    // One that is gone by now is looked for again.
                    if self.text(&element).is_ok_and(|text| text.contains(words)) {
                        return Ok(Some(element));
                    }
                }
                Ok(None)
            },
        )
        .with_context(|| self.page())
    }

    /// The words of an element, as a person sees them.
    pub fn text(&self, element: &Element) -> anyhow::Result<String> {
        text(&self.get(&format!("element/{}/text", element.0))?)
    }

    /// An attribute of an element.
    pub fn attribute(&self, element: &Element, name: &str) -> anyhow::Result<Option<String>> {
        let value = self.get(&format!("element/{}/attribute/{name}", element.0))?;
        Ok(value.as_str().map(str::to_owned))
    }

    /// Whether an element can be acted on.
    pub fn is_enabled(&self, element: &Element) -> anyhow::Result<bool> {
        let value = self.get(&format!("element/{}/enabled", element.0))?;
        value
            .as_bool()
            .context("the driver said neither yes nor no")
    }

    /// Clicks on the middle of an element.
    pub fn click(&self, element: &Element) -> anyhow::Result<()> {
        self.send(&format!("element/{}/click", element.0), &json!({}))?;
        Ok(())
    }

    /// Types into an element.
    pub fn type_into(&self, element: &Element, words: &str) -> anyhow::Result<()> {
        self.send(
            &format!("element/{}/value", element.0),
            &json!({"text": words}),
        )?;
        Ok(())
    }

    /// Presses keys one after another, wherever the focus is: letters, or those of [`key`].
    pub fn press(&self, keys: impl IntoIterator<Item = char>) -> anyhow::Result<()> {
        for key in keys {
            self.chord([key])?;
        }
        Ok(())
    }

    /// Presses keys together: down in this order, up in the other.
    pub fn chord(&self, keys: impl IntoIterator<Item = char>) -> anyhow::Result<()> {
        let keys: Vec<String> = keys.into_iter().map(String::from).collect();
        let downs = keys
            .iter()
            .map(|key| json!({"type": "keyDown", "value": key}));
        let ups = keys
            .iter()
            .rev()
            .map(|key| json!({"type": "keyUp", "value": key}));
        let actions: Vec<Value> = downs.chain(ups).collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.send("actions", &json!({"actions": [keyboard]}))?;
        Ok(())
    }

    /// Runs a function body in the page and gives back what it returns.
    pub fn run(&self, script: &str, arguments: &[Value]) -> anyhow::Result<Value> {
        self.send(
            "execute/sync",
            &json!({"script": script, "args": arguments}),
        )
    }

    /// Saves a picture of what the window shows, as PNG.
    pub fn picture(&self, to: &Path) -> anyhow::Result<()> {
        let encoded = text(&self.get("screenshot")?)?;
        let bytes = decode(&encoded).context("the driver's picture is no base64")?;
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(to, bytes).with_context(|| format!("write {}", to.display()))?;
        Ok(())
    }

    /// What the page holds, for the message of a failed test.
    fn page(&self) -> String {
        let script = "return document.body ? document.body.innerText : ''";
        let shown = self
            .run(script, &[])
            .ok()
            .and_then(|shown| text(&shown).ok());
        format!(
            "the window showed:\n{}\nthe app said:\n{}",
            shown.unwrap_or_else(|| "(it does not answer)".to_owned()),
            self.said()
        )
    }

    fn get(&self, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}/{path}", self.session);
        value(&mut self.http.get(url).call()?.into_body(), path)
    }

    fn send(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        post(&self.http, &format!("{}/{path}", self.session), body)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // The polite end; the guards around the driver do the rest when it fails.
        let _ = self.http.delete(&self.session).call();
    }
}

fn post(http: &ureq::Agent, url: &str, body: &Value) -> anyhow::Result<Value> {
    value(&mut http.post(url).send_json(body)?.into_body(), url)
}

/// The value in an answer of the driver, or its error.
fn value(body: &mut ureq::Body, asked: &str) -> anyhow::Result<Value> {
    // A picture of a large window is several megabytes.
    let mut answer: Value = body.with_config().limit(64 * 1024 * 1024).read_json()?;
    let value = answer["value"].take();
    match value["error"].as_str() {
        Some(error) => Err(anyhow!(
            "the driver refused {asked}: {error}: {}",
            value["message"].as_str().unwrap_or_default()
        )),
        None => Ok(value),
    }
}

fn element(value: &Value) -> anyhow::Result<Element> {
    let id = value[ELEMENT]
        .as_str()
        .context("the driver gave no element")?;
    Ok(Element(id.to_owned()))
}

fn text(value: &Value) -> anyhow::Result<String> {
    let text = value.as_str().context("the driver gave no text")?;
    Ok(text.to_owned())
}

/// Base64 with padding, as WebDriver writes pictures.
fn decode(encoded: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut bits, mut n_bits) = (0_u32, 0_u32);
    for character in encoded.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let six = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        bits = (bits << 6) | u32::from(six);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits & 0xff) as u8);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read() {
        for (encoded, expected) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9v\nYmFy", "foobar"),
        ] {
            assert_eq!(decode(encoded).unwrap(), expected.as_bytes(), "{encoded}");
        }
        assert_eq!(decode("+/8=").unwrap(), [0xfb, 0xff]);
        assert!(decode("Zm9v!").is_err());
    }

    #[test]
    fn the_drivers_refusal_is_an_error_with_its_words() {
        let answer = r#"{"value":{"error":"no such element","message":"gone"}}"#;
        let mut body = ureq::Body::builder().data(answer);
        let error = value(&mut body, "element/1/text").unwrap_err().to_string();
        assert_eq!(
            error,
            "the driver refused element/1/text: no such element: gone"
        );
    }

    /// WebKit's own browser stands in for the app: the harness is proven without it.
    fn browser() -> PathBuf {
        let folder = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        Path::new(&folder).join("webkit2gtk-4.1/MiniBrowser")
    }

    #[test]
    fn a_page_is_read_clicked_typed_into_and_pictured() {
        let limit = Duration::from_secs(20);
        let window = Opening::of(browser())
            .argument("--automation")
            .open()
            .unwrap();
        let page = "document.title = 'A page'; \
            document.body.innerHTML = '<button>Hold</button><input><p></p>'; \
            const says = (words) => { document.querySelector('p').textContent += words; }; \
            document.querySelector('button').onclick = () => says('clicked '); \
            document.onkeydown = (event) => says(event.ctrlKey + event.key + ' ');";
        window.run(page, &[]).unwrap();
        assert_eq!(window.title().unwrap(), "A page");

        let button = window.find_saying("button", "Hold", limit).unwrap();
        window.click(&button).unwrap();
        window.find_saying("p", "clicked", limit).unwrap();

        let input = window.find("input", limit).unwrap();
        window.type_into(&input, "b").unwrap();
        window.press(['c', key::ESCAPE]).unwrap();
        window.chord([key::CONTROL, 'k']).unwrap();
        window
            .find_saying("p", "falseb falsec falseEscape", limit)
            .unwrap();
        window.find_saying("p", "truek", limit).unwrap();
        let typed = window
            .run("return arguments[0].value", &[json!({ELEMENT: input.0})])
            .unwrap();
        assert_eq!(typed, "bc");

        let picture = window.home().join("pictures/page.png");
        window.picture(&picture).unwrap();
        assert!(fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
        assert!(window.find("table", Duration::ZERO).is_err());
    }
}
