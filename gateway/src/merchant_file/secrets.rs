//! Which variables and files a merchant file may take secrets from: those made for its merchant, and never another's or the
//! gateway's own.
//!
//! A variable is `PERKGATE_SECRET_`, the merchant's id in capitals with two underscores for each dash, one underscore, and a name
//! that begins with a letter or digit. So every variable belongs to one merchant at most: within an id underscores come in pairs, so
//! the first odd run of them ends with the one behind the id. With one underscore for a dash, `A_B_X` would be both `X` of `a-b` and
//! `B_X` of `a`.

use super::checks::shown;
use super::reading::{At, Reading};

/// The longest name of a file.
const NAME_BYTES: usize = 128;

/// What all variables of a merchant begin with.
pub(super) fn prefix(merchant: &str) -> String {
    format!("PERKGATE_SECRET_{}_", merchant.to_ascii_uppercase().replace('-', "__"))
}

/// Whether the variable was made for this merchant.
pub(super) fn is_variable_of(merchant: &str, name: &str) -> bool {
    let Some(own) = name.strip_prefix(&prefix(merchant)) else { return false };
    own.starts_with(|first: char| first.is_ascii_alphanumeric())
        && own.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether this is one file's name, and not a way to another place.
pub(super) fn is_file_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=NAME_BYTES).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(fits)
}

impl Reading<'_> {
    /// The text itself, or what the variable or file holds that `env:NAME` or `file:NAME` names. Never repeats the value.
    pub(super) fn resolve(&self, found: At<&str>, what: &str) -> Option<At<String>> {
        let line = found.line;
        let outcome = match found.value.split_once(':') {
            Some(("env", name)) => self.variable(name.trim(), what),
            Some(("file", name)) => self.file(name.trim(), what),
            _ if found.value.trim().is_empty() => {
                Err(format!("{what} is empty; write it, or \"env:NAME\" to take it from the environment"))
            }
            _ => Ok(found.value.to_owned()),
        };
        outcome.map(|value| At { line, value }).map_err(|complaint| self.say(line, complaint)).ok()
    }

    fn variable(&self, name: &str, what: &str) -> Result<String, String> {
        if name.is_empty() {
            return Err(format!("{what} is \"env:\" without a name; write \"env:NAME\""));
        }
        let merchant = self.owner(what)?;
        if !is_variable_of(&merchant, name) {
            let prefix = prefix(&merchant);
            return Err(format!(
                "{what} names the environment variable {}, which was not made for the merchant \"{merchant}\"; put the value \
                 into one whose name begins with {prefix}, and write \"env:{prefix}…\"",
                shown(name)
            ));
        }
        self.surroundings.may_take_secrets(&merchant).map_err(|why| format!("{what}: {why}"))?;
        match self.surroundings.env(name) {
            Some(value) if !value.trim().is_empty() => Ok(value),
            other => {
                let state = if other.is_some() { "empty" } else { "not set" };
                Err(format!("{what}: the environment variable {name} is {state}; set it and try again"))
            }
        }
    }

    fn file(&self, name: &str, what: &str) -> Result<String, String> {
        if !is_file_name(name) {
            return Err(format!(
                "{what} names the file \"{}\"; write \"file:NAME\" with the name of a file among the merchant's secrets: \
                 1 to {NAME_BYTES} letters, digits, dots, dashes and underscores, and no dot in front",
                shown(name)
            ));
        }
        let merchant = self.owner(what)?;
        self.surroundings.may_take_secrets(&merchant).map_err(|why| format!("{what}: {why}"))?;
        let text = self.surroundings.secret_file(&merchant, name).map_err(|why| format!("{what}: {why}"))?;
        // Editors and `echo` end a file with a newline, which is not the secret's.
        let value = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if value.trim().is_empty() {
            return Err(format!("{what}: the file {name} is empty; write the secret into it and try again"));
        }
        Ok(value.to_owned())
    }

    /// The merchant that the file says it is of.
    fn owner(&self, what: &str) -> Result<String, String> {
        self.merchant.borrow().clone().ok_or_else(|| {
            format!("{what} is taken from a merchant's secrets, and this file names no merchant; give [merchant] a right `id` first")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_variable_belongs_to_its_merchant() {
        assert_eq!(prefix("kavarna"), "PERKGATE_SECRET_KAVARNA_");
        assert_eq!(prefix("a-b"), "PERKGATE_SECRET_A__B_");
        for (merchant, name) in [
            ("kavarna", "PERKGATE_SECRET_KAVARNA_SHOPIFY"),
            ("kavarna", "PERKGATE_SECRET_KAVARNA_SMTP_2__OLD"),
            ("a-b", "PERKGATE_SECRET_A__B_X"),
            ("a", "PERKGATE_SECRET_A_B_X"),
            ("a-", "PERKGATE_SECRET_A___X"),
        ] {
            assert!(is_variable_of(merchant, name), "{merchant} {name}");
        }
        for (merchant, name) in [
            ("kavarna", "PERKGATE_KEY"),
            ("kavarna", "PERKGATE_DATABASE"),
            ("kavarna", "PERKGATE_SECRETS"),
            ("kavarna", "PATH"),
            ("kavarna", "PERKGATE_SECRET_KAVARNA_"),
            ("kavarna", "PERKGATE_SECRET_KAVARNA"),
            ("kavarna", "PERKGATE_SECRET_KAVARNA2_X"),
            ("kavarna", "perkgate_secret_kavarna_x"),
            ("kavarna", "PERKGATE_SECRET_KAVARNA_X=Y"),
            ("a", "PERKGATE_SECRET_A__B_X"),
            ("a", "PERKGATE_SECRET_A___X"),
            ("a-b", "PERKGATE_SECRET_A_B_X"),
            ("", "PERKGATE_SECRET_"),
        ] {
            assert!(!is_variable_of(merchant, name), "{merchant} {name}");
        }
    }

    #[test]
    fn a_file_s_name_leads_nowhere_else() {
        for name in ["shopify", "shopify-secret.txt", "SMTP_2", &"x".repeat(NAME_BYTES)] {
            assert!(is_file_name(name), "{name}");
        }
        for name in
            ["", ".", "..", ".hidden", "a/b", "/etc/passwd", "a\\b", "a b", "ä", "a\0", &"x".repeat(NAME_BYTES + 1)]
        {
            assert!(!is_file_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_variable_belongs_to_two(first in "[ab-]{1,6}", second in "[ab-]{1,6}", name in "[AB_]{1,8}") {
            let variable = format!("{}{name}", prefix(&first));
            prop_assert!(first == second || !(is_variable_of(&first, &variable) && is_variable_of(&second, &variable)));
        }
    }
}
