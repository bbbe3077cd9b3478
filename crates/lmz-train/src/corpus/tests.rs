use std::fs;
use std::io::Write;

use super::pieces::PIECE;
use super::*;

fn texts(corpus: &Corpus) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    corpus
        .pieces(&mut |piece| {
            let text = String::from_utf8(piece.text).unwrap();
            match all.last_mut() {
                Some((domain, before)) if *domain == piece.domain => before.push_str(&text),
                _ => all.push((piece.domain, text)),
            }
            Ok(())
        })
        .unwrap();
    all
}

#[test]
fn files_directories_and_shards_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("mine");
    fs::create_dir_all(root.join("deep")).unwrap();
    fs::write(root.join("a.log"), "one\ntwo").unwrap();
    fs::write(root.join("deep/b.txt"), "three\n").unwrap();
    fs::write(root.join("empty"), "").unwrap();
    fs::write(root.join("picture.png"), b"\x89PNG\0\0\0").unwrap();
    fs::write(root.join(".hidden"), "no").unwrap();
    let shard = directory.path().join("web.jsonl.zst");
    let lines = "{\"text\": \"A\", \"domain\": \"x\"}\n\n{\"content\": \"B\\n\"}\n";
    let packed = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    fs::write(&shard, packed).unwrap();
    let corpus = Corpus::open(&[root, shard], false).unwrap();
    let expected = [("mine", "one\ntwo\nthree\n"), ("x", "A\n"), ("web", "B\n")];
    let expected = expected.map(|(d, t)| (d.to_string(), t.to_string()));
    assert_eq!(texts(&corpus), expected);
}

#[test]
fn json_without_a_text_is_text_itself() {
    let directory = tempfile::tempdir().unwrap();
    let events = directory.path().join("events.jsonl");
    fs::write(&events, "{\"level\":1}\n{\"level\":2}\n").unwrap();
    let notes = directory.path().join("notes.jsonl");
    fs::write(&notes, "{\"text\":\"hi\"}\n").unwrap();
    let corpus = Corpus::open(std::slice::from_ref(&events), false).unwrap();
    assert_eq!(texts(&corpus)[0].1, "{\"level\":1}\n{\"level\":2}\n");
    let corpus = Corpus::open(std::slice::from_ref(&notes), true).unwrap();
    assert_eq!(texts(&corpus)[0].1, "{\"text\":\"hi\"}\n");
}

#[test]
fn long_texts_come_in_pieces_between_lines() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let text: String = (0..20_000).map(|i| format!("line {i}\n")).collect();
    file.write_all(text.as_bytes()).unwrap();
    let corpus = Corpus::open(&[file.path().to_owned()], false).unwrap();
    let mut together = Vec::new();
    let mut count = 0;
    corpus
        .pieces(&mut |piece| {
            assert!(piece.text.len() <= PIECE && piece.text.ends_with(b"\n"));
            together.extend(piece.text);
            count += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(together, text.as_bytes());
    assert!(count >= 4);
    // One endless line is cut anyway.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&vec![b'x'; 3 * PIECE + 7]).unwrap();
    let corpus = Corpus::open(&[file.path().to_owned()], false).unwrap();
    let all: usize = texts(&corpus).iter().map(|(_, text)| text.len()).sum();
    assert_eq!(all, 3 * PIECE + 8);
}

#[test]
fn bad_corpora_are_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let refuse = |path: PathBuf| Corpus::open(&[path], false).unwrap_err().to_string();
    assert!(refuse(at("nowhere")).contains("nowhere"));
    fs::write(at("empty"), "").unwrap();
    assert!(refuse(at("empty")).contains("no text"));
    fs::create_dir(at("hollow")).unwrap();
    assert!(refuse(at("hollow")).contains("no text"));
    fs::write(at("binary"), b"a\0b").unwrap();
    assert!(refuse(at("binary")).contains("not text"));
    let mut packed = zstd::encode_all(&vec![b'a'; 1 << 20][..], 1).unwrap();
    packed.truncate(packed.len() - 5);
    fs::write(at("cut.txt.zst"), &packed).unwrap();
    let cut = Corpus::open(&[at("cut.txt.zst")], false);
    let read = cut.and_then(|corpus| corpus.pieces(&mut |_| Ok(())));
    assert!(read.unwrap_err().to_string().contains("cut.txt.zst"));
}

#[test]
fn lines_that_are_no_documents_are_left_out_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mixed.jsonl");
    let lines = "{\"text\":\"t\",\"content\":\"c\"}\nnonsense\n{\"level\":1}\n{\"text\":\"\"}\n";
    fs::write(&path, lines).unwrap();
    let corpus = Corpus::open(&[path], false).unwrap();
    // As the metric has it: `content` before `text`.
    assert_eq!(texts(&corpus), [("mixed".to_owned(), "c\n".to_owned())]);
    let skipped = corpus.pieces(&mut |_| Ok(())).unwrap();
    let reasons = ["1 bad JSON", "1 without a text", "1 empty"];
    assert_eq!(skipped.reasons(), reasons);
}
