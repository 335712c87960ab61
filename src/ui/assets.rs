//! What the browser downloads besides pages: the files of `dist/`, embedded in the program.
//!
//! `scripts/build-web` names the files of `dist/pkg/` by their content and lays a brotli and a gzip copy beside
//! each, so they are cached for ever and never compressed at run time. The few that must keep their name, such as
//! `/robots.txt`, are cached for a day. All addresses are collected once: a request can only name what is in the
//! collection, never a path of the file system.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use rust_embed::RustEmbed;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

#[derive(RustEmbed)]
#[folder = "dist/"]
struct Dist;

/// One file in the forms it can be sent in.
struct Asset {
    content_type: &'static str,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

/// Every file by its path below `dist/`.
static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    Dist::iter()
        .filter(|path| !is_compressed_copy(path))
        .filter_map(|path| {
            let asset = Asset {
                content_type: content_type(&path),
                plain: read(&path)?,
                brotli: read(&format!("{path}.br")),
                gzip: read(&format!("{path}.gz")),
            };
            Some((path.into_owned(), asset))
        })
        .collect()
});

static CSS: LazyLock<String> = LazyLock::new(|| address_of("style.", ".css"));
static BOOT: LazyLock<String> = LazyLock::new(|| address_of("boot.", ".js"));

/// The address of the style sheet.
pub fn css_path() -> &'static str {
    &CSS
}

/// The address of the script that wakes the islands of a page.
pub fn boot_path() -> &'static str {
    &BOOT
}

/// Serves the hashed files under `/pkg/` and those that keep their name at the root.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ["favicon.ico", "favicon.svg", "robots.txt"].into_iter().fold(
        Router::new().route("/pkg/{name}", get(hashed)),
        |router, name| {
            router.route(&format!("/{name}"), get(async move |headers: HeaderMap| answer(name, A_DAY, &headers)))
        },
    )
}

async fn hashed(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&format!("pkg/{name}"), FOR_EVER, &headers)
}

fn answer(path: &str, cache: HeaderValue, headers: &HeaderMap) -> Response {
    let Some(asset) = ASSETS.get(path) else { return StatusCode::NOT_FOUND.into_response() };
    let (encoding, bytes) = asset.best_for(headers);
    let mut response = Response::new(Body::from(bytes));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    out.insert(header::CACHE_CONTROL, cache);
    if asset.brotli.is_some() || asset.gzip.is_some() {
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

impl Asset {
    /// The smallest form the client takes, and how it is called. The plain form is always possible.
    fn best_for(&self, headers: &HeaderMap) -> (Option<&'static str>, Bytes) {
        [("br", &self.brotli), ("gzip", &self.gzip)]
            .into_iter()
            .find_map(|(name, copy)| Some((Some(name), copy.clone().filter(|_| accepts(headers, name))?)))
            .unwrap_or_else(|| (None, self.plain.clone()))
    }
}

/// Whether the client takes `encoding`: named, or covered by `*`, and not with a weight of zero.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let mut by_star = false;
    for item in
        headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','))
    {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let wanted = parts
            .find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")))
            .is_none_or(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0));
        if name.eq_ignore_ascii_case(encoding) {
            return wanted;
        }
        by_star |= name == "*" && wanted;
    }
    by_star
}

fn read(path: &str) -> Option<Bytes> {
    Dist::get(path).map(|file| match file.data {
        std::borrow::Cow::Borrowed(embedded) => Bytes::from_static(embedded),
        std::borrow::Cow::Owned(read) => Bytes::from(read),
    })
}

/// The address of the one file of `dist/pkg/` so named. Without a build of the browser part (`cargo check`, unit
/// tests) there is none: the address then leads to a 404, and the page is plain but whole.
fn address_of(prefix: &str, suffix: &str) -> String {
    ASSETS
        .keys()
        .filter_map(|path| path.strip_prefix("pkg/"))
        .find(|name| name.starts_with(prefix) && name.ends_with(suffix))
        .map_or_else(|| format!("/pkg/{prefix}not-built{suffix}"), |name| format!("/pkg/{name}"))
}

fn is_compressed_copy(path: &str) -> bool {
    matches!(extension(path), "br" | "gz")
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn content_type(path: &str) -> &'static str {
    match extension(path) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(accept_encoding: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accept_encoding.parse().unwrap());
        headers
    }

    fn asset() -> Asset {
        Asset {
            content_type: "text/plain",
            plain: Bytes::from_static(b"plain"),
            brotli: Some(Bytes::from_static(b"br")),
            gzip: Some(Bytes::from_static(b"gz")),
        }
    }

    #[test]
    fn the_smallest_accepted_form_is_sent() {
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("BR;q=0.1, gzip", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0, gzip;q=1.0", Some("gzip")),
            ("br;q=0.000,gzip; q=0", None),
            ("*", Some("br")),
            ("br;q=0, *", Some("gzip")),
            ("*;q=0", None),
            ("identity", None),
            ("", None),
            ("br;q=much", None),
        ] {
            assert_eq!(asset().best_for(&asking(accept)).0, expected, "{accept:?}");
        }
        assert_eq!(asset().best_for(&HeaderMap::new()).0, None);
    }

    #[test]
    fn what_was_not_compressed_is_sent_plain() {
        let font = Asset { brotli: None, gzip: None, ..asset() };
        assert_eq!(font.best_for(&asking("br, gzip")), (None, Bytes::from_static(b"plain")));
    }

    #[test]
    fn only_collected_files_are_found() {
        for path in ["pkg/../robots.txt", "pkg/../../Cargo.toml", "pkg/", "pkg/none.js", "/etc/passwd", ""] {
            assert_eq!(answer(path, A_DAY, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{path:?}");
        }
    }

    #[test]
    fn addresses_name_files_that_exist_once_the_browser_part_is_built() {
        for address in [css_path(), boot_path()] {
            assert!(address.contains(".not-built.") || ASSETS.contains_key(&address[1..]), "{address}");
        }
    }
}
