//! Stand-in until the real one is merged.
#![allow(missing_docs)]
use serde::{Deserialize, Serialize};
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Definition { pub name: String, pub url: String, pub schedule: Sched }
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sched { pub when: Schedule, pub settle_seconds: u32, pub lookback_minutes: u32 }
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Schedule { Every(u32), Cron { pattern: String, zone: String } }
pub struct Problem { pub pointer: String, pub message: String }
pub struct SourceFile { pub definition: Definition, pub secret: Option<String> }
impl SourceFile { pub fn parse(text: &str) -> Result<Self, Vec<Problem>> { Ok(Self { definition: Definition::parse(text)?, secret: None }) } }
impl Definition {
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> { serde_json::from_str(text).map_err(|e| vec![Problem { pointer: String::new(), message: e.to_string() }]) }
    pub fn granule(&self) -> chrono::TimeDelta { chrono::TimeDelta::seconds(1) }
    pub fn is_bounded(&self) -> bool { true }
}
