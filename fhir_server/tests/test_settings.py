"""Settings: where values come from, and what is refused."""

import pytest

from fhir_server.settings import SettingError, load


def test_given_values_go_before_the_environment_and_both_before_defaults() -> None:
    settings = load({"PORT": "81"}, {"HEARTH_PORT": "82", "HEARTH_WORKERS": "3"})
    assert (settings.port, settings.workers, settings.threads) == (81, 3, 4)


def test_a_child_reads_the_same_settings() -> None:
    given = {"PORT": "81", "OPEN": True, "CORS_ORIGINS": "https://a, https://b", "REMINDERS": "90", "QUIET_HOURS": ""}
    settings = load(given, {})
    assert load({}, settings.environment()).values == settings.values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "x"),
        ("WORKERS", "-1"),
        ("OPEN", "maybe"),
        ("SERVER", "apache"),
        ("AT_REST", "yes"),
        ("PROXIES", "10.0.0.1/8"),
        ("METRICS_HOSTS", "prometheus"),
    ],
)
def test_a_bad_value_is_told_with_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is '{value}'"):
        load({name: value}, {})


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::", "127.evil.example.org"])
def test_open_serves_loopback_only(host: str) -> None:
    with pytest.raises(SettingError, match="loopback"):
        load({"OPEN": True, "HOST": host}, {})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_open_serves_on_every_loopback_address(host: str) -> None:
    assert load({"OPEN": True, "HOST": host}, {}).open


def test_certificate_and_key_go_together() -> None:
    with pytest.raises(SettingError, match="go together"):
        load({"TLS_CERT": "a.pem"}, {})


def test_the_base_never_comes_from_a_request() -> None:
    assert load({}, {}).base_url == "http://127.0.0.1:8080/fhir"
    assert load({"PUBLIC_URL": "https://fhir.example.org/r4/"}, {}).base_url == "https://fhir.example.org/r4"
    assert load({"HOST": "::1", "TLS_CERT": "a", "TLS_KEY": "b"}, {}).base_url == "https://[::1]:8080/fhir"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SMTP_HOST": "mail.example.org"}, "SMTP_FROM"),
        ({"SMTP_HOST": "mail.example.org", "SMTP_FROM": "a@b.example", "SMTP_TLS": "none"}, "SMTP_TLS"),
        ({"SMTP_USER": "robot"}, "SMTP_PASSWORD"),
        ({"WEBHOOK_URL": "http://sms.example.org/", "WEBHOOK_SECRET": "x" * 16}, "https"),
        ({"WEBHOOK_URL": "https://sms.example.org/", "WEBHOOK_SECRET": "short"}, "WEBHOOK_SECRET"),
        ({"REMINDERS": "1440,soon"}, "REMINDERS"),
        ({"REMINDERS": "0"}, "REMINDERS"),
        ({"QUIET_HOURS": "21-8"}, "QUIET_HOURS"),
    ],
)
def test_letters_need_a_safe_way_out(given, named):
    with pytest.raises(SettingError, match=named):
        load(given, {})


def test_reminders_and_quiet_hours():
    settings = load({"REMINDERS": "60, 1440", "QUIET_HOURS": "22:30-06:00"}, {})
    assert settings.reminders == (1440, 60) and settings.quiet_hours == (22 * 60 + 30, 360)
    assert load({"REMINDERS": "", "QUIET_HOURS": ""}, {}).reminders == ()
    assert load({"QUIET_HOURS": ""}, {}).quiet_hours is None and not load({}, {}).letters


def test_a_secret_may_stand_in_a_file(tmp_path):
    (tmp_path / "secret").write_text("from the file\n")
    environ = {"HEARTH_SMTP_USER": "robot", "HEARTH_SMTP_PASSWORD_FILE": str(tmp_path / "secret")}
    assert load({}, environ).smtp_password == "from the file"
    assert load({}, environ | {"HEARTH_SMTP_PASSWORD": "said"}).smtp_password == "said"
    with pytest.raises(SettingError, match="SMTP_PASSWORD_FILE"):
        load({}, environ | {"HEARTH_SMTP_PASSWORD_FILE": str(tmp_path / "none")})
