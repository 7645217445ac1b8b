"""The invented names of the league: thirty teams in two conferences, and enough people to play in them."""

TEAMS = (
    ("AMB", "Amberford", "Anvils"), ("BRK", "Brackwater", "Badgers"), ("CIN", "Cinderhill", "Crows"),
    ("DUN", "Dunmere", "Drovers"), ("EAS", "Easterly", "Embers"), ("FAL", "Fallowdale", "Foxes"),
    ("GLA", "Glasswick", "Gulls"), ("HOL", "Holbrook", "Herons"), ("IRO", "Ironmouth", "Ibises"),
    ("JUN", "Juniper Bay", "Jesters"), ("KIN", "Kingsmoor", "Kites"), ("LOW", "Lowhaven", "Lanterns"),
    ("MAR", "Marlstone", "Millers"), ("NOR", "Northgate", "Nomads"), ("OAK", "Oakenfell", "Otters"),
    ("PEN", "Pennyroyal", "Pilots"), ("QUA", "Quarrytown", "Quakes"), ("RED", "Redwater", "Rooks"),
    ("SAL", "Saltmarsh", "Sentries"), ("TAR", "Tarnbridge", "Thistles"), ("UPL", "Upland", "Umbers"),
    ("VAL", "Valecross", "Vultures"), ("WES", "Westering", "Weavers"), ("YAR", "Yarrow", "Yeomen"),
    ("ZEP", "Zephyr Point", "Zeals"), ("ASH", "Ashcombe", "Archers"), ("BLU", "Bluewick", "Bells"),
    ("COP", "Copperdale", "Cobras"), ("DRI", "Driftwood", "Dusters"), ("ELM", "Elmhurst Cove", "Eagles"),
)  # fmt: skip
"""Letters, place and nickname; the first fifteen are one conference, the others the second."""

_FIRST = (
    "Aldo", "Bexley", "Corin", "Dashel", "Évrard", "Fenno", "Gant", "Hollis", "Ivor", "Jory", "Kelso", "Lorne",
    "Mato", "Nevin", "Ossian", "Pell", "Quade", "Rurik", "Søren", "Tavin", "Ulric", "Vesper", "Wend", "Yorick", "Zélan",
)  # fmt: skip
_LAST = (
    "Ashgrove", "Birchwell", "Copperfen", "Duskwater", "Elmscar", "Frostholm", "Gorsefield", "Hawksmere", "Inkwell",
    "Junipero", "Kestrelby", "Larkspire", "Mossgate", "Nettleton", "Oakenshaw", "Pinecroft", "Quillby", "Rookhavić",
    "Stonebeck", "Thornwick", "Umberleigh", "Vetchling", "Willowmark", "Yarrowby", "Žinnerfeld",
)  # fmt: skip

MOST = len(_FIRST) * len(_LAST)
"""How many people can be told apart by name."""

_JUNIOR = 61


def person(number: int) -> str:
    """Return the name of a player, another for each number below `MOST`; a few have an accent or are a Jr."""
    first = _FIRST[number % len(_FIRST)]
    last = _LAST[(number * 7 + number // len(_FIRST)) % len(_LAST)]
    return f"{first} {last} Jr." if number % _JUNIOR == _JUNIOR - 1 else f"{first} {last}"


def team_name(team: int) -> str:
    """Return a team's whole name."""
    return " ".join(TEAMS[team][1:])
