//! The check of the links in the built HTML: each file and each anchor exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use toolkit::{Context, Failure, Result};

/// The extent of a check.
pub(super) struct Checked {
    pub(super) pages: usize,
    pub(super) links: usize,
}

/// The attributes of a page that matter to links.
struct Html {
    ids: BTreeSet<String>,
    /// Targets of `href`.
    links: Vec<String>,
    /// Targets of `src`.
    loaded: Vec<String>,
}

/// Checks every page below a folder.
pub(super) fn check(site: &Path) -> Result<Checked> {
    let mut pages = BTreeMap::new();
    read(site, Path::new(""), &mut pages)?;
    let mut findings = Vec::new();
    let mut links = 0;
    for (path, html) in &pages {
        for target in &html.loaded {
            if is_elsewhere(target) && !target.starts_with("data:") {
                findings.push(format!("{}: loads {target}", path.display()));
            }
        }
        for target in html.links.iter().chain(&html.loaded) {
            if is_elsewhere(target) {
                continue;
            }
            links += 1;
            if let Some(why) = objection(site, path, target, &pages) {
                findings.push(format!("{}: {target}: {why}", path.display()));
            }
        }
    }
    Failure::unless_empty("links of the site that lead nowhere", &findings)?;
    Ok(Checked {
        pages: pages.len(),
        links,
    })
}

fn objection(
    site: &Path,
    page: &Path,
    target: &str,
    pages: &BTreeMap<PathBuf, Html>,
) -> Option<String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = match file {
        "" => page.to_owned(),
        file => resolve(page, file),
    };
    if !site.join(&file).is_file() {
        return Some("there is no such file".to_owned());
    }
    let html = pages.get(&file)?;
    (!anchor.is_empty() && !html.ids.contains(anchor)).then(|| "there is no such anchor".to_owned())
}

/// Resolves a relative link of a page.
pub(super) fn resolve(page: &Path, target: &str) -> PathBuf {
    let mut path = page.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir if path.pop() => {}
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

fn read(site: &Path, folder: &Path, pages: &mut BTreeMap<PathBuf, Html>) -> Result {
    let here = site.join(folder);
    let entries = std::fs::read_dir(&here).context(|| format!("reading {}", here.display()))?;
    for entry in entries {
        let path = folder.join(entry?.file_name());
        let file = site.join(&path);
        if file.is_dir() {
            read(site, &path, pages)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "html")
        {
            let text =
                std::fs::read_to_string(&file).context(|| format!("reading {}", file.display()))?;
            pages.insert(path, parse(&text));
        }
    }
    Ok(())
}

/// True for a link with a scheme or a host.
fn is_elsewhere(target: &str) -> bool {
    let scheme = target.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme = !scheme.is_empty() && scheme.chars().all(|letter| letter.is_ascii_alphabetic());
    is_scheme || target.starts_with("//")
}

/// Reads the attributes of all tags. mdBook writes them as `name="value"`.
fn parse(text: &str) -> Html {
    let mut html = Html {
        ids: BTreeSet::new(),
        links: Vec::new(),
        loaded: Vec::new(),
    };
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if rest.starts_with("!--") {
            rest = &rest[rest.find("-->").unwrap_or(rest.len())..];
            continue;
        }
        let tag = &rest[..rest.find('>').unwrap_or(rest.len())];
        for (name, value) in attributes(tag) {
            let value = value.replace("&amp;", "&");
            match name {
                "id" => drop(html.ids.insert(value)),
                "href" => html.links.push(value),
                "src" => html.loaded.push(value),
                _ => {}
            }
        }
        // The text of a script contains no tags.
        let next = match rest.starts_with("script") {
            true => rest.find("</script>").unwrap_or(rest.len()),
            false => tag.len(),
        };
        rest = &rest[next..];
    }
    html
}

fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let name = before
            .rsplit(char::is_whitespace)
            .next()
            .unwrap_or_default();
        let (value, next) = after.split_once('"').unwrap_or((after, ""));
        found.push((name, value));
        rest = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_attributes_but_no_scripts_and_comments() {
        let html = parse(
            "<a href=\"b.html#c&amp;d\" id=\"e\">x</a><!-- <a href=\"f\"> --><script src=\"g.js\">\
             '<a href=\"h\">'</script><img alt=\"src=\" src=\"i.png\">",
        );
        assert_eq!(html.links, ["b.html#c&d"]);
        assert_eq!(html.loaded, ["g.js", "i.png"]);
        assert!(html.ids.contains("e") && html.ids.len() == 1);
    }

    #[test]
    fn a_missing_file_a_missing_anchor_and_another_host_are_found() {
        let site = std::env::temp_dir().join(format!("doyen-site-{}", std::process::id()));
        std::fs::create_dir_all(site.join("a")).unwrap();
        let write = |path: &str, text: &str| std::fs::write(site.join(path), text).unwrap();
        write("index.html", "<h1 id=\"top\">");
        write(
            "a/b.html",
            "<a href=\"../index.html#top\"><a href=\"#here\" id=\"here\"><a href=\"https://x.org/\">",
        );
        assert_eq!(check(&site).unwrap().links, 2);

        write(
            "a/b.html",
            "<a href=\"gone.html\"><a href=\"../index.html#gone\"><script src=\"//x.org/y.js\"></script>",
        );
        let failure = check(&site).map(|_| ()).unwrap_err().to_string();
        for part in [
            "a/b.html: gone.html: there is no such file",
            "a/b.html: ../index.html#gone: there is no such anchor",
            "a/b.html: loads //x.org/y.js",
        ] {
            assert!(failure.contains(part), "{part}: {failure}");
        }
        std::fs::remove_dir_all(site).unwrap();
    }
}
