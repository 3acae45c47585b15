"""Random offices: whatever is tried, the review keeps its promises."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from qianmo.governance.calendar import due_date, work_calendar, working_days_between
from qianmo.governance.review_process import apply, replay
from qianmo.governance.review_progress import due_outcome, waiting_desks
from qianmo.governance.review_records import FINAL, ReviewEvent
from qianmo.governance.review_rights import open_verbs, review_settings, review_verbs
from qianmo.schema.errors import ReviewRefusedError

DEPARTMENTS = ("自然资源", "农业农村", "生态环境", "水利")
OFFICERS = [(f"{d}{n}", d) for d in DEPARTMENTS for n in range(3)]
ROSTER = [{"id": p, "name": p, "department": d, "role": "officer"} for p, d in OFFICERS]
ROSTER += [{"id": "申", "name": "申", "department": "镇", "role": "applicant"}, {"id": "秘", "name": "秘", "department": "联席办", "role": "secretary"},
           {"id": "县", "name": "县", "department": "县政府", "role": "issuer"}, {"id": "阅", "name": "阅", "department": "村", "role": "reader"}]  # fmt: skip
PEOPLE = [p["id"] for p in ROSTER]
OFFICE_POINT = {"ALL2": {"department": "联席办", "mandatory": True, "suggested": "manual", "zh": "投资估算"}}
START = datetime(2026, 3, 2, 1, tzinfo=UTC)
DEPARTMENT_OF = {p["id"]: p["department"] for p in ROSTER}


def answers(seat) -> list[dict]:
    return [{"item": "ALL2", "answer": "pass"}] if seat.department == "联席办" else []


def groups(mode: str) -> list[dict]:
    return [{"id": "g", "mode": mode, "seats": [{"department": d, "person": f"{d}0"} for d in DEPARTMENTS[:3]]},
            {"id": "h", "mode": "any", "seats": [{"department": "水利", "person": "水利0"}, {"department": "自然资源", "person": "自然资源1"}]}]  # fmt: skip


class Office(RuleBasedStateMachine):
    """People try any verb on anything; most tries are refused."""

    @initialize(mode=st.sampled_from(["all", "sequence", "vote"]), office=st.booleans())
    def begin(self, mode, office):
        self.events, self.state, self.now = [], None, START
        self.tried = 0
        self.most_opinions: dict[str, tuple] = {}
        self.send("submit", "申", {"project": "p", "package": "0" * 64, "roster": ROSTER, "settings": review_settings(), "suggestions": OFFICE_POINT if office else {}})
        self.send("accept", "秘", {})
        self.send("distribute", "秘", {"groups": groups(mode)})

    def send(self, verb, actor, data):
        self.tried += 1
        event = ReviewEvent(f"e{self.tried}", verb, actor, self.now, data)
        before = self.state
        try:
            after = apply(before, event)
        except ReviewRefusedError as fault:
            assert fault.zh and fault.en and fault.code
            assert self.state is before
            return False
        if before is not None:
            self.check(before, after, event)
        self.state = after
        self.events.append(event)
        return True

    def check(self, before, after, event):
        assert before.phase not in FINAL
        assert event.verb in open_verbs(before, event.actor, event.time)
        if before.is_suspended:
            assert event.verb in ("resume", "void", "withdraw", "copy")
        if event.verb == "opine":
            seat = before.seat(event.data["seat"])[1]
            assert event.actor == seat.person or event.actor == seat.delegate
            assert DEPARTMENT_OF[event.actor] == seat.department

    def seats(self):
        return [s.id for g in self.state.groups for s in g.seats] or ["none"]

    @rule(data=st.data(), actor=st.sampled_from(PEOPLE), verb=st.sampled_from([v for v in review_verbs() if v != "submit"]), hours=st.integers(0, 30))
    def anyone_tries_anything(self, data, actor, verb, hours):
        self.now += timedelta(hours=hours - 1)
        seat = data.draw(st.sampled_from(self.seats()))
        self.send(verb, actor, {
            "seat": seat, "to": data.draw(st.sampled_from([*PEOPLE, "applicant", "g", "h"])),
            "person": data.draw(st.sampled_from(PEOPLE)), "reason": "x", "result": data.draw(st.sampled_from(["pass", "reject", "condition"])),
            "conditions": [], "package": self.state.package if verb == "opine" else f"{self.tried:064d}", "where": data.draw(st.sampled_from(["before", "after"])),
            "until": str(self.now.date() + timedelta(2)), "outcome": due_outcome(self.state) or "pass", "opinion": data.draw(st.sampled_from([o.id for o in self.state.opinions] or ["-"])),
            "task": "-", "agenda": [{"id": "package", "title": "t"}], "members": PEOPLE[:3], "item": "package", "choice": "yes", "minutes": "m",
        })  # fmt: skip

    @rule(data=st.data(), result=st.sampled_from(["pass", "pass", "condition", "reject"]))
    def whoever_holds_a_seat_signs(self, data, result):
        if not self.state.groups:
            return
        seat = self.state.seat(data.draw(st.sampled_from(self.seats())))[1]
        who = data.draw(st.sampled_from([seat.person, seat.delegate or seat.person]))
        self.send("opine", who, {"seat": seat.id, "package": self.state.package, "result": result, "reason": "x", "conditions": ["c"] if result == "condition" else [], "answers": answers(seat)})

    @rule(data=st.data(), verb=st.sampled_from(["delegate", "transfer", "add_sign"]), to=st.sampled_from([p for p, _ in OFFICERS]))
    def holders_pass_seats_around(self, data, verb, to):
        if not self.state.groups:
            return
        seat = self.state.seat(data.draw(st.sampled_from(self.seats())))[1]
        self.send(verb, seat.person, {"seat": seat.id, "to": to, "person": to, "where": "before", "until": str(self.now.date() + timedelta(1)), "reason": "x"})

    @rule()
    def the_desk_that_is_waited_for_can_move(self):
        """No review gets stuck: whoever is waited for makes the move, and it is allowed."""
        if self.state is None or not waiting_desks(self.state):
            return
        if self.state.is_suspended:
            assert self.send("resume", "秘", {})
        step, _, wanted = waiting_desks(self.state)[0]
        if step == "opinion":
            seat = self.state.seat(wanted)[1]
            assert self.send("opine", seat.person, {"seat": seat.id, "package": self.state.package, "result": "pass", "answers": answers(seat)})
        elif step == "meeting" and self.state.phase == "MEETING":
            for who in self.state.meeting.members:
                assert self.send("attend", "秘", {"member": who})
                if not any(p == who for _, p, _ in (*self.state.meeting.votes, *self.state.meeting.recused)):
                    assert self.send("vote", who, {"item": "package", "choice": "yes"})
            assert self.send("close_meeting", "秘", {"minutes": "m"})
        else:
            verb, who, data = {
                "accept": ("accept", "秘", {}), "distribute": ("distribute", "秘", {"groups": groups("all")}), "revise": ("resubmit", "申", {"package": f"{self.tried:064d}", "reason": "x"}),
                "return": ("return", "秘", {"reason": "x"}), "issue": ("decide", "县", {"outcome": due_outcome(self.state)}),
                "meeting": ("convene", "秘", {"agenda": [{"id": "package", "title": "t"}], "members": PEOPLE[:3]}),
            }[step]  # fmt: skip
            assert self.send(verb, who, data)

    @invariant()
    def no_opinion_is_lost_or_rewritten(self):
        if self.state is None:
            return
        said = {o.id: (o.round, o.package, o.seat, o.person, o.result, o.reason, o.seal) for o in self.state.opinions}
        assert all(said.get(k) == v for k, v in self.most_opinions.items())
        self.most_opinions = said
        assert len(said) == sum(e.verb == "opine" for e in self.events)

    @invariant()
    def rights_are_not_widened(self):
        if self.state is None:
            return
        for group in self.state.groups:
            holders = [s.person for s in group.seats]
            assert len(set(holders)) == len(holders)
            for s in group.seats:
                assert DEPARTMENT_OF[s.person] == s.department and (not s.delegate or DEPARTMENT_OF[s.delegate] == s.department)
                assert not s.delegate or s.delegate not in holders
                assert len(set(s.past)) == len(s.past)

    @invariant()
    def opinions_of_other_packages_do_not_stand(self):
        if self.state is not None:
            standing = [o for o in self.state.opinions if o.standing == "valid"]
            assert all(o.round == self.state.round and o.package == self.state.package for o in standing)
            assert len({o.seat for o in standing}) == len(standing)

    @invariant()
    def somebody_is_always_waited_for(self):
        if self.state is not None:
            assert bool(waiting_desks(self.state)) == (self.state.phase not in (*FINAL, "DONE"))

    def teardown(self):
        if self.state is not None:
            assert replay(self.events) == self.state
            twice = [e for e in self.events for _ in range(2)]
            assert replay(twice) == self.state


TestOffice = Office.TestCase
TestOffice.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))


@given(st.permutations(range(3)), st.lists(st.sampled_from(["pass", "condition", "reject"]), min_size=3, max_size=3), st.sampled_from(["all", "vote"]))
@settings(max_examples=60, deadline=None)
def test_parallel_opinions_commute(order, results, mode):
    def state_after(sequence):
        state = None
        told = [("submit", "申", {"project": "p", "package": "0" * 64, "roster": ROSTER, "settings": review_settings()}), ("accept", "秘", {}), ("distribute", "秘", {"groups": groups(mode)[:1]})]
        for n, (verb, who, data) in enumerate(told):
            state = apply(state, ReviewEvent(f"b{n}", verb, who, START, data))
        for n in sequence:
            data = {"seat": f"R1/g/{n + 1}", "package": "0" * 64, "result": results[n], "reason": "x", "conditions": ["c"] if results[n] == "condition" else []}
            state = apply(state, ReviewEvent(f"o{n}", "opine", f"{DEPARTMENTS[n]}0", START + timedelta(hours=n), data))
        return state.phase, due_outcome(state), waiting_desks(state), {o.id: o for o in state.opinions}, {t.id: t for t in state.tasks}, state.latest, dict(state.seen)

    assert state_after(order) == state_after(range(3))


DAYS = st.dates(date(2024, 1, 1), date(2026, 12, 1))
SPANS = st.lists(st.tuples(DAYS, st.integers(0, 40)).map(lambda t: (t[0], t[0] + timedelta(t[1]))), max_size=3)


@given(DAYS, st.integers(0, 60), SPANS)
@settings(max_examples=150, deadline=None)
def test_a_term_ends_on_a_counted_day_and_holds_exactly_its_days(start, term, spans):
    due = due_date(start, term, suspended=spans).day
    assert working_days_between(start, due, suspended=spans) == term
    by_hand = [d for d in (start + timedelta(n) for n in range(1, (due - start).days + 1)) if work_calendar().is_working_day(d) and not any(a <= d < b for a, b in spans)]
    assert len(by_hand) == term and (not term or by_hand[-1] == due)


@given(DAYS, st.integers(0, 60), SPANS, st.tuples(DAYS, st.integers(0, 40)))
@settings(max_examples=100, deadline=None)
def test_longer_terms_and_more_suspension_never_end_earlier(start, term, spans, more):
    due = due_date(start, term, suspended=spans).day
    assert due_date(start, term + 1, suspended=spans).day > due
    assert due_date(start, term, suspended=[*spans, (more[0], more[0] + timedelta(more[1]))]).day >= due
    assert all(due_date(start, term, suspended=p).day == due for p in itertools.permutations(spans))
