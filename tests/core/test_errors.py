"""What a user reads holds no password."""

import pytest
from sqlalchemy.engine import make_url

from crossover.core.errors import without_secrets

ADDRESSES = [
    "postgresql://user:sec-ret@host/db",
    "postgresql://user:sec/ret@host/db",
    "postgresql://user:sec:ret@host/db",
    "postgresql+psycopg2://user:sec%40ret@host:5432/db",
    "postgresql://user:se@c-ret@host/db",
    "postgresql://host/db?user=u&password=sec-ret",
    "mysql://user@host/db?passwd=sec-ret&ssl=true",
    "mssql+pyodbc:///?odbc_connect=DRIVER=x;PWD=sec-ret;SERVER=host",
    "https://host/folder?access_token=sec-ret",
    "s3://sec-ret:sec-ret@host/bucket",
    "file://user:sec-ret@host/folder",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_password_is_shown(address: str) -> None:
    shown = without_secrets(f"cannot reach {address} (at {address!r})")
    assert "sec" not in shown
    assert "ret" not in shown
    assert "host" in shown
    if address.startswith(("postgresql", "mysql")) and "se@c" not in address:
        assert make_url(address).host == "host"  # it is an address that SQLAlchemy understands


@pytest.mark.parametrize(
    "text", ["sqlite:///mlflow.db", "http://127.0.0.1:5000", "me@host.org at https://host/x?y=1"]
)
def test_what_holds_none_stays(text: str) -> None:
    assert without_secrets(text) == text
