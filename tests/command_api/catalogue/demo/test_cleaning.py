"""Demo catalogue: its titles and casts are clean, and stay the same movies."""

import gzip
import json
import re

import pytest

from command_api.catalogue.demo import __main__ as script
from command_api.catalogue.demo.cleaning import clean_cast, clean_title
from command_api.catalogue.demo.lines import DEMO, read_lines, write_lines
from infra.platform.processes import HOME

REFERENCE = HOME.parent / "shared" / "data" / "catalogue.jsonl.gz"
FRACTION_STYLE = (
    ".mw-parser-output .frac{white-space:nowrap}.mw-parser-output .frac .num,.mw-parser-output"
    " .frac .den{font-size:80%;line-height:0;vertical-align:super}"
)


@pytest.fixture(scope="module")
def shipped():
    return read_lines(DEMO)


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        (
            f"Naked Gun {FRACTION_STYLE}33+1\u20443: The Final Insult",
            "Naked Gun 33\u2153: The Final Insult",
        ),
        (f"The Film{FRACTION_STYLE} of Sums", "The Film of Sums"),
        ("Apollo 10 1\u20442: A Space Age Childhood", "Apollo 10\u00bd: A Space Age Childhood"),
        ("Two + 1\u20447", "Two + 1\u20447"),
        ("The Cord of Life[1]", "The Cord of Life"),
        ("Goonies, The", "The Goonies"),
        ("Article 47, L'[2]", "L'Article 47"),
        ("Fly by Night\u00a0[fr]", "Fly by Night"),
        ("The Raven [note 3]", "The Raven"),
        ("Jaws [citation needed] 2", "Jaws 2"),
        ("[REC]", "[REC]"),
        ("<i>Alien</i><ref name='a'/>", "Alien"),
        ("Me &amp; You", "Me & You"),
        ("[[Heat (1995 film)|Heat]]", "Heat"),
        ("''Heat''", "Heat"),
        ("{{small|x}} Heat", "Heat"),
        ("An Enemy to the King (film)", "An Enemy to the King"),
        ("The Perils of Pauline (1933 serial)", "The Perils of Pauline"),
        ("Arrival of Prince Henry (of Prussia) (1902)", "Arrival of Prince Henry (of Prussia)"),
        ("He\u200bat\u202e \t 2", "Heat 2"),
        ("Falcon and the Snowman, The[2]", "The Falcon and the Snowman"),
        ("Good, Bad, I and Ugly", "Good, Bad, I and Ugly"),
        ("The Boat That Rocked aka Pirate Radio", "The Boat That Rocked"),
        ("Baby Puss (Tom and Jerry)", "Baby Puss"),
        ("Reserved for Ladies (UK as Service for Ladies)", "Reserved for Ladies"),
        ("Donnie Darko (Director's Cut) (re-release)", "Donnie Darko (Director's Cut)"),
        ("Sponge on the Run (Canadian theatrical release)", "Sponge on the Run"),
        ("aka Heat", "aka Heat"),
        ("(Untitled)", "(Untitled)"),
        ("(500) Days of Summer", "(500) Days of Summer"),
        ("'Til There Was You", "'Til There Was You"),
        ("Everything About Sex* (*But Were Afraid to Ask)",) * 2,
        ("9\u00bd Weeks", "9\u00bd Weeks"),
        ("[1]", "[1]"),
    ],
)
def test_title_is_freed_of_markup_footnotes_and_page_names(title, clean):
    assert clean_title(title, 1902) == clean
    assert clean_title(clean, 1902) == clean


@pytest.mark.parametrize(
    ("cast", "clean"),
    [
        (["Walter Huston", "(", "Best Actor", "nominee)", "Ruth Chatterton"], "Huston, Chatterton"),
        (["Paul Muni", "(", "Academy Award for Best Actor", ")"], "Muni"),
        (["Betty Nansen", "and", "Edward Jos\u00e9"], "Nansen, Jos\u00e9"),
        (["Voices of", "Mel Blanc"], "Blanc"),
        (["(voices of)", "Judy Garland", "(voices)"], "Garland"),
        (["Narrated by", "Cedric Smith", "Archive footage of", "Jack Ruby"], "Smith, Ruby"),
        (["Dir.: Olexa Hewryk (", "WordWorld", ")"], "WordWorld"),
        (["Cast:", "Tony Jaa", "."], "Jaa"),
        (["Harry Carter (actor)", "Alois Havrilla (narrator)"], "Carter, Havrilla"),
        (
            ["Brian Sieve (writer)", "screenwriter)", "Matt Harris (screenpaly)", "Ed Burns"],
            "Burns",
        ),
        (["Mildred Burke", "(as herself)", "[a]", "Duke[2]"], "Burke, Duke"),
        (["Katherine MacDonald]]", "[[Al Pacino|Pacino]]"], "MacDonald, Pacino"),
        (["Duke Ellington", "and orchestra", "and Ateesh Randev"], "Ellington, Randev"),
        (["the life of", "Kurt Gerron", "stand-up comedy"], "Gerron"),
        ([". Caroline Martin", "Cuba Gooding  Jr."], "Martin, Jr."),
        (["Al Pacino", "Al Pacino"], "Pacino"),
        (["?", "\u2026", ""], ""),
        (["will.i.am", "muMs da Schemer", "X", "50 Cent"], "will.i.am, Schemer, X, Cent"),
        (["The Who", "Jung Woong-in", "Dave (Tex) O'Brien"], "Who, Woong-in, O'Brien"),
        (["Stills & Nash", "James Best", "DJ Clue?"], "Nash, Best, Clue?"),
        (["GNU", "Linux", "Eric S. Raymond"], "Raymond"),
        (["Truth and Reconciliation Commission", "Apartheid", "South Africa"], ""),
        (["Tom Neal", "The Miracle Kid", "Various cameos", "Britain's Got Talent"], "Neal"),
    ],
)
def test_cast_keeps_names_only(cast, clean):
    names = clean_cast(cast)
    assert ", ".join(name.split()[-1] for name in names) == clean
    assert clean_cast(names) == names


@pytest.mark.parametrize(
    ("cast", "clean"),
    [
        (
            ["Robert Downey, Jr.", "Efrem Zimbalist Jr"],
            ["Robert Downey Jr.", "Efrem Zimbalist Jr."],
        ),
        (["Noah Beery", "Sr.", "Anna May Wong"], ["Noah Beery Sr.", "Anna May Wong"]),
        (["Santana", "Crosby", "Stills & Nash"], ["Santana", "Crosby, Stills & Nash"]),
        (["Dami\u00e1n Alc\u00e1zar", "Damian Alcazar"], ["Dami\u00e1n Alc\u00e1zar"]),
        (["H.B. Warner", "H. B. Warner", "R.E.M.", "Storm P."],) * 2,
        (["Jude Law.", "Vincent D\u2019Onofrio"], ["Jude Law", "Vincent D'Onofrio"]),
        (["Chris \u201cLudacris\u201d Bridges"], ['Chris "Ludacris" Bridges']),
    ],
)
def test_name_is_whole_and_in_one_spelling(cast, clean):
    assert list(clean_cast(cast)) == clean
    assert list(clean_cast(clean)) == clean


def test_shipped_catalogue_is_clean(shipped):
    """By signs of its own, and by the script's rules."""
    dirt = re.compile(
        r"[{}<>|]|\[\w{1,3}\]|&\w+;|mw-parser|[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e]|\s\s"
    )
    assert [line for line in shipped if dirt.search(line["title"])] == []
    assert [line for line in shipped if re.search(r", (The|An?|L')\Z", line["title"])] == []
    no_name = re.compile(
        r"[\[\]{}<>|\x00-\x1f\u200b-\u200f\u202a-\u202e]|\s\s|\A[\s(.,;:?&-]|\A\W*\Z|:\Z"
    )
    labels = {"and", "with", "of", "voices of", "narrated by", "the", "best actor", "unknown"}
    labels |= {"linux", "south africa", "holocaust", "motogp", "sr.", "jr.", "action"}
    assert [
        (line["id"], name)
        for line in shipped
        for name in line["cast"]
        if no_name.search(name) or name.casefold() in labels or name.count("(") != name.count(")")
    ] == []
    assert script.clean(DEMO, is_check=True) == 0


def test_shipped_catalogue_kept_its_ids(shipped):
    assert [line["id"] for line in shipped] == list(range(1, 36_274))
    titles = {line["id"]: line["title"] for line in shipped}
    assert titles[28469] == "Naked Gun 33\u2153: The Final Insult"
    assert titles[25] == "An Affair of Honor"


def test_shipped_catalogue_has_all_repairs_of_the_reference(shipped):
    if not REFERENCE.is_file():
        pytest.skip(f"no reference catalogue at {REFERENCE}")
    repaired = {line["id"]: line for line in read_lines(REFERENCE)}
    for line in shipped:
        reference = repaired[line["id"]]
        assert line["title"] == clean_title(reference["title"], line["year"])
        assert line["cast"] == list(clean_cast(reference["cast"]))
        for field in ("year", "genres", "wikipedia"):
            assert line[field] == reference[field]


def test_cleaning_a_file_reports_each_change_once(tmp_path, capsys):
    path = tmp_path / "catalogue.jsonl.gz"
    heat = {"id": 7, "title": "Heat[1]", "year": 1995, "cast": ["and", "Al Pacino"], "more": None}
    ronin = {"id": 8, "title": "Ronin", "year": None, "cast": []}
    write_lines([heat, ronin], path)
    before = path.read_bytes()
    assert script.clean(path, is_check=True) == 2
    assert path.read_bytes() == before
    assert script.clean(path, is_check=False) == 2
    assert "7 title: 'Heat[1]' -> 'Heat'" in capsys.readouterr().out
    assert script.clean(path, is_check=False) == 0
    assert [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()] == [
        heat | {"title": "Heat", "cast": ["Al Pacino"]},
        ronin,
    ]
