"""Reference implementation of the read models' answers, in the plainest way.

Plain dictionaries over recorded events, in order. It shares nothing with the projections: no rules,
no types, no arithmetic of ``previous``. A change of an answer's meaning is made in both places; a
test checks that they agree.
"""
