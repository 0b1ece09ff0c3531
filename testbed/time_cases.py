"""Texts of times in many patterns: what both a strict Java reader and the parser must make of them."""

FORMATS = [
    "dd MM yyyy HH:mm",
    "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "yyyyMMddHHmmss",
    "yyyyMMdd-HHmmss",
    "d/M/y H:m",
    "yyyyDDD HH:mm",
    "d MMMM yyyy h:mm a",
    "yyyy.MM.dd '''o''clock' HH:mm",
    "yyyy-MM-dd HH:mm:ss[.SSS]",
    "yyyy-MM-dd HH:mm:ssXXX",
    "yyyy-MM-dd HH:mm VV",
]
YEARS = ["294248", "-999999999", "+294248", "+999999999", "9" * 30, "+" + "0" * 20 + "1"]
"""Years beyond all."""
