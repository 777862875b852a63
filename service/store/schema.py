"""The tables of the decision log.

Everything a filter asks for is a column; everything a person reads is the decision's own JSON, kept
as it was decided. Rows of one decision are joined by ``seq``, a number without gaps that the one
writer gives, so that "newest first" and cursors need no clock.

Beside them lie the subject events: what became of the objects that were decided about.

Requests lie apart under the SHA-256 of their bytes: the same request is kept once, and can be
erased without touching the decision. A context belongs to one decision only and lies beside it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# ``time`` is in microseconds since 1970 in UTC. ``repetition`` is set where the same question must
# not be recorded twice: the SHA-256 over enforcement point, key and request digest.
decisions = Table(
    "decisions",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("decision_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("enforcement_point", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("binding", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("actor", Text),
    Column("cluster", Text),
    Column("namespace", Text),
    Column("account", Text),
    Column("project", Text),
    Column("workspace", Text),
    Column("key", Text, nullable=False),
    Column("request_digest", Text, nullable=False),
    Column("context_digest", Text, nullable=False),
    Column("resolved_digest", Text, nullable=False),
    Column("bundle_name", Text, nullable=False),
    Column("bundle_revision", Text, nullable=False),
    Column("bundle_digest", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("repetition", LargeBinary),
    Column("request_body", LargeBinary),
    Column("body", LargeBinary, nullable=False),
    Column("context", LargeBinary),
)

# ``accelerator`` names the models, separated by commas; ``accelerators`` is their largest total.
# ``covered_by`` is the uid of the object whose admission covers this one: sums leave such rows out.
resources = Table(
    "decision_resources",
    metadata,
    Column("decision", Integer, ForeignKey(decisions.c.seq), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("covered_by", Text),
    Column("team", Text),
    Column("vendor", Text),
    Column("region", Text),
    Column("instance_type", Text),
    Column("accelerator", Text),
    Column("accelerators", BigInteger),
    Column("micros_per_hour", BigInteger),
    Column("currency", Text),
    Column("basis", Text),
    sqlite_with_rowid=False,
)

findings = Table(
    "findings",
    metadata,
    Column("decision", Integer, ForeignKey(decisions.c.seq), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("code", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("resource", Text),
    Column("undetermined", Boolean, nullable=False),
    Column("waived_by", Text),
    sqlite_with_rowid=False,
)

bodies = Table(
    "bodies",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# ``seq`` is the writer's order, without gaps; an event that is recorded already adds nothing.
# ``cluster`` is empty where it has no name.
subject_events = Table(
    "subject_events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("time", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("cluster", Text, nullable=False),
    Column("namespace", Text),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

Index(
    "decisions_repetition",
    decisions.c.repetition,
    unique=True,
    sqlite_where=decisions.c.repetition.is_not(None),
)
# What is open is asked for every second: this holds nothing else, and begins with the kind so that
# SQLite takes it before the index on every kind.
Index(
    "decisions_break_glass",
    decisions.c.kind,
    decisions.c.time,
    sqlite_where=decisions.c.kind == "break_glass",
)
# An index on one value ends in the order in which pages are read, newest first.
Index("decisions_outcome", decisions.c.outcome, decisions.c.seq)
Index("decisions_enforcement_point", decisions.c.enforcement_point, decisions.c.seq)
Index("decisions_kind", decisions.c.kind, decisions.c.seq)
Index("decisions_time", decisions.c.time, decisions.c.seq)
Index("decision_resources_team", resources.c.team, resources.c.decision, resources.c.vendor)
Index("decision_resources_vendor", resources.c.vendor, resources.c.decision, resources.c.team)
Index("findings_code", findings.c.code, findings.c.decision)
Index(
    "findings_waived_by",
    findings.c.waived_by,
    findings.c.decision,
    sqlite_where=findings.c.waived_by.is_not(None),
)
Index("subject_events_subject", subject_events.c.subject, subject_events.c.seq)
Index("subject_events_time", subject_events.c.time, subject_events.c.seq)
# What each object did last is found in this alone.
Index("subject_events_uid", subject_events.c.uid, subject_events.c.cluster, subject_events.c.seq)
