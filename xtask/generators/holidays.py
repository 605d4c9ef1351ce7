"""Writes the holiday tables that `closed holidays "cn"` names: one file a table, one line a day.

Run from the root of the repository:
`pip install holidays==0.109 chinesecalendar==1.11.0 && python3 xtask/generators/holidays.py`.
With `--check` nothing is written: what differs from the tables is shown, and the exit code is 1. CI does not run
it, because it needs pip and those very versions; run it when a version or the years change, each November at the
latest, when China's State Council has published its holidays of the next year.

us and gb go by rule: the days off in the whole country, days observed instead included; `gb-eng` and the like are
the nations of the United Kingdom. cn is what the State Council published: all days of a holiday, weekends in it too,
and the weekend days that are worked in exchange. The year behind the last that is published is left out, since its
days are not known.
"""

import difflib
import sys
from pathlib import Path

sys.path.pop(0)  # this file has the name of the package that it imports
import chinese_calendar
import holidays

RULES = "holidays"
PUBLISHED = "chinesecalendar"
VERSIONS = {RULES: "0.109", PUBLISHED: "1.11.0"}
# Name of the table, country and subdivision (ISO 3166) of the source, title.
BY_RULE = [
    ("gb", "GB", None, "days off in all of the United Kingdom"),
    ("gb-eng", "GB", "ENG", "bank holidays of England"),
    ("gb-nir", "GB", "NIR", "bank holidays of Northern Ireland"),
    ("gb-sct", "GB", "SCT", "bank holidays of Scotland"),
    ("gb-wls", "GB", "WLS", "bank holidays of Wales"),
    ("us", "US", None, "federal holidays of the United States"),
]
FIRST_YEAR = 2024
# Rules change; what is further away than this is no knowledge.
LAST_YEAR_BY_RULE = 2050
FOLDER = Path("stdlib/holidays")


def source(name):
    return f"# source: {name} {VERSIONS[name]} (PyPI), by xtask/generators/holidays.py\n"


def by_rule(country, subdivision, title):
    years = range(FIRST_YEAR, LAST_YEAR_BY_RULE + 1)
    days = holidays.country_holidays(country, subdiv=subdivision, years=years)
    lines = [f"{day.isoformat()}\t{name}\n" for day, name in sorted(days.items()) if day.year in years]
    return f"# {title}, {years[0]} to {years[-1]}\n" + source(RULES) + "".join(lines)


def published():
    off = chinese_calendar.constants.holidays
    worked = chinese_calendar.constants.workdays
    years = range(FIRST_YEAR, max(off).year + 1)
    by_rules = holidays.country_holidays("CN", years=years)
    stray = [day.isoformat() for day in sorted(by_rules) if day.year in years and day not in off]
    if stray:
        sys.exit(f"{RULES} and {PUBLISHED} do not agree on {', '.join(stray)}")
    lines = [(day, f"{day.isoformat()}\t{off[day]}\n") for day in off if day.year in years]
    lines += [(day, f"{day.isoformat()}\t{worked[day]}\tworked\n") for day in worked if day.year in years]
    title = f"# holidays of China and the weekend days worked in exchange, {years[0]} to {years[-1]}\n"
    return title + source(PUBLISHED) + "".join(line for _, line in sorted(lines))


def difference(name, made):
    path = FOLDER / f"{name}.tsv"
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = (text.splitlines(keepends=True) for text in (kept, made))
    return "".join(difflib.unified_diff(*lines, fromfile=str(path), tofile="made anew"))


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit("usage: python3 xtask/generators/holidays.py [--check]")
    if holidays.__version__ != VERSIONS[RULES]:
        sys.exit(f"{RULES} {holidays.__version__} is installed, and {VERSIONS[RULES]} is wanted")
    tables = {name: by_rule(country, part, title) for name, country, part, title in BY_RULE}
    tables["cn"] = published()
    differences = ""
    for name, made in tables.items():
        if arguments:
            differences += difference(name, made)
        else:
            (FOLDER / f"{name}.tsv").write_text(made, encoding="utf-8")
    sys.stdout.write(differences)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
