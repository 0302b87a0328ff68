//! Reads a configuration, and explains one that is wrong.

use clap::{CommandFactory, FromArgMatches, error::ContextKind};

/// A variable that is missing or wrong: one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

/// Reads a configuration from variables alone. Unknown ones are ignored; empty ones count as unset.
///
/// # Errors
/// Fails with the first variable that is missing or wrong.
pub fn parse<C: CommandFactory + FromArgMatches>(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<C, Invalid> {
    let command = C::command();
    let flags: Vec<Flag> = command.get_arguments().filter_map(Flag::of).collect();
    let mut arguments = vec!["holdfast".to_owned()];
    for (name, value) in variables {
        if let Some(flag) = flags.iter().find(|flag| flag.variable == name).filter(|_| !value.is_empty()) {
            arguments.push(format!("--{}={value}", flag.name));
        }
    }
    // Only the given variables count, whatever else this process' environment holds.
    let matches = command
        .mut_args(|arg| arg.env(None::<&str>))
        .args_override_self(true)
        .try_get_matches_from(arguments)
        .map_err(|error| explain(&error, &flags))?;
    C::from_arg_matches(&matches).map_err(|error| explain(&error, &flags))
}

/// A variable, as `clap` knows it.
struct Flag {
    variable: String,
    name: String,
    help: String,
}

impl Flag {
    fn of(arg: &clap::Arg) -> Option<Self> {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        Some(Self { variable: arg.get_env()?.to_str()?.to_owned(), name: arg.get_long()?.to_owned(), help })
    }
}

fn explain(error: &clap::Error, flags: &[Flag]) -> Invalid {
    let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let argument = text(ContextKind::InvalidArg);
    let flag = flags.iter().find(|flag| argument.contains(&format!("--{} ", flag.name)));
    let (variable, help) =
        flag.map_or((argument.as_str(), ""), |flag| (flag.variable.as_str(), flag.help.as_str()));
    let source = std::error::Error::source(error).map(ToString::to_string);
    Invalid(match (error.kind(), source) {
        (clap::error::ErrorKind::MissingRequiredArgument, _) => {
            format!("{variable} is not set; it wants: {help}")
        }
        (_, Some(reason)) if reason.starts_with("held ") => format!("{variable} {reason}"),
        (_, Some(reason)) => format!("{variable} held \"{}\": {reason}", text(ContextKind::InvalidValue)),
        (_, None) => format!(
            "{variable} held \"{}\"; it wants one of {}",
            text(ContextKind::InvalidValue),
            text(ContextKind::ValidValue)
        ),
    })
}

/// Returns this process' environment, as far as it is text.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Lists the variables of a configuration, one a line, for `--help`.
pub fn describe(command: &clap::Command) -> String {
    let mut text = String::from("Environment variables:\n");
    for arg in command.get_arguments() {
        let (Some(name), Some(help)) = (arg.get_env().and_then(|name| name.to_str()), arg.get_help()) else {
            continue;
        };
        let default = arg
            .get_default_values()
            .first()
            .and_then(|value| value.to_str())
            .filter(|value| !value.is_empty());
        let default = default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
        text.push_str(&format!("  {name}\n      {help}{default}\n"));
    }
    text
}
