"""Articles of titles: ``Usual Suspects, The`` is ``The Usual Suspects``."""

import re

_ARTICLES = (
    *("Le", "La", "Les", "L'", "L\u2019", "L\u00b4", "L`", "Un", "Une", "Des"),  # French
    *("El", "Los", "Las", "Lo", "Una", "Unos", "Unas"),  # Spanish
    *("Il", "I", "Gli", "Gl'", "Uno", "Un'", "Un\u2019"),  # Italian
    *("O", "Os", "As", "Um", "Uma", "Uns", "Umas"),  # Portuguese
    *("Els", "Es"),  # Catalan
    *("Der", "Die", "Das", "Den", "Dem", "Ein", "Eine", "Einen", "Einer"),  # German
    *("De", "Het", "Een", "'t", "\u2019t"),  # Dutch
    *("Det", "En", "Et", "Ett", "Ei"),  # the Scandinavian languages
    *("Az", "Egy"),  # Hungarian
    *("To", "Ta", "Oi"),  # Greek
    *("Ang", "Mga"),  # Filipino
    *("Al-", "El-", "Ha-"),  # Arabic and Hebrew
)
_ARTICLE = re.compile(
    r"\A(?P<rest>.+?)\s*,\s*(?P<article>(?i:the|an?)"  # case tells the short ones from words
    rf"|{'|'.join(map(re.escape, _ARTICLES))})\Z"
)
_JOINED = ("'", "\u2019", "\u00b4", "`", "-")
"""Ends of articles that take no blank after them."""


def article_first(title: str) -> str:
    """The title with an article at its end moved to the front."""
    split = _ARTICLE.match(title.strip())
    if not split:
        return title.strip()
    article = split["article"]
    return f"{article}{'' if article.endswith(_JOINED) else ' '}{split['rest']}"
