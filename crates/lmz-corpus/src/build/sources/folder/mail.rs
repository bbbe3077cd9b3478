//! Messages as documents.

use mail_parser::MessageParser;

use super::super::super::date::Date;
use super::super::super::document::Meta;
use super::super::super::text::html_to_text;

/// The subject and the text of a message; `None` if there is no text in it. Addresses are left out.
pub fn mail(bytes: &[u8], meta: &mut Meta) -> Option<(String, Option<Date>)> {
    let message = MessageParser::default().parse(bytes)?;
    let subject = message.subject().unwrap_or_default().trim().to_owned();
    let body = if message.text_body_count() > 0 && !message.text_body.is_empty() {
        let is_html = message.html_body.first() == message.text_body.first();
        match message.body_html(0).filter(|_| is_html) {
            Some(html) => html_to_text(&html).text,
            None => message.body_text(0)?.into_owned(),
        }
    } else {
        return None;
    };
    let date = message
        .date()
        .and_then(|date| Date::new(i32::from(date.year), date.month, date.day));
    meta.insert("subject".into(), subject.clone().into());
    meta.insert("date".into(), date.map(|date| date.to_string()).into());
    let text = if subject.is_empty() {
        body
    } else {
        format!("{subject}\n\n{body}")
    };
    Some((text, date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read() {
        let mut meta = Meta::new();
        let plain = b"From: a@b\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nDate: Mon, 1 Jun 2026 10:00:00 +0200\n\
            Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nSch=F6n.\n";
        let (text, date) = mail(plain, &mut meta).unwrap();
        assert_eq!(text.trim(), "Grüße\n\nSchön.");
        assert_eq!(date, Date::new(2026, 6, 1));
        assert_eq!(meta["date"], "2026-06-01");
        let html = b"Subject: x\nContent-Type: text/html\n\n<p>One<p>two";
        assert_eq!(mail(html, &mut meta).unwrap().0.trim(), "x\n\nOne\n\ntwo");
        let picture =
            b"Subject: x\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA";
        assert_eq!(mail(picture, &mut meta), None);
        mail(&[0xff; 100], &mut meta);
    }
}
