#!/usr/bin/env bash
# A whole LLaVA goes on learning from data of your own.
source "$(dirname "$0")/common.sh"
train 128 zero3 --model_name_or_path "${MODEL:-llava-hf/llava-1.5-13b-hf}" --version v1 --image_aspect_ratio pad \
  --group_by_modality_length True --learning_rate 2e-5 --num_train_epochs 1 --save_steps 50000 "$@"
