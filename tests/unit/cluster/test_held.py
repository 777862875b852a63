from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from adapters.kubernetes.view import ClusterView, KindName
from adapters.kubernetes.watched import POD
from service.cluster.held import Held, Key, Seen, decode, encode

_QUEUE = KindName("kueue.x-k8s.io", "LocalQueue")
_NODE = KindName("", "Node")


def _object(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "LocalQueue", "metadata": {"name": name}, "spec": spec}


def _key(name: str, kind: KindName = _QUEUE) -> Key:
    return Key(kind, "team", name)


def test_what_was_put_is_found_with_its_version() -> None:
    held: Held = Held()
    view: ClusterView = held
    held.put(_key("a"), encode(_object("a", clusterQueue="big"), "17"))

    found = view.find(_QUEUE, "team", "a")
    assert found is not None
    assert found["spec"] == {"clusterQueue": "big"}
    assert found["metadata"] == {"name": "a", "resourceVersion": "17"}
    assert view.find(_QUEUE, "other", "a") is None
    assert view.find(_NODE, "team", "a") is None
    assert view.all(_QUEUE) == [found]
    assert list(view.all(_NODE)) == []


def test_what_is_found_may_be_changed_by_whoever_asked() -> None:
    held = Held()
    held.put(_key("a"), encode(_object("a", n=1), "1"))
    first = held.find(_QUEUE, "team", "a")
    assert first is not None
    first["spec"]["n"] = 2
    assert held.find(_QUEUE, "team", "a") != first


def test_another_version_alone_is_no_change() -> None:
    held = Held()
    seen: list[Seen] = []
    held.observe(seen.append)
    assert held.put(_key("a"), encode(_object("a", n=1), "9"))
    changes = held.changes(_QUEUE)
    assert not held.put(_key("a"), encode(_object("a", n=1), "10"))
    assert held.changes(_QUEUE) == changes
    assert held.put(_key("a"), encode(_object("a", n=2), "11"))
    assert held.changes(_QUEUE) != changes
    assert held.changes(_NODE) == 0
    assert [one.is_listed for one in seen] == [False, False]
    after = seen[1].decoded_after()
    before = seen[1].decoded_before()
    assert before is not None
    assert after is not None
    assert (before["spec"], after["spec"]) == ({"n": 1}, {"n": 2})


def test_nothing_is_complete_or_current_before_a_list_has_ended() -> None:
    held = Held()
    held.begin(_QUEUE)
    held.put(_key("a"), encode(_object("a"), "1"))
    held.confirm(_QUEUE, 50.0)
    assert not held.is_complete(_QUEUE)
    assert held.as_of is None
    assert held.current(_QUEUE) is None

    held.listed(_QUEUE, 100.0)
    assert held.is_complete(_QUEUE)
    assert held.as_of == datetime.fromtimestamp(100, UTC)
    held.confirm(_QUEUE, 130.0)
    held.confirm(_QUEUE, 120.0)
    assert held.as_of == datetime.fromtimestamp(130, UTC)


def test_the_view_is_as_old_as_its_oldest_kind() -> None:
    held = Held()
    for kind, moment in ((_QUEUE, 300.0), (_NODE, 200.0)):
        held.begin(kind)
        held.listed(kind, moment)
    assert held.as_of == datetime.fromtimestamp(200, UTC)


def test_pods_are_never_complete_because_only_some_are_kept() -> None:
    held = Held()
    held.begin(POD)
    held.listed(POD, 1.0)
    assert not held.is_complete(POD)
    assert held.as_of is not None


def test_a_list_takes_away_what_it_does_not_name_once_it_has_ended() -> None:
    held = Held()
    seen: list[Seen] = []
    completed: list[KindName] = []
    for name in ("a", "b"):
        held.put(_key(name), encode(_object(name), "1"))
    held.observe(seen.append, completed=completed.append)

    held.begin(_QUEUE)
    held.put(_key("b"), encode(_object("b"), "5"))
    held.put(_key("c"), encode(_object("c"), "6"))
    assert held.find(_QUEUE, "team", "a") is not None
    held.listed(_QUEUE, 7.0)

    assert held.find(_QUEUE, "team", "a") is None
    assert [(one.key.name, one.after is None, one.is_listed) for one in seen] == [
        ("c", False, True),
        ("a", True, True),
    ]
    assert completed == [_QUEUE]


def test_kinds_that_are_not_served_any_more_are_forgotten() -> None:
    held = Held()
    seen: list[Seen] = []
    held.begin(_QUEUE)
    held.put(_key("a"), encode(_object("a"), "1"))
    held.listed(_QUEUE, 7.0)
    held.observe(seen.append)
    held.keep_only([_NODE])
    assert held.find(_QUEUE, "team", "a") is None
    assert not held.is_complete(_QUEUE)
    assert held.kinds() == [_NODE]
    assert [one.after for one in seen] == [None]


def test_dropping_what_is_not_held_tells_nobody() -> None:
    held = Held()
    seen: list[Seen] = []
    held.observe(seen.append)
    assert not held.drop(_key("a"))
    assert seen == []


def test_it_holds_what_a_plain_table_would_after_any_history() -> None:
    chance = random.Random(7)
    held, plain = Held(), dict[str, dict[str, Any]]()
    for step in range(2000):
        name = f"o{chance.randrange(20)}"
        if chance.random() < 0.3:
            held.drop(_key(name))
            plain.pop(name, None)
        else:
            plain[name] = _object(name, n=chance.randrange(3))
            held.put(_key(name), encode(plain[name], str(step)))
    found = {one["metadata"]["name"]: one["spec"] for one in held.all(_QUEUE)}
    assert found == {name: one["spec"] for name, one in plain.items()}
    assert held.counts() == {"LocalQueue.kueue.x-k8s.io": len(plain)}
    for key in held.keys(_QUEUE):
        raw = held.raw(key)
        assert raw is not None
        assert decode(raw)["metadata"]["name"] == key.name
