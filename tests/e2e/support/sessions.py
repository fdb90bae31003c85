"""The exchanges that are recorded and replayed: every route of the stand-in and every odd shape of an answer.

Texts in braces are filled in from what the client knows at that moment, as a real client would: its keys, and what
earlier answers told it (token, entity tag, request key).
"""

import base64
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from support.raw_http import Message

BOTH_CLIENTS = frozenset({"curl", "requests"})
BOTH_WAYS = frozenset({"connect", "origin"})

AUTH = ("Authorization", "Bearer {token}")
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")

KEYS_FORM = "client_id={id_q}&client_secret={secret_q}"
PASSWORD_FORM = "grant_type=password&username={partner_username_q}&password={partner_password_q}&" + KEYS_FORM
LEGACY_QUERY = "countryCode=SE&companyId="
TWO_IDS = json.dumps({"companyIds": ["5500000012", "5500004048"]})
BANK_LOGIN = json.dumps(
    {"userId": "user-19700002-0000", "password": "{bank_password}", "iban": "{iban}", "cardNumber": "{card_number}"}
)
MULTIPART = (
    '--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="numbers.csv"\r\n'
    "Content-Type: text/csv\r\n\r\n5500000012\r\n550000-0020\r\n\r\n--{boundary}--\r\n"
)

# Where secrets stand in answers: each pattern's one group is the place, in the head and the decoded body joined.
ACCESS_TOKEN = rb'"access_token":"([^"]*)"'
REFRESH_TOKEN = rb'"refresh_token":"([^"]*)"'
EXPIRES_IN = rb'"expires_in":([0-9]+)'
SET_COOKIE = rb"Set-Cookie: ([^\r]*)"


@dataclass(frozen=True)
class Exchange:
    name: str
    method: str
    path: str
    headers: tuple = ()
    body: str = ""
    host: str = "api.roaring.io"
    accept_encoding: str = "identity"
    chunked: bool = False  # the request's body
    secrets: tuple = ()  # patterns of what redaction or rewriting may change in the answer
    clients: frozenset = BOTH_CLIENTS
    ways: frozenset = BOTH_WAYS
    learn: tuple = ()  # what later exchanges need of the answer: names in LEARN
    bytes_body: bytes = b""


LEARN = {
    "token": lambda answer: json.loads(answer.decoded_body())["access_token"],
    "refresh_token": lambda answer: json.loads(answer.decoded_body())["refresh_token"],
    "etag": lambda answer: answer.header("ETag"),
    "request_key": lambda answer: json.loads(answer.decoded_body())["requestKey"],
    "task": lambda answer: json.loads(answer.decoded_body())["taskId"],
}


def get(name: str, path: str, **more) -> Exchange:
    return Exchange(name, "GET", path, more.pop("headers", (AUTH,)), **more)


def post(name: str, path: str, body: str, **more) -> Exchange:
    return Exchange(name, "POST", path, more.pop("headers", (AUTH, JSON)), body, **more)


def odd(name: str, path: str, method: str = "GET", **more) -> Exchange:
    return Exchange(name, method, "/__stand_in/" + path, more.pop("headers", ()), more.pop("body", ""), **more)


TOKENS = [
    post(
        "token by Basic header", "/token", "grant_type=client_credentials",
        headers=(FORM, ("Authorization", "Basic {basic}")), secrets=(ACCESS_TOKEN, EXPIRES_IN), learn=("token",),
    ),
    post(
        "token by form", "/token", "grant_type=client_credentials&" + KEYS_FORM,
        headers=(FORM,), secrets=(ACCESS_TOKEN, EXPIRES_IN), learn=("token",),
    ),
    post(
        "token in gzip", "/token", "grant_type=client_credentials&scope=zipped", accept_encoding="gzip",
        headers=(FORM, ("Authorization", "Basic {basic}")), secrets=(ACCESS_TOKEN, EXPIRES_IN), learn=("token",),
    ),
    post(
        "token refused", "/token", "grant_type=client_credentials&scope=refused&client_id={id_q}&client_secret=wrong",
        headers=(FORM,),
    ),
    post(
        "partner token by password", "/auth/token",
        PASSWORD_FORM, headers=(FORM,),
        secrets=(ACCESS_TOKEN, REFRESH_TOKEN, EXPIRES_IN), learn=("refresh_token",),
    ),
    post(
        "partner token by refresh token", "/auth/token",
        "grant_type=refresh_token&refresh_token={refresh_token}&" + KEYS_FORM, headers=(FORM,),
        secrets=(ACCESS_TOKEN, REFRESH_TOKEN, EXPIRES_IN),
    ),
    post(
        "partner token at its own host", "/auth/token",
        PASSWORD_FORM, headers=(FORM,),
        host="backend.roaring.io", secrets=(ACCESS_TOKEN, REFRESH_TOKEN, EXPIRES_IN), ways=frozenset({"connect"}),
    ),
]  # fmt: skip

LEGACY = [
    get("legacy overview", f"/company/1.0/company-overview?{LEGACY_QUERY}5500000012"),
    get("legacy overview, another company", f"/company/1.0/company-overview?{LEGACY_QUERY}5500000020"),
    get("legacy board members", f"/company/1.0/company-board-members?{LEGACY_QUERY}5500000012"),
    get("legacy credit decision", f"/company/1.0/company-credit-decision?{LEGACY_QUERY}5500000012&template=standard"),
    get("legacy economy overview", f"/company/1.0/company-economy-overview?{LEGACY_QUERY}5500000103"),
    get("legacy signatory", f"/company/1.0/company-signatory?{LEGACY_QUERY}5500000103"),
    get(
        "legacy simple search",
        "/company/1.0/company-simple-search?countryCode=SE&companyName=%C3%96vning&town=V%C3%84XJ%C3%96",
    ),
    post("legacy overview batch", "/company/1.0/company-overview?countryCode=SE", TWO_IDS),
    post("legacy board members batch", "/company/1.0/company-board-members?countryCode=SE", TWO_IDS),
    post("legacy economy overview batch", "/company/1.0/company-economy-overview?countryCode=SE", TWO_IDS),
    post("legacy signatory batch", "/company/1.0/company-signatory?countryCode=SE", TWO_IDS),
    post(
        "legacy events with business codes", "/company/1.0/company-event?countryCode=SE",
        '{"requests":[{"companyId":"5500000012","date":"2018-01-01"},{"companyId":"5500000020","date":"2018-02-01"}]}',
    ),
    get("legacy, an argument missing (400)", "/company/1.0/company-overview?countryCode=SE"),
    get("legacy, unknown company (404 with JSON)", f"/company/1.0/company-overview?{LEGACY_QUERY}5500004048"),
    get("legacy, no token (401)", f"/company/1.0/company-overview?{LEGACY_QUERY}5500000038", headers=()),
]  # fmt: skip

CURRENT = [
    get("overview", "/se/company/overview/2.0/5500000012", learn=("etag",)),
    get("overview unchanged (304)", "/se/company/overview/2.0/5500000012", headers=(AUTH, ("If-None-Match", "{etag}"))),
    get("overview in gzip", "/se/company/overview/2.0/5500000020", accept_encoding="gzip, deflate"),
    get("overview in deflate", "/se/company/overview/2.0/5500000038", accept_encoding="deflate"),
    Exchange("overview, head only", "HEAD", "/se/company/overview/2.0/5500000103", (AUTH,)),
    Exchange("overview, options", "OPTIONS", "/se/company/overview/2.0/5500000103"),
    get("overview history", "/se/company/overview/2.0/history/5500000426?fromDate=2016-01-01&toDate=2020-01-01"),
    post("overview batch", "/se/company/overview/2.0/", '{"companyIds":["5500000012","5500000996","5500004048"]}'),
    post("overview batch, chunked request", "/se/company/overview/2.0/", '{"companyIds":["5500000020"]}', chunked=True),
    post("overview batch, slash missing (301)", "/se/company/overview/2.0", '{"companyIds":["5500000012"]}'),
    get("search, slash missing (301)", "/se/company/search/2.0?pageSize=2"),
    get("search, slash too many (302, relative)", "/se/company/search/2.0/search/?pageSize=2"),
    get(
        "search, first page", "/se/company/search/2.0/search?legalGroupCode=AB&pageSize=2&from=0",
        learn=("request_key",),
    ),
    get(
        "search, second page",
        "/se/company/search/2.0/search?legalGroupCode=AB&pageSize=2&from=2&requestKey={request_key}",
    ),
    get("group structure", "/se/company/group-structure/1.0/5500000020"),
    get("economy overview with a large integer", "/se/company/economy-overview/2.1/5500000012"),
    get("economy overview, unknown (200 with status.code 1)", "/se/company/economy-overview/2.1/5500004048"),
    get("beneficial owners", "/se/beneficialowner/2.1/company/5500000426"),
    get(
        "engagements, repeated key",
        "/se/company/engagement/3.0/197000010000?excludeWithRoleCode=8&excludeWithRoleCode=9",
    ),
    get("rating not in the plan (403)", "/se/company/rating/2.0/5500000012"),
    get("unknown company (404, empty)", "/se/company/overview/2.0/5500004048"),
    get("throttled (429)", "/se/company/overview/2.0/5500004295"),
    get("broken (500)", "/se/company/overview/2.0/5500005003"),
    get("bad company number (400 with attributes)", "/se/company/overview/2.0/no-number"),
    get("no token (401)", "/se/company/overview/2.0/5500000996", headers=()),
    get("report", "/se/company/reports/1.0/5500000012"),
    get("report with a trailer", "/se/company/reports/1.0/5500000012?trailer=true"),
    get("part of a report", "/se/company/reports/1.0/5500000012", headers=(AUTH, ("Range", "bytes=100-299"))),
    Exchange(
        "task started by a file", "PUT", "/se/company/current-information/1.0/startWithFile/hook-1",
        (AUTH, ("Content-Type", "multipart/form-data; boundary={boundary}")), MULTIPART, learn=("task",),
    ),
    get("task polled, first", "/se/company/current-information/1.0/status/{task}?withProtocol=true"),
    get("task polled, second", "/se/company/current-information/1.0/status/{task}?withProtocol=true"),
    get("task polled, third", "/se/company/current-information/1.0/status/{task}?withProtocol=true"),
    post(
        "bank login address",
        "/global/bank-account-data/1.0/auth/url/SE/examplebank?redirectUrl=https%3A%2F%2Fclient.example%2Fcb",
        BANK_LOGIN,
    ),
    get("bank session by one-time code", "/global/bank-account-data/1.0/auth/session?authCode={auth_code_q}"),
    get("bank transactions with business codes", "/global/bank-account-data/1.0/account/acc-1/transactions"),
]  # fmt: skip

ODD = [
    odd("early hints", "early-hints", clients=frozenset({"curl"})),
    odd("body until close", "until-close"),
    odd("answer of HTTP/1.0", "http10"),
    odd("answer of HTTP/1.0 with a length", "http10-length"),
    odd("two cookies", "cookies", secrets=(SET_COOKIE, SET_COOKIE)),
    odd("case of names, twice and empty", "header-case"),
    odd("a large head", "large-head"),
    odd("fields for our hop alone", "served-otherwise"),
    odd("no reason phrase", "reason/empty"),
    odd("a reason phrase of its own", "reason/own"),
    odd("no content", "status/204"),
    odd("several statuses (207)", "status/207"),
    odd("a refused expectation's status (417)", "status/417"),
    odd("small chunks with extensions", "chunks/plain"),
    odd("trailers", "chunks/trailer"),
    odd("chunks without a body", "chunks/empty"),
    odd("a slow answer", "slow/150"),
    odd("a dripping answer", "drip?total=100&bytes=10&ms=5"),
    odd("a dripping answer of known length", "drip?total=100&bytes=10&ms=5&framing=length"),
    odd("a large body", "big/3000000"),
    odd("expect 100-continue", "expectation", "POST", headers=(JSON, ("Expect", "100-continue")), body='{"a":1}'),
    odd("put", "things/one", "PUT", headers=(JSON,), body='{"b":[1,2.50,"å"]}'),
    odd("patch", "things/one", "PATCH", headers=(JSON,), body='{"b":null}'),
    odd("delete with a body", "things/one", "DELETE", headers=(JSON,), body='{"why":"no longer needed"}'),
    odd(
        "binary request", "things/two", "PUT", headers=(("Content-Type", "application/octet-stream"),),
        bytes_body=bytes(range(256)) * 40,
    ),
    odd("the same question, first answer", "counter/a"),
    odd("the same question, second answer", "counter/a"),
    odd("secrets beside a business code", "token-in/plain", secrets=(ACCESS_TOKEN, rb'"api_key":"([^"]*)"')),
    odd("secrets in gzip", "token-in/gzip", secrets=(ACCESS_TOKEN, rb'"api_key":"([^"]*)"'), accept_encoding="gzip"),
    odd("secrets in a redirect", "token-in/redirect", secrets=(rb"[?&]code=([^&\r]*)", rb"access_token=([^&\r]*)")),
]  # fmt: skip

EXCHANGES = TOKENS + LEGACY + CURRENT + ODD


@dataclass
class Knowledge:
    """What one client knows: its own keys, one-time values, and what it was told."""

    keys: tuple
    seed: str  # makes one-time values differ between clients
    told: dict = field(default_factory=dict)

    def own_secrets(self) -> dict:
        identity, secret = self.keys
        return {
            "id": identity,
            "secret": secret,
            "basic": base64.b64encode(f"{identity}:{secret}".encode()).decode(),
            "auth_code": f"one-time/code+{self.seed}=ab12",
            "bank_password": f"Bank-lösen+{self.seed}",
            "iban": "SE45 5000 0000 0583 9825 7466",
            "card_number": "4111-1111-1111-1111",
            "partner_username": "partner@example.se",
            "partner_password": "Hemligt-lösenord+med/tecken=1",
        }

    def values(self) -> dict:
        values = self.own_secrets() | {"boundary": "----part-of-a-form"}
        values |= {name: "none yet" for name in LEARN} | self.told
        return values | {f"{name}_q": quote(value, safe="") for name, value in values.items()}

    def fill(self, text: str) -> str:
        values = self.values()
        return re.sub(r"\{([a-z_]+)\}", lambda found: values[found[1]], text)

    def learn(self, exchange: Exchange, answer: Message) -> None:
        for name in exchange.learn:
            self.told[name] = LEARN[name](answer)


def exchanges_for(client_name: str, *ways: str) -> list:
    return [e for e in EXCHANGES if client_name in e.clients and e.ways.issuperset(ways)]


def perform(client, exchange: Exchange, knowledge: Knowledge) -> Message:
    """One exchange. The field X-Exchange finds it again in the stand-in's transcripts; matching ignores fields."""
    headers = [("Accept-Encoding", exchange.accept_encoding), ("X-Exchange", exchange.name)]
    headers += [(name, knowledge.fill(value)) for name, value in exchange.headers]
    body = exchange.bytes_body or knowledge.fill(exchange.body).encode()
    answer = client.send(exchange.method, exchange.host, knowledge.fill(exchange.path), headers, body, exchange.chunked)
    try:
        knowledge.learn(exchange, answer)
    except (ValueError, KeyError) as error:
        # The comparison that follows says what is wrong; this only keeps later exchanges from failing in its place.
        knowledge.told.setdefault("unlearned", f"{exchange.name}: {error!r}")
    return answer
