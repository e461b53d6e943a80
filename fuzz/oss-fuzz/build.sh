#!/usr/bin/env bash
# Builds the fuzz targets for OSS-Fuzz and ClusterFuzzLite: the binaries, their seeds and dictionaries go to $OUT.
# $SRC/mqtt-assay is the repository. `fuzz/oss-fuzz/check` runs it without a container.
set -euo pipefail
cd "$SRC/mqtt-assay"

# The repository pins a stable toolchain; sanitizers want the nightly one of the image.
export RUSTUP_TOOLCHAIN="${RUSTUP_TOOLCHAIN:-nightly}"

# FUZZ_TARGETS chooses some of them. The racers are measured, not fuzzed.
read -ra targets <<<"${FUZZ_TARGETS:-$(cargo fuzz list | grep -v ^race_ | tr '\n' ' ')}"
# What takes minutes to build is built for the targets that want it.
feature() { case "$1" in websocket) echo websocket ;; differential) echo peers ;; esac; }
for target in "${targets[@]}"; do
    cargo fuzz build -O --debug-assertions --features "$(feature "$target")" "$target"
done

# The seeds lie packed in the repository.
cargo run --quiet -p mqtt-assay-fuzzing --no-default-features --example corpus unpack "${targets[@]}"

triple=$(rustc --version --verbose | sed -n 's/^host: //p')
for target in "${targets[@]}"; do
    cp "fuzz/target/$triple/release/$target" fuzz/mqtt.dict "$OUT/"
    mv "$OUT/mqtt.dict" "$OUT/$target.dict"
    # Longer inputs than the longest seed are slower, and show no more.
    [ "$target" = scenario ] || printf '[libfuzzer]\nmax_len = 1024\n' >"$OUT/$target.options"
    if [ -d "fuzz/corpus/$target" ]; then
        rm -f "$OUT/${target}_seed_corpus.zip"
        # More seeds than fit on a command line.
        (cd "fuzz/corpus/$target" && find . -type f | zip -q "$OUT/${target}_seed_corpus.zip" -@)
    fi
done
