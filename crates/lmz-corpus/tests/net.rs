//! Fetching, from a server on this machine that does what servers do on bad days.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use lmz_corpus::build::Silent;
use lmz_corpus::build::net::{Fetcher, GitHub, fetch_paths, spread};

/// A request: its path, and its headers in lower case.
#[derive(Clone, Debug)]
struct Request {
    path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What the server writes; it then closes the connection.
type Answer = Vec<u8>;

fn answer(status: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A server whose answers `reply` gives, by the request and its number. The thread ends with the test's process.
fn serve(
    reply: impl Fn(&Request, usize) -> Answer + Send + 'static,
) -> (String, Arc<Mutex<Vec<Request>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(request) = read(&stream) else {
                continue;
            };
            let number = log.lock().unwrap().len();
            log.lock().unwrap().push(request.clone());
            // A client that hangs up is one of the tests.
            drop(stream.write_all(&reply(&request, number)));
        }
    });
    (base, seen)
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream).take(1 << 16);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((key, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.push((key.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Some(Request { path, headers })
}

fn fetcher() -> Fetcher<'static> {
    Fetcher::with_seconds(&Silent, Duration::from_micros(10))
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let body: Vec<u8> = (0..200_000u32).map(|n| (n * 7 % 251) as u8).collect();
    let whole = body.clone();
    let (base, seen) = serve(move |request, _| {
        let tag = "ETag: \"one\"\r\n";
        match request.header("range").and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse()
                .ok()
        }) {
            None => {
                // Breaks off within the body.
                let mut all = answer("200 OK", tag, &whole);
                all.truncate(all.len() - 150_000);
                all
            }
            Some(from) if request.header("if-range") == Some("\"one\"") => {
                let rest: &[u8] = &whole[from..];
                let range = format!(
                    "{tag}Content-Range: bytes {from}-{}/{}\r\n",
                    whole.len() - 1,
                    whole.len()
                );
                answer("206 Partial Content", &range, rest)
            }
            Some(_) => answer("200 OK", tag, &whole),
        }
    });
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("file");
    let size = fetcher().download(&format!("{base}/file"), &path).unwrap();
    assert_eq!(size, 200_000);
    assert_eq!(std::fs::read(&path).unwrap(), body);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    let from: usize = seen[1].header("range").unwrap()[6..]
        .trim_end_matches('-')
        .parse()
        .unwrap();
    assert!((1..=50_000).contains(&from), "{from}");
}

#[test]
fn a_file_that_has_changed_is_fetched_anew() {
    let (base, _) = serve(|request, _| match request.header("if-range") {
        Some("\"new\"") => answer("206 Partial Content", "ETag: \"new\"\r\n", b"never"),
        _ => answer("200 OK", "ETag: \"new\"\r\n", b"the new file"),
    });
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("file");
    std::fs::write(root.path().join("file.part"), "the old fi").unwrap();
    std::fs::write(root.path().join("file.part.tag"), "\"old\"").unwrap();
    fetcher().download(&format!("{base}/file"), &path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"the new file");
}

#[test]
fn what_is_not_there_is_not_asked_for_again() {
    let (base, seen) = serve(|_, _| answer("404 Not Found", "", b"no"));
    let root = tempfile::tempdir().unwrap();
    let error = fetcher()
        .download(&format!("{base}/x"), &root.path().join("x"))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("/x: status 404: there is no such file"),
        "{error}"
    );
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn a_server_in_trouble_is_given_time() {
    let (base, seen) = serve(|_, number| match number {
        0 => answer("503 Service Unavailable", "", b""),
        1 => answer("429 Too Many Requests", "Retry-After: 3\r\n", b""),
        2 => answer(
            "403 Forbidden",
            "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1\r\n",
            b"",
        ),
        3 => Vec::new(),
        _ => answer("200 OK", "Link: <x>; rel=\"next\"\r\n", b"fine"),
    });
    let reply = fetcher().get(&format!("{base}/y")).unwrap();
    assert_eq!(reply.body, b"fine");
    assert!(reply.link.unwrap().contains("next"));
    assert_eq!(seen.lock().unwrap().len(), 5);

    let (base, seen) = serve(|_, _| answer("500 Oh", "", b""));
    assert!(
        fetcher()
            .get(&base)
            .unwrap_err()
            .to_string()
            .contains("status 500")
    );
    assert_eq!(seen.lock().unwrap().len(), 8);
}

fn repository(name: &str) -> String {
    format!(
        "{{\"full_name\":\"{name}\",\"default_branch\":\"main\",\"created_at\":\"2026-06-02T01:02:03Z\",\
         \"stargazers_count\":12,\"license\":{{\"spdx_id\":\"MIT\"}}}}"
    )
}

#[test]
fn a_search_is_read_page_by_page() {
    let (base, seen) = serve(|request, _| {
        if request.path.contains("/tarball/") {
            return answer("200 OK", "", b"a tarball");
        }
        let second = request.path.ends_with("page=2");
        let names: &[&str] = if second {
            &["b/two", "../evil"]
        } else {
            &["a/one"]
        };
        let items: Vec<String> = names.iter().map(|name| repository(name)).collect();
        let body = format!("{{\"total_count\":3,\"items\":[{}]}}", items.join(","));
        let link = if second {
            ""
        } else {
            "Link: <u>; rel=\"next\"\r\n"
        };
        answer("200 OK", link, body.as_bytes())
    });
    let github = GitHub::new(fetcher(), &base, Some("secret"));
    let found = github
        .search("language:python stars:>10", 100, &Silent)
        .unwrap();
    let names: Vec<&str> = found.iter().map(|one| one.known.name.as_str()).collect();
    assert_eq!(names, ["a/one", "b/two"]);
    assert_eq!(found[0].known.licence.as_deref(), Some("MIT"));
    assert_eq!(found[0].known.created.unwrap().to_string(), "2026-06-02");
    let root = tempfile::tempdir().unwrap();
    let path = github.tarball(&found[0], root.path()).unwrap();
    assert_eq!(path.file_name().unwrap(), "a__one.tar.gz");
    assert_eq!(std::fs::read(&path).unwrap(), b"a tarball");
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    assert!(
        seen[0]
            .path
            .starts_with("/search/repositories?q=language%3Apython%20stars%3A%3E10&")
    );
    assert!(
        seen.iter()
            .all(|request| request.header("authorization") == Some("Bearer secret"))
    );
}

#[test]
fn a_search_with_many_results_is_cut_by_time() {
    let (base, seen) = serve(|request, _| {
        let days = request.path.split("created%3A").nth(1).unwrap();
        // More than a thousand in the whole month, few in each half.
        let (count, name) = match &days[..24] {
            "2026-06-01..2026-06-30&s" => (1500, "x/all"),
            "2026-06-01..2026-06-15&s" => (1, "x/first"),
            _ => (1, "x/second"),
        };
        let body = format!(
            "{{\"total_count\":{count},\"items\":[{}]}}",
            repository(name)
        );
        answer("200 OK", "", body.as_bytes())
    });
    let github = GitHub::new(fetcher(), &base, None);
    let found = github
        .search("created:2026-06-01..2026-06-30", 5000, &Silent)
        .unwrap();
    let names: Vec<&str> = found.iter().map(|one| one.known.name.as_str()).collect();
    assert_eq!(names, ["x/first", "x/second"]);
    assert_eq!(seen.lock().unwrap().len(), 3);
    let (base, _) = serve(|_, _| answer("200 OK", "", b"{\"total_count\":1500,\"items\":[]}"));
    let error = GitHub::new(fetcher(), &base, None)
        .search("stars:>10", 5000, &Silent)
        .unwrap_err();
    assert!(error.to_string().contains("add created:>DATE"), "{error}");
}

#[test]
fn files_of_a_dump_are_chosen_by_the_seed() {
    let list: String = (0..50)
        .map(|n| format!("crawl-data/D/{n:02}.warc.wet.gz\n"))
        .collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(list.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let (base, _) = serve(
        move |request, _| match request.path.ends_with("wet.paths.gz") {
            true => answer("200 OK", "", &packed),
            false => answer("200 OK", "", request.path.as_bytes()),
        },
    );
    let fetcher = fetcher();
    let paths = fetch_paths(&fetcher, &base, "CC-MAIN-2026-22").unwrap();
    assert_eq!(paths.len(), 50);
    let root = tempfile::tempdir().unwrap();
    let names = |seed, folder: &str| {
        let local = spread(
            &fetcher,
            &base,
            &paths,
            4,
            seed,
            &root.path().join(folder),
            &Silent,
        )
        .unwrap();
        let names = local
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
        names.collect::<Vec<String>>()
    };
    let one = names(1, "a");
    assert_eq!(one.len(), 4);
    assert!(one.is_sorted());
    assert_eq!(names(1, "b"), one);
    assert_ne!(names(2, "c"), one);
    let text = std::fs::read_to_string(root.path().join("a").join(&one[0])).unwrap();
    assert_eq!(text, format!("/crawl-data/D/{}", one[0]));
    assert!(fetch_paths(&fetcher, &base, "../x").is_err());
}
