//! Addresses, and where one is referred to.

use ureq::http::Uri;

/// Most steps from the address that was asked for to the one that answers.
pub(crate) const MOST: usize = 10;

/// An address that can be asked: of the web, whole, and without a secret in it.
pub(crate) fn parse(url: &str) -> Result<Uri, String> {
    let uri: Uri = url
        .parse()
        .map_err(|error| format!("{url:?} is no address: {error}"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err(format!("{url:?} is no address of the web"));
    }
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err("an address with a name or a password in it is not used".into())
        }
        _ => Ok(uri),
    }
}

/// Where a server that answers at `from` refers one to.
pub(crate) fn target(from: &Uri, location: &str) -> Result<Uri, String> {
    let refers = |why: String| format!("the server refers elsewhere, and {why}");
    // What stands behind it is for who looks at a page.
    let location = location.split('#').next().unwrap_or_default();
    let scheme = from.scheme_str().unwrap_or_default();
    let whole = if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        let authority = from.authority().map_or("", |authority| authority.as_str());
        format!("{scheme}://{authority}{location}")
    } else {
        let folder = from
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let authority = from.authority().map_or("", |authority| authority.as_str());
        format!("{scheme}://{authority}{folder}/{location}")
    };
    let to = parse(&whole).map_err(refers)?;
    match (scheme, to.scheme_str()) {
        ("https", Some("http")) => Err(refers(
            "from an encrypted address to one that is not".into(),
        )),
        _ => Ok(to),
    }
}

/// Scheme, host and port.
pub(crate) fn origin(uri: &Uri) -> (bool, String, u16) {
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    (secure, host, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_referred_to_an_open_line() {
        let from = parse("https://hub.example/a/b?c").unwrap();
        let to = |location: &str| target(&from, location).map(|uri| uri.to_string());
        for (location, whole) in [
            ("/x", "https://hub.example/x"),
            ("x?y", "https://hub.example/a/x?y"),
            ("//cdn.example/z", "https://cdn.example/z"),
            ("https://cdn.example/z?a=b#c", "https://cdn.example/z?a=b"),
        ] {
            assert_eq!(to(location).unwrap(), whole);
        }
        for bad in [
            "http://hub.example/x",
            "file:///etc/passwd",
            "https://",
            "https://user:secret@hub.example/",
            "https://a b/",
        ] {
            assert!(to(bad).is_err(), "{bad}");
        }
        let open = parse("http://127.0.0.1:1/").unwrap();
        assert!(target(&open, "https://cdn.example/").is_ok());
        assert!(parse("ftp://a/").is_err() && parse("a/b").is_err() && parse("").is_err());
    }

    #[test]
    fn a_port_is_part_of_an_origin() {
        let of = |url: &str| origin(&parse(url).unwrap());
        assert_eq!(of("http://a:80/x"), of("http://A/y"));
        assert_ne!(of("http://a:81/"), of("http://a/"));
        assert_ne!(of("https://a/"), of("http://a/"));
    }
}
