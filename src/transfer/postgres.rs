//! Filling PostgreSQL: `COPY`, in the text form that its manual describes.
use std::fmt::Write;

use sqlx::PgConnection;
use tokio::sync::mpsc;

use super::{Batch, Table, Value, quoted};

/// Takes the rows of a table.
pub(super) async fn fill(
    connection: &mut PgConnection,
    table: &Table,
    mut from: mpsc::Receiver<Batch>,
) -> anyhow::Result<()> {
    let statement = format!("COPY {} ({}) FROM STDIN", quoted(&table.name), table.list());
    let mut copy = connection.copy_in_raw(&statement).await?;
    let mut lines = String::new();
    while let Some(batch) = from.recv().await {
        lines.clear();
        for row in &batch {
            for (at, value) in row.iter().enumerate() {
                if at > 0 {
                    lines.push('\t');
                }
                push(&mut lines, value);
            }
            lines.push('\n');
        }
        copy.send(lines.as_bytes()).await?;
    }
    copy.finish().await?;
    Ok(())
}

fn push(line: &mut String, value: &Value) {
    // writing into a string cannot fail
    let _ = match value {
        Value::Null => write!(line, "\\N"),
        Value::Bool(bool) => write!(line, "{}", if *bool { "t" } else { "f" }),
        Value::Int(int) => write!(line, "{int}"),
        Value::Float(float) if float.is_nan() => write!(line, "NaN"),
        Value::Float(float) if float.is_infinite() => {
            write!(line, "{}Infinity", if float.is_sign_negative() { "-" } else { "" })
        }
        Value::Float(float) => write!(line, "{float:?}"),
        Value::Id(id) => write!(line, "{id}"),
        Value::Time(time) => write!(line, "{}", time.format("%Y-%m-%d %H:%M:%S%.6f+00")),
        Value::Bytes(bytes) => {
            line.push_str("\\\\x");
            bytes.iter().try_for_each(|byte| write!(line, "{byte:02x}"))
        }
        Value::Text(text) => {
            for c in text.chars() {
                match c {
                    '\\' => line.push_str("\\\\"),
                    '\n' => line.push_str("\\n"),
                    '\r' => line.push_str("\\r"),
                    '\t' => line.push_str("\\t"),
                    other => line.push(other),
                }
            }
            Ok(())
        }
    };
}
