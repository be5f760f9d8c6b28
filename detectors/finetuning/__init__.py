"""What fine-tuning of any detector shares."""
