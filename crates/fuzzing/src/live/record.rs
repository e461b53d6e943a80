//! A recorded campaign: the scripts as they were performed, one a line.
//!
//! An acknowledgement stands there as the bytes that were sent, so that what is replayed sends the very same.

use std::io::{self, BufRead, Write};

use super::source::Played;
use crate::script::{Script, TOKEN};

/// How the first line begins.
const HEAD: &str = "mqtt-assay fuzz record 1";

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file is something else.
    #[error("it is no recording: its first line is not `{HEAD}`; --record writes one")]
    Head,
    /// A line is no script.
    #[error(
        "line {0} is no script: a name of 6 characters and hexadecimal digits, two for each byte, were expected"
    )]
    Line(usize),
}

/// Begins a recording.
pub fn begin(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HEAD}")
}

/// Writes a script down.
pub fn write(played: &Played, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&played.name)?;
    out.write_all(b" ")?;
    let mut digits = Vec::new();
    for byte in played.script.to_bytes() {
        write!(digits, "{byte:02x}")?;
    }
    digits.push(b'\n');
    out.write_all(&digits)
}

/// Reads a recording. A last line that was cut short, by an end without warning, is left out.
///
/// # Errors
/// It is none, or cannot be read.
pub fn read(input: impl BufRead) -> Result<Vec<Played>, RecordError> {
    let mut lines = input.lines().enumerate().peekable();
    let head = lines.next().map(|(_, line)| line).transpose()?;
    if head.as_deref() != Some(HEAD) {
        return Err(RecordError::Head);
    }
    let mut scripts = Vec::new();
    while let Some((index, line)) = lines.next() {
        match played(&line?) {
            Some(played) => scripts.push(played),
            None if lines.peek().is_none() => {}
            None => return Err(RecordError::Line(index + 1)),
        }
    }
    Ok(scripts)
}

fn played(line: &str) -> Option<Played> {
    let (name, digits) = line.split_once(' ')?;
    let name: [u8; TOKEN.len()] = name.as_bytes().try_into().ok()?;
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let script = Script::from_bytes(&bytes?);
    Some(Played { script, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Mix;

    #[test]
    fn what_is_recorded_is_read_again() {
        let scripts: Vec<_> = (0..20)
            .map(|seed| Played {
                script: Script::from_seed(seed, &Mix::default()),
                name: *b"f0000z",
            })
            .collect();
        let mut file = Vec::new();
        begin(&mut file).unwrap();
        for script in &scripts {
            write(script, &mut file).unwrap();
        }
        assert_eq!(read(&file[..]).unwrap(), scripts);
        // The last line may be cut short.
        let cut = read(&file[..file.len() - 2]).unwrap();
        assert!(cut.len() >= scripts.len() - 1);
    }

    #[test]
    fn what_is_no_recording_is_told_so() {
        let error = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
        assert!(error("").contains("no recording"));
        assert!(error("title: x\n").contains("no recording"));
        let wrong = format!("{HEAD}\nf00000 00\nf00001 0g\nf00002 00\n");
        assert!(error(&wrong).starts_with("line 3 is no script"));
    }
}
