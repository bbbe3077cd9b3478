//! Addresses, and where one is referred to.

use url::{Origin, Url};

/// Most steps from the address that was asked for to the one that answers.
pub(crate) const MOST: usize = 10;

/// An address that can be asked.
pub(crate) fn parse(url: &str) -> Result<Url, String> {
    let parsed = Url::parse(url).map_err(|error| format!("no address: {error}"))?;
    match parsed.scheme() {
        "http" | "https" => Ok(parsed),
        other => Err(format!("no address of the web: {other}")),
    }
}

/// Where a server that answers at `from` refers one to.
pub(crate) fn target(from: &Url, location: &str) -> Result<Url, String> {
    let to = from
        .join(location)
        .map_err(|error| format!("the server refers to no address: {error}"))?;
    match (from.scheme(), to.scheme()) {
        ("https", "https") | ("http", "http" | "https") => Ok(to),
        _ => Err(format!(
            "the server refers to {}://, from {}://",
            to.scheme(),
            from.scheme()
        )),
    }
}

/// Scheme, host and port.
pub(crate) fn origin(url: &Url) -> Origin {
    url.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_referred_to_an_open_line() {
        let from = parse("https://hub.example/a/b?c").unwrap();
        let to = |location: &str| target(&from, location).map(|url| url.to_string());
        assert_eq!(to("/x").unwrap(), "https://hub.example/x");
        assert_eq!(to("x?y").unwrap(), "https://hub.example/a/x?y");
        assert_eq!(
            to("//cdn.example/z").unwrap(),
            "https://cdn.example/z",
            "the scheme is kept"
        );
        for bad in ["http://hub.example/x", "file:///etc/passwd", "https://"] {
            assert!(to(bad).is_err(), "{bad}");
        }
        let open = parse("http://127.0.0.1:1/").unwrap();
        assert!(target(&open, "https://cdn.example/").is_ok());
        assert!(parse("ftp://a/").is_err() && parse("a/b").is_err());
    }

    #[test]
    fn a_port_is_part_of_an_origin() {
        let of = |url: &str| origin(&parse(url).unwrap());
        assert_eq!(of("http://a:80/x"), of("http://a/y"));
        assert_ne!(of("http://a:81/"), of("http://a/"));
        assert_ne!(of("https://a/"), of("http://a/"));
    }
}
