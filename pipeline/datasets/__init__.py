"""`videopose prepare`: make training and evaluation files from the published files of datasets.

One module a dataset, and one command in `pipeline/cli/prepare.py`.
"""
