"""Reads a playbook: one YAML file that says who we are, what we ask, what we answer and what we promise.

`parse` is the only way in. It checks everything a call could stumble over, and lists all faults at once, with lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.dialog import phrases, transfer, voice
from app.dialog.nodes import Faults, Fields, compose
from app.dialog.reception import Strategy
from app.dialog.script import (
    DISCLOSURES,
    FACT_TYPES,
    GOALS,
    NEXT_ACTIONS,
    NO_PROMPT,
    OCCASIONS,
    TARGETS,
    Answer,
    Appointment,
    Business,
    Callback,
    Choice,
    Closing,
    Fit,
    Lines,
    Machines,
    Menu,
    Message,
    Offer,
    OpeningLine,
    Playbook,
    Prompt,
    WantedFact,
    WhatsApp,
)

__all__ = ["Playbook", "parse"]

MESSAGE_GAPS = ("facts", "slot", "callback", "offer", "price", "business", "phone", "missing")
CONFIRM_SPELLED = "I have {spelled}. Is that right?"
KEYS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
MEANINGS = (
    "interested", "not_interested", "price", "no_time", "call_back_later", "send_info", "already_have",
    "not_decision_maker", "who_is_this", "trust", "question_product", "wrong_number",
)  # fmt: skip


def parse(text: str, name: str) -> Playbook:
    """The playbook in `text`; `name` is the file's name for messages. Raises BadPlaybook that lists every fault."""
    faults = Faults(name)
    top = Fields(compose(text, name), "the file", faults)
    facts = tuple(_fact(fact_name, fields) for fact_name, fields in top.each("facts"))
    opening = top.fields("opening")
    language = top.one_of("language", ("en",), "en")
    book = Playbook(
        name=top.text("playbook"),
        language=language,
        business=_business(top.fields("business")),
        agent=top.text("agent"),
        goals=top.some_of("goals", GOALS),
        inbound=_opening(opening, "inbound"),
        outbound=_opening(opening, "outbound"),
        menu=_menu(top.fields("menu")),
        facts=facts,
        offers=tuple(_offer(offer_name, fields, facts) for offer_name, fields in top.each("offers")),
        answers=_answers(top, "question") + _answers(top, "objection"),
        appointment=_appointment(top.fields("appointment")),
        hours=_hours(top.fields("hours")),
        callback=_callback(top.fields("callback"), facts),
        whatsapp=_whatsapp(top.fields("whatsapp")),
        messages=tuple(_message(message_name, fields, facts) for message_name, fields in top.each("messages")),
        closing=_closing(top.fields("closing")),
        lines=_lines(top.fields("lines"), language),
        machines=_machines(top.fields("machines", needed=False)),
        voice=voice.read(top.fields("voice", needed=False)),
        next_action=top.one_of("next_action", NEXT_ACTIONS, "note"),
    )
    if opening:
        opening.done()
    top.done()
    _check_whole(book, top)
    faults.stop_if_any()
    return book


def _spoken(fields: Fields, key: str, gaps: tuple[str, ...] = (), default: str | None = None) -> str:
    line = fields.text(key, default)
    _check_gaps(fields, key, line, gaps)
    return line


def _spoken_list(fields: Fields, key: str) -> tuple[str, ...]:
    lines = fields.texts(key)
    for line in lines:
        _check_gaps(fields, key, line, ())
    return lines or ("",)


def _check_gaps(fields: Fields, key: str, line: str, known: tuple[str, ...]) -> None:
    for gap in phrases.gaps(line):
        if gap not in known:
            may = f"it may use {', '.join('{' + name + '}' for name in known)}" if known else "it may not use any"
            fields.faults.add(fields.line_of(key), f"unknown placeholder {{{gap}}} in {fields.where}.{key}; {may}.")
    if "{" in (rest := phrases.fill(line, dict.fromkeys(phrases.gaps(line), ""))) or "}" in rest:
        fields.faults.add(fields.line_of(key), f"a brace without its partner in {fields.where}.{key}; write {{name}}.")


def _prompt(fields: Fields, gaps: tuple[str, ...] = ()) -> Prompt:
    return Prompt(_spoken(fields, "ask", gaps), _spoken(fields, "again", gaps), _spoken(fields, "keypad", gaps))


def _business(fields: Fields | None) -> Business:
    if fields is None:
        return Business("", "", "", "", "UTC")
    numbers = {}
    for key in ("phone", "toll_free", "transfer"):
        numbers[key] = number = fields.text(key, "" if key == "transfer" else None)
        if number and not (number.startswith("+") and number[1:].isdecimal() and 8 <= len(number) <= 16):
            fields.faults.add(fields.line_of(key), f'`{key}` must be written like "+12025550100", quotes included.')
    zone = fields.text("timezone")
    try:
        ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        fields.faults.add(
            fields.line_of("timezone"), f"timezone {zone!r} does not exist; write one like America/New_York."
        )
    name, sells = fields.text("name"), fields.text("sells")
    business = Business(name, sells, numbers["phone"], numbers["toll_free"], zone, numbers["transfer"])
    fields.done()
    return business


def _opening(opening: Fields | None, direction: str) -> tuple[OpeningLine, ...]:
    if opening is None:
        return ()
    lines: list[OpeningLine] = []
    told: set[str] = set()
    for fields in opening.items(direction):
        say = _spoken(fields, "say")
        line = OpeningLine(
            say, _spoken(fields, "again", default=say), fields.some_of("discloses", DISCLOSURES, needed=False)
        )
        fields.done()
        lines.append(line)
        told.update(line.discloses)
    for missing in (kind for kind in DISCLOSURES if kind not in told):
        opening.faults.add(
            opening.line_of(direction),
            f"no line of opening.{direction} discloses `{missing}`, which must be said; add it to a line.",
        )
    order = [kind for line in lines for kind in line.discloses]
    if {"identity", "opt_out"} <= told and order.index("opt_out") > order.index("identity") + 2:
        opening.faults.add(
            opening.line_of(direction), f"opening.{direction}: say how to opt out right after who is calling."
        )
    return tuple(lines)


def _choices(fields: Fields, *, menu: bool = False) -> tuple[Choice, ...]:
    found: list[Choice] = []
    for name, choice in fields.each("choices"):
        found.append(
            Choice(
                name=name,
                key=choice.one_of("key", KEYS),
                examples=tuple(example.lower() for example in choice.texts("examples")),
                reply=_spoken(choice, "reply", default=""),
                ends=choice.flag("ends", False),
                goes_to=choice.one_of("goes_to", TARGETS) if menu else "",
            )
        )
        choice.done()
        if [other.key for other in found].count(found[-1].key) > 1:
            fields.faults.add(
                choice.line_of("key"), f"key {found[-1].key} is used twice in {fields.where}; choose another."
            )
    if len(found) == 1:
        fields.faults.add(fields.line_of("choices"), f"{fields.where} has one choice only; a question needs two.")
    return tuple(found)


def _menu(fields: Fields | None) -> Menu:
    if fields is None:
        return Menu(NO_PROMPT, ())
    menu = Menu(_prompt(fields), _choices(fields, menu=True))
    fields.done()
    targets = {choice.goes_to: choice.key for choice in menu.choices}
    for target in ("sales", "human", "opt_out"):
        if target not in targets:
            fields.faults.add(fields.line_of("choices"), f"no choice of the menu has `goes_to: {target}`; add one.")
    for target, key in (("opt_out", "9"), ("human", "0")):
        if menu.choices and not any(choice.goes_to == target and choice.key == key for choice in menu.choices):
            fields.faults.add(
                fields.line_of("choices"), f"key {key} must lead to `{target}`: it does so everywhere else in a call."
            )
    return menu


def _fact(name: str, fields: Fields) -> WantedFact:
    kind = fields.one_of("type", FACT_TYPES)
    confirm = ""
    if kind == "digits":
        confirm = _spoken(fields, "confirm", ("digits",))
    elif kind in ("name", "email"):
        confirm = _spoken(fields, "confirm", ("spelled",), CONFIRM_SPELLED if kind == "email" else "")
    fact = WantedFact(
        name=name,
        type=kind,
        prompt=_prompt(fields),
        choices=_choices(fields) if kind == "choice" else (),
        cues=fields.texts("cues", needed=False),
        examples=tuple(example.lower() for example in fields.texts("examples", needed=False)),
        between=fields.pair("between", (0, 1_000_000)) if kind == "number" else (0, 1_000_000),
        length=int(fields.number("length")) if kind == "digits" else 0,
        confirm=confirm,
    )
    fields.text("unit", "")
    fields.done()
    if kind == "digits" and not 1 <= fact.length <= 12:
        fields.faults.add(fields.line_of("length"), f"`length` in {fields.where} must be 1 to 12 digits.")
    return fact


def _offer(name: str, fields: Fields, facts: tuple[WantedFact, ...]) -> Offer:
    offer = Offer(name, fields.text("title"), fields.number("price"), _spoken(fields, "say"), _fits(fields, facts))
    fields.done()
    return offer


def _fits(fields: Fields, facts: tuple[WantedFact, ...]) -> tuple[Fit, ...]:
    known, found = {fact.name: fact for fact in facts}, []
    for name, condition in fields.each("fits", needed=False):
        if name not in known:
            fields.faults.add(condition.line, f"{fields.where}.fits asks for the fact {name!r}, which no one asks for.")
        fit = Fit(
            name,
            below=condition.number("below") if condition.has("below") else None,
            at_least=condition.number("from") if condition.has("from") else None,
            equal=condition.text("is") if condition.has("is") else None,
        )
        condition.done()
        if name in known and fit.equal is None and known[name].type != "number":
            fields.faults.add(condition.line, f"{condition.where}: {name} is not a number; write `is: CHOICE`.")
        found.append(fit)
    return tuple(found)


def _answers(top: Fields, kind: str) -> tuple[Answer, ...]:
    found = []
    for name, fields in top.each(f"{kind}s"):
        found.append(
            Answer(
                name=name,
                kind=kind,
                say=_spoken(fields, "answer" if kind == "question" else "response"),
                examples=tuple(example.lower() for example in fields.texts("examples")),
                means=fields.some_of("means", MEANINGS, needed=False),
                shows_interest=kind == "question" and fields.flag("shows_interest", True),
                closes_when_repeated=kind == "objection" and fields.flag("closes_when_repeated", False),
            )
        )
        fields.done()
        if 0 < len(found[-1].examples) < 3:
            fields.faults.add(
                fields.line_of("examples"), f"{fields.where} needs at least three examples to be recognised; add some."
            )
    return tuple(found)


def _appointment(fields: Fields | None) -> Appointment:
    if fields is None:
        return Appointment(NO_PROMPT, "", "", "", "", 1, ())
    slots: list[tuple[int, time]] = []
    offered = fields.fields("slots")
    if offered:
        for day, weekday in enumerate(phrases.WEEKDAYS):
            for at in offered.times(weekday):
                if at.minute % 15:
                    fields.faults.add(offered.line_of(weekday), f"{at:%H:%M} can not be spoken; use quarter hours.")
                else:
                    slots.append((day, at))
        offered.done()
        if len(slots) < 2:
            fields.faults.add(offered.line, "appointment.slots needs at least two times to choose from.")
    two = ("first", "second")
    visit = Appointment(
        prompt=_prompt(fields, two),
        other=_spoken(fields, "other", two),
        none_fit=_spoken(fields, "none_fit"),
        confirm=_spoken(fields, "confirm", ("slot",)),
        declined=_spoken(fields, "declined"),
        days_ahead=int(fields.number("days_ahead", 1)),
        slots=tuple(slots),
    )
    fields.done()
    return visit


def _hours(fields: Fields | None) -> tuple[tuple[int, time, time], ...]:
    found = []
    for day, weekday in enumerate(phrases.WEEKDAYS) if fields else ():
        assert fields is not None
        if not (open_and_shut := fields.times(weekday)):
            continue
        if len(open_and_shut) != 2 or open_and_shut[0] >= open_and_shut[1]:
            fields.faults.add(
                fields.line_of(weekday), f'hours.{weekday} must be opening and closing, like ["09:00", "18:00"].'
            )
        else:
            found.append((day, *open_and_shut))
    if fields:
        fields.done()
    return tuple((day, times[0], times[1]) for day, *times in found)


def _callback(fields: Fields | None, facts: Sequence[WantedFact]) -> Callback:
    if fields is None:
        return Callback(NO_PROMPT, "", ())
    prepare = fields.some_of("prepare", [fact.name for fact in facts], needed=False)
    callback = Callback(_prompt(fields), _spoken(fields, "promise"), _choices(fields), prepare)
    fields.done()
    return callback


def _whatsapp(fields: Fields | None) -> WhatsApp:
    if fields is None:
        return WhatsApp(NO_PROMPT, "", "")
    whatsapp = WhatsApp(_prompt(fields), _spoken(fields, "yes"), _spoken(fields, "no"))
    fields.done()
    return whatsapp


def _closing(fields: Fields | None) -> Closing:
    if fields is None:
        return Closing(NO_PROMPT, "", "")
    closing = Closing(_prompt(fields), _spoken(fields, "go_on"), _spoken(fields, "goodbye"))
    fields.done()
    return closing


def _message(name: str, fields: Fields, facts: tuple[WantedFact, ...]) -> Message:
    gaps = (*MESSAGE_GAPS, *(fact.name for fact in facts))
    message = Message(name, fields.one_of("when", OCCASIONS), _spoken(fields, "text", gaps))
    fields.done()
    return message


def _machines(fields: Fields | None) -> Machines:
    """Without the section, or a line of it, we hang up on machines."""
    if fields is None:
        return Machines()
    ivr = fields.one_of("ivr", ("hang_up", "press_key"), "hang_up")
    key = fields.one_of("key", KEYS, "") if fields.has("key") else ""
    screening = fields.one_of("screening", ("hang_up", "say_who"), "hang_up")
    voicemail = fields.one_of("voicemail", ("hang_up", "leave_message"), "hang_up")
    who = _spoken(fields, "who", default="" if screening == "hang_up" else None)
    if ivr == "press_key" and not key:
        fields.faults.add(fields.line_of("ivr"), 'machines.ivr is press_key, so `key` must say which: key: "0".')
    fields.done()
    return Machines(Strategy(voicemail, ivr, key, screening), who)


def _lines(fields: Fields | None, language: str) -> Lines:
    if fields is None:
        fields = Fields(compose("{}", "lines"), "lines", Faults("lines"))
    several = {key: _spoken_list(fields, key) for key in ("acknowledge", "unclear", "silence", "filler")}
    names = (
        "corrected", "move_on", "robot", "opted_out", "recording_refused", "respect", "no_answer", "before_we_go_on",
        "voicemail", "wrong_number", "outage", "silence_goodbye", "limit_goodbye",
    )  # fmt: skip
    one = {key: _spoken(fields, key) for key in names}
    one["so_far"] = _spoken(fields, "so_far", ("digits",), "I have {digits} so far. Please go on.")
    one["opt_out_question"] = _spoken(fields, "opt_out_question", (), "")
    of_transfer = ("transfer_offer", "transferring", "transfer_failed")
    for key, default in zip(of_transfer, transfer.defaults(language), strict=True):
        one[key] = _spoken(fields, key, (), default)
    one["in_writing"] = _spoken(fields, "in_writing", (), "Let us do that in writing.")
    several["thinking"] = fields.texts("thinking", needed=False)
    for line in several["thinking"]:
        _check_gaps(fields, "thinking", line, ())
    fields.done()
    return Lines(**several, **one)  # type: ignore[arg-type]  # mypy cannot know which keys hold tuples


def _check_whole(book: Playbook, top: Fields) -> None:
    """What only the whole file can show."""
    openings = {day: (opens, shuts) for day, opens, shuts in book.hours}
    for day, at in book.appointment.slots:
        opens, shuts = openings.get(day, (time(0), time(0)))
        if not opens <= at < shuts:
            what = f"appointment on {phrases.WEEKDAYS[day]} at {at:%H:%M} is outside of `hours`; move it or open then."
            top.faults.add(top.line_of("appointment"), what)
    if book.whatsapp.prompt.ask and book.business.name not in book.whatsapp.prompt.ask:
        what = f"whatsapp.ask must name {book.business.name!r}: consent counts only for a sender the caller was told."
        top.faults.add(top.line_of("whatsapp"), what)
    if book.lines.robot and not any(word in book.lines.robot.lower() for word in ("automated", "a.i.", "robot")):
        top.faults.add(top.line_of("lines"), "lines.robot must say plainly that this is an automated assistant.")
