#!/usr/bin/env bash
# LoRA on a whole LLaVA, from data of your own.
source "$(dirname "$0")/common.sh"
train 128 zero3 --model_name_or_path "${MODEL:-llava-hf/llava-1.5-13b-hf}" --version v1 --image_aspect_ratio pad \
  --lora_enable True --lora_r 128 --lora_alpha 256 --mm_projector_lr 2e-5 --group_by_modality_length True \
  --learning_rate 2e-4 --num_train_epochs 1 --save_steps 50000 "$@"
