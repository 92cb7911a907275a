"""What callers key or say when they are asked for a code or a date, read as digits and as a day.

English words, in the ways in which people and recognisers give them: "four two one", "one double two",
"3rd of May 1980", "the third of May nineteen eighty", "0 3 0 5 1 9 8 0". What cannot be read is nothing; no
guess is made, for the answer is compared.
"""

import re
from datetime import date

__all__ = ["as_date", "as_digits", "keyed_date"]

_MOST = 2000  # characters looked at
_WORD = re.compile(r"[0-9]+|[a-z]+")
_ORDINAL = re.compile(r"\b([0-9]{1,2})(?:st|nd|rd|th)\b")
_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = [
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth",
]  # fmt: skip
_MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
]  # fmt: skip

_SMALL = {word: value for value, word in enumerate(_UNITS)} | {"oh": 0, "o": 0, "nought": 0}
_ONES = _SMALL | {word: value for value, word in enumerate(_ORDINALS[:9], 1)}
_PLAIN = (
    {word: value for value, word in enumerate(_TEENS, 10)}
    | {word: value for value, word in enumerate(_ORDINALS[9:], 10)}
    | {"twentieth": 20, "thirtieth": 30}
)
_ROUND = {word: 10 * value for value, word in enumerate(_TENS, 2)} | {"fourty": 40}
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_SCALES = {"hundred": 100, "thousand": 1000}
_MONTH = {name: value for value, name in enumerate(_MONTHS, 1)} | {
    name[:3]: value for value, name in enumerate(_MONTHS, 1)
} | {"sept": 9}  # fmt: skip


def as_digits(text: str) -> str:
    """The digits in what was said, in order; words that are no number are passed over."""
    digits, times, tens = "", 1, False
    for word in _words(text):
        if word in _TIMES:
            times, tens = _TIMES[word], False
            continue
        if tens and word in _SMALL and _SMALL[word]:
            digits = digits[:-1] + str(_SMALL[word])  # forty two: 42
        else:
            digits += _digits_of(word) * (times if word in _SMALL or len(word) == 1 else 1)
        times, tens = 1, word in _ROUND
    return digits


def as_date(text: str) -> date | None:
    """The day in what was said, day before month; None if there is none, or its year has only two digits."""
    numbers, month, before = _numbers(text)
    if month:
        day_at = before - 1 if before else 0
        if day_at >= len(numbers):
            return None
        return _date(_year(numbers[max(before, 1) :]), month, numbers[day_at])
    if len(numbers) == 8 and all(number < 10 for number in numbers):
        return keyed_date("".join(map(str, numbers)))
    if len(numbers) == 1:
        return keyed_date(text[:_MOST])
    numbers = _without_leading_zeros(numbers)
    if len(numbers) == 3 and numbers[0] >= 1000:
        return _date(numbers[0], numbers[1], numbers[2])
    return _date(_year(numbers[2:]), numbers[1], numbers[0]) if len(numbers) > 2 else None


def keyed_date(keys: str) -> date | None:
    """The day keyed as DDMMYYYY; keys that are no digit do not count."""
    digits = "".join(key for key in keys if key in "0123456789")
    if len(digits) != 8:
        return None
    return _date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))


def _words(text: str) -> list[str]:
    return _WORD.findall(_ORDINAL.sub(r"\1", text[:_MOST].lower()))


def _digits_of(word: str) -> str:
    if word.isdigit():
        return word
    value = _SMALL.get(word, _PLAIN.get(word, _ROUND.get(word)))
    return "" if value is None else str(value)


def _numbers(text: str) -> tuple[list[int], int, int]:
    """The numbers in order, the month named in words (0 without one), and how many numbers came before it."""
    numbers: list[int] = []
    month = before = 0
    tens = adds = False
    for word in _words(text):
        if word in _MONTH and not month:
            month, before, tens, adds = _MONTH[word], len(numbers), False, False
        elif word in _SCALES and numbers:
            numbers[-1] *= _SCALES[word]
            tens, adds = False, True
        elif (value := _value(word)) is not None:
            if numbers and (adds or (tens and word in _ONES and value)):
                numbers[-1] += value
            else:
                numbers.append(value)
            tens, adds = word in _ROUND, False
    return numbers, month, before


def _value(word: str) -> int | None:
    if word.isdigit():
        return int(word[:9])
    return _ONES.get(word, _PLAIN.get(word, _ROUND.get(word)))


def _without_leading_zeros(numbers: list[int]) -> list[int]:
    """`oh three` is three; a zero before a number of more digits, or at the end, stays."""
    kept: list[int] = []
    for number in numbers:
        if kept and kept[-1] == 0 and number < 10:
            kept[-1] = number
        else:
            kept.append(number)
    return kept


def _year(numbers: list[int]) -> int:
    """1980, nineteen eighty, nineteen oh five, two thousand five; 0 for what is no year of four digits."""
    numbers = _without_leading_zeros(numbers)
    if len(numbers) == 1:
        return numbers[0] if 1000 <= numbers[0] <= 9999 else 0
    if len(numbers) == 2 and numbers[0] in (18, 19, 20) and numbers[1] < 100:
        return 100 * numbers[0] + numbers[1]
    if len(numbers) == 4 and all(number < 10 for number in numbers):
        return int("".join(map(str, numbers)))
    return 0


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None
