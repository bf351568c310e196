"""What intake is asked: each request model is the command that its handler takes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    StringConstraints,
    model_validator,
)

from services.intake.rules import too_young
from shared import tables
from shared.clock import today
from shared.errors import RuleBroken
from shared.events import Urgency
from shared.fields import (
    CategoryCode,
    Cursor,
    IdempotencyKey,
    Limit,
    Quantity,
    Request,
    TownCode,
    Version,
    VulnerabilityCodes,
)

SiteKind = Literal["site", "institution", "group", "station"]
Outcome = Literal["helped", "partly", "not_helped"]
WithdrawReason = Literal["solved", "moved", "mistake", "duplicate", "other"]
CloseReason = Literal["solved_otherwise", "not_needed", "nothing_fits", "moved", "other"]


def _past(day: date) -> date:
    if day.year < 1890 or day > today():
        raise RuleBroken("date_range", "日期不能在将来，也不能早于 1890 年。")
    return day


def _moment(value: datetime) -> datetime:
    if not 2000 <= value.year < 2200:
        raise RuleBroken("time_range", "时间要在 2000 年到 2199 年之间。")
    return value


PastDate = Annotated[date, AfterValidator(_past)]
Moment = Annotated[AwareDatetime, AfterValidator(_moment)]


def _words(most: int, least: int = 1) -> StringConstraints:
    """Text without NUL, which PostgreSQL cannot store."""
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most, pattern=r"^[^\x00]*$")


Short = Annotated[str, _words(100)]
Number = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9A-Za-z一-鿿_./-]{3,40}$")]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9][0-9 -]{5,28}$")]
IdNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9A-Za-z()（）-]{3,30}$")]


class Location(Request):
    """WGS-84 degrees. It never leaves intake."""

    lng: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class Consent(Request):
    """Whether the household agreed that its needs are shared with donors; a child's guardian decides for the child (个人信息保护法 art. 31)."""

    given: bool
    on: PastDate | None = None
    by_guardian: bool = False


class NewMember(Request):
    """`sex` by GB/T 2261.1: 1 male, 2 female."""

    name: Short
    relation: Annotated[str, _words(30, 0)] = ""
    sex: Literal["1", "2"] | None = None
    birth_date: PastDate | None = None
    id_number: IdNumber | None = None
    vulnerabilities: VulnerabilityCodes = ()


BUNDLE_OF_ONE = "第 {bundle} 套只有一样。成套的至少要两样；只有一样就不用填套号。"
GUARDIAN = "有未满十四岁的成员，要由监护人同意（个人信息保护法第三十一条）。"


class NewHousehold(Request):
    """A household that is not on file yet; without a case number it is given one."""

    case_number: Number | None = None
    area: TownCode
    village: Short | None = None
    address: Annotated[str, _words(200)] | None = None
    phone: Phone | None = None
    location: Location | None = None
    vulnerabilities: VulnerabilityCodes = ()
    consent: Consent
    members: Annotated[tuple[NewMember, ...], Field(min_length=1, max_length=30)]

    @model_validator(mode="after")
    def guardian_agrees(self) -> NewHousehold:
        children = any(too_young(member.birth_date, today()) for member in self.members)
        if children and self.consent.given and not self.consent.by_guardian:
            raise RuleBroken("guardian_needed", GUARDIAN, field="beneficiary.household.consent.by_guardian")
        return self


class NewSite(Request):
    """A place, home, group or station that needs something; `minors` when children are among whom it serves."""

    kind: SiteKind
    name: Short
    area: TownCode
    minors: bool = False


class Beneficiary(Request):
    """Whom the visit went to: exactly one of the five."""

    household_id: UUID | None = None
    case_number: Number | None = None
    household: NewHousehold | None = None
    site: NewSite | None = None
    site_id: UUID | None = None

    @model_validator(mode="after")
    def exactly_one(self) -> Beneficiary:
        if len(self.model_fields_set & {name for name, value in self if value is not None}) != 1:
            raise RuleBroken(
                "one_beneficiary",
                "请写明走访了谁：已有的户、新建的户或者一个场所，只选一种。",
                field="beneficiary",
            )
        return self


class NewNeed(Request):
    """One thing that is lacking: a category, or words that somebody will confirm a category for. No quantity means one unit.

    `whole`: it has to come from one giver in full. Needs of one visit with the same `bundle` (1 to 9) only help together, so each
    needs its category.
    """

    category: CategoryCode | None = None
    text: Annotated[str, _words(2000)] | None = None
    quantity: Quantity | None = None
    urgency: Urgency | None = None
    needed_by: Moment | None = None
    whole: bool = False
    bundle: Annotated[int, Field(ge=1, le=9)] | None = None

    @model_validator(mode="after")
    def said_what(self) -> NewNeed:
        if self.category is None and self.text is None:
            raise RuleBroken("category_or_text", "请选择类别，或者用文字写明缺什么。")
        if self.category is None and self.bundle is not None:
            raise RuleBroken("bundle_needs_category", "成套的需求请选好类别，不能只写文字。")
        if self.category and self.quantity is None and tables.categories()[self.category].kind == "cash":
            raise RuleBroken("amount_needed", "现金类需求请填写金额（元）。")
        return self


class FollowUpAnswer(Request):
    follow_up_id: UUID
    outcome: Outcome


class RecordVisit(Request):
    """One worker at one beneficiary at one time. `client_ref` is the phone's own mark: the same one never makes a second visit."""

    beneficiary: Beneficiary
    visited_at: Moment
    participants: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    note: Annotated[str, _words(2000)] | None = None
    needs: Annotated[tuple[NewNeed, ...], Field(max_length=20)] = ()
    follow_up: FollowUpAnswer | None = None
    client_ref: Annotated[str, _words(60)] | None = None
    idempotency_key: IdempotencyKey = None

    @model_validator(mode="after")
    def bundles_have_parts(self) -> RecordVisit:
        numbers = [need.bundle for need in self.needs]
        for place, bundle in enumerate(numbers):
            if bundle is not None and numbers.count(bundle) < 2:
                raise RuleBroken("bundle_of_one", BUNDLE_OF_ONE, field=f"needs.{place}.bundle", bundle=bundle)
        return self


class ConfirmCategory(Request):
    category: CategoryCode
    quantity: Quantity
    urgency: Urgency
    version: Version
    idempotency_key: IdempotencyKey = None


class ChangeNeed(Request):
    quantity: Quantity | None = None
    urgency: Urgency | None = None
    needed_by: Moment | None = None
    version: Version


class WithdrawNeed(Request):
    reason: WithdrawReason
    version: Version


class TellApart(Request):
    """Two needs that look like one are two: they are not asked about again."""

    other_id: UUID


class CloseNeed(Request):
    """End a need whose help was received but did not help enough."""

    reason: CloseReason
    version: Version


class MemberChange(Request):
    """`left`: the person no longer belongs to the household and is taken off its file."""

    member_id: UUID
    relation: Annotated[str, _words(30, 0)] | None = None
    vulnerabilities: VulnerabilityCodes | None = None
    left: bool = False


class ChangeHousehold(Request):
    """What is absent stays as it is."""

    vulnerabilities: VulnerabilityCodes | None = None
    village: Short | None = None
    address: Annotated[str, _words(200)] | None = None
    phone: Phone | None = None
    location: Location | None = None
    members: Annotated[tuple[MemberChange, ...], Field(max_length=30)] = ()
    version: Version


class AddMember(NewMember):
    version: Version
    idempotency_key: IdempotencyKey = None


class GiveConsent(Request):
    on: PastDate | None = None
    by_guardian: bool = False
    version: Version


class WithdrawConsent(Request):
    version: Version


class FindHouseholds(Request):
    """`words`: a case number, or an exact name, phone or ID number. Personal words travel in a body, never in an address."""

    words: Short
    cursor: Cursor = None
    limit: Limit = 50


class DecideImport(Request):
    mode: Literal["whole", "right_rows"]
    accept_readings: bool = False
