//! Stand-in until the real one is merged.
#![allow(missing_docs)]
use serde::{Deserialize, Serialize};
use super::{Window, definition::Definition};
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Position;
pub struct Record { pub event: String, pub unique: String, pub time: Option<chrono::DateTime<chrono::Utc>>, pub fault: Option<String> }
pub struct Chunk { pub records: Vec<Record>, pub position: Position }
#[derive(Debug, thiserror::Error)]
#[error("fault")]
pub struct Fault;
pub enum Class { BackOff { retry_after: Option<std::time::Duration> }, Pause, Stop, Split }
impl Fault { pub fn class(&self) -> Class { Class::Stop } }
#[derive(Serialize)]
pub struct Evidence { pub bytes: u64 }
pub struct Reading;
pub struct Secret(String);
impl Secret { pub fn new(s: String) -> Self { Self(s) } }
impl Reading {
    pub fn new(_: &reqwest::Client, _: &Definition, _: Option<&Secret>, _: Window, _: Option<Position>) -> Self { Self }
    pub async fn next(&mut self) -> Result<Option<Chunk>, Fault> { Ok(None) }
    pub fn evidence(&self) -> &[Evidence] { &[] }
    pub fn skew(&self) -> Option<chrono::TimeDelta> { None }
}
