"""`videopose prepare`: make training and evaluation files from the files that datasets are published in.

One module a dataset, and one command in `pipeline/cli/prepare.py`.
"""
