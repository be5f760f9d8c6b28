"""`infer` and `detect` on a Ray cluster, with files on this machine or in a store such as s3://.

`jobs` names the videos and their results, `work` is what the machines do, step by step, and `pages` writes
the pages where the command was started. `pipeline.engines.ray_cluster` spreads the steps.
"""
