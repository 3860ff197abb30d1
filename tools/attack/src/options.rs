//! The options of the suite and of its command line.

use toolkit::{Failure, Result};

/// Address of the helpdesk, and the attacks to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Base address, such as `http://127.0.0.1:8000`.
    pub base: String,
    /// Email address and password of an existing account.
    pub credentials: Option<(String, String)>,
    /// Ids of the attacks to run; empty for all.
    pub only: Vec<String>,
    /// Skips slow attacks: timing, and connections that wait for a timeout.
    pub quick: bool,
}

impl Options {
    /// Parses the arguments of the command line.
    ///
    /// # Errors
    ///
    /// Returns an error with the usage if an argument is unknown or incomplete.
    pub fn parse(args: &[String]) -> Result<Self> {
        const USE: &str = "use `attack http://host:port [--user <address> --password <password>] [--only A1,A16] [--quick]`";
        let mut options = Self::default();
        let (mut user, mut password) = (None, None);
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .cloned()
                    .ok_or_else(|| Failure::new(format!("`{word}` needs a value; {USE}")))
            };
            match word.as_str() {
                "--user" => user = Some(value()?),
                "--password" => password = Some(value()?),
                "--only" => options.only.extend(value()?.split(',').map(str::to_owned)),
                "--quick" => options.quick = true,
                base if !base.starts_with('-') && options.base.is_empty() => {
                    options.base = base.to_owned()
                }
                other => return Err(Failure::new(format!("`{other}` is not understood; {USE}"))),
            }
        }
        options.credentials = user.zip(password);
        if options.base.is_empty() {
            Err(Failure::new(USE))
        } else {
            Ok(options)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_read() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let read = Options::parse(&words(
            "http://x:1 --only A1,A2 --user a@b --password c --quick",
        ))
        .unwrap();
        assert_eq!((read.base.as_str(), read.quick), ("http://x:1", true));
        assert_eq!(read.only, ["A1", "A2"]);
        assert_eq!(read.credentials, Some(("a@b".into(), "c".into())));
        assert!(Options::parse(&[]).is_err());
        assert!(Options::parse(&words("http://x:1 --only")).is_err());
        assert!(Options::parse(&words("http://x:1 --what")).is_err());
    }
}
