//! The contract of the wire as an OpenAPI 3.1 document.
use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// `GET /openapi.json`
pub async fn document() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, include_str!("openapi.json")).into_response()
}
