from pathlib import Path

from halmirror.snapshot.chain import Link
from halmirror.snapshot.keeping import Rules, judge
from halmirror.snapshot.layout import Description, Previous, Records


def link(name: str, since: str | None = None) -> Link:
    none = Records(0, "")
    previous = None if since is None else Previous(since, 1, "")
    told = Description(
        "", name, "", "", {}, "", 1, "", previous, {}, 0, 0, 0, none, none, {}, "", 0, [], []
    )
    return Link(Path(name), told)


def kept(rules: Rules, *links: Link) -> list[str]:
    return [one.link.told.name for one in judge(links, rules) if one.why]


DAYS = [f"2026-01-{day:02d}T03-00-00Z" for day in range(1, 32)]
LATER = ["2026-02-01T03-00-00Z", "2026-02-01T15-00-00Z"]


def test_the_newest_of_each_period_is_kept() -> None:
    links = [link(name) for name in (*DAYS, *LATER)]
    assert kept(Rules(daily=3), *links) == [*DAYS[-2:], LATER[1]]
    assert kept(Rules(monthly=5), *links) == [DAYS[-1], LATER[1]]
    assert kept(Rules(last=2), *links) == LATER
    # 1 February 2026 is a Sunday, the last day of its week.
    assert kept(Rules(weekly=2), *links) == ["2026-01-25T03-00-00Z", LATER[1]]
    assert kept(Rules(), *links) == []


def test_what_a_kept_increment_needs_is_kept() -> None:
    whole, first = link(DAYS[0]), link(DAYS[1], DAYS[0])
    second, other = link(DAYS[2], DAYS[1]), link(DAYS[3])
    assert kept(Rules(last=2), whole, first, second, other) == DAYS[:4]
    assert kept(Rules(last=1), whole, first, second, other) == [DAYS[3]]


def test_a_clock_that_went_back_breaks_no_chain() -> None:
    # The chain's last is called earlier than the one it goes on from, which no rule keeps.
    whole, ahead, last = link(DAYS[0]), link(DAYS[9], DAYS[0]), link(DAYS[4], DAYS[9])
    other = link(DAYS[9].replace("T03", "T15"))
    names = [DAYS[0], DAYS[4], DAYS[9], other.told.name]
    assert kept(Rules(daily=2), whole, last, ahead, other) == names
    circle = [link(DAYS[0], DAYS[1]), link(DAYS[1], DAYS[0])]
    assert kept(Rules(last=1), *circle) == DAYS[:2]
