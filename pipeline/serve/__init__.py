"""`videopose serve`: a local page for those who do not like terminals.

`server` starts it. `app` answers the page's requests. `clips` is the folder in which everything is kept,
`job_queue` runs one job at a time, each as a process of its own (`worker`), and `steps` is what a job does.
"""
