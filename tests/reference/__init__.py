"""Reference implementation of the read models' answers, in the plainest way.

Plain dictionaries over recorded events, one after the other. Nothing here is shared with the
projections: not their pure rules, not their shapes, not the arithmetic of ``previous``. Whoever
changes what an answer means says it in both places; a test holds that the two agree.
"""
