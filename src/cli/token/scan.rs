//! `tributary token scan`: finds secrets where they do not belong. It says where they stand, how they begin, and, when
//! it is given a database, whose they are; never more of them.
use std::{
    collections::HashMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use super::{Context, Refused, Usage};
use crate::{
    db::Db,
    ids::{TenantId, TokenId},
    name::Name,
    tenants,
    tokens::{self, scan::Found},
};

/// The largest file that is read.
const LARGEST: u64 = 10 << 20;

/// Find tokens in files, by how they begin and by their checksum; exit code 1 when there are any
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary token scan .
  tributary token scan src config.yml --database-url sqlite:///var/lib/tributary/tributary.db
  git log -p | tributary token scan -
  tributary --json token scan . | jq -r .path

Folders are searched to the bottom, hidden files too, but .git; text may be UTF-8 or UTF-16, and what is no text is
searched as it is. With --database-url (or DATABASE_URL) each token is looked up. Exit code 0: all was looked at and
none was found, 1: some were found, 2: a PATH, or something in it, could not be looked at (files over 10 MiB are not).")]
pub(in crate::cli) struct Scan {
    /// Files and folders; - is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// One finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    path: String,
    line: usize,
    column: usize,
    prefix: String,
    /// None: nobody was asked.
    known: Option<Vec<Owner>>,
}

/// Whose a token is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    tenant_id: TenantId,
    tenant: Name,
    id: TokenId,
    name: Name,
    state: tokens::State,
}

impl Scan {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = if context.database_was_named() { Some(context.db().await?) } else { None };
        let mut search = Search { context, db, owners: HashMap::new(), found: 0, files: 0, left_out: 0 };
        for path in &self.paths {
            if path == Path::new("-") {
                let mut text = Vec::new();
                io::stdin().lock().read_to_end(&mut text).context("cannot read standard input")?;
                search.text("-", &text).await?;
            } else {
                if let Err(error) = fs::symlink_metadata(path) {
                    return Err(Usage(format!("cannot read {}: {error}", path.display())).into());
                }
                search.below(path).await?;
            }
        }
        let Search { found, files, left_out, .. } = search;
        let counted = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let files = counted(files, "text", "texts");
        let left = match left_out {
            0 => String::new(),
            n => format!("; {} could not be looked at", counted(n, "file or folder", "files or folders")),
        };
        if found == 0 && left_out > 0 {
            return Err(Usage(format!("no token in {files}{left}")).into());
        }
        if found == 0 {
            if !context.out.is_json() {
                context.out.record(&(), || format!("no token in {files}"))?;
            }
            return Ok(());
        }
        let what = counted(found, "token", "tokens");
        Err(Refused(format!("found {what} in {files}{left}; roll or revoke what is in use, then take it out")).into())
    }
}

/// A search under way.
struct Search<'a> {
    context: &'a Context,
    db: Option<Db>,
    owners: HashMap<[u8; 32], Vec<Owner>>,
    found: usize,
    files: usize,
    left_out: usize,
}

impl Search<'_> {
    /// A file, or all of a folder. Links are not followed: what they lead to is found where it is, or is elsewhere.
    async fn below(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut waiting = vec![path.to_owned()];
        while let Some(path) = waiting.pop() {
            let shown = printable(&path.display().to_string());
            let kind = match fs::symlink_metadata(&path) {
                Ok(kind) => kind,
                Err(error) => {
                    self.leave_out(&shown, &error.to_string());
                    continue;
                }
            };
            if kind.is_dir() {
                if path.file_name().is_some_and(|name| name == ".git") {
                    continue;
                }
                match fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
                    Ok(entries) => {
                        let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
                        // the last is taken first
                        paths.sort_by(|a, b| b.cmp(a));
                        waiting.extend(paths);
                    }
                    Err(error) => self.leave_out(&shown, &error.to_string()),
                }
            } else if kind.is_file() {
                if kind.len() > LARGEST {
                    self.leave_out(&shown, "over 10 MiB");
                    continue;
                }
                match fs::read(&path) {
                    Ok(text) => self.text(&shown, &text).await?,
                    Err(error) => self.leave_out(&shown, &error.to_string()),
                }
            }
        }
        Ok(())
    }

    /// What was left out is said where it disturbs no program.
    fn leave_out(&mut self, path: &str, why: &str) {
        self.left_out += 1;
        // when nobody reads standard error, there is nobody to tell that
        let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("left out: {path}: {why}\n"));
    }

    async fn text(&mut self, path: &str, text: &[u8]) -> anyhow::Result<()> {
        self.files += 1;
        for Found { line, column, prefix, digest } in tokens::scan::scan(text) {
            self.found += 1;
            let known = self.owners(digest).await?;
            let finding = Finding { path: path.to_owned(), line, column, prefix, known };
            self.context.out.record(&finding, || finding.text())?;
        }
        Ok(())
    }

    /// Whose it is, if there is somebody to ask.
    async fn owners(&mut self, digest: [u8; 32]) -> anyhow::Result<Option<Vec<Owner>>> {
        let Some(db) = &self.db else { return Ok(None) };
        if let Some(known) = self.owners.get(&digest) {
            return Ok(Some(known.clone()));
        }
        let (actor, now) = (&self.context.actor, self.context.clock.now());
        let mut owners = Vec::new();
        for token in tokens::known_by(db, &actor.grant()?, digest).await? {
            let tenant = tenants::get(db, &actor.permit(token.tenant_id)?).await?;
            let state = token.state(now);
            owners.push(Owner {
                tenant_id: token.tenant_id,
                tenant: tenant.name,
                id: token.id,
                name: token.details.name,
                state,
            });
        }
        self.owners.insert(digest, owners.clone());
        Ok(Some(owners))
    }
}

impl Finding {
    fn text(&self) -> String {
        let whose = match &self.known {
            None => String::new(),
            Some(owners) if owners.is_empty() => "  not known here".into(),
            Some(owners) => {
                let each = |owner: &Owner| {
                    format!("{} ({}) of {}, id {}", owner.name, owner.state.word(), owner.tenant, owner.id)
                };
                format!("  {}", owners.iter().map(each).collect::<Vec<_>>().join("; "))
            }
        };
        format!("{}:{}:{}: {}…{}", self.path, self.line, self.column, self.prefix, printable(&whose))
    }
}

/// The name of a file must not reach the terminal as a command.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
