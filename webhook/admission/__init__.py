"""AdmissionReview in, AdmissionReview out: which writes are judged, and what is answered.

Pure: bytes in, bytes and a record out. Two kinds of error never mix: a bad call raises
(`StrictJSONError`, `ReviewError`), a bad object is answered with `allowed: false`.
"""
