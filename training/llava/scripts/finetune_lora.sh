#!/usr/bin/env bash
# Stage 2 with LoRA (r 128, alpha 256) on the language model; the projector learns whole, at a rate of its own.
source "$(dirname "$0")/common.sh"
train 128 zero3 --model_name_or_path "${MODEL:-lmsys/vicuna-7b-v1.5}" --vision_tower "${TOWER:-openai/clip-vit-large-patch14-336}" \
  --pretrain_mm_mlp_adapter "${PROJECTOR:?give the projector of stage 1: PROJECTOR=.../mm_projector.bin}" --version v1 \
  --lora_enable True --lora_r 128 --lora_alpha 256 --mm_projector_lr 2e-5 --image_aspect_ratio pad --group_by_modality_length True \
  --learning_rate 2e-4 --num_train_epochs 1 --save_steps 50000 "$@"
