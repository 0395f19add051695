"""Nightly loyalty scoring: the only area that uses numpy, which lies in its own function's layer.

Nothing that the API imports may import this area's `rules` and `report`; what the API needs in order to answer a single
member is `closed_form`, which needs the standard library only.
"""
