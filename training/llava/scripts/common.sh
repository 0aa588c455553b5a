# What all of LLaVA's recipes share; sourced by them. Environment:
#   GPUS     processes on this machine; 0 trains on the CPU (default: as many as nvidia-smi lists)
#   LAUNCH   torchrun (default) or deepspeed
#   DATA     LLaVA's JSON, several with spaces between        IMAGES  folder of the pictures
#   OUT      output folder; a run that finds its checkpoints there goes on
# The global batch is GPUS × per-device batch × accumulation. Keep it when GPUS changes: PER_DEVICE and ACCUMULATION set the parts.
# Options after a script's name are given on, and win: scripts/finetune.sh --num_train_epochs 3
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${DATA:?give the training data: DATA=llava_v1_5_mix665k.json}" "${IMAGES:?give the folder of the pictures: IMAGES=...}" "${OUT:?give an output folder: OUT=...}"
GPUS=${GPUS-$( (nvidia-smi -L 2>/dev/null || true) | wc -l)}

# train BATCH CONFIG OPTION...: BATCH is the recipe's global batch, CONFIG a ZeRO configuration beside this file.
train() {
  local batch=$1 config=$2 options=()
  shift 2
  local count=$((GPUS > 0 ? GPUS : 1)) per=${PER_DEVICE:-}
  [ -n "$per" ] || per=$((batch / count > 16 ? 16 : (batch / count > 0 ? batch / count : 1)))
  local steps=${ACCUMULATION:-$((batch / (per * count) > 0 ? batch / (per * count) : 1))}
  if [ "$GPUS" = 0 ]; then options+=(--use_cpu); else options+=(--bf16 True --tf32 True); fi
  local run=(-m llava.train)
  case "${LAUNCH:-torchrun}" in
    deepspeed) run=(deepspeed --num_gpus "$count" --module llava.train) options+=(--deepspeed "llava/scripts/$config.json") ;;
    *) if [ "$count" -gt 1 ]; then run=(torchrun --nproc-per-node "$count" -m llava.train); else run=("${PYTHON:-python}" "${run[@]}"); fi ;;
  esac
  # shellcheck disable=SC2086
  exec "${run[@]}" --data_path $DATA --image_folder "$IMAGES" --output_dir "$OUT" \
    --per_device_train_batch_size "$per" --gradient_accumulation_steps "$steps" \
    --weight_decay 0 --warmup_ratio 0.03 --lr_scheduler_type cosine --logging_steps 1 --save_strategy steps --save_total_limit 1 \
    --model_max_length 2048 --gradient_checkpointing True --dataloader_num_workers 4 --report_to "${REPORT:-tensorboard}" \
    "${options[@]}" "$@"
}
