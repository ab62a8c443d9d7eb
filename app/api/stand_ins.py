"""What a playbook has to say while nobody has anything to say, with recordings from the voice pack."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from app.call.setup import PutThrough, ReadyLine, StandIns
from app.dialog import phrases
from app.dialog.moves import Say
from app.dialog.script import Playbook
from app.errors import BadInput
from app.providers.offline import voice_pack
from app.providers.offline.clips import ClipFile


def stand_ins(book: Playbook, pack: ClipFile | None, now: datetime) -> StandIns:
    """A line the pack does not hold is left to text to speech; one the playbook lacks, to the usual words. Who calls
    outside the playbook's hours is offered nobody."""
    usual, lines = StandIns(), book.lines

    def ready(text: str, purpose: str) -> ReadyLine:
        say = Say(phrases.parts(text), purpose)
        return ReadyLine(say, voice_pack.recorded(pack, say.parts) if pack else b"")

    put_through = None
    if book.business.transfer and book.is_open(now.astimezone(ZoneInfo(book.business.timezone))):
        put_through = PutThrough(
            ready(lines.transfer_offer, "transfer_offer"), ready(lines.transferring, "transferring")
        )
    return StandIns(
        acknowledgements=tuple(ready(text, "acknowledge") for text in lines.thinking if text),
        fillers=tuple(ready(text, "filler") for text in lines.filler if text) or usual.fillers,
        again=ready(lines.unclear[0], "stand_in") if lines.unclear[0] else usual.again,
        apology=ready(lines.outage, "stand_in") if lines.outage else usual.apology,
        put_through=put_through,
    )


def open_pack() -> ClipFile | None:
    """None where it is missing: then text to speech has to say everything."""
    try:
        return voice_pack.open_pack()
    except BadInput:
        return None
