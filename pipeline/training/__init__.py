"""Train networks: the commands `train`, `finetune-detector` and `semi-train`."""
