#!/bin/sh
# Certifies 10,000 inputs as 20 shares of a Slurm array. Afterwards: bures merge shares/* --out whole
#SBATCH --job-name=certify
#SBATCH --array=0-19
#SBATCH --cpus-per-task=8
#SBATCH --mem=4G
#SBATCH --time=01:00:00
set -eu
inputs=10000 shares=20
each=$(( (inputs + shares - 1) / shares ))
first=$(( SLURM_ARRAY_TASK_ID * each ))
end=$(( first + each < inputs ? first + each : inputs ))
[ "$first" -lt "$end" ] || exit 0 # more shares than inputs
export RAYON_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
# --force lets a share that was killed and requeued start again.
bures certify bnn.safetensors --activation relu --inputs x.npy --range "$first..$end" \
    --out "shares/$(printf %04d "$SLURM_ARRAY_TASK_ID")" --force --quiet
