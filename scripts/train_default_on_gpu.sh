#!/usr/bin/env bash
# Train the default, the causal and the single-frame lifter on a GPU, and measure them (see docs/training.md).
#     scripts/train_default_on_gpu.sh DATA OUTPUT [options of videopose train]
set -euo pipefail
data=$1 output=$2 configs=$(dirname "$0")/../configs/lifting
shift 2

train() { # name, then options
    videopose train "$configs/$1.yaml" --data "$data" --output "$output/$1" --device cuda "${@:2}"
    videopose evaluate "$output/$1/lifter.safetensors" --data "$data" --severity 0.5 --seeds 1 --yardsticks
}

train default "$@"
train causal --set "start=$output/default/lifter.safetensors" "$@"
train single-frame "$@"
