//! What a posted form holds, and the answers that pages give to it.
use axum::{
    Form,
    extract::{FromRequest, Multipart, Request, multipart::MultipartError},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::{
    error::{Error, PublicError, Result},
    ui::{FieldErrors, Zone, in_address},
};

/// The typed values, as they came: one name may stand several times.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Typed(Vec<(String, String)>);

impl Typed {
    /// The value of a field; empty when it was not sent. Line breaks are plain ones.
    pub fn text(&self, name: &str) -> String {
        self.all(name).next().unwrap_or_default().replace("\r\n", "\n")
    }

    /// Every value of a field.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every field, in the order in which they came.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a box is ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

impl FromIterator<(String, String)> for Typed {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

/// What a form with files posted; one without files may be read as this too.
#[derive(Debug, Default)]
pub struct Posted {
    /// What was typed and chosen.
    pub typed: Typed,
    /// The files that were chosen.
    files: Vec<Upload>,
}

#[derive(Debug)]
struct Upload {
    field: String,
    name: String,
    content: Vec<u8>,
}

impl Posted {
    /// The text of a file; none when none was chosen.
    pub fn file(&self, name: &str) -> Option<Result<&str, &'static str>> {
        let (_, bytes) = self.upload(name)?;
        Some(std::str::from_utf8(bytes).map_err(|_| "this file is not text in UTF-8"))
    }

    /// A file of any kind: its name as the browser tells it, which is to be trusted in nothing, and what it holds.
    pub fn upload(&self, name: &str) -> Option<(&str, &[u8])> {
        let file = self.files.iter().find(|file| file.field == name)?;
        Some((&file.name, &file.content))
    }
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = PublicError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
            let form = Form::<Typed>::from_request(request, state).await;
            let Form(typed) = form.map_err(|why| unread(why.status()))?;
            return Ok(Self { typed, files: Vec::new() });
        }
        let broken = |error: MultipartError| unread(error.status());
        let mut parts = Multipart::from_request(request, state).await.map_err(|why| unread(why.status()))?;
        let mut posted = Self::default();
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let name = part.name().unwrap_or_default().to_owned();
            let called = part.file_name().map(str::to_owned);
            let content = part.bytes().await.map_err(broken)?.to_vec();
            match called {
                None => {
                    let text = String::from_utf8(content).map_err(|_| unread(StatusCode::BAD_REQUEST))?;
                    posted.typed.0.push((name, text));
                }
                Some(called) if !content.is_empty() => posted.files.push(Upload { field: name, name: called, content }),
                Some(_) => {}
            }
        }
        Ok(posted)
    }
}

/// A form that cannot be read.
fn unread(status: StatusCode) -> PublicError {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return PublicError::new(413, "Too large", "what was sent is more than a form may hold: send less of it");
    }
    PublicError::new(400, "Not possible", "the form could not be read: send it again")
}

/// What an act says at the top of the page it leads to: `?done=saved`.
#[derive(Debug, Default, Deserialize)]
pub struct Done {
    /// A word that the page knows; any other says nothing.
    pub done: Option<String>,
}

impl FieldErrors {
    /// Keeps a value that could be read; notes why one could not.
    pub fn keep<T>(&mut self, field: &'static str, read: Result<T, impl ToString>) -> Option<T> {
        read.map_err(|why| self.push(field, sentence(&why.to_string()))).ok()
    }

    /// Notes what the sender of a form can mend, a conflict at `field`; passes on what they cannot.
    ///
    /// # Errors
    /// Whatever no change of the form would mend.
    pub fn note(&mut self, field: &'static str, error: Error) -> Result<()> {
        match error {
            Error::Conflict(why) => self.push(field, sentence(&why)),
            Error::Invalid(fields) => fields.iter().for_each(|(field, why)| self.push(*field, sentence(why))),
            other => return Err(other),
        }
        Ok(())
    }
}

/// Begins with a capital, as text on a page does.
pub fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// A page. Its data may be another's tomorrow: no cache keeps it.
pub fn html(status: StatusCode, page: String) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

/// As [`without_blanks`]; and moments that name no zone, as the fields of a browser write them, are those of `zone`. So
/// an address that is shared asks for the same to everybody.
pub fn settled(path: &str, query: &str, zone: Zone) -> Option<Redirect> {
    let bare = |name: &str, value: &str| match name {
        "from" | "until" => zone.read(value).map(in_address),
        _ => None,
    };
    let pairs = || url::form_urlencoded::parse(query.as_bytes());
    if !pairs().any(|(name, value)| bare(&name, value.trim()).is_some()) {
        return without_blanks(path, query);
    }
    let mut said = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs().filter(|(_, value)| !value.trim().is_empty()) {
        said.append_pair(&name, &bare(&name, value.trim()).unwrap_or_else(|| value.into_owned()));
    }
    Some(Redirect::to(&format!("{path}?{}", said.finish())))
}

/// Where a form of filters without its empty fields leads: browsers send them all, and an address that is shared
/// should say what is asked and no more. None when there are none.
pub fn without_blanks(path: &str, query: &str) -> Option<Redirect> {
    let pairs = || url::form_urlencoded::parse(query.as_bytes());
    if pairs().all(|(_, value)| !value.trim().is_empty()) {
        return None;
    }
    let mut kept = url::form_urlencoded::Serializer::new(String::new());
    kept.extend_pairs(pairs().filter(|(_, value)| !value.trim().is_empty()));
    let kept = kept.finish();
    let question = if kept.is_empty() { "" } else { "?" };
    Some(Redirect::to(&format!("{path}{question}{kept}")))
}

/// A page that shows what was asked for.
pub fn shown(page: String) -> Response {
    html(StatusCode::OK, page)
}

/// The page of a form again, with what is amiss.
pub fn amiss(page: String) -> Response {
    html(StatusCode::UNPROCESSABLE_ENTITY, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let typed: Typed =
            [("a", "1\r\n2"), ("b", ""), ("a", "3")].map(|(k, v)| (k.into(), v.into())).into_iter().collect();
        assert_eq!(typed.text("a"), "1\n2");
        assert_eq!(typed.all("a").collect::<Vec<_>>(), ["1\r\n2", "3"]);
        assert!(typed.ticked("b") && !typed.ticked("c") && typed.text("c").is_empty());
    }

    #[tokio::test]
    async fn a_form_with_files_is_read_like_one_without() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n\
            --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"e.json\"\r\n\r\n{\"\u{e9}\":1}\r\n\
            --x\r\nContent-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\r\n\r\n--x--\r\n";
        let request = |kind: &str, body: &str| {
            Request::post("/").header("content-type", kind).body(axum::body::Body::from(body.to_owned())).unwrap()
        };
        let posted = Posted::from_request(request("multipart/form-data; boundary=x", body), &()).await.unwrap();
        assert_eq!(posted.typed.text("a"), "1\n2");
        assert_eq!((posted.file("file"), posted.file("none")), (Some(Ok("{\"\u{e9}\":1}")), None));
        let plain =
            Posted::from_request(request("application/x-www-form-urlencoded", "a=1%0D%0A2"), &()).await.unwrap();
        assert_eq!((plain.typed.text("a"), plain.file("file")), ("1\n2".to_owned(), None));
        let broken = Posted::from_request(request("multipart/form-data; boundary=x", "--x\r\nno"), &()).await;
        assert_eq!(broken.unwrap_err().status, 400);
    }

    #[test]
    fn moments_of_an_address_name_their_zone() {
        let to = |query| {
            settled("/x", query, Zone::parse("Europe/Berlin"))
                .map(|to| to.into_response().headers()["location"].clone())
        };
        assert_eq!(to("from=2026-11-18T14:05&until=&q=a+b").unwrap(), "/x?from=2026-11-18T13%3A05Z&q=a+b");
        assert!(to("from=2026-11-18T13%3A05Z&q=1").is_none() && to("from=yesterday").is_none());
        assert_eq!(to("from=yesterday&until=").unwrap(), "/x?from=yesterday");
    }

    #[test]
    fn empty_fields_are_left_out_of_an_address() {
        let to = |query| without_blanks("/x", query).map(|to| to.into_response().headers()["location"].clone());
        assert_eq!(to("type=1&from=%20&until=&q=a+b").unwrap(), "/x?type=1&q=a+b");
        assert_eq!(to("type=&from=").unwrap(), "/x");
        assert!(to("type=1").is_none() && to("").is_none());
    }

    #[test]
    fn what_can_be_mended_is_noted_and_the_rest_passed_on() {
        let mut errors = FieldErrors::new();
        errors.note("id", Error::Conflict("it is taken".into())).unwrap();
        assert_eq!(errors.get("id"), Some("It is taken"));
        assert!(errors.note("id", Error::NotFound("tenant")).is_err());
        assert_eq!(errors.keep("n", "x".parse::<u8>()), None);
        assert!(errors.get("n").is_some());
    }
}
