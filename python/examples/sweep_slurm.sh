#!/usr/bin/env bash
# A sweep as a Slurm array, one shard per task. A shard that was killed goes on where it was when it is run again.
#
#   gradcert sweep plan plan.json                      # check the plan
#   sbatch --array=1-16 sweep_slurm.sh plan.json runs
#   gradcert sweep merge plan.json --out runs          # when all have ended
#
#SBATCH --cpus-per-task=2
#SBATCH --time=01:00:00
set -euo pipefail
exec gradcert sweep run "$1" --out "$2" --shard "${SLURM_ARRAY_TASK_ID}/${SLURM_ARRAY_TASK_COUNT}"
