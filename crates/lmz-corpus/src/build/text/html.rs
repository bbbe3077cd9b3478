//! HTML to plain markup, in one pass over its tokens: nesting costs nothing, whatever a page does with it.

use html5gum::{State, Token, Tokenizer};

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its title, on one line.
    pub title: String,
    /// Its text, as Markdown in outline: `#` before headings, `-` before items, code between fences.
    pub text: String,
}

/// Elements of which nothing is text that people read.
const UNREAD: [&[u8]; 15] = [
    b"script",
    b"style",
    b"noscript",
    b"template",
    b"svg",
    b"nav",
    b"header",
    b"footer",
    b"aside",
    b"form",
    b"button",
    b"select",
    b"iframe",
    b"object",
    b"textarea",
];
/// Elements that begin a line of their own.
const BLOCKS: [&[u8]; 24] = [
    b"p",
    b"div",
    b"section",
    b"article",
    b"main",
    b"ul",
    b"ol",
    b"table",
    b"tr",
    b"blockquote",
    b"figure",
    b"figcaption",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"dl",
    b"dt",
    b"dd",
    b"hr",
    b"pre",
    b"details",
];

/// The text of a page, without what belongs to the site (menus, headers, footers, forms) and without scripts.
pub fn html_to_text(html: &str) -> Page {
    let mut reader = Reader::default();
    let mut tokens = Tokenizer::new(html);
    while let Some(Ok(token)) = tokens.next() {
        match token {
            Token::StartTag(tag) => {
                reader.start(&tag.name, tag.self_closing);
                // What stands in these is no markup.
                if !tag.self_closing {
                    match tag.name.as_slice() {
                        b"script" => tokens.set_state(State::ScriptData),
                        b"style" | b"iframe" | b"noscript" => tokens.set_state(State::RawText),
                        b"title" | b"textarea" => tokens.set_state(State::RcData),
                        _ => {}
                    }
                }
            }
            Token::EndTag(tag) => reader.end(&tag.name),
            Token::String(text) => reader.text(&String::from_utf8_lossy(&text)),
            _ => {}
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    page: Page,
    /// How deep in elements that are not read; which one is the outermost.
    unread: usize,
    unread_name: Vec<u8>,
    in_title: bool,
    in_pre: bool,
    /// A space is due before the next word; lines that are due before it.
    space: bool,
    breaks: usize,
    /// What begins the next line.
    mark: &'static str,
}

impl Reader {
    fn start(&mut self, name: &[u8], closed: bool) {
        if self.unread > 0 {
            // Only elements of the same name count, so that a tag that is never closed ends with its parent.
            self.unread += usize::from(name == self.unread_name && !closed);
            return;
        }
        if UNREAD.contains(&name) {
            if !closed {
                self.unread = 1;
                self.unread_name = name.to_vec();
            }
            return;
        }
        match name {
            b"title" => self.in_title = self.page.title.is_empty(),
            b"br" => self.line(1),
            b"li" => {
                self.line(1);
                self.mark = "- ";
            }
            b"td" | b"th" => self.space = true,
            b"h1" => self.heading("# "),
            b"h2" => self.heading("## "),
            b"h3" => self.heading("### "),
            b"h4" | b"h5" | b"h6" => self.heading("#### "),
            b"pre" => {
                self.line(2);
                self.put("```");
                self.page.text.push('\n');
                self.in_pre = true;
                (self.space, self.breaks) = (false, 0);
            }
            b"tr" => self.line(1),
            name if BLOCKS.contains(&name) => self.line(2),
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        if self.unread > 0 {
            if name == self.unread_name {
                self.unread -= 1;
            } else if matches!(name, b"body" | b"html" | b"main") {
                self.unread = 0;
            }
            return;
        }
        match name {
            b"title" => self.in_title = false,
            b"pre" if self.in_pre => {
                self.in_pre = false;
                if !self.page.text.ends_with('\n') {
                    self.page.text.push('\n');
                }
                self.page.text.push_str("```");
                self.line(2);
            }
            b"tr" | b"li" => self.line(1),
            name if BLOCKS.contains(&name) => self.line(2),
            _ => {}
        }
    }

    fn heading(&mut self, mark: &'static str) {
        self.line(2);
        self.mark = mark;
    }

    fn line(&mut self, breaks: usize) {
        self.space = false;
        self.mark = "";
        if !self.page.text.is_empty() && !self.in_pre {
            self.breaks = self.breaks.max(breaks);
        }
    }

    fn text(&mut self, text: &str) {
        if self.unread > 0 {
            return;
        }
        if self.in_title {
            for word in text.split_whitespace() {
                if !self.page.title.is_empty() {
                    self.page.title.push(' ');
                }
                self.page.title.push_str(word);
            }
            return;
        }
        if self.in_pre {
            self.page.text.push_str(text);
            return;
        }
        if text.starts_with(char::is_whitespace) {
            self.space = true;
        }
        for word in text.split_whitespace() {
            self.put(word);
            self.space = true;
        }
        self.space = text.ends_with(char::is_whitespace) || (self.space && text.trim().is_empty());
    }

    fn put(&mut self, word: &str) {
        let text = &mut self.page.text;
        if self.breaks > 0 {
            text.extend(std::iter::repeat_n('\n', self.breaks));
        } else if self.space && !text.is_empty() && !text.ends_with('\n') {
            text.push(' ');
        }
        text.push_str(std::mem::take(&mut self.mark));
        text.push_str(word);
        (self.space, self.breaks) = (false, 0);
    }

    fn finish(mut self) -> Page {
        if self.in_pre {
            self.page.text.push_str("\n```");
        }
        self.page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_people_read_it() {
        let html = "<!doctype html><html><head><title>A &amp;\n B</title><style>p {}</style></head><body>\
            <nav><ul><li>Home</ul></nav><h1>Head<b>ing</b></h1>\n<p>One <i>two</i>, three&nbsp;four<br>five.</p>\
            <ul><li>a</li><li> b </li></ul><pre>x = 1\n  y</pre><table><tr><td>1<td>2</tr><tr><td>3</td></tr></table>\
            <script>if (a < b) document.write('<p>no</p>')</script><footer>gone</footer>last</body></html>";
        let page = html_to_text(html);
        assert_eq!(page.title, "A & B");
        assert_eq!(
            page.text,
            "# Heading\n\nOne two, three four\nfive.\n\n- a\n- b\n\n```\nx = 1\n  y\n```\n\n1 2\n3\n\nlast"
        );
    }

    #[test]
    fn soup_is_survived() {
        for html in [
            "",
            "<",
            "<p",
            "<p <p>a</",
            "</p>a",
            "<pre>a",
            "<nav>a</body>b",
            "<title>a",
            "a\0b",
        ] {
            html_to_text(html);
        }
        assert_eq!(html_to_text("<nav>a<nav>b</nav>c</nav>d").text, "d");
        let deep = "<div>".repeat(200_000) + "a";
        assert_eq!(html_to_text(&deep).text, "a");
    }
}
