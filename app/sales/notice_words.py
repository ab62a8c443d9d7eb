"""A notice in words: what a phone's screen, a mail or a chat shows of it, in English or Spanish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_ENGLISH: Mapping[str, tuple[str, str]] = {
    "hot_lead": ("Hot lead on the line", "{who} is talking to us now.{chance} Listen in or take the call."),
    "call_back": ("Call-back due", "{who} asked to be called back. It is time."),
    "provider_down": ("Provider down: {provider}", "{provider} does not answer ({stage}). Calls go to the next one."),
    "budget": ("{percent} % of this month's budget", "{usd} of {budget_usd} USD are spent."),
    "drift": ("A model needs a look", "{subject} is not as it was when the model learned ({alert})."),
    "campaign_stopped": (
        "Campaign stopped: {campaign}",
        "{abandoned} of {answered} answered calls in 30 days were abandoned. It goes on when somebody says so.",
    ),
    "limit": ("A limit is reached", "{cap}: nothing more goes out until there is room again."),
    "test": ("It works", "This is a test from Strowger."),
}
_SPANISH: Mapping[str, tuple[str, str]] = {
    "hot_lead": ("Contacto caliente en línea", "{who} habla con nosotros ahora.{chance} Escuche o tome la llamada."),
    "call_back": ("Toca devolver una llamada", "{who} pidió que le llamaran. Es la hora."),
    "provider_down": (
        "Proveedor caído: {provider}",
        "{provider} no responde ({stage}). Las llamadas van al siguiente.",
    ),
    "budget": ("{percent} % del presupuesto del mes", "Se han gastado {usd} de {budget_usd} USD."),
    "drift": ("Un modelo necesita atención", "{subject} no es como cuando el modelo aprendió ({alert})."),
    "campaign_stopped": (
        "Campaña detenida: {campaign}",
        "Se abandonaron {abandoned} de {answered} llamadas atendidas en 30 días. Seguirá cuando alguien lo diga.",
    ),
    "limit": ("Se ha alcanzado un límite", "{cap}: no sale nada más hasta que vuelva a haber margen."),
    "test": ("Funciona", "Esto es una prueba de Strowger."),
}
_WORDS = {"en": _ENGLISH, "es": _SPANISH}
_FIELDS = (
    "provider", "stage", "percent", "usd", "budget_usd", "subject", "alert", "campaign", "abandoned", "answered", "cap",
)  # fmt: skip
_NOBODY = {"en": "Somebody", "es": "Alguien"}
_CHANCE = {"en": " {0} % likely to buy.", "es": " Comprará con un {0} %."}
_CAPS = {
    "en": {
        "minute": "Calls a minute",
        "hour": "Calls an hour",
        "day": "Calls a day",
        "messages": "Messages a day",
        "spend": "USD a day",
    },
    "es": {
        "minute": "Llamadas por minuto",
        "hour": "Llamadas por hora",
        "day": "Llamadas al día",
        "messages": "Mensajes al día",
        "spend": "USD al día",
    },
}
MOST = 120  # letters of a person's name: nobody's name may fill a screen


@dataclass(frozen=True, slots=True)
class Words:
    """`path` is where to look in the dashboard."""

    title: str
    text: str
    path: str


def words(
    kind: str, about: Mapping[str, str], locale: str, *, who: str | None = None, call_sid: str | None = None,
    lead_id: str | None = None,
) -> Words:  # fmt: skip
    """`who` is the person's name or how their number ends; control characters in it are dropped."""
    language = locale if locale in _WORDS else "en"
    title, text = _WORDS[language].get(kind, _WORDS[language]["test"])
    filled = dict.fromkeys(_FIELDS, "")
    filled |= {name: plain(value) for name, value in about.items()}
    filled["who"] = plain(who or "") or _NOBODY[language]
    filled["cap"] = _CAPS[language].get(filled["cap"], filled["cap"])
    probability = about.get("probability")
    filled["chance"] = _CHANCE[language].format(round(100 * float(probability))) if probability else ""
    return Words(title.format_map(filled), text.format_map(filled), path_of(kind, call_sid, lead_id))


def path_of(kind: str, call_sid: str | None, lead_id: str | None) -> str:
    match kind:
        case "hot_lead":
            return "/"
        case "call_back" if lead_id is not None:
            return f"/leads/{lead_id}"
        case "call_back" if call_sid is not None:
            return f"/calls/{call_sid}"
        case "budget":
            return "/reports"
        case "drift":
            return "/models"
        case "campaign_stopped":
            return "/campaigns"
        case "limit":
            return "/settings/limits"
    return "/settings/notifications"


def plain(text: str) -> str:
    """One line of printable letters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:MOST]


def for_slack(text: str) -> str:
    """What a person typed means itself, and is no link, mention or channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
