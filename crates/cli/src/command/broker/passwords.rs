//! The password file: one user a line, as `NAME:PASSWORD` or `NAME:HASH`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;

use broker::Password;

use crate::failure::Failure;

/// Reads a password file. Blank lines and those that begin with `#` say nothing.
pub(super) fn read(file: &Path) -> Result<BTreeMap<String, Password>, Failure> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("cannot read the passwords {name}: {error}")))?;
    let mut passwords = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let at = format!("{name}:{number}");
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((user, password)) = line.split_once(':') else {
            return Err(
                Failure::new(format!("{at}: there is no `:` between name and password")).help(
                    "write NAME:PASSWORD, or what `mqtt-assay broker --hash-password NAME` prints",
                ),
            );
        };
        let password = password
            .parse()
            .map_err(|error| Failure::about(&at, &error))?;
        if passwords.insert(user.to_owned(), password).is_some() {
            return Err(
                Failure::new(format!("{at}: there is a second password for `{user}`"))
                    .help("keep one of the lines"),
            );
        }
    }
    if passwords.is_empty() {
        return Err(Failure::new(format!("{name} holds no passwords"))
            .note("the broker would let nobody in"));
    }
    Ok(passwords)
}

/// Asks for a password and prints the line of a password file.
pub(super) fn print_hashed(user: &str) -> Result<(), Failure> {
    if user.contains(':') {
        return Err(Failure::new(format!(
            "`{user}` is no user name: it holds a `:`"
        )));
    }
    if io::stdin().is_terminal() {
        anstream::eprintln!(
            "Type the password of {user} and press Enter; it can be seen while it is typed"
        );
    }
    let mut password = String::new();
    io::stdin()
        .read_line(&mut password)
        .map_err(|error| Failure::new(format!("cannot read a password: {error}")))?;
    let password = password.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(Failure::new("there is no password on standard input"));
    }
    let hash = Password::hash_with_random_salt(password).map_err(|error| Failure::of(&error))?;
    anstream::println!("{user}:{hash}");
    Ok(())
}
