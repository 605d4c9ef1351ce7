"""Writes what values are called in English and Chinese: currencies and languages, one line each.

Run from the root of the repository: `pip install babel==2.18.0 iso4217==1.16.20260101 &&
python3 xtask/generators/cldr.py`. With `--check` nothing is written: what differs is shown, and the exit code is 1.
CI does not run it, because it needs pip and those very versions. Names are of CLDR 47 (in Babel 2.18.0), minor units
of ISO 4217 (in iso4217); plural classes are no part of this, the crate `icu_plurals` has them.
"""

import difflib
import sys
from pathlib import Path

import babel.numbers
import iso4217
from babel import Locale, __version__
from babel.core import get_cldr_version

FOLDER = Path("runtime/contract/src/spoken/cldr")
CODES = sorted(currency.code for currency in iso4217.Currency)


def currencies():
    for code in CODES:
        currency = iso4217.Currency(code)
        if currency.exponent is None:
            continue
        one, other = (babel.numbers.get_currency_name(code, count, "en") for count in (1, 2))
        chinese = babel.numbers.get_currency_name(code, None, "zh")
        yield f"{code}\t{currency.exponent}\t{one}\t{other}\t{chinese}\n"


def languages():
    english, chinese = Locale("en").languages, Locale("zh").languages
    for tag in sorted(set(english) & set(chinese)):
        if tag not in ("mul", "und", "zxx", "root"):
            yield f"{tag.replace('_', '-')}\t{english[tag]}\t{chinese[tag]}\n"


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit("usage: python3 xtask/generators/cldr.py [--check]")
    differences = ""
    for name, lines in {"currencies": currencies, "languages": languages}.items():
        path, made = FOLDER / f"{name}.tsv", "".join(lines())
        if arguments:
            texts = (text.splitlines(keepends=True) for text in (path.read_text(encoding="utf-8"), made))
            label = f"CLDR {get_cldr_version()}, Babel {__version__}"
            differences += "".join(difflib.unified_diff(*texts, fromfile=str(path), tofile=label))
        else:
            path.write_text(made, encoding="utf-8")
    sys.stdout.write(differences)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
