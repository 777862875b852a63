package policies.lib.owners_test

import data.policies.lib.owners

test_a_team_is_shown_by_its_name if owners.shown("vision") == "vision"

test_nobody_is_shown_in_words if owners.shown(null) == "(none)"
