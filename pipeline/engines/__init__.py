"""Do the same work on many items: in this process, in several processes, or on several machines.

`tasks` says what work is; `processes` is the pool of processes. Other rooms import these modules directly.
"""
