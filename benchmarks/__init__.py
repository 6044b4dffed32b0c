"""`make bench`: what eConnector costs, as ratios within one run. Linux, two cores, about six minutes."""
