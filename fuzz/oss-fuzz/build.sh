#!/usr/bin/env bash
# Builds every fuzz target for OSS-Fuzz and ClusterFuzzLite: the binaries, their seeds and dictionaries go to $OUT.
# $SRC/mqtt-assay is the repository. `fuzz/oss-fuzz/check` runs it without a container.
set -euo pipefail
cd "$SRC/mqtt-assay"

# The repository pins a stable toolchain; sanitizers want the nightly one of the image.
export RUSTUP_TOOLCHAIN="${RUSTUP_TOOLCHAIN:-nightly}"

# FUZZ_TARGETS chooses some of them. The racers are measured, not fuzzed.
targets="${FUZZ_TARGETS:-$(cargo fuzz list | grep -v ^race_)}"
for target in $targets; do
    cargo fuzz build -O --debug-assertions "$target"
done

# The seeds lie packed in the repository.
if [ -d fuzz/seeds ]; then
    # shellcheck disable=SC2086
    cargo run --quiet --release -p mqtt-assay-fuzzing --example corpus unpack $targets
fi

triple=$(rustc --version --verbose | sed -n 's/^host: //p')
for target in $targets; do
    cp "fuzz/target/$triple/release/$target" "$OUT/"
    if [ -d "fuzz/corpus/$target" ]; then
        rm -f "$OUT/${target}_seed_corpus.zip"
        # More seeds than fit on a command line.
        (cd "fuzz/corpus/$target" && find . -type f | zip -q "$OUT/${target}_seed_corpus.zip" -@)
    fi
    # A dictionary of its own, or the one of all.
    for dictionary in "fuzz/dictionaries/$target.dict" fuzz/mqtt.dict; do
        if [ -f "$dictionary" ]; then
            cp "$dictionary" "$OUT/$target.dict"
            break
        fi
    done
done
