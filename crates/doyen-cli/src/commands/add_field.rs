//! `doyen generate field`: adds fields to a generated domain, in every layer, with a migration.
//!
//! The templates are rendered twice: with the fields that the domain has, and with the new ones.
//! The difference is carried over to the files of the user, whose edits stay.

mod migrations;

use std::path::Path;

use super::domain::{check, features, files};
use crate::args::AddField;
use crate::changes::Changes;
use crate::existing::{self, Existing};
use crate::failure::{Failure, Result, say};
use crate::field::Field;
use crate::names;
use crate::project::{Project, read};
use crate::templates::{DomainContext, Templates};
use crate::transplant::transplant;

pub(super) fn run(args: &AddField) -> Result {
    let project = Project::find()?;
    project.needs_database()?;
    let plural = args.domain.as_str();
    let existing = existing(&project, plural)?;
    let new = new_fields(&args.fields, &existing)?;
    if new.is_empty() {
        say("unchanged: the domain has these fields");
        return Ok(());
    }
    let all: Vec<Field> = existing.fields.iter().chain(&new).cloned().collect();
    check(&project, plural, &all)?;
    let mut changes = Changes::new(&project.root);
    code(&project, plural, &existing, &all, &mut changes)?;
    features(&new, &mut changes)?;
    let owner = existing.owner.as_deref();
    migrations::add(&project, plural, &new, owner, &mut changes)?;
    changes.apply(false)?;
    changes.report_rest()?;
    say("\nNext: `cargo test`, then `cargo run -- openapi > openapi.json`.");
    Ok(())
}

fn existing(project: &Project, plural: &str) -> Result<Existing> {
    let path = project.root.join("src").join(plural).join("domain.rs");
    if !path.is_file() {
        return Err(Failure::new(format!(
            "there is no domain `{plural}`: {} does not exist",
            path.display()
        ))
        .help(format!("run `doyen generate domain {plural} ..` first")));
    }
    existing::read(&read(&path)?).ok_or_else(|| {
        Failure::new(format!(
            "{} does not have the shape that the generator writes",
            path.display()
        ))
        .help("it needs a trait `..Repository`, a struct of that name and a struct `Draft`")
    })
}

/// Returns the fields that the domain does not have yet.
fn new_fields(asked: &[Field], existing: &Existing) -> Result<Vec<Field>> {
    let mut new = Vec::new();
    for field in asked {
        match existing
            .fields
            .iter()
            .find(|known| known.name == field.name)
        {
            Some(known) if known == field => {}
            Some(known) => {
                return Err(Failure::new(format!(
                    "the domain has `{known}` already, which is not `{field}`"
                ))
                .help("change its type by hand, with a migration of your own"));
            }
            None => {
                if !field.is_optional && field.is_unique {
                    return Err(Failure::usage(format!(
                        "`{field}`: the rows that exist would all have the same value"
                    ))
                    .help(format!(
                        "make it optional: `{}`",
                        format!("{field}").replacen(":unique", "?:unique", 1)
                    )));
                }
                if !field.is_optional && migrations::default(field).is_none() {
                    return Err(Failure::usage(format!(
                        "`{field}`: the rows that exist would have no value"
                    ))
                    .help(format!("make it optional: `{field}?`")));
                }
                new.push(field.clone());
            }
        }
    }
    Ok(new)
}

/// Changes the files in Rust.
fn code(
    project: &Project,
    plural: &str,
    existing: &Existing,
    all: &[Field],
    changes: &mut Changes,
) -> Result {
    let templates = Templates::new()?;
    let subject = names::pascal(&project.crate_name);
    let context = |fields: &[Field]| {
        DomainContext::new(
            plural,
            &existing.singular,
            fields,
            existing.owner.as_deref(),
            project.has_accounts,
            &subject,
        )
    };
    let (before, after) = (context(&existing.fields), context(all));
    for (template, path) in files(plural) {
        let old = templates.render(template, &before)?;
        let new = templates.render(template, &after)?;
        if old == new {
            continue;
        }
        let mine = std::fs::read_to_string(project.root.join(&path)).unwrap_or_default();
        let done = transplant(&old, &new, &mine);
        if syn::parse_file(&done.text).is_err() || mine.is_empty() {
            let whole = transplant(&old, &new, "");
            for lines in whole.left {
                changes.by_hand(Path::new(&path), &lines);
            }
            continue;
        }
        for lines in &done.left {
            changes.by_hand(Path::new(&path), lines);
        }
        changes.edit(&path, "", |_| Some(done.text))?;
    }
    Ok(())
}
