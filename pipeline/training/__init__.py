"""`train`, `finetune-detector` and `semi-train`."""
