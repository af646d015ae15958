"""Sources in words, for a terminal."""

from __future__ import annotations

from allotment.cli.output import Output, ago
from allotment.model.documents import Proof, Source


def audience_words(source: Source) -> str:
    """For whom it is."""
    return "you" if source.audience is None else source.audience.words


def proof_words(source: Source) -> str:
    """What the last proof found, and how long ago."""
    if source.proof is None:
        return "none yet"
    return f"{source.proof.verdict}, {ago(source.proof.at)} ago"


def ending(source: Source) -> str:
    """When revoking ends what was lent."""
    return "" if source.proof is None else source.proof.ending


def state_words(source: Source) -> str:
    """Whether it is enabled, and what whoever uses it should know."""
    words = ["enabled" if source.enabled else "disabled"]
    words += [_accepted(source)] if source.accepted else []
    words += ["users can read its password"] if source.shared else []
    words += ["declared by the settings"] if source.declared else []
    return ", ".join(words)


def _accepted(source: Source) -> str:
    writable = source.proof is not None and bool(source.proof.possible)
    return "its users can write, which was accepted" if writable else "accepted as it is"


def show(out: Output, source: Source) -> None:
    """Say what a source is, and what is proven of it."""
    out.say(
        f"{source.name}: {source.kind_title}, {state_words(source)}; for {audience_words(source)}."
    )
    for name, value in sorted((source.fields or {}).items()):
        out.say(f"  {name} = {value}")
    for name in source.secrets or ():
        out.say(f"  {name} is set")
    _show_proof(out, source)
    if not source.usable and source.obstacle:
        out.say(f"You cannot use it: {source.obstacle}", "yellow")


def _show_proof(out: Output, source: Source) -> None:
    proof = source.proof
    if proof is None:
        out.say("Nothing shows yet that its users cannot write.", "yellow")
    else:
        _show_found(out, source, proof)
        out.say(f"That was tried {ago(proof.at)} ago ({proof.at:%Y-%m-%d %H:%M} UTC).")
        if proof.ending:
            out.say(proof.ending)
    if source.caution:
        out.say(source.caution, "red")


def _show_found(out: Output, source: Source, proof: Proof) -> None:
    if source.proven:
        out.say(f"Its users cannot write: {len(proof.tried)} ways were tried.", "green")
        return
    # What was accepted is said in one sentence, below.
    for possible in () if source.caution else proof.possible:
        out.say(f"Its users can write: {possible}", "red")
    if proof.problem:
        out.say(proof.problem, "yellow")
