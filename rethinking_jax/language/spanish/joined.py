"""Short ways to join numbers and names, which stand in many texts, in Spanish."""

PHRASES = {
    "{least:g} to {most:g}": "{least} a {most}",
    "{mean:g} ({least:g} to {most:g})": "{mean} ({least} a {most})",
    "{n:,} of {total:,}": "{n} de {total}",
    "{one} against {other}": "{one} frente a {other}",
    "{one} and {other}": "{one} y {other}",
    "{one} to {other}": "{one} a {other}",
    "{one} or {other}": "{one} o {other}",
    "{one} on {other}": "{one} con {other}",
}
