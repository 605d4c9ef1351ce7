"""Writes the holiday tables that `closed holidays "cn"` names: one file a country, one line a day.

Run from the root of the repository: `pip install holidays==0.109 && python3 xtask/generators/holidays.py`.
With `--check` nothing is written: what differs from the tables is shown, and the exit code is 1. CI does not run
it, because it needs pip and that very version; run it when the version or the years change.
The days are the public holidays of the whole country, observed days included; a day that is worked in
exchange is not listed: write `open DATE …` for it.
"""

import difflib
import sys
from pathlib import Path

sys.path.pop(0)  # this file has the name of the package that it imports
import holidays

COUNTRIES = {"cn": "CN", "gb": "GB", "us": "US"}
YEARS = range(2025, 2031)
FOLDER = Path("stdlib/holidays")


def table(country):
    days = holidays.country_holidays(country, years=YEARS)
    return "".join(f"{day.isoformat()}\t{name}\n" for day, name in sorted(days.items()) if day.year in YEARS)


def difference(name, made):
    path = FOLDER / f"{name}.tsv"
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = (text.splitlines(keepends=True) for text in (kept, made))
    return "".join(difflib.unified_diff(*lines, fromfile=str(path), tofile=f"holidays {holidays.__version__}"))


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit("usage: python3 xtask/generators/holidays.py [--check]")
    differences = ""
    for name, country in COUNTRIES.items():
        made = table(country)
        if arguments:
            differences += difference(name, made)
        else:
            (FOLDER / f"{name}.tsv").write_text(made, encoding="utf-8")
    sys.stdout.write(differences)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
