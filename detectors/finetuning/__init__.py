"""What the fine-tuning of every detector shares: the schedule of a recipe, and the record of a run."""
