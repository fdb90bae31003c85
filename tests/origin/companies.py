"""Synthetic companies. Everything follows from the company number, so the same question has the same answer.

The numbers pass the check digit but cannot exist: no Swedish organisation has a third digit below two.
"""

KNOWN = ("5500000012", "5500000020", "5500000038", "5500000103", "5500000426", "5500000996")
NOT_FOUND = "5500004048"
THROTTLED = "5500004295"
BROKEN = "5500005003"

_NAMES = {
    "5500000012": "Exempelbolaget AB",
    "5500000020": "Räksmörgås & Söner AB",
    "5500000038": "Blåbärsodlarna i Östersund AB",
    "5500000103": "Ångfärjan Handelsbolag",
    "5500000426": "Övningskörning Väst AB",
    "5500000996": "Påhittade Företaget AB",
}
_TOWNS = (
    ("STOCKHOLM", "STOCKHOLM", "0180", "10124"),
    ("ÖSTERSUND", "JÄMTLAND", "2380", "83131"),
    ("MALMÖ", "SKÅNE", "1280", "21119"),
    ("GÖTEBORG", "VÄSTRA GÖTALAND", "1480", "41103"),
    ("VÄXJÖ", "KRONOBERG", "0780", "35230"),
)
_FIRST_NAMES = ("Eva", "Åke", "Märta", "Björn", "Östen", "Håkan")
_SURNAMES = ("Exempelsson", "Påhittad", "Övningsman", "Ståhlström", "Äppelblom")
_STATUSES = (("100", "Aktivt", "Aktivt"), ("100", "Aktivt", "Aktivt"), ("141", "Fusion avslutad", "Inaktivt"))
_EMPLOYEES = (("3", "1-4 anställda"), ("12", "10-19 anställda"), ("61", "50-99 anställda"))


class Company:
    def __init__(self, number: str):
        self.number = number
        self.seed = int(number[5:9])
        self.name = _NAMES[number]
        self.town, self.county, self.commune_code, self.zip_code = self._pick(_TOWNS)
        self.status_code, self.status_detailed, self.status_high = self._pick(_STATUSES)
        self.employees, self.employees_interval = self._pick(_EMPLOYEES)
        self.director = f"{_SURNAMES[(self.seed + 1) % len(_SURNAMES)]}, {self._pick(_FIRST_NAMES)}"
        self.change_date = f"2018-02-{1 + self.seed % 28:02d}"
        self.registered = f"2009{1 + self.seed % 12:02d}03"

    def _pick(self, choices: tuple):
        return choices[self.seed % len(choices)]

    @property
    def limited(self) -> bool:
        return self.name.endswith("AB")

    @property
    def legal_group(self) -> tuple:
        return ("AB", "Privat aktiebolag") if self.limited else ("HB", "Handelsbolag")


def find(number: str) -> Company | None:
    number = number.replace("-", "")
    return Company(number) if number in KNOWN else None


def every() -> list:
    return [Company(number) for number in KNOWN]


# Answers of CompanyAPI 1.0, where leaves are strings.


def legacy_overview(company: Company) -> dict:
    return {
        "address": f"Box {company.seed + 1}",
        "changeDate": company.change_date,
        "commune": company.town,
        "companyId": company.number,
        "companyName": company.name,
        "companyRegistrationDate": company.registered,
        "county": company.county,
        "employerContributionReg": "true",
        "industryCode": "62010",
        "industryText": "Dataprogrammering",
        "legalGroupCode": company.legal_group[0],
        "legalGroupText": company.legal_group[1],
        "numberCompanyUnits": 1 + company.seed % 3,
        "numberEmployees": company.employees,
        "severalCompanyName": False,
        "statusCode": company.status_code,
        "statusDateFrom": company.registered,
        "statusTextDetailed": company.status_detailed,
        "statusTextHigh": company.status_high,
        "topDirectorFunction": "Verkställande direktör",
        "topDirectorName": company.director,
        "town": company.town,
        "vatReg": "true",
        "zipCode": company.zip_code,
    }


def legacy_board_members(company: Company) -> dict:
    surname, given_name = company.director.split(", ")
    member = {
        "firstName": given_name,
        "fromDate": company.registered,
        "fullName": company.director,
        "givenName": given_name,
        "personalNumber": personal_number(company),
        "roleCode": "5",
        "roleName": "Ledamot",
        "surName": surname,
    }
    return {"boardMembers": [member], "changeDate": company.change_date, "companyId": company.number}


def legacy_credit_decision(company: Company) -> dict:
    rejected = company.seed % 2 == 1
    decision = {
        "address": f"Box {company.seed + 1}",
        "companyId": company.number,
        "statusCode": "1" if rejected else "0",
        "statusText": "Avslag" if rejected else "Godkänd",
        "town": company.town,
        "zipCode": company.zip_code,
    }
    if rejected:
        decision["rejections"] = {"causeOfReject": "2", "rejectComment": "", "rejectText": "Betalningsanmärkning"}
    return dict(sorted(decision.items()))


def legacy_economy_overview(company: Company) -> dict:
    return {
        "bsCashAndBankBalances": str(1204 + company.seed),
        "bsShareCapital": "100",
        "bsTotalAssets": str(8120 + company.seed),
        "bsTotalEquity": str(3011 + company.seed),
        "changeDate": company.change_date,
        "companyId": company.number,
        "kpiNetMarginPercent": "7.1",
        "kpiQuickRatioPercent": "141.0",
        "kpiSolidityPercent": "37.1",
        "nbrOfEmployees": company.employees,
        "nbrOfEmployeesInterval": company.employees_interval,
        "netTurnover": str(15230 + 7 * company.seed),
        "plNetIncome": "811",
        "plOperatingProfit": "1090",
        "plProfitLossAfterFinItems": "1082",
        "turnoverInterval": "10-20 mkr",
        "turnoverPerEmployee": "1269",
    }


def legacy_signatory(company: Company) -> dict:
    rule = "Firman tecknas av styrelsen." if company.limited else "Firman tecknas av bolagsmännen, två i förening."
    return {"changeDate": company.change_date, "companyId": company.number, "companySignatory": rule}


def legacy_events(company: Company, earliest: str) -> list:
    """`code` is business data here, not a credential."""
    board = (company.change_date, "BOARD", ["company-board-members"])
    events = [("2018-01-15", "ADDRESS", ["company-overview"]), board]
    return [
        {"changeDate": date, "code": code, "companyId": company.number, "dataSet": data_set}
        for date, code, data_set in events
        if date >= earliest
    ]


# Answers of the current interfaces.


def overview(company: Company) -> dict:
    """Absent fields are left out, so the keys of two records differ; date formats are mixed."""
    record = {
        "address": f"Box {company.seed + 1}",
        "changeDate": f"2020-03-{1 + company.seed % 28:02d}",
        "commune": company.town,
        "communeCode": company.commune_code,
        "companyId": company.number,
        "companyName": company.name,
        "companyRegistrationDate": company.registered,
        "county": company.county,
        "employerContributionReg": True,
        "industryCode": "62010",
        "industryText": "Dataprogrammering",
        "legalGroupCode": company.legal_group[0],
        "legalGroupText": company.legal_group[1],
        "numberCompanyUnits": 1 + company.seed % 3,
        "numberEmployeesInterval": company.employees_interval,
        "preliminaryTaxReg": True,
        "preliminaryTaxRegDate": "2009-12-01",
        "severalCompanyName": False,
        "statusCode": company.status_code,
        "statusDateFrom": company.registered,
        "statusTextDetailed": company.status_detailed,
        "statusTextHigh": company.status_high,
        "topDirectorFunction": "Verkställande direktör",
        "topDirectorName": company.director,
        "town": company.town,
        "vatReg": True,
        "vatRegDate": "2009-01",
        "zipCode": company.zip_code,
    }
    if company.seed % 2 == 0:
        record["phoneNumber"] = f"08-{100000 + company.seed}"
        record["visitAddress"] = f"Övre Vägen {1 + company.seed % 90}"
    return dict(sorted(record.items()))


def overview_history(company: Company) -> list:
    """Newest first."""
    newest = overview(company)
    older = {**newest, "changeDate": "2016-05-02", "address": "Gamla Torget 1"}
    oldest = {**older, "changeDate": "2012-11-19", "numberEmployeesInterval": "1-4 anställda"}
    return [newest, older, oldest]


def search_hit(company: Company) -> dict:
    code, text = company.legal_group
    return {
        "companyId": company.number,
        "companyName": company.name,
        "legalGroupCode": code,
        "legalGroupText": text,
        "statusCode": company.status_code,
        "town": company.town,
    }


def group_structure(company: Company) -> dict:
    mother, daughter = KNOWN[0], company.number
    levels = [
        {"companyId": mother, "companyLevel": 0, "companyName": _NAMES[mother], "countryCode": "SE"},
        {
            "companyId": daughter,
            "companyLevel": 1,
            "companyName": company.name,
            "countryCode": "SE",
            "motherCompanyId": mother,
            "ownedPercentage": 51.5,
        },
    ]
    return {"groupCompanies": levels if daughter != mother else levels[:1], "status": found()}


def economy_overview(company: Company) -> dict:
    """Amounts in thousands. One integer is beyond what a double can hold exactly, on purpose."""
    record = {
        "companyId": company.number,
        "currency": "TSEK",
        "kpiSolidityPercent": 37.10,
        "netTurnover": 15230 + 7 * company.seed,
        "numberOfEmployees": int(company.employees),
        "periodReference": 9007199254740993,
    }
    return {"records": [record], "status": found()}


def beneficial_owners(company: Company) -> dict:
    surname, first_name = company.director.split(", ")
    owner = {
        "citizenship": "SE",
        "extentCode": "3",
        "firstName": first_name,
        "personalNumber": personal_number(company),
        "surname": surname,
    }
    return {"beneficialOwners": [owner], "companyId": company.number, "status": found()}


def engagements(personal_number_asked: str, excluded_roles: list) -> dict:
    roles = [("5", "Ledamot"), ("8", "Revisor"), ("9", "Revisorssuppleant"), ("1", "Verkställande direktör")]
    companies = [
        {"companyId": company.number, "companyName": company.name, "roleCode": code, "roleName": name}
        for company, (code, name) in zip(every(), roles)
        if code not in excluded_roles
    ]
    return {"engagements": companies, "personalNumber": personal_number_asked}


def personal_number(company: Company) -> str:
    """Month 00: nobody has it."""
    return f"197000{company.seed % 100:02d}-0000"


def found() -> dict:
    return {"code": 0, "text": "records found"}


def not_found() -> dict:
    return {"code": 1, "text": "records not found"}
