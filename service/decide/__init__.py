"""Turns findings into a decision, by the organisation's posture and modes."""
