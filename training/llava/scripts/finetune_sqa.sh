#!/usr/bin/env bash
# ScienceQA, 12 epochs; `llava data scienceqa` makes its training data.
source "$(dirname "$0")/common.sh"
train 128 zero3 --model_name_or_path "${MODEL:-lmsys/vicuna-13b-v1.3}" --vision_tower "${TOWER:-openai/clip-vit-large-patch14}" \
  --pretrain_mm_mlp_adapter "${PROJECTOR:?give the projector of stage 1: PROJECTOR=.../mm_projector.bin}" --version v1 \
  --image_aspect_ratio square --group_by_modality_length True --learning_rate 2e-5 --num_train_epochs 12 --save_steps 50000 "$@"
