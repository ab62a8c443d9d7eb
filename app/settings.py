"""Every environment variable, typed. Read by the composition roots only (main, workers/app, cli).

A value that cannot be used stops the start with one sentence: the variable, what is wrong, an example.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import BadSetting

EXAMPLES = {
    "STROWGER_PUBLIC_URL": "https://calls.example.com",
    "STROWGER_SERVICE_URL": "http://127.0.0.1:8000",
    "DATABASE_URL": "postgresql://user:password@host:5432/postgres",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "TWILIO_ACCOUNT_SID": "AC followed by 32 hex digits",
    "TWILIO_AUTH_TOKEN": "32 hex digits, from the Twilio console",
    "TWILIO_BASE_URL": "http://127.0.0.1:9101",
    "TWILIO_AMD": "true",
    "DEEPGRAM_BASE_URL": "wss://api.deepgram.com",
    "AURA_BASE_URL": "wss://api.deepgram.com",
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
    "OPENAI_2_BASE_URL": "http://127.0.0.1:11434/v1",
    "ANTHROPIC_BASE_URL": "https://api.anthropic.com",
    "ELEVENLABS_BASE_URL": "wss://api.elevenlabs.io",
    "SUPABASE_URL": "https://PROJECT.supabase.co",
    "STROWGER_OVERFLOW_URL": "https://calls-2.example.com",
    "STROWGER_STT": "deepgram,offline",
    "STROWGER_LLM": "openai,playbook",
    "STROWGER_TTS": "elevenlabs,offline",
    "STROWGER_LOG": "json",
    "STROWGER_SECRET_KEY": "at least 32 random letters",
    "STROWGER_CORS_ORIGINS": "https://crm.example.com,https://reports.example.com",
    "STROWGER_DATA_DIR": "/var/lib/strowger",
    "STROWGER_SMTP_URL": "smtp://user:password@mail.example.com:587",
    "STROWGER_MAIL_FROM": "calls@example.com",
}


class Settings(BaseSettings):
    """Unset means the embedded default."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True, populate_by_name=True)

    public_url: str | None = Field(None, alias="STROWGER_PUBLIC_URL")
    service_url: str | None = Field(None, alias="STROWGER_SERVICE_URL")  # of the same, for whoever dials, from inside
    database_url: SecretStr | None = Field(None, alias="DATABASE_URL")
    redis_url: SecretStr | None = Field(None, alias="REDIS_URL")

    twilio_account_sid: str | None = Field(None, alias="TWILIO_ACCOUNT_SID")
    twilio_auth_token: SecretStr | None = Field(None, alias="TWILIO_AUTH_TOKEN")
    twilio_auth_token_secondary: SecretStr | None = Field(None, alias="TWILIO_AUTH_TOKEN_SECONDARY")  # while rotating
    twilio_base_url: str | None = Field(None, alias="TWILIO_BASE_URL")
    twilio_number: str | None = Field(None, alias="TWILIO_NUMBER")
    twilio_amd: bool = Field(False, alias="TWILIO_AMD")  # its answering machine detection, charged per call

    deepgram_api_key: SecretStr | None = Field(None, alias="DEEPGRAM_API_KEY")
    deepgram_base_url: str = Field("wss://api.deepgram.com", alias="DEEPGRAM_BASE_URL")
    deepgram_model: str | None = Field(None, alias="DEEPGRAM_MODEL")
    openai_api_key: SecretStr | None = Field(None, alias="OPENAI_API_KEY")
    openai_base_url: str = Field("https://api.openai.com/v1", alias="OPENAI_BASE_URL")
    openai_model: str = Field("gpt-5.4-mini", alias="OPENAI_MODEL")
    openai_2_api_key: SecretStr | None = Field(None, alias="OPENAI_2_API_KEY")
    openai_2_base_url: str | None = Field(None, alias="OPENAI_2_BASE_URL")
    openai_2_model: str | None = Field(None, alias="OPENAI_2_MODEL")
    openai_realtime_model: str = Field("gpt-realtime", alias="OPENAI_REALTIME_MODEL")
    openai_realtime_voice: str = Field("marin", alias="OPENAI_REALTIME_VOICE")
    anthropic_api_key: SecretStr | None = Field(None, alias="ANTHROPIC_API_KEY")
    anthropic_base_url: str = Field("https://api.anthropic.com", alias="ANTHROPIC_BASE_URL")
    anthropic_model: str = Field("claude-haiku-4-5", alias="ANTHROPIC_MODEL")
    aura_base_url: str | None = Field(None, alias="AURA_BASE_URL")  # where it is not where Deepgram listens
    aura_voice: str = Field("aura-2-thalia-en", alias="AURA_VOICE")
    elevenlabs_api_key: SecretStr | None = Field(None, alias="ELEVENLABS_API_KEY")
    elevenlabs_base_url: str = Field("wss://api.elevenlabs.io", alias="ELEVENLABS_BASE_URL")
    elevenlabs_voice_id: str | None = Field(None, alias="ELEVENLABS_VOICE_ID")
    elevenlabs_model: str = Field("eleven_flash_v2_5", alias="ELEVENLABS_MODEL")

    stt: str | None = Field(None, alias="STROWGER_STT")
    llm: str | None = Field(None, alias="STROWGER_LLM")
    tts: str | None = Field(None, alias="STROWGER_TTS")

    supabase_url: str | None = Field(None, alias="SUPABASE_URL")
    supabase_secret_key: SecretStr | None = Field(None, alias="SUPABASE_SECRET_KEY")
    supabase_jwt_secret: SecretStr | None = Field(None, alias="SUPABASE_JWT_SECRET")

    secret_key: SecretStr | None = Field(None, alias="STROWGER_SECRET_KEY")  # unset: made and kept in data_dir
    cors_origins: str = Field("", alias="STROWGER_CORS_ORIGINS")  # other sites whose pages may use the API
    api_rate: int = Field(600, alias="STROWGER_API_RATE", ge=1)  # requests a minute of one user or key

    smtp_url: SecretStr | None = Field(None, alias="STROWGER_SMTP_URL")  # unset: letters are files in data_dir/mail
    mail_from: str = Field("strowger@localhost", alias="STROWGER_MAIL_FROM")

    log: str = Field("console", alias="STROWGER_LOG")
    docs: bool = Field(False, alias="STROWGER_DOCS")  # serve /docs and /openapi.json
    ice_servers: str = Field("", alias="STROWGER_ICE_SERVERS")  # stun: and turn: addresses, with spaces between
    data_dir: Path = Field(Path(".strowger"), alias="STROWGER_DATA_DIR")
    playbook: str = Field("northlight_solar", alias="STROWGER_PLAYBOOK")
    prices: Path | None = Field(None, alias="STROWGER_PRICES")  # instead of app/sales/prices.yaml
    max_calls: int = Field(400, alias="STROWGER_MAX_CALLS", ge=1)  # of one process, however well it runs
    max_lag_ms: float = Field(50.0, alias="STROWGER_MAX_LAG_MS", gt=0)  # of its event loop: later, and no new call
    max_busy: float = Field(0.85, alias="STROWGER_MAX_BUSY", gt=0)  # of a core, with the new call counted in
    overflow_url: str | None = Field(None, alias="STROWGER_OVERFLOW_URL")  # another machine, for calls beyond our room
    drain_limit_s: float = Field(900.0, alias="STROWGER_DRAIN_LIMIT_S", ge=0)
    call_limit_s: float = Field(1800.0, alias="STROWGER_CALL_LIMIT_S", gt=0)
    ring_s: int = Field(25, alias="STROWGER_RING_S", ge=15, le=45)  # C09: at least 15; a seat waits for a minute

    @field_validator(
        "public_url",
        "service_url",
        "twilio_base_url",
        "supabase_url",
        "openai_base_url",
        "openai_2_base_url",
        "anthropic_base_url",
    )
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/") if value else value

    @field_validator("deepgram_base_url", "aura_base_url", "elevenlabs_base_url")
    @classmethod
    def _socket(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("ws://", "wss://", "http://", "https://")):
            raise ValueError("must start with wss:// or ws://")
        return value.rstrip("/") if value else value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://")
        return value

    @field_validator("secret_key")
    @classmethod
    def _secret(cls, value: SecretStr | None) -> SecretStr | None:
        parts = value.get_secret_value().split(",") if value is not None else []
        if any(len(part.strip()) < 32 for part in parts):
            raise ValueError("must have 32 letters at least")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in filter(None, value.replace(" ", "").split(",")):
            if not origin.startswith(("https://", "http://localhost", "http://127.0.0.1")) or origin.count("/") != 2:
                raise ValueError("must be origins such as https://crm.example.com with commas between them")
        return value.replace(" ", "")

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("smtp://", "smtps://")):
            raise ValueError("must start with smtp:// or smtps://")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if "@" not in value or not value.isprintable():
            raise ValueError("must be an address of e-mail")
        return value

    @field_validator("log")
    @classmethod
    def _log(cls, value: str) -> str:
        if value not in {"json", "console"}:
            raise ValueError("must be json or console")
        return value

    @field_validator("stt", "llm", "tts")
    @classmethod
    def _chain(cls, value: str | None) -> str | None:
        """Which names there are is for `providers/registry.py` to say."""
        for name in (value or "").replace(" ", "").split(","):
            if value and not name.isidentifier():
                raise ValueError("must be names of providers with commas between them")
        return value

    def origins(self) -> tuple[str, ...]:
        """Sites beside our own whose pages may use the API."""
        return tuple(filter(None, self.cors_origins.split(",")))

    def listening_model(self, language: str) -> str:
        """Deepgram's: the one that was asked for; else Flux, which tells the end of a turn from a pause, for the
        language it was made for."""
        return self.deepgram_model or ("flux-general-en" if language.startswith("en") else "nova-3")

    def chain(self, stage: str) -> tuple[str, ...]:
        """Providers in order for "stt", "llm" or "tts": what was asked for, else what has a key, then offline."""
        asked: str | None = getattr(self, stage)
        if asked:
            return tuple(asked.replace(" ", "").split(","))
        live: dict[str, dict[str, object]] = {
            "stt": {"deepgram": self.deepgram_api_key},
            "llm": {
                "openai": self.openai_api_key,
                "openai_2": self.openai_2_model,
                "anthropic": self.anthropic_api_key,
            },
            "tts": {"elevenlabs": self.elevenlabs_api_key, "aura": self.deepgram_api_key},
        }
        last = "playbook" if stage == "llm" else "offline"
        return (*(name for name, key in live[stage].items() if key), last)


def load(**overrides: Any) -> Settings:
    """Raises BadSetting with one sentence that names the variable, the fault and an example."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "a setting"
        reason = first["msg"].removeprefix("Value error, ")
        example = f" Example: {name}={EXAMPLES[name]}" if name in EXAMPLES else ""
        raise BadSetting(f"{name} {reason}.{example}") from None
