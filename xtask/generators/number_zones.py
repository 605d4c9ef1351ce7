"""Writes the time zones in which a telephone number may lie: one line a prefix. A line with lengths is for numbers of so
many digits alone and goes before those without; else the longest prefix that fits counts.

Run from the root of the repository:
`pip install phonenumbers==9.0.43 && python3 xtask/generators/number_zones.py`.
With `--check` nothing is written: what differs from the table is shown, and the exit code is 1. CI does not run it,
because it needs pip and that very version; run it when the version changes, twice a year at the least: area codes come
and go, and so do zones.

The prefixes of places are those of libphonenumber (Apache-2.0). Its patterns say which numbers move about within their
country (mobile and internet telephones, where they have no area code): these have all zones of the country. Numbers
that lie nowhere (freephone, premium and shared rate, numbers that follow a person, pagers, numbers of companies) have no
zone here. Calling code 1 alone names no place either: every number of a place there has an area code.
"""

import difflib
import re._constants as op
import re._parser
import sys
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneMetadata, is_number_type_geographical
from phonenumbers import PhoneNumberType as Type
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

VERSION = "9.0.43"
TABLE = Path("runtime/outbound/src/zones/table.tsv")
NORTH_AMERICA = 1
# Behind the calling code; where a place is not told from nowhere by so many digits, nowhere is the careful answer.
DIGITS_MAX = 3
NOWHERE = ["toll_free", "premium_rate", "shared_cost", "personal_number", "pager", "uan", "voicemail"]
UNKNOWN = "Etc/Unknown"
# Countries whose example of a place begins like numbers that lie nowhere.
TANGLED = {56, 598}


def parsed(regions, kinds):
    described = (getattr(PhoneMetadata.metadata_for_region(region), kind) for region in regions for kind in kinds)
    texts = {kind.national_number_pattern for kind in described if kind is not None}
    return [re._parser.parse(text) for text in sorted(texts - {None, "NA"})]


def takes(chosen, digit):
    kind, value = chosen
    if kind is op.RANGE:
        return value[0] <= ord(digit) <= value[1]
    return kind is op.CATEGORY or value == ord(digit)


def step(pattern, places, prefix):
    """Digits read by this part of a pattern, from each place on; behind the prefix they may be any."""
    for kind, value in pattern:
        if kind in (op.LITERAL, op.IN, op.CATEGORY):
            chosen = value if kind is op.IN else [(kind, value)]
            fits = lambda place: place >= len(prefix) or any(takes(one, prefix[place]) for one in chosen)
            places = {place + 1 for place in places if fits(place)}
        elif kind is op.BRANCH:
            places = set().union(*(step(branch, places, prefix) for branch in value[1]))
        elif kind is op.SUBPATTERN:
            places = step(value[-1], places, prefix)
        elif kind is op.MAX_REPEAT:
            least, most, repeated = value
            found = set()
            for times in range(most + 1):
                found |= places if times >= least else set()
                places = step(repeated, places, prefix)
            places = found
        else:
            sys.exit(f"a pattern with {kind} is not understood")
    return places


def lengths(patterns, prefix):
    """Digits behind the calling code that the numbers of some patterns may have when they begin so."""
    ends = set().union(*(step(pattern, {0}, prefix) for pattern in patterns))
    return {end for end in ends if end >= len(prefix)}


def exceptions(code, regions):
    """Prefixes that are not those of a place, with the lengths if it depends on them, and whether such numbers move
    about in the country."""
    is_bound = is_number_type_geographical(Type.MOBILE, code)
    kinds = ["fixed_line", "mobile"] if is_bound else ["fixed_line"]
    places, moving, nowhere = (
        parsed(regions, kinds) for kinds in (kinds, ["voip"] if is_bound else ["mobile", "voip"], NOWHERE)
    )
    open_prefixes = [str(digit) for digit in range(10)]
    while open_prefixes:
        prefix = open_prefixes.pop()
        lie, move, lost = (lengths(known, prefix) for known in (places, moving, nowhere))
        if (lie & move or lie & lost or move & lost) and len(prefix) < DIGITS_MAX:
            open_prefixes += [f"{prefix}{digit}" for digit in range(10)]
            continue
        for found, moves in ((lost, False), (move - lost, True)):
            alone = found == lie | move | lost
            if found:
                yield f"{code}{prefix}", () if alone else tuple(sorted(len(str(code)) + length for length in found)), moves


def zones_of(table, number):
    fitting = [number[:length] for length in range(len(number), 0, -1)]
    exact = (zones for prefix in fitting for size, zones in table.get(prefix, {}).items() if len(number) in size)
    general = (table[prefix][()] for prefix in fitting if () in table.get(prefix, {}))
    return next(exact, next(general, ()))


def made():
    """Prefix → lengths → zones; without lengths for all that have none of their own."""
    table = {prefix: {(): tuple(sorted(set(zones) - {UNKNOWN}))} for prefix, zones in TIMEZONE_DATA.items()}
    del table[str(NORTH_AMERICA)]
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if code == NORTH_AMERICA or regions == ("001",):
            continue
        country = table.get(str(code), {}).get((), ())
        for prefix, sizes, moves in exceptions(code, regions):
            if not sizes:
                for longer in [known for known in table if known.startswith(prefix)]:
                    del table[longer]
            table.setdefault(prefix, {})[sizes] = country if moves else ()
    return shortened(table)


def shortened(table):
    """Without what a shorter prefix says as well, and ten lines that say the same as one."""
    for prefix in sorted(table, key=len, reverse=True):
        siblings = [f"{prefix[:-1]}{digit}" for digit in range(10)]
        said = [table.get(sibling) for sibling in siblings]
        if prefix[-1] == "0" and all(one == said[0] for one in said) and prefix[:-1] not in table:
            table[prefix[:-1]] = said[0]
            for sibling in siblings:
                del table[sibling]
    for prefix in sorted(table, key=len, reverse=True):
        if list(table[prefix]) == [()]:
            zones = table.pop(prefix)
            if zones[()] != zones_of(table, prefix):
                table[prefix] = zones
    return table


def disagreements(table):
    """Examples of every country that the library itself puts elsewhere."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (Type.FIXED_LINE, Type.MOBILE, Type.TOLL_FREE, Type.PREMIUM_RATE, Type.UAN):
            number = phonenumbers.example_number_for_type(region, kind)
            is_plain = number is not None and number.country_code != NORTH_AMERICA
            if not is_plain or phonenumbers.number_type(number) not in (kind, Type.FIXED_LINE_OR_MOBILE):
                continue
            digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
            ours = set(zones_of(table, digits))
            theirs = set(time_zones_for_number(number)) - {UNKNOWN}
            wanted = theirs if kind in (Type.FIXED_LINE, Type.MOBILE) else set()
            # More zones than the library gives are only more careful.
            is_careful = wanted <= ours if ours else number.country_code in TANGLED
            if ours != wanted and not (wanted and is_careful):
                yield f"{region} {digits}: {sorted(ours)}, and the library says {sorted(wanted)}\n"


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit("usage: python3 xtask/generators/number_zones.py [--check]")
    if phonenumbers.__version__ != VERSION:
        sys.exit(f"phonenumbers {phonenumbers.__version__} is installed, and {VERSION} is wanted")
    table = made()
    wrong = "".join(disagreements(table))
    if wrong:
        sys.exit(f"the table is not what the library says:\n{wrong}")
    head = "# time zones of telephone numbers by prefix; without a zone: numbers that lie nowhere; then their lengths\n"
    head += f"# source: phonenumbers {VERSION} (PyPI), by xtask/generators/number_zones.py\n"
    lines = (
        "\t".join([prefix, " ".join(zones), *([" ".join(map(str, sizes))] if sizes else [])]) + "\n"
        for prefix in sorted(table)
        for sizes, zones in sorted(table[prefix].items())
    )
    text = head + "".join(lines)
    if not arguments:
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        TABLE.write_text(text, encoding="utf-8")
        return 0
    kept = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    lines = (words.splitlines(keepends=True) for words in (kept, text))
    differences = "".join(difflib.unified_diff(*lines, fromfile=str(TABLE), tofile="made anew"))
    sys.stdout.write(differences)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
