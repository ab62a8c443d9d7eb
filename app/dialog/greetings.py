"""What machines say when they answer a telephone, and what people say, in English and Spanish.

Recognisers make mistakes, so a kind is known by any of many short phrases; the first kind in the order below whose
phrase is found counts.
"""

from __future__ import annotations

import re

_NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|zero|\d|star|pound|the)"
_NUMERO = r"(?:el |la )?(?:uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|cero|\d|numeral|asterisco)"

VOICEMAIL, IVR, SCREENING, UNAVAILABLE, HUMAN = "voicemail", "ivr", "screening", "unavailable", "human"

_KINDS: tuple[tuple[str, str], ...] = (
    (
        SCREENING,
        r"\b(?:say|state|record|tell (?:me|us)|leave) your name and (?:the )?(?:reason|why|what)"
        r"|\bname and (?:the )?(?:reason|why you)|\bwho is calling and why|\breason for (?:your call|calling)"
        r"|\b(?:call )?screening|\bsee if (?:this|the) person is available|\bwhy you(?:'re| are) calling"
        r"|\bdiga su nombre|\bmotivo de (?:su|la|tu) llamada|\bpor qué (?:está )?llama",
    ),
    (
        VOICEMAIL,
        r"\bleave (?:(?:me|us|your|a|his|her|my) )?(?:(?:brief|short|detailed|name|and) )*(?:message|name|number)"
        r"|\b(?:after|at|hear) the (?:tone|beep)|\bvoice ?mail|\bmail ?box|\brecord your message|\bget back to you"
        r"|\b(?:can(?:not|'t| not)|unable to|not able to) (?:come to|take|answer|get to) (?:the|your|my)"
        r"|\bnot available (?:to take|at the moment|right now)|\b(?:call|phone) (?:has been|is being) forwarded"
        r"|\breturn your call|\bleave (?:us|me) your"
        r"|\bdej[ae] (?:(?:su|un|tu|el|me) )*(?:mensaje|nombre|recado)"
        r"|\b(?:después|luego) del? (?:la )?(?:tono|señal|bip)"
        r"|\b(?:el|la) (?:tono|señal) (?:deje|grabe)|\bbuzón|\bgrab[ae] su mensaje|\bescuch\w+ (?:el|la) (?:tono|señal)"
        r"|\bno (?:estoy|está|estamos|puedo|podemos|puede|se encuentra) (?:disponible|atender|contestar)"
        r"|\bdeje su",
    ),
    (
        IVR,
        rf"\b(?:press|dial|push) {_NUMBER}\b|\b(?:main menu|menu options|menu has changed|listen carefully)"
        r"|\byour call (?:is|may be) (?:important|recorded|monitored)"
        r"|\byour party's extension|\benter (?:the|your) (?:ext|acc)"
        rf"|\b(?:oprima|presione|marque|pulse) {_NUMERO}\b|\bmenú principal|\bpara español"
        r"|\bsu llamada es (?:muy )?importante",
    ),
    (
        UNAVAILABLE,
        r"\bthe number you(?: have| had|'ve| are trying to)? (?:dial|call|reach)|\b(?:not|no longer) in service"
        r"|\b(?:has been|is) disconnected|\bcannot be completed|\bcan't be completed|\bcheck the number"
        r"|\bnúmero (?:que )?(?:usted )?(?:ha |está )?marc\w+|\bfuera de servicio"
        r"|\bel número no existe|\bno ha sido asignado",
    ),
    (VOICEMAIL, r"\byou(?:'ve| have) reached|\bse ha comunicado con|\bha llamado (?:a|al)\b"),
    (
        HUMAN,
        r"^(?:(?:um|uh|yeah|yes|well) )?(?:hello|hi|hey|yes|yeah|yep|good (?:morning|afternoon|evening))$"
        r"|\bhello hello|\bspeaking$|\bthis is (?:he|she|him|her)\b|\bwho(?:'s| is) (?:this|calling|speaking|that)\b"
        r"|\bcan i help|\bmay i help|\bwho are you|\bhow can i help|\bwhat do you want"
        r"|^(?:hola|bueno|diga|dígame|aló|sí|mande|buenas|buenos días|buenas tardes)"
        r"(?: (?:hola|diga|dígame|sí|bueno))*$"
        r"|\bquién (?:es|habla|llama)\b|\ben qué (?:le|te) puedo",
    ),
)
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _KINDS)
_NOISE = re.compile(r"[^\w' ]+")


def kind_of(text: str) -> str | None:
    """VOICEMAIL, IVR, SCREENING, UNAVAILABLE or HUMAN by what was said so far; None when it could be anybody."""
    said = " ".join(_NOISE.sub(" ", text.lower()).split())
    return next((kind for kind, pattern in _PATTERNS if pattern.search(said)), None)
