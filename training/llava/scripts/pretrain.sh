#!/usr/bin/env bash
# Stage 1, feature alignment: only the projector learns, from pictures with captions (LLaVA-1.5: 558k of LAION-CC-SBU).
source "$(dirname "$0")/common.sh"
train 256 zero2 --model_name_or_path "${MODEL:-lmsys/vicuna-7b-v1.5}" --vision_tower "${TOWER:-openai/clip-vit-large-patch14-336}" \
  --version plain --tune_mm_mlp_adapter True --learning_rate 1e-3 --num_train_epochs 1 --save_steps 24000 "$@"
