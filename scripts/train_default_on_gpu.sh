#!/usr/bin/env bash
# Train a default, a causal and a single-frame lifter on a GPU, and measure them (see docs/training.md).
#     scripts/train_default_on_gpu.sh DATA OUTPUT [options of videopose train]
set -euo pipefail
data=$1 output=$2
shift 2

train() { # name, then options
    videopose train "$(dirname "$0")/../configs/lifting/recombined.yaml" --data "$data" --output "$output/$1" \
        --device cuda --set "name=$1" --set schedule.batch=4096 --set schedule.learning_rate=0.001 "${@:2}"
    videopose evaluate "$output/$1/lifter.safetensors" --data "$data" --severity 0.5 --seeds 1 --yardsticks
}

train default --set start=null "$@"
train causal --set "start=$output/default/lifter.safetensors" --set model.causal=true "$@"
train single-frame --set start=null --set 'model.filter_widths=[1,1,1,1]' "$@"
