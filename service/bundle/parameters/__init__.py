"""What the organisation sets for the rules of each domain, with the defaults of a careful team."""
