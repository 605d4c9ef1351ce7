"""Writes the holiday tables that `closed holidays "cn"` names: one file a country, one line a day.

Run from the root of the repository: `pip install holidays==0.109 && python3 xtask/generators/holidays.py`.
The days are the public holidays of the whole country, observed days included; a day that is worked in
exchange is not listed: write `open DATE …` for it.
"""

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


if __name__ == "__main__":
    for name, country in COUNTRIES.items():
        (FOLDER / f"{name}.tsv").write_text(table(country), encoding="utf-8")
