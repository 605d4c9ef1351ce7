"""Writes what callers should hear for 1 500 values, worked out by others: runtime/contract/src/spoken/oracle.tsv.

Run from the root of the repository with PyICU (Debian: python3-icu) and `pip install babel==2.18.0
phonenumbers==9.0.43 cn2an==0.5.24`.
With `--check` nothing is written: what differs is shown, and the exit code is 1. CI reads the table and runs none of
this. Nothing here knows the code that is judged by it. Who says what:

- numbers, and all numbers within other values: ICU's spell-out rules (`RuleBasedNumberFormat`), in Chinese `cn2an`,
  which ICU must confirm but for 零 and 一 (ICU leaves both out behind 亿: 八亿十万; elsewhere its 零 is 〇); where 2 is
  两 is told by CLDR's rules for what is counted (`spellout-cardinal-alternate2`), of which 两千, 两万 and 两亿 are taken;
- dates and times of day: ICU's `SimpleDateFormat`, its parts of the day (`B`, `b`) and its table of zones;
- names of currencies, units of time and plural classes: CLDR by Babel; names of languages: CLDR by ICU;
- groups of telephone numbers: `phonenumbers`, in the international form.

Where language.md, or a telephone, wants it otherwise than CLDR prints it, and why:

- Chinese numbers with nothing between 亿 and thousands are left out: `cn2an` says 九百亿八千 where 九百亿零八千 is meant;
- 10¹² is 一万亿, as on the mainland (ICU: 一兆);
- `Monday March 2, 10 a.m.` (CLDR: `Monday, March 2, 10 AM`): the table of texts, and voices read `AM` as a word;
- 二百 for CLDR's 两百, which is said too; a number of its own is 二, as 两 before a counter is the author's word (the table
  of texts);
- midnight in Chinese is 凌晨0点 (ICU's `h`: 凌晨12点, which nobody says);
- no Chinese 元 of `人民币`: amounts in 元, 角, 分 with figures in fours, as 1万2345元, so that every voice reads them;
- a single 2 is 两 before what it counts: 两分钟, 两小时, 下午两点, 两元, 两角, 两美元. CLDR prints the figure, of which
  many voices make 二; in 22, 2.5, 2月2日 and 3元2角 it is 二, so there the figure stays. A value with a 两 in it, before 万
  and 亿 too, is in words as a whole (下午两点零二分, 两元二角, 两万三千元), and so is one with a point behind 万 (一万点五);
- dollars, pounds, yuan, yen without their country (the table of texts); units of time without commas between them;
- a share has two decimals at most (CLDR: none, which would tell 3.25 % as 3 %);
- Vietnamese and Galician are left out: CLDR 49, which the crate has, gave them other plural classes than CLDR 47, which
  Babel has; so is `pt-BR`, of which ICU says `Portuguese (Brazil)` and CLDR's list `Brazilian Portuguese`;
- 1 is 幺 in a telephone number; the groups are parted by commas, which are pauses.
"""

import difflib
import random
import re
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import cn2an
import icu
import phonenumbers
from babel import Locale
from babel.numbers import get_currency_name
from babel.units import format_unit

PATH = Path("runtime/contract/src/spoken/oracle.tsv")
CHANCE = random.Random(20261122)
SPELL = {tag: icu.RuleBasedNumberFormat(icu.URBNFRuleSetTag.SPELLOUT, icu.Locale(tag)) for tag in ("en", "zh")}
MINUS = {"en": "minus ", "zh": "负"}


COUNTED = "%spellout-cardinal-alternate2"


def bare(text):
    return text.replace("零", "").replace("〇", "").replace("一十", "十")


def spelled(tag, number):
    """A whole number or a Decimal, spelled out by ICU."""
    whole = number == int(number)
    said = SPELL[tag].format(int(number) if whole else float(number))
    if tag == "en":
        return said
    ours = cn2an.an2cn(str(int(number)) if whole else f"{number.normalize():f}", "low")
    assert abs(number) >= 10**12 or bare(ours) == bare(said), (ours, said)
    before_point, point, behind = ours.partition("点")
    return liang_in_places(before_point, abs(int(number))) + point + behind


def liang_in_places(said, number):
    """两 for 二 at each place where CLDR counts so, but for 两百. 10¹² is 兆 to CLDR, so that what is larger is asked in parts."""
    head, size, rest = said.rpartition("亿")
    if number >= 10**12:
        return liang_in_places(head, number // 10**8) + size + liang_in_places(rest, number % 10**8)
    twos = [c for c in SPELL["zh"].format(number, COUNTED).replace("两百", "二百") if c in "二两"]
    if number % 10 == 2 and number % 100 != 12:
        # The last 2 counts nothing here: a number of its own is 二.
        twos[-1] = "二"
    assert len(twos) == said.count("二"), (said, number)
    left = iter(twos)
    return "".join(next(left) if c == "二" else c for c in said)


def spread(count, digits_max):
    """Numbers of all lengths, of which many have zeros inside."""
    for _ in range(count):
        length = CHANCE.randint(1, digits_max)
        digits = [CHANCE.choice("0123456789") if CHANCE.random() < 0.6 else "0" for _ in range(length)]
        yield int("".join(digits))


TWOS = [200, 202, 2000, 2002, 2020, 2200, 2222, 12_000, 20_000, 20_002, 22_222, 102_000, 120_000, 200_000, 1_020_000,
        2_000_000, 12_000_000, 20_000_000, 22_000_000, 200_000_000, 220_020_000, 2_000_020_000, 20_202_020_202]


def ints():
    fixed = [*range(0, 31), 40, 99, 100, 101, 102, 110, 111, 1000, 1001, 1010, 1100, *TWOS, 10000, 10001, 10010, 110000]
    for n in [*fixed, *(-n for n in fixed[1:8]), *spread(110, 13)]:
        yield "int", "en", n, spelled("en", n)
        if n < 10**8 or n // 10_000 % 10_000 or n % 10_000 < 1000:
            yield "int", "zh", n, spelled("zh", n)


def decimals():
    for n in spread(60, 9):
        value = Decimal(n) / Decimal(10) ** CHANCE.randint(1, 4) * CHANCE.choice((1, 1, -1))
        for tag in ("en", "zh"):
            yield "decimal", tag, int(value * 10**6), spelled(tag, value)


def percents():
    for share in [0, 1_000_000, 800_000, 125_000, 333_333, -50_000, 49, 50, *spread(50, 7)]:
        value = (abs(Decimal(share)) / 10_000).quantize(Decimal("0.01"), ROUND_HALF_UP)
        for tag, form in (("en", "{} percent"), ("zh", "百分之{}")):
            sign = MINUS[tag] if share < 0 and value else ""
            yield "percent", tag, share, sign + form.format(spelled(tag, value))


PLACES = {"CNY": 2, "USD": 2, "EUR": 2, "GBP": 2, "HKD": 2, "SGD": 2, "JPY": 0, "KRW": 0, "CHF": 2, "THB": 2, "KWD": 3}
COUNTRIES = ("US ", "British ", "Chinese ", "Japanese ")
CENTS = {"CNY": ("fen", "fen"), "GBP": ("penny", "pence")} | dict.fromkeys(
    ("USD", "EUR", "HKD", "SGD"), ("cent", "cents")
)


def unit_of(code, count):
    name = get_currency_name(code, count, "en")
    return next((name.removeprefix(country) for country in COUNTRIES if name.startswith(country)), name)


def money_en(code, whole, minor, value):
    def counted(n, words):
        return f"{spelled('en', n)} {words[0] if n == 1 else words[1]}"

    units = (unit_of(code, 1), unit_of(code, 2))
    if minor == 0:
        return counted(whole, units)
    if code not in CENTS:
        return f"{spelled('en', value)} {units[1]}"
    if whole == 0:
        return counted(minor, CENTS[code])
    if minor < 10:
        return f"{counted(whole, units)} and {counted(minor, CENTS[code])}"
    return f"{counted(whole, units)} {spelled('en', minor)}"


def in_fours(number):
    """Figures in fours, made from the right: the value is checked by reading it again."""
    groups, rest = [], number
    while rest:
        groups.append(rest % 10_000)
        rest //= 10_000
    text, sizes = "", ["", "万", "亿"]
    for at in range(len(groups) - 1, -1, -1):
        if not groups[at]:
            continue
        if text and (groups[at] < 1000 or groups[at + 1] == 0):
            text += "零"
        text += f"{groups[at]}{sizes[at]}"
    text = text or "0"
    total, digits = 0, ""
    for c in text + " ":
        if c.isdigit():
            digits += c
        elif c != "零":
            total += int(digits or 0) * 10 ** {"万": 4, "亿": 8}.get(c, 0)
            digits = ""
    assert total == number, text
    return text


def money_zh(code, whole, minor, value):
    text = money_in_figures(code, whole, minor, value)
    if re.search(r"万\.|(?<!\d)2[万亿]|^2(?=[^\d.])", text) is None:
        return text
    if code != "CNY":
        return of_one(spelled("zh", value), value) + get_currency_name(code, None, "zh")
    text, first = "", True
    for count, unit in ((whole, "元"), (minor // 10, "角"), (minor % 10, "分")):
        if count:
            gap = "零" if unit == "分" and text.endswith("元") else ""
            text += gap + (of_one(spelled("zh", count), count) if first else spelled("zh", count)) + unit
            first = False
    return text


def of_one(said, number):
    return "两" if number == 2 else said


def money_in_figures(code, whole, minor, value):
    if code != "CNY":
        name = get_currency_name(code, None, "zh")
        figures = f"{value.normalize():f}".partition(".")[2]
        return in_fours(whole) + (f".{figures}" if figures else "") + name
    jiao, fen = divmod(minor, 10)
    text = f"{in_fours(whole)}元" if whole or not minor else ""
    if jiao:
        text += f"{jiao}角"
    elif fen and whole:
        text += "零"
    text += f"{fen}分" if fen else ""
    return text


def amounts():
    for code, places in PLACES.items():
        for n in [0, 10_000, 10_100, 500, 125_000, 125_050, 20_000, 22_000, 22_200, 2_300, 200, 32_000, 220_000, 20_200, 20_000_000, 200_000_000, 200_025_000, 100_005_000, 2_000_022_200, *spread(9, 10)]:
            value = (Decimal(n) / 10_000).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
            whole = int(value)
            minor = int((value - whole) * 10**places)
            yield "money", "en", f"{n} {code}", money_en(code, whole, minor, value)
            yield "money", "zh", f"{n} {code}", money_zh(code, whole, minor, value)
        yield "money", "en", f"-120000 {code}", MINUS["en"] + money_en(code, 12, 0, Decimal(12))
        yield "money", "zh", f"-120000 {code}", MINUS["zh"] + money_zh(code, 12, 0, Decimal(12))


UNITS = [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)]


def two_units(ms):
    """Tries every pair of neighbouring units and keeps the first that starts with what is there."""
    seconds = -(-ms // 1000)
    for at, (name, size) in enumerate(UNITS):
        following = UNITS[at + 1] if at + 1 < len(UNITS) else (name, size)
        rounded = -(-seconds // following[1]) * following[1]
        if rounded >= size or at == len(UNITS) - 1:
            first, rest = divmod(rounded, size)
            second = rest // following[1] if following[1] != size else 0
            return [(first, name)] + ([(second, following[0])] if second else [])
    raise AssertionError(ms)


def with_liang(text, units):
    """In words, 两 for each 2 that stands alone before one of these units; as it is where there is none."""
    if re.search(rf"(?<!\d)2(?={units})", text) is None:
        return text

    def word(found):
        number, unit = int(found[1]), found[2]
        zero = "零" if found[1][0] == "0" and number else ""
        return zero + (of_one(spelled("zh", number), number) if re.fullmatch(units, unit) else spelled("zh", number)) + unit

    return re.sub(r"(\d+)(\D*)", word, text)


def durations():
    fixed = [120_000, 122_000, 7_200_000, 7_320_000, 180_000_000, 0, 1, 999, 1000, 1001, 60_000, 3_599_001, 3_600_000, 5_400_000, 86_399_001, 86_400_000, 172_800_001]
    for ms in [*fixed, -90_000, *spread(80, 9)]:
        units = two_units(abs(ms))
        english = " ".join(
            format_unit(n, f"duration-{name}", "long", format="#", locale="en").replace(str(n), spelled("en", n), 1)
            for n, name in units
        )
        chinese = "".join(
            format_unit(n, f"duration-{name}", "short", format="#", locale="zh").replace(" ", "") for n, name in units
        )
        yield "duration", "en", ms, (MINUS["en"] if ms < 0 else "") + english
        yield "duration", "zh", ms, (MINUS["zh"] if ms < 0 else "") + with_liang(chinese, "天|小时|分钟|秒")


def formatted(tag, pattern, ms, zone):
    form = icu.SimpleDateFormat(pattern, icu.Locale(tag))
    form.setTimeZone(icu.TimeZone.createTimeZone(zone))
    return form.format(ms / 1000)


def times():
    for at in range(150):
        zone = CHANCE.choice(("Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Sydney", "UTC"))
        # From 2015 to 2030, where both tables of zones know what was decided.
        minutes = CHANCE.randint(23_668_000, 31_556_000)
        ms = (minutes // 60 * 60 if at % 3 == 0 else minutes) * 60_000
        date_en = formatted("en", "EEEE MMMM d", ms, zone)
        date_zh = formatted("zh", "M月d日", ms, zone)
        minute = formatted("en", "mm", ms, zone)
        hour24 = int(formatted("en", "H", ms, zone))
        clock_en = formatted("en", "h b" if minute == "00" else "h:mm b", ms, zone)
        clock_en = clock_en.replace("AM", "a.m.").replace("PM", "p.m.").replace("12 midnight", "12 a.m.")
        clock_zh = formatted("zh", "Bh点" if minute == "00" else "Bh点mm分", ms, zone)
        if hour24 == 0:
            clock_zh = clock_zh.replace("12点", "0点")
        clock_zh = with_liang(clock_zh, "点")
        yield "time", "en", f"{ms} {zone}", f"{date_en}, {clock_en}"
        yield "time", "zh", f"{ms} {zone}", date_zh + clock_zh
        day_ms = (hour24 * 60 + int(minute)) * 60_000
        yield "clock", "en", day_ms, clock_en
        yield "clock", "zh", day_ms, clock_zh
        days = minutes // 1440
        yield "date", "en", days, formatted("en", "EEEE MMMM d", days * 86_400_000, "UTC")
        yield "date", "zh", days, formatted("zh", "M月d日", days * 86_400_000, "UTC")


def plurals():
    languages = "ar bg bn bs ca cs cy da de el en es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka ko lt lv mk"
    order = ("zero", "one", "two", "few", "many", "other")
    for tag in f"{languages} ms mt nl no pl pt ro ru sk sl sr sv sw ta te th tr uk ur zh".split():
        rule = Locale(tag).plural_form
        has = [name for name in order if name in rule.tags or name == "other"]
        for n in (0, 1, 2, 3, 5, 11, 21, 100, 1_000_000):
            yield "plural", tag, n, f"{has.index(rule(n))}/{len(has)}"


PHONES = {"CN": "+86138#### +86159#### +8610#### +8621#### +86755#### +86400###", "US": "+1212####### +1650#######",
          "CA": "+1416#######", "GB": "+4420######## +447911######", "HK": "+8529####### +8522#######",
          "TW": "+8869########", "SG": "+656####### +659#######", "FR": "+331######## +336########",
          "AU": "+614######## +612########", "JP": "+8190######## +813########", "KR": "+8210########",
          "IN": "+9198########", "RU": "+7916#######", "MO": "+8536#######"}


def phones():
    for region, patterns in PHONES.items():
        for pattern in patterns.split():
            made = 0
            while made < 5:
                digits = "".join(CHANCE.choice("0123456789") if c == "#" else c for c in pattern)
                digits += "".join(CHANCE.choice("0123456789") for _ in range(4)) if region == "CN" else ""
                number = phonenumbers.parse(digits)
                if not phonenumbers.is_valid_number(number):
                    continue
                made += 1
                said = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
                groups = said.removeprefix("+").replace("-", " ").split()
                for tag, between, letters in (("en", " ", ", "), ("zh", "", "，")):
                    words = [between.join(spelled(tag, int(d)) for d in group) for group in groups]
                    text = letters.join(words)
                    yield "phone", tag, digits, text.replace("一", "幺") if tag == "zh" else text


def digits():
    for _ in range(25):
        text = "".join(CHANCE.choice("0123456789") for _ in range(CHANCE.randint(1, 19)))
        yield "digits", "en", text, " ".join(spelled("en", int(d)) for d in text)
        yield "digits", "zh", text, "".join(spelled("zh", int(d)) for d in text)


def languages():
    for tag in "zh en es fr de it pt ru ja ko ar hi bn id ms th vi tr nl pl sv fi da el he uk cs hu ro".split():
        for heard in ("en", "zh"):
            yield "language", heard, tag, icu.Locale(tag).getDisplayName(icu.Locale(heard))


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit("usage: python3 xtask/generators/spoken_oracle.py [--check]")
    kinds = (ints, decimals, percents, amounts, durations, times, plurals, phones, digits, languages)
    rows = dict.fromkeys("\t".join(map(str, row)) + "\n" for kind in kinds for row in kind())
    made = "".join(rows)
    if not arguments:
        PATH.write_text(made, encoding="utf-8")
        return 0
    texts = (text.splitlines(keepends=True) for text in (PATH.read_text(encoding="utf-8"), made))
    differences = "".join(difflib.unified_diff(*texts, fromfile=str(PATH), tofile=f"ICU {icu.ICU_VERSION}"))
    sys.stdout.write(differences)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
