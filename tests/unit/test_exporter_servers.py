"""The store and the certificates, asked of servers that run here."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from flink_job.endpoints import ClickHouse, Endpoints, Kafka
from flink_job.loader.service import Clock
from monitoring.exporter import __main__ as exporter
from monitoring.exporter import store
from monitoring.exporter.address import Address, Url, address_of, url_of
from monitoring.exporter.board import Board
from monitoring.exporter.certificates import (
    EVERY_S,
    CertificateError,
    Certificates,
    not_after,
    presented_by,
    presenting,
)
from monitoring.exporter.collector import StateCollector
from monitoring.exporter.store import StoreError, watching
from tests.unit.debian import program

CLICKHOUSE = ClickHouse("c", 9440, "reader", "", "ctr", secure=True)
PLAIN = ClickHouse("c", 9000, "reader", "", "ctr")


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate, with its key, that nobody trusts and that was valid until 2020-02-03."""
    folder = tmp_path_factory.mktemp("certificate")
    return made(folder, "20200203040506Z")


def made(folder: Path, until: str, *more: str) -> Path:
    """A certificate by the openssl command, with its key; from 2019 to the given moment."""
    openssl = program("openssl", "openssl")
    key, request, pem = folder / "key.pem", folder / "request.pem", folder / "both.pem"
    settings = folder / "ca.cnf"
    settings.write_text(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\n"
        "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
    )
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01")

    def run(*words: str) -> None:
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)  # noqa: S603

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=a"]
    run("req", *new, "-keyout", str(key), "-out", str(request))
    dates = ["-startdate", "20190102030405Z", "-enddate", until]
    signed = ["-selfsign", "-keyfile", str(key), "-in", str(request), "-out", "made.pem"]
    run("ca", "-config", str(settings), "-batch", "-notext", *dates, *signed, *more)
    pem.write_text(key.read_text() + (folder / "made.pem").read_text())
    return pem


@contextmanager
def answering(status: int, certificate: Path | None = None) -> Iterator[Url]:
    """A server that answers every request so, by TLS if it has a certificate."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "Authorization" not in self.headers
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Url(Address("127.0.0.1", server.server_port), certificate is not None)
        server.shutdown()


@pytest.mark.parametrize("status", [200, 403, 404, 503])
def test_a_store_that_answers_is_up_whatever_it_says(status: int) -> None:
    with answering(status) as url, watching(url) as look:
        assert look() == look() == status


def test_a_store_by_tls_is_up_whoever_issued_its_certificate(expired: Path) -> None:
    with answering(403, expired) as url, watching(url) as look:
        assert look() == 403


def test_a_store_that_refuses_or_talks_otherwise_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with (
        watching(Url(Address("127.0.0.1", port), secure=False)) as look,
        pytest.raises(StoreError, match=rf"127\.0\.0\.1:{port} does not answer: .*refused"),
    ):
        look()
    with (
        answering(200) as url,
        watching(Url(url.address, secure=True)) as look,
        pytest.raises(StoreError),
    ):
        look()


def test_a_store_that_is_silent_is_away_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "TIMEOUT_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address("127.0.0.1", server.getsockname()[1])
        with (
            watching(Url(address, secure=False)) as look,
            pytest.raises(StoreError, match="timed out"),
        ):
            look()


def test_the_date_of_an_expired_certificate_that_nobody_trusts_is_told(expired: Path) -> None:
    with answering(200, expired) as url:
        presented = presented_by(url.address)
    until = datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC).timestamp()
    assert not_after(presented) == until


@pytest.mark.parametrize(
    ("until", "moment"),
    [
        ("20491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("20500101000000Z", datetime(2050, 1, 1, tzinfo=UTC)),
        ("99991231235959Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_dates_beyond_2049_are_written_otherwise_and_told_alike(
    until: str, moment: datetime, tmp_path: Path
) -> None:
    pem = made(tmp_path, until).read_text()
    assert not_after(ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :])) == (
        moment.timestamp()
    )


def test_every_authority_of_this_system_has_the_date_that_the_library_tells() -> None:
    context = ssl.create_default_context()
    told = {ssl.cert_time_to_seconds(str(each["notAfter"])) for each in context.get_ca_certs()}
    assert {not_after(each) for each in context.get_ca_certs(binary_form=True)} == told


@pytest.mark.parametrize(
    "content", [b"", b"\x30", b"\x30\x00", b"hello", b"\x30\x82", b"\x30\x02\x30\x00"]
)
def test_what_is_no_certificate_is_a_sentence(content: bytes) -> None:
    with pytest.raises(CertificateError, match="no certificate"):
        not_after(content)


def test_a_moment_of_another_kind_is_no_certificate(expired: Path) -> None:
    pem = expired.read_text()
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :])
    with pytest.raises(CertificateError):
        not_after(der.replace(b"\x17\x0d200203", b"\x16\x0d200203"))


def test_only_endpoints_with_tls_present_a_certificate() -> None:
    servers = ("k1:9093", "[::1]:9094")
    secure = Url(Address("s", 443), secure=True)
    plain = Url(Address("s", 80), secure=False)
    for protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
        assert presenting(Endpoints(Kafka(servers, protocol), PLAIN), plain) == []
    for protocol in ("SSL", "SASL_SSL"):
        assert presenting(Endpoints(Kafka(servers, protocol), CLICKHOUSE), secure) == [
            ("kafka", Address("k1", 9093)),
            ("kafka", Address("::1", 9094)),
            ("clickhouse", Address("c", 9440)),
            ("store", Address("s", 443)),
        ]
    assert presenting(Endpoints(Kafka(servers), PLAIN), None) == []


def test_addresses_are_written_as_they_were_read() -> None:
    for server in ("k1:9093", "[::1]:9094"):
        assert str(address_of(server)) == server
    assert url_of("http://store1:7070/") == Url(Address("store1", 7070), secure=False)
    assert url_of("https://s3.example.com") == Url(Address("s3.example.com", 443), secure=True)


@dataclass
class Presented:
    """Certificates by host; who has none is away."""

    certificates: dict[str, bytes]
    asked: list[str] = field(default_factory=list)

    def __call__(self, address: Address) -> bytes:
        self.asked.append(address.host)
        if address.host not in self.certificates:
            raise OSError("refused")
        return self.certificates[address.host]


def test_a_date_stays_while_its_endpoint_is_away_and_the_others_are_asked(
    expired: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pem = expired.read_text()
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :])
    presented = Presented({"k1": der})
    board, waits = Board(), list[float]()

    class Counting(Clock):
        def wait(self, seconds: float, _: object) -> None:
            waits.append(seconds)
            presented.certificates = {"k2": der}

    places = [("kafka", Address("k1", 9093)), ("kafka", Address("k2", 9093))]
    Certificates(places, board, lambda: len(waits) == 2, Counting(), presented).run()
    assert waits == [EVERY_S, EVERY_S]
    assert presented.asked == ["k1", "k2", "k1", "k2"]
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: board.state))
    text = generate_latest(registry).decode()
    for host in ("k1", "k2"):
        name = "ctr_certificate_expiry_timestamp_seconds"
        assert f'{name}{{address="{host}:9093",source="kafka"}} 1.580702706e+09' in text
    assert "certificate of kafka at k2:9093 is not known: refused" in caplog.text


def test_what_is_configured_is_looked_at_and_nothing_else() -> None:
    def loops(endpoints: Endpoints, *arguments: str) -> tuple[set[str], dict[str, str]]:
        board = Board()
        chosen = exporter.parser().parse_args(["--endpoints=e.json", *arguments])
        made = exporter.loops(endpoints, chosen, board, lambda: True)
        return set(made), dict(board.state.addresses)

    plain = Endpoints(Kafka(("k1:9092", "k2:9092")), PLAIN)
    always = {"kafka", "clickhouse", "records"}
    addresses = {"kafka": "k1:9092", "clickhouse": "c:9000"}
    assert loops(plain) == loops(plain, "--store=") == (always, addresses)
    assert loops(plain, "--store=http://s:7070", "--keep=none.json") == (
        always | {"store"},
        addresses | {"store": "s:7070"},
    )
    secure = Endpoints(Kafka(("k1:9093",), "SSL"), PLAIN)
    assert loops(secure)[0] == always | {"certificates"}
