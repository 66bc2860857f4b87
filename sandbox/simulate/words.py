"""The marketplace's words: categories, places, skills, titles and queries in many scripts.

Data only. Among the texts are those that break naive code: emoji beyond the basic plane, families
joined by zero-width joiners, right-to-left scripts, combining accents, zero-width spaces, quotes,
backslashes and markup.
"""

CATEGORIES = (
    "software", "nursing", "logistics", "sales", "teaching", "hospitality",
    "finance", "construction", "marketing", "customer_care", "science", "crafts",
)  # fmt: skip

PLACES = (
    ("Berlin", "DE", "EUR"), ("München", "DE", "EUR"), ("Zürich", "CH", "CHF"),
    ("Paris", "FR", "EUR"), ("Kraków", "PL", "PLN"), ("Krako\u0301w", "PL", "PLN"),
    ("London", "GB", "GBP"), ("New York", "US", "USD"), ("São Paulo", "BR", "BRL"),
    ("東京", "JP", "JPY"), ("서울", "KR", "KRW"), ("القاهرة", "EG", "EGP"),
    ("תל אביב", "IL", "ILS"), ("İstanbul", "TR", "TRY"), ("मुंबई", "IN", "INR"),
)  # fmt: skip
"""City, country (ISO 3166-1) and currency (ISO 4217). One accent is combining, on purpose."""

SKILLS = (
    "SQL", "Python", "C++", "forklift licence", "first aid", "Excel", "Español", "welding",
    "\"soft\" skills", "R&D", "customer service", "CAD\\CAM", "日本語", "driving 🚚",
)  # fmt: skip

TITLES = (
    "Data Engineer", "Pflegefachkraft (m/w/d)", "Infirmière de nuit", "Forklift driver",
    "Sales representative", "Lehrer für Mathematik", "Barista ☕", "Senior C++ Developer",
    "ソフトウェアエンジニア", "مهندس برمجيات", "מפתח תוכנה", "Бухгалтер", "Kierownik zmiany",
    "Teacher 👩\u200d🏫", "Chef de cuisine 👨🏽\u200d🍳", "Zero\u200bwidth analyst",
    "Nurse \u202b(ليل)\u202c shift", "<b>URGENT</b> Cook", "Plumber \"Pro\"", "e\u0301lectricien",
)  # fmt: skip

QUERIES = (
    "data engineer", "nurse night shift", "remote", "part time", "forklift", "barista",
    "werkstudent münchen", "alternance paris", "プログラマー", "مهندس", "מורה", "учитель",
    "c++ \"embedded\"", "50% remote", "sales & marketing", "no experience", "100k+", "ingénieur",
    "job 👩\u200d💻", "🇩🇪 jobs", "nu\u0308rse", "\ufeffteacher", "path\\to\\job", "null", "NaN",
)  # fmt: skip

SOURCES = ("email", "direct", "partner")
DEVICES = ("phone", "phone", "phone", "desktop", "desktop", "tablet")

EXPERIMENTS = {
    "one_click_apply": ("control", "treatment"),
    "result_ranking": ("control", "recency", "relevance"),
}
"""Experiment to its variants; the first is what everybody else gets."""
