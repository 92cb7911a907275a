"""Settings, one file, by part. What a site may change comes from the environment (docs/settings.md)."""

import ipaddress
import secrets as secrets_module
import sys
from pathlib import Path
from urllib.parse import urlsplit

from contactcenter.env import env, secret, secrets_list
from contactcenter.languages import languages

BASE_DIR = Path(__file__).resolve().parent.parent

# -- where things are ------------------------------------------------------------------------------
DATA_DIR: Path = env.path("DATA_DIR", default=BASE_DIR / "var")
JOURNAL_DIR: Path = DATA_DIR / "journal"
RECORDINGS_DIR: Path = DATA_DIR / "recordings"
SPEECH_DIR: Path = DATA_DIR / "speech"
SPEECH_MODEL_DIR: Path = env.path("SPEECH_MODEL_DIR", default=BASE_DIR / "var" / "models")

# -- security --------------------------------------------------------------------------------------
DEBUG: bool = env.bool("DEBUG", default=False)
PUBLIC_URL: str = env.str("PUBLIC_URL", default="").rstrip("/")


def _site_secret() -> str:
    """SECRET_KEY, or one made once and kept in DATA_DIR, so that a first start needs no configuration."""
    given = secret("SECRET_KEY")
    if given:
        return given
    kept = DATA_DIR / "secret_key"
    if not kept.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets_module.token_urlsafe(50), encoding="ascii")
    return kept.read_text(encoding="ascii").strip()


SECRET_KEY = _site_secret()

_public = urlsplit(PUBLIC_URL)
_PUBLIC_HOST = _public.hostname or ""
PUBLIC_IS_HTTPS = _public.scheme == "https"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


PUBLIC_IS_LOOPBACK = _is_loopback(_PUBLIC_HOST)
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[h for h in {_PUBLIC_HOST, "localhost", "127.0.0.1", "[::1]"} if h]
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
# A proxy that ends TLS says so in this header; nothing but request.is_secure() reads it, never a signature.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PUBLIC_IS_HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC_IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_SSL_REDIRECT = (
    False  # the proxy redirects; Twilio must never be redirected (a POST would lose its fields)
)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]  # decided above, for the proxy
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 400

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "media-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}

# -- Twilio ----------------------------------------------------------------------------------------
TWILIO_ACCOUNT_SID: str = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKENS: list[str] = secrets_list("TWILIO_AUTH_TOKEN")
TWILIO_API_KEY: str = env.str("TWILIO_API_KEY", default="")
TWILIO_API_SECRET: str = secret("TWILIO_API_SECRET")
TWILIO_API_URL: str = env.str("TWILIO_API_URL", default="").rstrip("/")
# A script that stands in for Twilio's Voice SDK, such as the emulator's; empty: the SDK itself.
SOFTPHONE_URL: str = env.str("SOFTPHONE_URL", default="")
TWILIO_TIMEOUT_SECONDS: float = env.float("TWILIO_TIMEOUT_SECONDS", default=5.0)
# The same with _IE1 and _AU1 for those regions; us1 is the plain form above.
TWILIO_REGIONS: dict[str, dict[str, object]] = {
    region: {
        "tokens": secrets_list(f"TWILIO_AUTH_TOKEN_{region.upper()}"),
        "key": env.str(f"TWILIO_API_KEY_{region.upper()}", default=""),
        "secret": secret(f"TWILIO_API_SECRET_{region.upper()}"),
    }
    for region in ("ie1", "au1")
}

# -- speech and keeping ----------------------------------------------------------------------------
TRANSCRIBER: str = env.str("TRANSCRIBER", default="embedded")
SPEAKER: str = env.str("SPEAKER", default="flite")
# A site's own voices: kind=module:Class, …
VOICES: dict[str, str] = env.dict("VOICES", default={})
JOURNAL_KEEP_MINUTES: int = env.int("JOURNAL_KEEP_MINUTES", default=10)
UTTERANCE_KEEP_DAYS: int = env.int("UTTERANCE_KEEP_DAYS", default=90)

# -- an AI agent, optional (requirements-openai.txt) ------------------------------------------------
OPENAI_API_KEY: str = secret("OPENAI_API_KEY")
# Where its sockets are, for a compatible server or a test; empty: OpenAI itself.
OPENAI_REALTIME_URL: str = env.str("OPENAI_REALTIME_URL", default="").rstrip("/")
OPENAI_REALTIME_MODEL: str = env.str("OPENAI_REALTIME_MODEL", default="gpt-realtime-2.1")
OPENAI_REALTIME_VOICE: str = env.str("OPENAI_REALTIME_VOICE", default="marin")

# Whether agents are told, by name, who listens to their call.
TELL_AGENTS_OF_LISTENERS: bool = env.bool("TELL_AGENTS_OF_LISTENERS", default=True)

# -- limits ----------------------------------------------------------------------------------------
MEDIA_MAX_FRAMES_PER_SECOND: int = env.int("MEDIA_MAX_FRAMES_PER_SECOND", default=200)
MEDIA_UNSIGNED_PER_MINUTE: int = env.int("MEDIA_UNSIGNED_PER_MINUTE", default=200)
METRICS_TOKEN: str = secret("METRICS_TOKEN")
LOG_FORMAT: str = env.str("LOG_FORMAT", default="console" if sys.stderr.isatty() else "json")
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO")
LANGUAGE_CODE: str = env.str("LANGUAGE_CODE", default="en-gb")
LOCALE_PATHS = [BASE_DIR / "locale"]
# The site's own language and those that it holds a compiled translation for: no page is half in one.
LANGUAGES = languages(LANGUAGE_CODE, LOCALE_PATHS)
TIME_ZONE: str = env.str("TIME_ZONE", default="UTC")

# -- Django ----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "calls",
    "streams",
    "contactcenter",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "contactcenter.urls"
ASGI_APPLICATION = "contactcenter.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "calls.views.nav.inbox",
            ]
        },
    }
]
AUTH_USER_MODEL = "calls.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # pages work straight from a clone; a site may still run collectstatic
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# -- database --------------------------------------------------------------------------------------
DATABASE_URL: str = env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'contactcenter.sqlite3'}")
_database = env.dj_db_url("DATABASE_URL", default=DATABASE_URL)
if _database["ENGINE"].endswith("sqlite3"):
    DATA_DIR.mkdir(parents=True, exist_ok=True)  # SQLite makes the file, not the directory
    _file = Path(_database["NAME"])
    if _file.parent.is_dir() and _file.name != ":memory:" and not _file.exists():
        _file.touch(mode=0o600)  # what was said is in it; SQLite's other files take its mode
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": 10, "timeout": 10},
    }
    _database["CONN_MAX_AGE"] = 0
DATABASES = {"default": _database}

# -- channel layer ---------------------------------------------------------------------------------
REDIS_URL: str = secret("REDIS_URL")
# How many processes the ASGI server starts, by the name that uvicorn reads; more than one needs Redis.
WEB_CONCURRENCY: int = env.int("WEB_CONCURRENCY", default=1)
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # redis-py 8 sets socket_timeout=5 by itself, which kills a quiet subscription.
            "CONFIG": {
                "hosts": [{"address": REDIS_URL, "socket_timeout": None, "health_check_interval": 30}]
            },
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

env.seal()

from contactcenter.logging import configuration as _logging  # noqa: E402  (needs LOG_FORMAT and LOG_LEVEL)

LOGGING = _logging(LOG_FORMAT, LOG_LEVEL)
