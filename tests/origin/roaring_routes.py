"""What roaring.io answers: tokens, CompanyAPI 1.0, and the interfaces that came after it."""

import hashlib
import re
import threading
import uuid
from urllib.parse import parse_qs

import companies
from messages import Answer, Request, date_field, empty_answer, json_answer
from tokens import TokenOffice

LEGACY = "/company/1.0"
BATCH_MAX = 100
POLLS_UNTIL_DONE = 3

LEGACY_LOOKUPS = {
    "company-board-members": companies.legacy_board_members,
    "company-economy-overview": companies.legacy_economy_overview,
    "company-overview": companies.legacy_overview,
    "company-signatory": companies.legacy_signatory,
}


class RoaringRoutes:
    def __init__(self, tokens: TokenOffice):
        self._tokens = tokens
        self._lock = threading.Lock()
        self._polls = {}  # task -> how often it was asked for
        self._auth_codes = set()  # used up
        self._routes = [
            ("GET", r"/se/company/overview/2\.0/history/([^/]+)", self._history),
            ("GET", r"/se/company/overview/2\.0/([^/]+)", self._overview),
            ("POST", r"/se/company/overview/2\.0/", self._overview_batch),
            ("POST", r"/se/company/overview/2\.0", self._slash_missing),
            ("GET", r"/se/company/search/2\.0/search", self._search),
            ("GET", r"/se/company/search/2\.0/search/", self._slash_too_many),
            ("GET", r"/se/company/search/2\.0", self._slash_missing),
            ("GET", r"/se/company/group-structure/1\.0/([^/]+)", self._group_structure),
            ("GET", r"/se/company/economy-overview/(?:1\.1|2\.1)/([^/]+)", self._economy_overview),
            ("GET", r"/se/beneficialowner/2\.1/company/([^/]+)", self._beneficial_owners),
            ("GET", r"/se/company/engagement/3\.0/([^/]+)", self._engagements),
            ("GET", r"/se/company/rating/[^/]+/([^/]+)", self._not_in_plan),
            ("GET", r"/se/company/reports/1\.0/([^/]+)", self._report),
            ("PUT", r"/se/company/current-information/1\.0/startWithFile/([^/]+)", self._start_task),
            ("GET", r"/se/company/current-information/1\.0/status/([^/]+)", self._task_status),
            ("POST", r"/global/bank-account-data/1\.0/auth/url/([^/]+)/([^/]+)", self._bank_auth_url),
            ("GET", r"/global/bank-account-data/1\.0/auth/session", self._bank_session),
            ("GET", r"/global/bank-account-data/1\.0/account/([^/]+)/transactions", self._bank_transactions),
        ]
        self._routes = [(method, re.compile(path), handler) for method, path, handler in self._routes]

    def answer(self, request: Request) -> Answer:
        path = request.path
        if request.method == "POST" and path == "/token":
            return self._tokens.client_credentials(request)
        if request.method == "POST" and path == "/auth/token":
            return self._tokens.partner(request)
        refusal = self._authorise(request)
        if refusal is not None:
            return refusal
        if path.startswith(LEGACY + "/"):
            return self._legacy(request, path[len(LEGACY) + 1 :])
        method = "GET" if request.method == "HEAD" else request.method
        matches = [(known, route.fullmatch(path), handler) for known, route, handler in self._routes]
        allowed = {known for known, match, _ in matches if match}
        if request.method == "OPTIONS" and allowed:
            return empty_answer(204, [("Allow", ", ".join(sorted(allowed | {"OPTIONS"})))])
        for known, match, handler in matches:
            if match and known == method:
                return handler(request, *match.groups())
        if allowed:
            fields = [("Allow", ", ".join(sorted(allowed)))]
            return json_answer(_error("MethodNotAllowed", "Method not allowed"), 405, fields)
        return _not_found()

    def _authorise(self, request: Request) -> Answer | None:
        """The old gateway and the new one say 401 in different words."""
        scheme, _, token = request.header("Authorization").partition(" ")
        if request.method == "OPTIONS" or (scheme.lower() == "bearer" and self._tokens.accepts(token)):
            return None
        if not request.path.startswith(LEGACY):
            return json_answer(_error("Unauthorized", "Access token is missing, unknown or expired"), 401)
        code, message = (900901, "Invalid Credentials") if scheme else (900902, "Missing Credentials")
        description = "Make sure your API invocation call has a header: 'Authorization: Bearer <token>'"
        challenge = 'OAuth2 realm="WSO2 API Manager", error="invalid_token"'
        fault = {"fault": {"code": code, "description": description, "message": message}}
        return json_answer(fault, 401, [("WWW-Authenticate", challenge)])

    # CompanyAPI 1.0.

    def _legacy(self, request: Request, name: str) -> Answer:
        if not request.parameter("countryCode"):
            return _bad_request()
        if name == "company-simple-search" and request.method == "GET":
            return self._simple_search(request)
        if name == "company-event" and request.method == "POST":
            return self._legacy_events(request)
        if name == "company-credit-decision" and request.method == "GET":
            return self._legacy_one(request, companies.legacy_credit_decision, request.parameter("template"))
        if name not in LEGACY_LOOKUPS:
            return _not_found()
        if request.method == "POST":
            return self._legacy_batch(request, LEGACY_LOOKUPS[name])
        return self._legacy_one(request, LEGACY_LOOKUPS[name], "-")

    def _legacy_one(self, request: Request, shape, other_required: str) -> Answer:
        number = request.parameter("companyId")
        if not number or not other_required:
            return _bad_request()
        trouble = _trouble_of(number)
        if trouble is not None:
            return trouble
        company = companies.find(number)
        return json_answer(shape(company)) if company else _not_found()

    def _legacy_batch(self, request: Request, shape) -> Answer:
        ids = _company_ids(request.json())
        if ids is None:
            return _bad_request()
        hits = [company for company in map(companies.find, ids) if company]
        return json_answer({"companies": [shape(company) for company in hits], "responseInfo": _response_info(ids)})

    def _legacy_events(self, request: Request) -> Answer:
        asked = request.json()
        if not isinstance(asked, dict) or not isinstance(asked.get("requests"), list):
            return _bad_request()
        events = []
        for one in asked["requests"]:
            company = companies.find(str(one.get("companyId", "")))
            events += companies.legacy_events(company, str(one.get("date", ""))) if company else []
        return json_answer({"responses": events})

    def _simple_search(self, request: Request) -> Answer:
        name, town = request.parameter("companyName").lower(), request.parameter("town").lower()
        hits = [c for c in companies.every() if name in c.name.lower() and (not town or town == c.town.lower())]
        return json_answer({"hitCount": len(hits), "hits": [companies.search_hit(company) for company in hits]})

    # The current interfaces.

    def _overview(self, request: Request, number: str) -> Answer:
        trouble = _trouble_of(number)
        if trouble is not None:
            return trouble
        if not re.fullmatch(r"[0-9]{6}-?[0-9]{4}", number):
            attributes = [{"attribute": "companyId", "value": number}]
            return json_answer({"attributes": attributes, **_error("BadRequest", "Argument validation failed")}, 400)
        company = companies.find(number)
        if company is None:
            return empty_answer(404)
        answer = json_answer({"records": [companies.overview(company)], "status": companies.found()})
        tag = '"%s"' % hashlib.sha1(answer.body).hexdigest()[:20]
        fields = [("ETag", tag), ("Cache-Control", "private, max-age=60")]
        if request.header("If-None-Match") == tag:
            return empty_answer(304, fields)
        answer.headers += fields
        return answer

    def _history(self, request: Request, number: str) -> Answer:
        company = companies.find(number)
        if company is None:
            return empty_answer(404)
        begin, end = request.parameter("fromDate", "0000"), request.parameter("toDate", "9999")
        records = [record for record in companies.overview_history(company) if begin <= record["changeDate"] < end]
        return json_answer({"records": records, "status": companies.found() if records else companies.not_found()})

    def _overview_batch(self, request: Request) -> Answer:
        ids = _company_ids(request.json())
        if ids is None or len(ids) > BATCH_MAX:
            attributes = [{"attribute": "companyIds", "value": "missing" if ids is None else str(len(ids))}]
            return json_answer({"attributes": attributes, **_error("BadRequest", "Argument validation failed")}, 400)
        records = [companies.overview(company) for company in map(companies.find, ids) if company]
        status = companies.found() if records else companies.not_found()
        return json_answer({"responseInfo": _response_info(ids), "records": records, "status": status})

    def _search(self, request: Request) -> Answer:
        """The key that the first page issues has to come back with the next ones."""
        begin, size = int(request.parameter("from", "0")), int(request.parameter("pageSize", "100"))
        key = request.parameter("requestKey")
        if begin > 0 and not key:
            attributes = [{"attribute": "requestKey", "value": ""}]
            return json_answer({"attributes": attributes, **_error("BadRequest", "Argument validation failed")}, 400)
        hits = [
            company
            for company in companies.every()
            if request.parameter("statusCode", company.status_code) == company.status_code
            and request.parameter("legalGroupCode", company.legal_group[0]) == company.legal_group[0]
        ]
        page = [companies.search_hit(company) for company in hits[begin : begin + size]]
        return json_answer({"hitCount": len(hits), "hits": page, "requestKey": key or f"rk_{uuid.uuid4().hex}"})

    def _group_structure(self, request: Request, number: str) -> Answer:
        return _found_or_code_1(number, companies.group_structure)

    def _economy_overview(self, request: Request, number: str) -> Answer:
        return _found_or_code_1(number, companies.economy_overview)

    def _beneficial_owners(self, request: Request, number: str) -> Answer:
        return _found_or_code_1(number, companies.beneficial_owners)

    def _engagements(self, request: Request, personal_number: str) -> Answer:
        excluded = [value for key, value in request.query if key == "excludeWithRoleCode"]
        return json_answer(companies.engagements(personal_number, excluded))

    def _not_in_plan(self, request: Request, number: str) -> Answer:
        return json_answer(_error("Forbidden", "Your subscription does not include this API"), 403)

    def _report(self, request: Request, number: str) -> Answer:
        company = companies.find(number)
        if company is None:
            return _not_found()
        body = _pdf(company)
        fields = [date_field(), ("Content-Type", "application/pdf")]
        fields.append(("Content-Disposition", f'attachment; filename="{company.number}.pdf"'))
        fields.append(("Accept-Ranges", "bytes"))
        asked = re.fullmatch(r"bytes=([0-9]+)-([0-9]+)", request.header("Range"))
        if asked:
            begin, end = int(asked[1]), min(int(asked[2]), len(body) - 1)
            if begin > end:
                return empty_answer(416, [("Content-Range", f"bytes */{len(body)}")])
            fields.append(("Content-Range", f"bytes {begin}-{end}/{len(body)}"))
            return Answer(206, fields, body[begin : end + 1])
        answer = Answer(200, fields, body, framing="chunked", chunk_bytes=16000)
        if request.parameter("trailer") == "true":
            answer.headers.append(("Trailer", "X-Content-SHA256"))
            answer.trailers = [("X-Content-SHA256", hashlib.sha256(body).hexdigest())]
        return answer

    def _start_task(self, request: Request, webhook: str) -> Answer:
        numbers = re.findall(rb"[0-9]{6}-?[0-9]{4}", request.body)
        task = hashlib.sha1(webhook.encode() + b"".join(numbers)).hexdigest()[:12]
        with self._lock:
            self._polls[task] = 0
        return json_answer({"companyCount": len(numbers), "taskId": task}, 202)

    def _task_status(self, request: Request, task: str) -> Answer:
        """The same question, a different answer: what a poll sees."""
        with self._lock:
            self._polls[task] = asked = self._polls.get(task, 0) + 1
        state = "DONE" if asked >= POLLS_UNTIL_DONE else "RUNNING"
        return json_answer({"processed": min(asked, POLLS_UNTIL_DONE), "state": state, "taskId": task})

    def _bank_auth_url(self, request: Request, country: str, bank: str) -> Answer:
        asked = request.json()
        if not isinstance(asked, dict) or "userId" not in asked or not request.parameter("redirectUrl"):
            return json_answer(_error("BadRequest", "Required arguments are missing in the request"), 400)
        return json_answer({"bank": bank, "country": country, "url": f"https://bank.example/{country}/{bank}/login"})

    def _bank_session(self, request: Request) -> Answer:
        """An authCode opens one session; its second use is refused."""
        code = parse_qs(request.target.partition("?")[2]).get("authCode", [""])[0]
        with self._lock:
            used = code in self._auth_codes
            self._auth_codes.add(code)
        if not code or used:
            return json_answer(_error("BadRequest", "authCode is missing or used up"), 400)
        return json_answer({"accounts": [{"accountId": "acc-1", "currency": "SEK"}], "status": companies.found()})

    def _bank_transactions(self, request: Request, account: str) -> Answer:
        transactions = [
            {"amount": "-250.00", "bookingDate": "2024-09-02", "code": "PMNT", "text": "Hyra för lägenhet"},
            {"amount": "1200.50", "bookingDate": "2024-09-01", "code": "SALA", "text": "Lön"},
        ]
        return json_answer({"accountId": account, "transactions": transactions})

    def _slash_missing(self, request: Request) -> Answer:
        """The absolute form of Location, with the name the client asked for."""
        path, mark, query = request.target.partition("?")
        return empty_answer(301, [("Location", f"https://{request.header('Host')}{path}/{mark}{query}")])

    def _slash_too_many(self, request: Request) -> Answer:
        return empty_answer(302, [("Location", request.target.replace("/search/2.0/search/", "/search/2.0/search"))])


def _trouble_of(number: str) -> Answer | None:
    if number == companies.THROTTLED:
        return json_answer(_error("TooManyRequests", "Message throttled out"), 429, [("Retry-After", "2")])
    if number == companies.BROKEN:
        message = "An internal server error occurred, please contact the system administrator"
        return json_answer(_error("InternalServerError", message + " with information on the error"), 500)
    return None


def _found_or_code_1(number: str, shape) -> Answer:
    """The third way to say "unknown": 200 and `status.code` 1."""
    company = companies.find(number)
    return json_answer(shape(company) if company else {"records": [], "status": companies.not_found()})


def _company_ids(asked) -> list | None:
    ids = asked.get("companyIds") if isinstance(asked, dict) else None
    return ids if isinstance(ids, list) and all(isinstance(one, str) for one in ids) else None


def _response_info(ids: list) -> dict:
    missing = [one for one in ids if companies.find(one) is None]
    return {"requestCount": len(ids), "hitCount": len(ids) - len(missing), "noMatchIds": missing}


def _bad_request() -> Answer:
    return json_answer(_error("BadRequest", "Required arguments are missing in the request"), 400)


def _not_found() -> Answer:
    return json_answer(_error("NotFound", "Requested resource could not be found"), 404)


def _error(error: str, message: str) -> dict:
    return {"error": error, "message": message}


def _pdf(company: companies.Company) -> bytes:
    """About 1 MB with every byte value in it; only the frame is a PDF."""
    noise = b"".join(hashlib.sha512(f"{company.number}/{n}".encode()).digest() for n in range(16384))
    stream = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(noise), noise)
    return b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n" + stream + b"\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
