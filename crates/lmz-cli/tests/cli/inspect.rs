//! `lmz inspect`, its page in a real browser included.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use crate::harness::{Place, nano, noise, story};

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Text, then what zstd keeps, then what is stored.
fn mixed() -> Vec<u8> {
    [story(4096), noise(2048), noise(2048), noise(4096)].concat()
}

#[test]
fn json_and_table_tell_the_same() {
    let nano = nano();
    let place = Place::new();
    place.write("a", mixed());
    place
        .lmz(["-m", nano, "--mix", "none", "--segment", "4K", "a"])
        .quiet();
    let file = json(
        &place
            .lmz(["inspect", "--json", "-m", nano, "a.lmz"])
            .quiet(),
    );
    let list = json(&place.lmz(["-l", "--json", "a.lmz"]).quiet());
    assert_eq!(file["file_bytes"], list[0]["compressed_bytes"]);
    assert_eq!(file["raw_bytes"], 12_288);
    assert_eq!(file["was_compressed"], true);
    for kind in ["model", "zstd", "stored"] {
        assert_eq!(file[kind]["segments"], 1, "{kind}");
        assert_eq!(file[kind]["raw_bytes"], 4096, "{kind}");
    }
    let segments = file["segments"].as_array().unwrap();
    for (segment, listed) in segments.iter().zip(list[0]["segments"].as_array().unwrap()) {
        for field in [
            "kind",
            "raw_offset",
            "raw_len",
            "coded_len",
            "offset",
            "record_len",
        ] {
            assert_eq!(segment[field], listed[field], "{field}");
        }
    }
    let classes = file["costs"].as_array().unwrap();
    let sum = |field: &str| {
        classes
            .iter()
            .map(|c| c[field].as_f64().unwrap())
            .sum::<f64>()
    };
    assert_eq!(sum("tokens"), file["tokens"].as_f64().unwrap());
    let ideal = file["model"]["ideal_bits"].as_f64().unwrap();
    assert!((sum("bits") - ideal).abs() < 1e-6 * ideal);
    let table = place.lmz(["inspect", "-m", nano, "a.lmz"]).quiet();
    let table = String::from_utf8(table).unwrap();
    for part in [
        "model stories260K",
        "zstd",
        "stored",
        "segment headers",
        "escapes",
        "12 -",
    ] {
        assert!(table.contains(part), "{part:?} is not in:\n{table}");
    }
}

#[test]
fn a_mixed_group_shows_what_it_is_made_of() {
    let nano = nano();
    let place = Place::new();
    let table: Vec<u8> = (0..900u32).flat_map(|i| (i * i).to_le_bytes()).collect();
    place.write("a", [story(4096), table, noise(8192), story(2000)].concat());
    place.lmz(["-m", nano, "--lanes", "2", "a"]).quiet();
    let file = json(
        &place
            .lmz(["inspect", "--json", "-m", nano, "a.lmz"])
            .quiet(),
    );
    assert_eq!(file["mixed"]["segments"], 1);
    assert_eq!(file["members"][0]["mixing_version"], 2);
    let segment = &file["segments"][0];
    assert_eq!(
        (&segment["kind"], &segment["lanes"]),
        (&"mixed".into(), &2.into())
    );
    let parts = segment["parts"].as_array().unwrap();
    let len = |kind: &str| -> u64 {
        let own = parts.iter().filter(|part| part["kind"] == kind);
        own.map(|part| part["raw_len"].as_u64().unwrap()).sum()
    };
    let all = ["text", "bytes", "stored", "copy", "padding"].map(len);
    assert_eq!(all.iter().sum::<u64>(), file["raw_bytes"].as_u64().unwrap());
    assert!(all[0] >= 4096 && all[1] > 3000 && all[2] > 4000, "{all:?}");
    assert_eq!(file["token_bytes"], all[0]);
    // What was seen helps: the text costs less than by the model alone.
    let bits = |value: &Value| value.as_f64().unwrap();
    assert!(bits(&file["token_bits"]) < bits(&segment["model_bits"]));
    let table = place.lmz(["inspect", "-m", nano, "a.lmz"]).quiet();
    let table = String::from_utf8(table).unwrap();
    for part in ["mixed", "2 lane(s)", "by contexts alone"] {
        assert!(table.contains(part), "{part:?} is not in:\n{table}");
    }
}

#[test]
fn pages_are_written_like_other_files() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(1500));
    let page = |args: &[&str]| place.lmz([&["inspect", "-m", nano], args].concat());
    page(&["a", "--html", "a.html"]).quiet();
    let first = place.read("a.html");
    page(&["a", "--html", "a.html"]).fails(1, "already exists");
    page(&["a", "--html", "a"]).fails(1, "same file");
    page(&["a", "-f", "--html", "a.html"]).quiet();
    assert_eq!(place.read("a.html"), first);
    // By way of a compressed file, too, but for its name and that it was not compressed for this.
    page(&["missing", "--html", "b.html"]).fails(1, "missing: no such file");
    assert_eq!(place.names(), ["a", "a.html"]);
    assert_eq!(page(&["a", "--html", "-"]).quiet(), first);
    page(&["a", "--alternatives", "3"]).fails(2, "--html");
    page(&["a", "--json", "--html", "b.html"]).fails(2, "cannot be used with");
}

/// The first browser that can be run.
fn browser() -> &'static str {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            let mut version = Command::new(name);
            version
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            version.status().is_ok_and(|status| status.success())
        });
    found.expect("a Chromium to open the page with")
}

/// The page after its script has run, as HTML.
fn open(browser: &str, place: &Place, page: &str, address: &str) -> String {
    let url = format!("file://{}#{address}", place.path(page).display());
    let dump = place.path("dom");
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1200,900",
            "--virtual-time-budget=20000",
            "--dump-dom",
        ])
        .arg(format!(
            "--user-data-dir={}",
            place.path("profile").display()
        ))
        .arg(url)
        .stdin(Stdio::null())
        .stdout(fs::File::create(&dump).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the browser does not come to an end");
        }
        thread::sleep(Duration::from_millis(50));
    }
    fs::read_to_string(dump).unwrap()
}

/// What stands between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text
        .find(from)
        .unwrap_or_else(|| panic!("no {from:?} in the page"))
        + from.len();
    let length = text[start..]
        .find(to)
        .unwrap_or_else(|| panic!("no {to:?} after {from:?}"));
    &text[start..start + length]
}

/// Markup without its tags, entities read.
fn text_of(markup: &str) -> String {
    let mut out = String::new();
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

const HOSTILE: &[u8] = b"Once upon a time </script><script>document.title='owned'</script> \
    <img src=x onerror=\"document.title='owned'\"> &lt; \xff\xfe \xe2\x80\xae\x00\x1b Gr\xc3\xbc\xc3\x9fe\n";

#[test]
#[ignore = "needs Chromium"]
fn a_browser_shows_hostile_bytes_as_text() {
    let (nano, browser) = (nano(), browser());
    let place = Place::new();
    let name = "<b>a&'\"</b>";
    // A slash cannot be in a name.
    let name = name.replace('/', "");
    place.write(&name, [HOSTILE, &story(1800)].concat());
    place
        .lmz(["inspect", "-m", nano, &name, "--html", "p.html"])
        .quiet();
    // Nothing of the file stands in the page as it is.
    let page = String::from_utf8(place.read("p.html")).unwrap();
    assert_eq!(page.matches("<script").count(), 3);
    assert!(!page.contains("owned") && !page.contains("<b>a"));

    let dom = open(browser, &place, "p.html", "token=3");
    assert!(
        between(&dom, "<body", ">").contains("data-ready"),
        "the page's script has failed"
    );
    assert!(!between(&dom, "<title>", "</title>").contains("owned</title"));
    assert!(between(&dom, "<title>", "</title>").starts_with("&lt;b&gt;a&amp;"));
    let text = between(&dom, "<main", "</main>");
    let text = &text[text.find('>').unwrap() + 1..];
    assert!(!text.contains("<img") && !text.contains("<script"));
    // Dots stand for tokens that hold only the rest of a character.
    let shown = text_of(text).replace('·', "");
    for part in [
        "Once upon a time </script><script>document.title='owned'</script>",
        "<img src=x onerror=\"document.title='owned'\"> &lt;",
        "\\xff\\xfe \\u{202e}\\x00\\x1b Gr",
    ] {
        assert!(
            shown.contains(part),
            "{part:?} is not in {:?}",
            &shown[..400]
        );
    }
    // Every token has a colour, and the one of the address its card.
    assert!(text.matches("<span class=\"b").count() > 300);
    let card = between(&dom, "<aside", "</aside>");
    assert!(
        !card.contains("hidden=") && card.contains("data-unit=\"3\""),
        "{card}"
    );
    for part in [
        "bits",
        "probability",
        "rank among",
        "class=\"alts\"",
        "class=\"own\"",
    ] {
        assert!(card.contains(part), "{part:?} is not in {card}");
    }
    assert_eq!(
        card.matches("<tr").count().clamp(5, 6),
        card.matches("<tr").count()
    );
    // Charts, legend and the costliest tokens are drawn.
    assert!(between(&dom, "id=\"curve\"", "</div>").contains("<polyline"));
    assert!(
        between(&dom, "id=\"histogram\"", "</div>")
            .matches("<rect")
            .count()
            >= 41
    );
    assert_eq!(
        between(&dom, "id=\"legend\"", "</div>")
            .matches("<button")
            .count(),
        10
    );
    assert!(
        between(&dom, "id=\"costly-list\"", "</ol>")
            .matches("<li")
            .count()
            >= 60
    );
}

#[test]
#[ignore = "needs Chromium"]
fn a_browser_finds_text_and_shows_segments_of_all_kinds() {
    let (nano, browser) = (nano(), browser());
    let place = Place::new();
    let raw = [mixed(), b"The needle is here.\n".to_vec(), story(4000)].concat();
    place.write("a", raw);
    place
        .lmz(["-m", nano, "--mix", "none", "--segment", "4K", "a"])
        .quiet();
    place
        .lmz(["inspect", "-m", nano, "a.lmz", "--html", "p.html"])
        .quiet();
    let dom = open(browser, &place, "p.html", "find=NEEDLE%20is");
    assert!(
        between(&dom, "<body", ">").contains("data-ready"),
        "the page's script has failed"
    );
    assert_eq!(
        text_of(between(&dom, "id=\"found\">", "</output>")),
        "1 of 1"
    );
    // The match is drawn, far down as it is, and outlined.
    let text = between(&dom, "<main", "</main>");
    let hits: String = text
        .split("<span ")
        .filter(|span| span.starts_with("class=\"") && between(span, "\"", "\"").contains("now"))
        .map(|span| text_of(&format!("<span {span}")))
        .collect();
    assert!(hits.contains("needle is"), "{hits:?}");
    let parts = text_of(between(&dom, "id=\"parts-key\"", "</ul>"));
    for part in ["by the model", "zstd", "stored", "header", "index"] {
        assert!(parts.contains(part), "{part:?} is not in {parts:?}");
    }
    // An empty file makes a page, too.
    place.write("empty", "");
    place.lmz(["inspect", "empty", "--html", "e.html"]).quiet();
    let dom = open(browser, &place, "e.html", "");
    assert!(between(&dom, "<body", ">").contains("data-ready=\"0\""));
}
