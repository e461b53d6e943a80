//! What can be asked of the target and of clients: `<target.user>`, `<a.id>`, `<a.connack.receive_maximum>`.

use codec::PacketType;
use codec::draft;

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// What a target's profile tells scenarios.
const TARGET: [&str; 7] = [
    "target.user",
    "target.password",
    "target.auth.method",
    "target.refused_client_id",
    "target.refused_topic",
    "auth.first",
    "auth.wrong",
];

/// What is wrong with a member of `target` or `auth`, if anything.
pub(super) fn of_the_target(path: &[String], span: Span) -> Option<Diagnostic> {
    let joined = path.join(".");
    (!TARGET.contains(&joined.as_str())).then(|| {
        Diagnostic::error(span, format!("`<{joined}>` is not known")).suggest(&joined, TARGET)
    })
}

/// What is wrong with a member of a client, if anything: `id`, a field of its CONNECT, or `connack.FIELD`.
pub(super) fn of_a_client(path: &[String], span: Span) -> Option<Diagnostic> {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match names[..] {
        ["id"] => None,
        [field] if fields(PacketType::Connect).any(|name| name == field) => None,
        ["connack", field] => {
            let known = || fields(PacketType::Connack);
            (!known().any(|name| name == field)).then(|| {
                Diagnostic::error(span, format!("CONNACK has no field `{field}`"))
                    .suggest(field, known())
            })
        }
        _ => {
            let joined = names.join(".");
            let known = fields(PacketType::Connect).chain(["id", "connack"]);
            Some(
                Diagnostic::error(span, format!("nothing of a client is called `{joined}`"))
                    .help("known are `id`, the fields of its CONNECT, and `connack.FIELD`")
                    .suggest_only(&joined, known),
            )
        }
    }
}

fn fields(packet_type: PacketType) -> impl Iterator<Item = &'static str> {
    draft::fields(packet_type).iter().map(|spec| spec.name)
}
