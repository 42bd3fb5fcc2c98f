"""Write, read and remove an object by signed S3 requests: the store does its work, or it fails.

Usage: s3_probe.py S3PROXY_PROPERTIES URL BUCKET
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

REGION, SERVICE = "us-east-1", "s3"
OBJECT, CONTENT = "probe", b"it works"


def properties(path: str) -> dict[str, str]:
    """The settings of a Java properties file of simple lines, escaped as JSON escapes."""
    pairs = (
        line.partition("=")
        for line in Path(path).read_text().splitlines()
        if not line.startswith("#")
    )
    return {key: json.loads(f'"{value}"') for key, _, value in pairs}


def signed(method: str, url: str, body: bytes, key: str, secret: str) -> urllib.request.Request:
    """A request with AWS Signature Version 4."""
    parts = urlsplit(url)
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/{REGION}/{SERVICE}/aws4_request"
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": now}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"{method}\n{parts.path}\n\n{lines}\n{names}\n{digest}"
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signing = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing, to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return urllib.request.Request(url, data=body or None, headers=headers, method=method)


def main() -> int:
    """Run from the command line; the exit status."""
    settings, url, bucket = properties(sys.argv[1]), sys.argv[2], sys.argv[3]
    key, secret = settings["s3proxy.identity"], settings["s3proxy.credential"]
    place = f"{url}/{bucket}/{OBJECT}"
    for method, body in (("PUT", CONTENT), ("GET", b""), ("DELETE", b"")):
        with urllib.request.urlopen(signed(method, place, body, key, secret), timeout=5) as answer:
            content = answer.read()
        if method == "GET" and content != CONTENT:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
